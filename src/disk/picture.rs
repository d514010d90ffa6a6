//! Reads images whose size, format and content are not trusted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{DynamicImage, ImageReader, Limits};

use super::{dds, limit, read};

/// Maximum side length of an image, in pixels.
const MAX_SIDE: u32 = 8192;
/// Maximum memory for decoding an image, in bytes.
const MAX_DECODED: u64 = 256 << 20;

/// Maximum ratio of the sides of an image that [`middle`] leaves unchanged.
const MAX_RATIO: u32 = 8;

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

/// Crops a very wide or tall image to its middle, and returns any other image unchanged. An image of 8192 x 1 pixels,
/// enlarged until its short side fills a frame, would otherwise take gigabytes.
pub fn middle(image: DynamicImage) -> DynamicImage {
    let (width, height) = (image.width(), image.height());
    let most = width.min(height).saturating_mul(MAX_RATIO);
    let (wide, high) = (width.min(most), height.min(most));
    if (wide, high) == (width, height) {
        return image;
    }
    image.crop_imm((width - wide) / 2, (height - high) / 2, wide, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_middle_of_a_very_long_image_is_used() {
        let size = |width, height| {
            let image = middle(image::GrayImage::new(width, height).into());
            (image.width(), image.height())
        };
        assert_eq!([size(8192, 1), size(2, 8192), size(800, 100)], [(8, 1), (2, 16), (800, 100)]);
        let columns = image::GrayImage::from_fn(101, 1, |x, _| image::Luma([x as u8]));
        let middle = middle(columns.into()).to_luma8();
        assert_eq!(middle.as_raw()[..], [46, 47, 48, 49, 50, 51, 52, 53]);
    }

    #[test]
    fn images_with_a_side_or_memory_above_the_limit_are_not_decoded() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("image.png");
        let read_gray = |width, height| {
            image::GrayImage::new(width, height).save(&path).expect("saved");
            picture(&path)
        };
        assert_eq!(read_gray(MAX_SIDE, 1).expect("decoded").width(), MAX_SIDE);
        assert_eq!(read_gray(1, MAX_SIDE).expect("decoded").height(), MAX_SIDE);
        let limited = |read| matches!(read, Err(PictureError::Image(image::ImageError::Limits(_))));
        assert!(limited(read_gray(MAX_SIDE + 1, 1)));
        assert!(limited(read_gray(1, MAX_SIDE + 1)));
        // 8192 x 8192 pixels of 64 bits, which would take 512 MiB, with their checksum and the start of the data.
        let header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x20\0\0\0\x20\0\x10\x06\0\0\0\x22\x3a\x16\x1a";
        let data = b"\0\0\0\x0cIDATx\x9c\x03\0\0\0\0\x01\0\0\0\0";
        std::fs::write(&path, [&header[..], &data[..]].concat()).expect("written");
        assert!(limited(picture(&path)));
    }
}
