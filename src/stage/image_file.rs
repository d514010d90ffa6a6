//! Reads image files. They are untrusted: only regular files are opened, and their size, dimensions and memory are
//! limited before they are decoded.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::RgbaImage;

use super::dds;

/// Maximum side length, pixels; larger images are scaled down.
const MAX_SIDE: u32 = 2048;
/// Maximum side length of an image file, pixels. Guards against decompression bombs.
const MAX_READ_SIDE: u32 = 8192;
/// Maximum memory for decoding one image, bytes.
const MAX_DECODE_BYTES: u64 = 256 << 20;
/// Maximum size of an image file, bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Recognized file extensions.
const EXTENSIONS: [&str; 10] = ["jpg", "jpeg", "png", "bmp", "dib", "tga", "dds", "gif", "webp", "jfif"];

/// Returns whether a file of this name may be an image.
pub(super) fn has_image_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Reads an image, at most [`MAX_SIDE`] pixels wide and high.
///
/// # Errors
/// Fails, with a description, if the file is no readable image or exceeds a limit.
pub(super) fn read(path: &Path) -> Result<RgbaImage, String> {
    let bytes = read_bytes(path)?;
    let image = match dds::decode(&bytes, MAX_READ_SIDE) {
        Some(image) => image?.into(),
        None => decode(path, &bytes)?,
    };
    let image = if image.width().max(image.height()) > MAX_SIDE {
        image.resize(MAX_SIDE, MAX_SIDE, image::imageops::FilterType::Triangle)
    } else {
        image
    };
    Ok(image.to_rgba8())
}

/// Reads a regular file. Opening a named pipe or a device could block for ever.
fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let data = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !data.is_file() {
        return Err("not a regular file".into());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    // The file may grow after its length was read.
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err("larger than 64 MiB".into());
    }
    Ok(bytes)
}

/// Decodes by content, or by name where the content does not tell (TGA has no signature).
fn decode(path: &Path, bytes: &[u8]) -> Result<image::DynamicImage, String> {
    let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes));
    if let Ok(format) = image::ImageFormat::from_path(path) {
        reader.set_format(format);
    }
    let mut reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_READ_SIDE), Some(MAX_READ_SIDE));
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    reader.decode().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_recognized_by_content_whatever_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let image = RgbaImage::from_pixel(3, 2, image::Rgba([10, 20, 30, 255]));
        let png = folder.path().join("right.png");
        image.save(&png).unwrap();
        let wrong = folder.path().join("wrong.jpg");
        std::fs::copy(&png, &wrong).unwrap();
        let tga = folder.path().join("plain.tga");
        image.save(&tga).unwrap();
        for path in [png, wrong, tga] {
            assert_eq!(read(&path).unwrap(), image, "{}", path.display());
        }
    }

    #[test]
    fn large_images_are_scaled_down_and_huge_ones_refused() {
        let folder = tempfile::tempdir().unwrap();
        let save = |width: u32, height: u32| {
            let path = folder.path().join(format!("{width}.png"));
            image::GrayImage::new(width, height).save(&path).unwrap();
            read(&path).map(|image| image.dimensions())
        };
        assert_eq!(save(4096, 2), Ok((2048, 1)));
        assert!(save(8193, 1).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_without_being_opened() {
        use std::os::unix::net::UnixListener;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket.png");
        let _listener = UnixListener::bind(&socket).unwrap();
        let directory = folder.path().join("folder.png");
        std::fs::create_dir(&directory).unwrap();
        for path in [socket.as_path(), directory.as_path(), Path::new("/dev/zero")] {
            assert_eq!(read(path).unwrap_err(), "not a regular file", "{}", path.display());
        }
    }
}
