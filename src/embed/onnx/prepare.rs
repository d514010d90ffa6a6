//! Preprocessing of pictures for vision models, as described at [`super::config`]: resizing, cropping, scaling,
//! normalisation, and the order of colours and dimensions.

use image::imageops::{FilterType, crop_imm, resize};
use image::{Rgb, RgbImage};
use serde::Deserialize;

/// Preprocessing that a model expects for its pictures.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Preparation {
    pub resize: Resize,
    /// Side length of the centre crop, which is the input size of the model.
    pub crop: u32,
    /// Factor applied to the channel values, which are 0 to 255.
    pub factor: f32,
    /// Mean subtracted from each scaled channel, in the order of `colours`.
    pub mean: [f32; 3],
    /// Standard deviation each channel is divided by, in the order of `colours`.
    pub std: [f32; 3],
    pub filter: Filter,
    pub colours: Colours,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resize {
    /// Does not resize pictures.
    No,
    /// Resizes the shorter side to this length, keeping the aspect ratio.
    Shortest(u32),
    /// Resizes both sides to this length.
    Square(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Filter {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos,
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Colours {
    #[serde(alias = "RGB")]
    Rgb,
    #[serde(alias = "BGR")]
    Bgr,
}

/// Order of the dimensions of a batch: pictures (N), channels (C), height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    #[serde(alias = "NCHW")]
    Nchw,
    #[serde(alias = "NHWC")]
    Nhwc,
}

impl Preparation {
    /// Returns the values of a picture for an input of this layout. Pictures smaller than the crop are enlarged.
    pub fn values(&self, picture: &RgbImage, layout: Layout) -> Vec<f32> {
        let (width, height) = picture.dimensions();
        let shorter = width.min(height).max(1);
        let by_shorter = |to: u32| {
            let scaled = |side: u32| if side == shorter { to } else { side * to / shorter };
            (scaled(width), scaled(height))
        };
        let size = match self.resize {
            Resize::Square(side) => (side, side),
            Resize::Shortest(side) => by_shorter(side),
            Resize::No => (width, height),
        };
        let size = if size.0.min(size.1) < self.crop { by_shorter(self.crop) } else { size };
        let filter = match self.filter {
            Filter::Nearest => FilterType::Nearest,
            Filter::Bilinear => FilterType::Triangle,
            Filter::Bicubic => FilterType::CatmullRom,
            Filter::Lanczos => FilterType::Lanczos3,
        };
        let resized =
            if size == (width, height) { picture.clone() } else { resize(picture, size.0, size.1, filter) };
        let (left, top) = ((size.0 - self.crop) / 2, (size.1 - self.crop) / 2);
        let cut = crop_imm(&resized, left, top, self.crop, self.crop).to_image();
        let order = match self.colours {
            Colours::Rgb => [0, 1, 2],
            Colours::Bgr => [2, 1, 0],
        };
        let value = |pixel: &Rgb<u8>, at: usize| {
            (f32::from(pixel.0[order[at]]) * self.factor - self.mean[at]) / self.std[at]
        };
        match layout {
            Layout::Nchw => (0..3)
                .flat_map(|at| cut.pixels().map(move |pixel| (pixel, at)))
                .map(|(p, at)| value(p, at))
                .collect(),
            Layout::Nhwc => cut
                .pixels()
                .flat_map(|pixel| (0..3).map(move |at| (pixel, at)))
                .map(|(p, at)| value(p, at))
                .collect(),
        }
    }

    /// Describes the preprocessing for the meta file.
    pub fn description(&self) -> String {
        let Self { resize, crop, factor, mean, std, filter, colours } = self;
        let colours = match colours {
            Colours::Rgb => "",
            Colours::Bgr => ", BGR",
        };
        format!(
            "{filter:?} {resize:?}, centre crop {crop}, times {factor}, mean {mean:?}, std {std:?}{colours}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a preparation that changes no values, for pictures of 16 x 16 pixels.
    fn plain() -> Preparation {
        Preparation {
            resize: Resize::Shortest(16),
            crop: 16,
            factor: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            filter: Filter::Nearest,
            colours: Colours::Rgb,
        }
    }

    #[test]
    fn values_are_scaled_and_normalised() {
        let picture = RgbImage::from_pixel(16, 16, Rgb([7, 8, 9]));
        let values = plain().values(&picture, Layout::Nchw);
        assert_eq!((values[0], values[256], values[512]), (7.0, 8.0, 9.0));
        let prepared = Preparation { factor: 2.0, mean: [1.0, 2.0, 3.0], std: [1.0, 2.0, 5.0], ..plain() };
        let values = prepared.values(&picture, Layout::Nchw);
        assert_eq!((values[0], values[256], values[512]), (13.0, 7.0, 3.0));
    }

    #[test]
    fn colours_and_dimensions_are_ordered_as_the_model_expects() {
        let picture = RgbImage::from_fn(16, 16, |x, y| Rgb([x as u8, y as u8, 200]));
        let bgr = Preparation { colours: Colours::Bgr, mean: [100.0, 0.0, 0.0], ..plain() };
        let planes = bgr.values(&picture, Layout::Nchw);
        // The pixel at x = 3, y = 2.
        assert_eq!([planes[35], planes[256 + 35], planes[512 + 35]], [100.0, 2.0, 3.0]);
        assert_eq!(bgr.values(&picture, Layout::Nhwc)[3 * 35..3 * 36], [100.0, 2.0, 3.0]);
        assert_eq!(plain().values(&picture, Layout::Nhwc)[3 * 35..3 * 36], [3.0, 2.0, 200.0]);
    }

    #[test]
    fn pictures_are_squeezed_cropped_or_left_as_configured() {
        let unsized_picture = RgbImage::from_fn(20, 20, |x, _| Rgb([x as u8, 0, 0]));
        let values = Preparation { resize: Resize::No, ..plain() }.values(&unsized_picture, Layout::Nchw);
        assert_eq!((values.len(), values[0], values[15]), (3 * 256, 2.0, 17.0));
        // With both sides resized to one length, a wide picture is squeezed, not cropped.
        let picture = RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 0 } else { 255 }, 0, 0]));
        let values = Preparation { resize: Resize::Square(16), ..plain() }.values(&picture, Layout::Nchw);
        assert!(values[..8].iter().all(|v| *v == 0.0) && values[8..16].iter().all(|v| *v == 255.0));
        let wide = RgbImage::from_fn(48, 16, |x, _| Rgb([x as u8, 0, 255]));
        let values = plain().values(&wide, Layout::Nchw);
        assert_eq!((values.len(), values[0], values[15]), (3 * 256, 16.0, 31.0));
        assert!(values[512..].iter().all(|blue| *blue == 255.0));
    }
}
