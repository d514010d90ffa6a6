//! The images that the shaders of a preset read, limited in total size.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::render_context::RenderContext;
use super::textures::Texture;

/// Maximum total size of the images of a deck, in bytes; the halves of a double preset share it.
pub(super) const MAX_BYTES: u64 = 256 << 20;

/// Images by name; `None` for those that are replaced with black.
pub(super) type Images = BTreeMap<String, Option<Arc<Texture>>>;

/// The images found for the shaders of one preset.
pub(super) struct DeckImages<'a> {
    render_context: &'a RenderContext,
    /// Seed for picking random images.
    seed: u64,
    /// Number of bytes that further images may take.
    left: u64,
    pub images: Images,
    /// Why images are replaced with black.
    pub problems: Vec<String>,
}

impl<'a> DeckImages<'a> {
    /// Creates a collection with `images` and room for further ones of up to `limit` bytes in total.
    pub fn new(render_context: &'a RenderContext, seed: u64, limit: u64, images: Images) -> Self {
        Self { render_context, seed, left: limit, images, problems: Vec::new() }
    }

    /// Returns the image `name`, loading it if necessary. If it is missing or exceeds the limit, returns `None` and
    /// reports a problem.
    pub fn find(&mut self, name: &str) -> Option<Arc<Texture>> {
        if let Some(known) = self.images.get(name) {
            return known.clone();
        }
        let image = match self.load(name) {
            None => {
                self.problems.push(format!("missing texture: {name}"));
                None
            }
            Some(image) => match self.left.checked_sub(image.bytes()) {
                Some(left) => {
                    self.left = left;
                    Some(image)
                }
                None => {
                    self.problems
                        .push(format!("texture {name}: the images are too large; using black instead"));
                    None
                }
            },
        };
        self.images.insert(name.to_owned(), image.clone());
        image
    }

    /// Returns the value of `texsize_NAME`; `None` if the image is replaced with black. Images that no sampler reads do
    /// not count towards the limit, because they are not kept.
    pub fn size(&self, name: &str) -> Option<[f32; 4]> {
        match self.images.get(name) {
            Some(known) => known.as_ref().map(|image| image.size),
            None => self.load(name).map(|image| image.size),
        }
    }

    fn load(&self, name: &str) -> Option<Arc<Texture>> {
        self.render_context.textures.find(&self.render_context.gpu, name, self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Gpu;

    #[test]
    fn images_beyond_the_limit_are_replaced_with_black_and_reported() {
        let Some(gpu) = Gpu::for_test() else { return };
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["sky", "sea"] {
            let picture = image::RgbaImage::from_pixel(8, 8, image::Rgba([90, 120, 200, 255]));
            picture.save(folder.path().join(format!("{name}.png"))).expect("written");
        }
        let context = RenderContext::new(gpu, &[folder.path().to_owned()]);
        let mut images = DeckImages::new(&context, 1, 8 * 8 * 4 + 100, Images::new());
        assert!(images.find("sky").is_some() && images.find("sky").is_some(), "counted once");
        assert!(images.find("sea").is_none() && images.size("sea").is_none());
        assert!(images.find("sun").is_none() && images.find("sun").is_none());
        let [large, missing] = &images.problems[..] else { unreachable!("{:?}", images.problems) };
        assert!(large.contains("sea") && large.contains("too large"), "{large}");
        assert_eq!(missing, "missing texture: sun");
        let mut enough = DeckImages::new(&context, 1, MAX_BYTES, Images::new());
        assert!(enough.find("sky").is_some() && enough.find("sea").is_some());
        let Some(gpu) = Gpu::for_test() else { return };
        let empty = RenderContext::new(gpu, &[]);
        let mut known = DeckImages::new(&empty, 1, 0, enough.images);
        assert!(known.find("sky").is_some() && known.problems.is_empty(), "loaded again");
    }
}
