//! Reads images whose size, format and content are not trusted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{DynamicImage, ImageReader, Limits};

use super::{dds, limit, read};

/// Maximum side length of an image, in pixels.
const MAX_SIDE: u32 = 8192;
/// Maximum memory for decoding an image, in bytes.
const MAX_DECODED: u64 = 256 << 20;

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The file is not an image, or it is damaged or too large.
    #[error(transparent)]
    Image(#[from] image::ImageError),
    /// The file is a DDS image that is damaged, too large, or in an unsupported format.
    #[error("{0}")]
    Dds(String),
    /// The decoder panicked on a damaged image.
    #[error("the image is damaged")]
    Damaged,
}

/// Reads an image of at most 64 MiB and 8192 x 8192 pixels, whatever its extension. The size is checked
/// before anything is decoded.
pub fn picture(path: &Path) -> Result<DynamicImage, PictureError> {
    let bytes = read(path, limit::IMAGE)?;
    if let Some(image) = dds::decode(&bytes, MAX_SIDE) {
        return Ok(image.map_err(PictureError::Dds)?.into());
    }
    // A file without a signature, such as TGA, is recognised by its extension.
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes.as_slice()));
    if let Ok(format) = image::ImageFormat::from_path(path) {
        reader.set_format(format);
    }
    let mut reader = reader.with_guessed_format()?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    Ok(catch_unwind(AssertUnwindSafe(|| reader.decode())).map_err(|_| PictureError::Damaged)??)
}
