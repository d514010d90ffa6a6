//! Writes animated WebP without an external program: losslessly encoded frames in the animation container.
//!
//! The container is RIFF as in the WebP Container Specification (RFC 9649): `VP8X`, `ANIM`, then one `ANMF`
//! per frame.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder as _, RgbaImage};

use crate::disk::Draft;

/// `VP8X` flag of an animated file.
const ANIMATED: u8 = 0x02;
/// `ANMF` flag: the frame replaces the previous one instead of blending with it.
const NO_BLEND: u8 = 0x02;
/// Largest value of the container's 24-bit fields.
const MAX_FIELD: u32 = (1 << 24) - 1;

/// An animation being written. Its file appears with [`Animation::finish`]; until then, an earlier one stays in its
/// place.
pub struct Animation {
    file: BufWriter<File>,
    draft: Draft,
    size: [u32; 2],
    fps: u32,
    /// Number of frames written.
    number: u64,
    /// Number of bytes written.
    written: u64,
}

impl Animation {
    /// Creates an animation for `path` that loops endlessly, with frames of `size` pixels at `fps` frames per second.
    /// An `fps` of 0 counts as 1.
    pub fn create(path: &Path, size: [u32; 2], fps: u32) -> std::io::Result<Self> {
        let (draft, file) = Draft::create(path)?;
        let mut file = BufWriter::new(file);
        let mut header = Vec::with_capacity(44);
        header.extend(b"RIFF\0\0\0\0WEBP");
        let mut extended = vec![ANIMATED, 0, 0, 0];
        extended.extend(three_bytes(size[0].saturating_sub(1)));
        extended.extend(three_bytes(size[1].saturating_sub(1)));
        chunk(&mut header, b"VP8X", &extended);
        // Background colour, then the loop count: 0 is endless.
        chunk(&mut header, b"ANIM", &[0, 0, 0, 255, 0, 0]);
        file.write_all(&header)?;
        let written = header.len() as u64;
        Ok(Self { file, draft, size, fps: fps.max(1), number: 0, written })
    }

    /// Adds one frame, which must have the size of the animation; its alpha channel is ignored.
    pub fn push(&mut self, frame: &RgbaImage) -> std::io::Result<()> {
        if [frame.width(), frame.height()] != self.size {
            return Err(std::io::Error::other("the frame size differs from the animation's"));
        }
        let mut still = Vec::new();
        let rgb: Vec<u8> = frame.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]]).collect();
        image::codecs::webp::WebPEncoder::new_lossless(&mut still)
            .write_image(&rgb, self.size[0], self.size[1], ExtendedColorType::Rgb8)
            .map_err(std::io::Error::other)?;
        let picture =
            still.get(12..).ok_or_else(|| std::io::Error::other("the WebP encoder wrote no picture"))?;
        let mut body = Vec::with_capacity(16 + picture.len());
        body.extend([0; 6]); // Offset (0, 0).
        body.extend(three_bytes(self.size[0].saturating_sub(1)));
        body.extend(three_bytes(self.size[1].saturating_sub(1)));
        body.extend(three_bytes(self.duration_ms()));
        body.push(NO_BLEND);
        body.extend_from_slice(picture);
        let mut out = Vec::with_capacity(body.len() + 9);
        chunk(&mut out, b"ANMF", &body);
        self.file.write_all(&out)?;
        self.written += out.len() as u64;
        self.number += 1;
        Ok(())
    }

    /// Returns how long the next frame is shown, in milliseconds: until the rounded start of the frame after it, so
    /// that rounding errors do not add up.
    fn duration_ms(&self) -> u32 {
        let fps = u64::from(self.fps);
        let start = |number: u64| (number * 1000 + fps / 2) / fps;
        (start(self.number + 1) - start(self.number)).max(1) as u32
    }

    /// Changes the name of the finished file to `NAME.part.webp`, for an animation that ends early; see
    /// [`Draft::into_part`].
    pub fn into_part(self) -> Self {
        Self { draft: self.draft.into_part(), ..self }
    }

    /// Completes the file and returns its path.
    pub fn finish(mut self) -> std::io::Result<PathBuf> {
        let length = u32::try_from(self.written - 8)
            .map_err(|_| std::io::Error::other("the animation is larger than 4 GiB"))?;
        self.file.seek(SeekFrom::Start(4))?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.flush()?;
        drop(self.file); // Windows cannot rename an open file.
        self.draft.publish()
    }
}

/// Encodes a value, limited to [`MAX_FIELD`], as a 24-bit little-endian integer.
fn three_bytes(value: u32) -> [u8; 3] {
    let bytes = value.min(MAX_FIELD).to_le_bytes();
    [bytes[0], bytes[1], bytes[2]]
}

/// Appends a RIFF chunk, padded to an even length.
fn chunk(out: &mut Vec<u8>, name: &[u8; 4], body: &[u8]) {
    out.extend(name);
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
}

#[cfg(test)]
mod tests {
    use image::AnimationDecoder as _;

    use super::*;

    #[test]
    fn an_animation_reads_back_frame_by_frame() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("loop.webp");
        let pictures: Vec<RgbaImage> = [10, 200]
            .into_iter()
            .map(|light| RgbaImage::from_fn(17, 9, |x, y| image::Rgba([light, x as u8, y as u8, 255])))
            .collect();
        let mut animation = Animation::create(&path, [17, 9], 25).expect("created");
        for picture in &pictures {
            animation.push(picture).expect("pushed");
        }
        assert!(animation.push(&RgbaImage::new(3, 3)).is_err());
        assert!(!path.exists(), "it is incomplete");
        animation.finish().expect("finished");
        let file = std::io::BufReader::new(File::open(&path).expect("there"));
        let decoder = image::codecs::webp::WebPDecoder::new(file).expect("a WebP file");
        let frames = decoder.into_frames().collect_frames().expect("whole frames");
        assert_eq!(frames.len(), 2);
        for (frame, picture) in frames.iter().zip(&pictures) {
            assert_eq!(frame.buffer(), picture);
            assert_eq!(frame.delay().numer_denom_ms(), (40, 1));
        }
    }

    #[test]
    fn a_second_of_frames_takes_a_second_at_any_rate() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut animation = Animation::create(&folder.path().join("loop.webp"), [1, 1], 1).expect("created");
        for fps in [1, 24, 30, 60, 144, 1000] {
            animation.fps = fps;
            let durations = (0..fps).map(|number| {
                animation.number = u64::from(number);
                animation.duration_ms()
            });
            assert_eq!(durations.sum::<u32>(), 1000, "{fps} frames per second");
        }
    }
}
