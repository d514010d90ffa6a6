//! Textures of presets: built-in noise, and images in the user's texture folders.
//!
//! Images are looked up by lower-case file stem. A missing image is reported and replaced with black, as in
//! MilkDrop. Images are loaded while a deck is built, never on the render thread.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lactea_abi::{NoiseTex, TexDim};

use super::gpu::Gpu;
use super::upload;
use crate::disk::{PictureError, Walk, picture, with_timeout};
use crate::milk::{noise, random_texture};
use crate::units::Rng;

/// Maximum side length, in pixels; larger images are scaled down.
const MAX_SIDE: u32 = 2048;
/// Maximum number of folder levels searched for images, counting the texture folder itself.
const MAX_DEPTH: usize = 5;
/// Maximum size of the texture cache, in bytes.
const MAX_CACHE_BYTES: u64 = 256 << 20;
/// File extensions of images, in lower case.
const EXTENSIONS: [&str; 10] = ["jpg", "jpeg", "png", "bmp", "dib", "tga", "dds", "gif", "webp", "jfif"];

/// A texture on the device.
#[derive(Clone)]
pub struct Texture {
    /// View of the whole texture.
    pub view: wgpu::TextureView,
    /// Width and height in pixels, and their reciprocals: the value of `texsize_*`.
    pub size: [f32; 4],
}

impl Texture {
    /// Returns the size of an image in bytes.
    pub fn bytes(&self) -> u64 {
        let [width, height, ..] = self.size.map(|side| side as u64);
        width * height * 4
    }
}

/// Textures available to presets.
pub struct Textures {
    noise: [Texture; 6],
    /// One black pixel as a 2D and a 3D texture, used for missing images.
    black: [Texture; 2],
    pub(super) files: Arc<BTreeMap<String, PathBuf>>,
    cache: Mutex<HashMap<String, Arc<Texture>>>,
}

impl Textures {
    /// Creates the noise textures. Images are loaded from `files` when they are needed.
    pub fn new(gpu: &Gpu, files: Arc<BTreeMap<String, PathBuf>>) -> Self {
        let noise =
            [NoiseTex::Lq, NoiseTex::LqLite, NoiseTex::Mq, NoiseTex::Hq, NoiseTex::VolLq, NoiseTex::VolHq]
                .map(|which| {
                    let (bytes, side) = noise::generate(which);
                    let (depth, dim) =
                        if noise::is_volume(which) { (side, TexDim::D3) } else { (1, TexDim::D2) };
                    let size = [side, side, depth].map(|side| side as u32);
                    upload(gpu, &format!("noise/{which:?}"), &bytes, size, dim)
                });
        let black = [TexDim::D2, TexDim::D3].map(|dim| upload(gpu, "black", &[0, 0, 0, 255], [1; 3], dim));
        Self { noise, black, files, cache: Mutex::default() }
    }

    /// Returns the number of images found.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Returns a built-in noise texture.
    pub fn noise(&self, which: NoiseTex) -> &Texture {
        &self.noise[which.index()]
    }

    /// Returns the black texture used in place of a missing image.
    pub fn placeholder(&self, dim: TexDim) -> &Texture {
        match dim {
            TexDim::D2 => &self.black[0],
            TexDim::D3 => &self.black[1],
        }
    }

    /// Returns the image `name`, which must be in lower case, loading it if necessary; `None` if it is missing or
    /// unreadable.
    ///
    /// `randNN` picks a random image, `randNN_prefix` a random one whose name starts with `prefix`. The same seed and
    /// number always pick the same image.
    pub fn find(&self, gpu: &Gpu, name: &str, seed: u64) -> Option<Arc<Texture>> {
        let picked = match random_texture(name) {
            Some((number, prefix)) => {
                let candidates: Vec<&String> = self.files.keys().filter(|n| n.starts_with(prefix)).collect();
                let choice = Rng::new(seed).fork(number).below(candidates.len());
                (*candidates.get(choice)?).clone()
            }
            None => name.to_owned(),
        };
        if let Some(texture) = self.cache().get(&picked) {
            return Some(texture.clone());
        }
        let path = self.files.get(&picked)?;
        let texture = match load(gpu, path) {
            Ok(texture) => Arc::new(texture),
            Err(why) => {
                log::warn!("could not load texture {}: {why}; using black instead", path.display());
                return None;
            }
        };
        let mut cache = self.cache();
        if cache.values().map(|texture| texture.bytes()).sum::<u64>() + texture.bytes() > MAX_CACHE_BYTES {
            cache.clear(); // Decks keep their own references; other images are loaded again on demand.
        }
        cache.insert(picked, texture.clone());
        Some(texture)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Texture>>> {
        self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Lists the images in `folders` and subfolders by lookup name. Unreadable folders are skipped.
pub(super) fn image_files(folders: &[PathBuf]) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    for folder in folders {
        for found in Walk::new(folder, MAX_DEPTH, |path| texture_name(path).is_some()) {
            match found {
                Ok(path) => _ = files.entry(texture_name(&path).unwrap_or_default()).or_insert(path),
                Err(skipped) => log::warn!("skipping a texture: {skipped}"),
            }
        }
    }
    files
}

/// Returns the folders that a process must be able to read to use the textures in `folders`: the folders
/// themselves, and the folders of images that symbolic links in them point to.
pub fn texture_folders(folders: &[PathBuf]) -> Vec<PathBuf> {
    let images =
        folders.iter().flat_map(|folder| Walk::new(folder, MAX_DEPTH, |path| texture_name(path).is_some()));
    let linked = images.flatten().filter_map(|path| folder_of_target(&path));
    let found: BTreeSet<PathBuf> = folders.iter().cloned().chain(linked).collect();
    found.into_iter().collect()
}

/// Returns the folder of the image that a link points to; `None` if the path is not a link.
fn folder_of_target(path: &Path) -> Option<PathBuf> {
    let own = path.to_owned();
    let target = with_timeout(path, move |_| own.is_symlink().then(|| own.canonicalize()).transpose());
    Some(target.ok()??.parent()?.to_owned())
}

/// Returns the lookup name of an image file, or `None` for other files.
fn texture_name(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let known = EXTENSIONS.contains(&extension.as_str());
    known.then(|| path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase())).flatten()
}

fn load(gpu: &Gpu, path: &Path) -> Result<Texture, PictureError> {
    let image = picture(path)?;
    let image = if image.width().max(image.height()) > MAX_SIDE {
        image.resize(MAX_SIDE, MAX_SIDE, image::imageops::FilterType::Triangle)
    } else {
        image
    };
    let rgba = image.to_rgba8();
    let size = [rgba.width(), rgba.height(), 1];
    Ok(upload(gpu, &path.to_string_lossy(), rgba.as_raw(), size, TexDim::D2))
}

fn upload(gpu: &Gpu, label: &str, rgba: &[u8], [width, height, depth]: [u32; 3], dim: TexDim) -> Texture {
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: depth };
    let dimension = match dim {
        TexDim::D2 => wgpu::TextureDimension::D2,
        TexDim::D3 => wgpu::TextureDimension::D3,
    };
    let texture = upload::texture(gpu, label, dimension, &[(rgba, size)]);
    let (w, h) = (width as f32, height as f32);
    Texture {
        view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
        size: [w, h, 1.0 / w, 1.0 / h],
    }
}
