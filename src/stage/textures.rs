//! Images presets use: the built-in noise and the user's texture folders.
//!
//! Looked up by lower-case name without ending. A missing image is replaced by smooth noise and named, so that a
//! preset is never blamed for it. Loading happens where decks are made ready, never on the render thread.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lactea_abi::{NoiseTex, TexDim};

use super::gpu::Gpu;
use super::noise;
use crate::units::Rng;

/// Longest side an image may have; larger ones are scaled down.
const MAX_SIDE: u32 = 2048;
/// Longest side of an image that is read at all: what a small file may unfold to has to fit into memory.
const MAX_READ_SIDE: u32 = 8192;
/// Most memory that unfolding one may take, bytes.
const MAX_READ_BYTES: u64 = 256 << 20;
/// Largest image file that is read, bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Memory of the images kept at the same time, bytes.
const MAX_KEPT_BYTES: f32 = 256.0 * 1024.0 * 1024.0;
const ENDINGS: [&str; 9] = ["jpg", "jpeg", "png", "bmp", "tga", "dds", "gif", "webp", "jfif"];

/// One image on the device.
#[derive(Clone)]
pub struct Picture {
    /// A view of all of it.
    pub view: wgpu::TextureView,
    /// Width, height and their inverses, as `texsize_*` wants them.
    pub size: [f32; 4],
}

/// All images presets may use.
pub struct Textures {
    noise: [Picture; 6],
    files: HashMap<String, PathBuf>,
    /// Names in order, for random picks.
    names: Vec<String>,
    kept: Mutex<HashMap<String, Arc<Picture>>>,
}

impl Textures {
    /// Makes the noise and lists the images of `folders` (with their subfolders); unreadable folders are skipped.
    pub fn new(gpu: &Gpu, folders: &[PathBuf]) -> Self {
        let noise =
            [NoiseTex::Lq, NoiseTex::LqLite, NoiseTex::Mq, NoiseTex::Hq, NoiseTex::VolLq, NoiseTex::VolHq]
                .map(|which| {
                    let (bytes, side) = noise::generate(which);
                    let depth = if noise::is_volume(which) { side } else { 1 };
                    upload(gpu, &format!("noise/{which:?}"), &bytes, [side, side, depth].map(|s| s as u32))
                });
        let mut files = HashMap::new();
        for folder in folders {
            let walk = walkdir::WalkDir::new(folder).max_depth(4).sort_by_file_name();
            for entry in walk.into_iter().filter_map(Result::ok) {
                if let Some(name) = texture_name(entry.path()) {
                    files.entry(name).or_insert_with(|| entry.into_path());
                }
            }
        }
        let mut names: Vec<String> = files.keys().cloned().collect();
        names.sort();
        Self { noise, files, names, kept: Mutex::default() }
    }

    /// How many images the folders hold.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// A built-in noise texture.
    pub fn noise(&self, which: NoiseTex) -> &Picture {
        &self.noise[which.index()]
    }

    /// What stands in for an image of this shape that is not there.
    pub fn stand_in(&self, dim: TexDim) -> &Picture {
        self.noise(match dim {
            TexDim::D2 => NoiseTex::Mq,
            TexDim::D3 => NoiseTex::VolHq,
        })
    }

    /// The image a shader calls `name`; `None` when no folder has it or it cannot be read.
    ///
    /// `randNN` and `randNN_prefix` pick one at random, the same one for the same seed and number.
    pub fn find(&self, gpu: &Gpu, name: &str, seed: u64) -> Option<Arc<Picture>> {
        let picked = match random_pick(name) {
            Some((number, prefix)) => {
                let fitting: Vec<&String> = self.names.iter().filter(|n| n.starts_with(prefix)).collect();
                let choice = Rng::new(seed).fork(number).below(fitting.len());
                (*fitting.get(choice)?).clone()
            }
            None => name.to_owned(),
        };
        if let Some(picture) = self.kept().get(&picked) {
            return Some(picture.clone());
        }
        let path = self.files.get(&picked)?;
        let picture = match load(gpu, path) {
            Ok(picture) => Arc::new(picture),
            Err(why) => {
                log::warn!("the image {} cannot be used ({why}); noise stands in for it", path.display());
                return None;
            }
        };
        let mut kept = self.kept();
        let bytes = |picture: &Picture| picture.size[0] * picture.size[1] * 4.0;
        if kept.values().map(|picture| bytes(picture)).sum::<f32>() + bytes(&picture) > MAX_KEPT_BYTES {
            kept.clear(); // Decks hold their own; what is still wanted is read again.
        }
        kept.insert(picked, picture.clone());
        Some(picture)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Picture>>> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Number and prefix of `randNN` and `randNN_prefix`.
fn random_pick(name: &str) -> Option<(u64, &str)> {
    let rest = name.strip_prefix("rand")?;
    let (digits, rest) = (rest.get(..2)?, rest.get(2..)?);
    let number = digits.parse().ok()?;
    match rest.strip_prefix('_') {
        Some(prefix) => Some((number, prefix)),
        None => rest.is_empty().then_some((number, "")),
    }
}

fn texture_name(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let known = ENDINGS.contains(&ending.as_str());
    known.then(|| path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase())).flatten()
}

fn load(gpu: &Gpu, path: &Path) -> Result<Picture, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("larger than 64 MiB ({size} bytes)"));
    }
    let mut reader = image::ImageReader::open(path).map_err(|error| error.to_string())?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_READ_SIDE), Some(MAX_READ_SIDE));
    limits.max_alloc = Some(MAX_READ_BYTES);
    reader.limits(limits);
    let reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    let image = reader.decode().map_err(|error| error.to_string())?;
    let image = if image.width().max(image.height()) > MAX_SIDE {
        image.resize(MAX_SIDE, MAX_SIDE, image::imageops::FilterType::Triangle)
    } else {
        image
    };
    let rgba = image.to_rgba8();
    let size = [rgba.width(), rgba.height(), 1];
    Ok(upload(gpu, &path.to_string_lossy(), rgba.as_raw(), size))
}

fn upload(gpu: &Gpu, label: &str, rgba: &[u8], [width, height, depth]: [u32; 3]) -> Picture {
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: depth };
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: if depth > 1 { wgpu::TextureDimension::D3 } else { wgpu::TextureDimension::D2 },
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(width * 4),
        rows_per_image: Some(height),
    };
    gpu.queue.write_texture(texture.as_image_copy(), rgba, layout, size);
    let (w, h) = (width as f32, height as f32);
    Picture {
        view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
        size: [w, h, 1.0 / w, 1.0 / h],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_are_read_as_number_and_prefix() {
        assert_eq!(random_pick("rand03"), Some((3, "")));
        assert_eq!(random_pick("rand12_smalltiled"), Some((12, "smalltiled")));
        assert_eq!(random_pick("random"), None);
        assert_eq!(random_pick("rand1"), None);
    }
}
