//! An image and smaller copies of it, so that it looks smooth when drawn at a small size.

use image::RgbaImage;
use image::imageops::{FilterType, resize};

/// Maximum side length, in pixels; larger images are scaled down.
const MAX_SIDE: u32 = 2048;

/// An image at full size, half size, and so on down to one pixel.
#[derive(Debug)]
pub struct Mipmap {
    levels: Vec<RgbaImage>,
}

impl Mipmap {
    /// Creates the mipmap of an image, which is first scaled down if a side is longer than 2048 pixels.
    pub(super) fn new(image: RgbaImage) -> Self {
        let longer = image.width().max(image.height());
        let mut levels = vec![if longer > MAX_SIDE {
            let side = |side: u32| (u64::from(side) * u64::from(MAX_SIDE) / u64::from(longer)).max(1) as u32;
            resize(&image, side(image.width()), side(image.height()), FilterType::Triangle)
        } else {
            image
        }];
        while let Some(last) = levels.last()
            && (last.width() > 1 || last.height() > 1)
        {
            let half = |side: u32| (side / 2).max(1);
            levels.push(resize(last, half(last.width()), half(last.height()), FilterType::Triangle));
        }
        Self { levels }
    }

    /// Returns the levels, largest first.
    pub fn levels(&self) -> &[RgbaImage] {
        &self.levels
    }

    /// Returns the height divided by the width.
    pub(super) fn aspect(&self) -> f32 {
        self.levels[0].height() as f32 / self.levels[0].width() as f32
    }

    /// Returns the memory used by all levels, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map(|level| level.as_raw().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_half_as_large() {
        let sizes = |width, height| {
            let mipmap = Mipmap::new(RgbaImage::new(width, height));
            mipmap.levels().iter().map(|level| level.dimensions()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(5, 2), [(5, 2), (2, 1), (1, 1)]);
        assert_eq!(sizes(4096, 16)[0], (2048, 8));
    }
}
