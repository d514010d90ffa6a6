//! Thumbnails: three frames of a preset side by side in a small picture, for reports and the progress of a
//! bake.

use std::path::{Path, PathBuf};

use image::{RgbImage, imageops};

use crate::disk;
use crate::facts::PresetId;

/// Size of one thumbnail, in pixels.
pub const THUMB: [u32; 2] = [128, 72];
/// JPEG quality, from 0 to 100.
const QUALITY: u8 = 80;

/// Returns the path of a preset's thumbnails in `folder`.
pub fn path(folder: &Path, id: PresetId) -> PathBuf {
    folder.join(below(id))
}

/// Returns the path of a preset's thumbnails, relative to their folder.
fn below(id: PresetId) -> PathBuf {
    let name = id.to_string();
    Path::new(&name[..2]).join(format!("{name}.jpg"))
}

/// Writes the thumbnails of RGBA `frames`, each of `size` pixels, as one strip.
pub(super) fn write(folder: &Path, id: PresetId, frames: &[Vec<u8>], size: [u32; 2]) -> Result<(), String> {
    let mut strip = RgbImage::new(THUMB[0] * frames.len() as u32, THUMB[1]);
    for (place, frame) in (0..).zip(frames) {
        let rgb = frame.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let Some(picture) = RgbImage::from_raw(size[0], size[1], rgb) else { continue };
        let small = imageops::thumbnail(&picture, THUMB[0], THUMB[1]);
        imageops::replace(&mut strip, &small, i64::from(place * THUMB[0]), 0);
    }
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&strip)
        .map_err(|error| format!("cannot encode a thumbnail: {error}"))?;
    disk::write_below(folder, &below(id), &bytes)
        .map_err(|error| format!("cannot write a thumbnail: {error}"))
}
