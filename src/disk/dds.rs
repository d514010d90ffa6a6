//! Uncompressed DDS images: pixels of 8 to 32 bits with a mask per channel (Microsoft's "DDS_PIXELFORMAT
//! structure"). Compressed images are decoded by the `image` crate.

use image::RgbaImage;

const MAGIC: &[u8; 4] = b"DDS ";
/// Offset of the pixels, in bytes. Files with the DX10 extension have a longer header; the `image` crate
/// reads them.
const HEADER: usize = 128;

// Flags of the pixel format.
const ALPHA_PIXELS: u32 = 0x1;
const ALPHA: u32 = 0x2;
const FOUR_CC: u32 = 0x4;
const LUMINANCE: u32 = 0x2_0000;

/// Decodes an uncompressed DDS image; fails if it is damaged, has an unsupported number of bits per pixel, or
/// has a side longer than `max_side` pixels. Returns `None` for any other file.
pub(super) fn decode(bytes: &[u8], max_side: u32) -> Option<Result<RgbaImage, String>> {
    let header = bytes.get(..HEADER).filter(|header| header.starts_with(MAGIC))?;
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (height, width, flags) = (word(12), word(16), word(80));
    if flags & FOUR_CC != 0 {
        return None;
    }
    if width == 0 || height == 0 || width > max_side || height > max_side {
        return Some(Err(format!("{width} x {height} pixels; the maximum is {max_side} per side")));
    }
    let bits = word(88);
    if !matches!(bits, 8 | 16 | 24 | 32) {
        return Some(Err(format!("DDS pixels of {bits} bits are not supported")));
    }
    let masks = [92, 96, 100, 104].map(word);
    let channels = Channels::new(masks, flags);
    let size = bits as usize / 8;
    let Some(pixels) = bytes.get(HEADER..HEADER + width as usize * height as usize * size) else {
        return Some(Err("the DDS file is truncated".into()));
    };
    let rgba = pixels.chunks_exact(size).flat_map(|pixel| {
        let value = pixel.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
        channels.rgba(value)
    });
    RgbaImage::from_raw(width, height, rgba.collect()).map(Ok)
}

/// Bit masks of the channels in a pixel.
struct Channels {
    masks: [u32; 3],
    /// Mask of the alpha channel; 0 if the pixels are opaque.
    alpha: u32,
}

impl Channels {
    fn new([red, green, blue, alpha]: [u32; 4], flags: u32) -> Self {
        let masks = match flags {
            _ if flags & LUMINANCE != 0 => [red; 3],
            _ if flags & ALPHA != 0 => [0; 3],
            _ => [red, green, blue],
        };
        Self { masks, alpha: if flags & (ALPHA | ALPHA_PIXELS) != 0 { alpha } else { 0 } }
    }

    fn rgba(&self, pixel: u32) -> [u8; 4] {
        let [red, green, blue] = self.masks.map(|mask| channel(pixel, mask));
        [red, green, blue, if self.alpha == 0 { 255 } else { channel(pixel, self.alpha) }]
    }
}

/// Returns the channel selected by `mask`, scaled to the range from 0 to 255.
fn channel(pixel: u32, mask: u32) -> u8 {
    let Some(largest) = mask.checked_shr(mask.trailing_zeros()).filter(|&largest| largest > 0) else {
        return 0;
    };
    let value = (pixel & mask) >> mask.trailing_zeros();
    ((u64::from(value) * 255 + u64::from(largest) / 2) / u64::from(largest)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: [u32; 2], flags: u32, bits: u32, masks: [u32; 4], pixels: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let mut put = |at: usize, word: u32| bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        put(0, u32::from_le_bytes(*MAGIC));
        [(12, size[1]), (16, size[0]), (80, flags), (88, bits)]
            .into_iter()
            .for_each(|(at, word)| put(at, word));
        for (number, mask) in masks.into_iter().enumerate() {
            put(92 + number * 4, mask);
        }
        bytes.extend_from_slice(pixels);
        bytes
    }

    #[test]
    fn every_uncompressed_layout_is_read() {
        const RGB: u32 = 0x40;
        for (flags, bits, masks, pixel, expected) in [
            (RGB | ALPHA_PIXELS, 32, [0xff_0000, 0xff00, 0xff, 0xff00_0000], &[3, 2, 1, 4][..], [1, 2, 3, 4]),
            (RGB, 32, [0xff, 0xff00, 0xff_0000, 0xff00_0000], &[1, 2, 3, 4], [1, 2, 3, 255]),
            (RGB, 24, [0xff_0000, 0xff00, 0xff, 0], &[3, 2, 1], [1, 2, 3, 255]),
            (RGB, 16, [0xf800, 0x7e0, 0x1f, 0], &[0x1f, 0xf8], [255, 0, 255, 255]),
            (RGB | ALPHA_PIXELS, 16, [0x7c00, 0x3e0, 0x1f, 0x8000], &[0xe0, 0x03], [0, 255, 0, 0]),
            (RGB | ALPHA_PIXELS, 16, [0xf00, 0xf0, 0xf, 0xf000], &[0x8f, 0xf0], [0, 136, 255, 255]),
            (LUMINANCE, 8, [0xff, 0, 0, 0], &[77], [77, 77, 77, 255]),
            (LUMINANCE | ALPHA_PIXELS, 16, [0xff, 0, 0, 0xff00], &[77, 9], [77, 77, 77, 9]),
            (ALPHA, 8, [0, 0, 0, 0xff], &[77], [0, 0, 0, 77]),
        ] {
            let image =
                decode(&file([1, 1], flags, bits, masks, pixel), 64).expect("a DDS file").expect("valid");
            assert_eq!(image.get_pixel(0, 0).0, expected, "flags {flags:x}, {bits} bits");
        }
    }

    #[test]
    fn rows_are_read_from_the_top() {
        let image = decode(&file([1, 2], LUMINANCE, 8, [0xff, 0, 0, 0], &[1, 2]), 64).unwrap().unwrap();
        assert_eq!([image.get_pixel(0, 0).0[0], image.get_pixel(0, 1).0[0]], [1, 2]);
    }

    #[test]
    fn inconsistent_files_are_rejected() {
        let masks = [0xff, 0, 0, 0];
        for (size, bits, pixels) in
            [([2, 2], 8, &[0; 3][..]), ([0, 1], 8, &[]), ([65, 1], 8, &[0; 65]), ([1, 1], 12, &[0; 9])]
        {
            let refused =
                decode(&file(size, LUMINANCE, bits, masks, pixels), 64).expect("a DDS file").is_err();
            assert!(refused, "{size:?}, {bits} bits");
        }
        assert!(decode(b"DDS ", 64).is_none());
        assert!(decode(&file([4, 4], FOUR_CC, 0, masks, &[]), 64).is_none(), "compressed");
    }
}
