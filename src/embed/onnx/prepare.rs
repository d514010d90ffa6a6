//! Preprocessing of pictures for CLIP-like models, as configured in `preprocessor_config.json`: resizing,
//! cropping, scaling and normalisation. Missing settings default to those of OpenAI's CLIP.

use std::path::Path;

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};
use serde::Deserialize;

use crate::disk;

/// Preprocessing that a model expects for its pictures.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Preparation {
    resize: Resize,
    /// Side length of the centre crop, which is the input size of the model.
    pub crop: u32,
    /// Factor applied to the channel values, which are 0 to 255.
    factor: f32,
    /// Mean subtracted from each scaled channel.
    mean: [f32; 3],
    /// Standard deviation each channel is divided by.
    std: [f32; 3],
    filter: Filter,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Resize {
    /// Does not resize pictures.
    No,
    /// Resizes the shorter side to this length, keeping the aspect ratio.
    Shortest(u32),
    /// Resizes both sides to this length.
    Square(u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Filter {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos,
}

#[derive(Deserialize)]
#[serde(default)]
struct Config {
    do_resize: bool,
    do_center_crop: bool,
    do_rescale: bool,
    do_normalize: bool,
    size: Option<Size>,
    crop_size: Option<Size>,
    rescale_factor: f32,
    image_mean: [f32; 3],
    image_std: [f32; 3],
    /// Resize filter, in Pillow's numbering.
    resample: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            do_resize: true,
            do_center_crop: true,
            do_rescale: true,
            do_normalize: true,
            size: None,
            crop_size: None,
            rescale_factor: 1.0 / 255.0,
            image_mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            image_std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
            resample: 3,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Side(u32),
    Shortest { shortest_edge: u32 },
    Sides { height: u32, width: u32 },
}

/// Default side length of pictures, in pixels.
const DEFAULT_SIDE: u32 = 224;

impl Preparation {
    /// Reads the preprocessing from `preprocessor_config.json`.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = disk::read(path, disk::limit::TEXT)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Self::parse(&bytes).map_err(|why| format!("cannot use {}: {why}", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = disk::decode(bytes).map_err(|error| error.to_string())?;
        let config: Config = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let square = |height: u32, width: u32| match height == width {
            true => Ok(height),
            false => Err(format!("the picture size is {width} x {height}, but must be square")),
        };
        let cut = match config.crop_size {
            Some(Size::Side(side) | Size::Shortest { shortest_edge: side }) => Some(side),
            Some(Size::Sides { height, width }) => Some(square(height, width)?),
            None => None,
        };
        let resize = match config.size {
            _ if !config.do_resize => Resize::No,
            Some(Size::Side(side) | Size::Shortest { shortest_edge: side }) => Resize::Shortest(side),
            Some(Size::Sides { height, width }) => Resize::Square(square(height, width)?),
            None => Resize::Shortest(cut.unwrap_or(DEFAULT_SIDE)),
        };
        // Without a crop, the resized picture is the input; frames are square.
        let crop = match (config.do_center_crop.then_some(cut).flatten(), resize) {
            (Some(cut), _) => cut,
            (None, Resize::Shortest(side) | Resize::Square(side)) => side,
            (None, Resize::No) => DEFAULT_SIDE,
        };
        let filter = match config.resample {
            0 => Filter::Nearest,
            1 => Filter::Lanczos,
            2 => Filter::Bilinear,
            3 => Filter::Bicubic,
            other => return Err(format!("unknown resample filter {other}")),
        };
        let sides = match resize {
            Resize::No => [crop, crop],
            Resize::Shortest(side) | Resize::Square(side) => [crop, side],
        };
        if sides.iter().any(|side| !(16..=4096).contains(side)) {
            return Err(format!("picture sizes {} and {} are out of range", sides[1], sides[0]));
        }
        let (mean, std) = match config.do_normalize {
            true => (config.image_mean, config.image_std),
            false => ([0.0; 3], [1.0; 3]),
        };
        if std.iter().any(|std| *std <= 0.0) {
            return Err("image_std must be above 0".into());
        }
        let factor = if config.do_rescale { config.rescale_factor } else { 1.0 };
        Ok(Self { resize, crop, factor, mean, std, filter })
    }

    /// Returns the red, green and blue planes of a picture, concatenated. Pictures smaller than the crop are enlarged.
    pub fn planes(&self, picture: &RgbImage) -> Vec<f32> {
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
        let plane = |channel: usize| {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            cut.pixels().map(move |pixel| (f32::from(pixel.0[channel]) * self.factor - mean) / std)
        };
        (0..3).flat_map(plane).collect()
    }

    /// Describes the preprocessing for the meta file.
    pub fn description(&self) -> String {
        let Self { resize, crop, factor, mean, std, filter } = self;
        format!("{filter:?} {resize:?}, centre crop {crop}, times {factor}, mean {mean:?}, std {std:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_config_is_parsed_and_invalid_ones_are_rejected() {
        let of = |text: &str| Preparation::parse(text.as_bytes());
        let new = of(r#"{"size":{"shortest_edge":32},"crop_size":{"height":24,"width":24}}"#).expect("read");
        let old = of(r#"{"size":32,"crop_size":24,"image_std":[0.5,0.5,0.5]}"#).expect("read");
        assert_eq!((new.resize, new.crop), (Resize::Shortest(32), 24));
        assert_eq!((old.resize, old.crop, old.std), (Resize::Shortest(32), 24, [0.5; 3]));
        // As in SigLIP: both sides, no crop.
        let both = of(r#"{"size":{"height":48,"width":48},"do_center_crop":false}"#).expect("read");
        assert_eq!((both.resize, both.crop), (Resize::Square(48), 48));
        for nonsense in [
            r#"{"resample":77}"#,
            r#"{"image_std":[0,1,1]}"#,
            r#"{"size":{"height":48,"width":32}}"#,
            r#"{"size":2}"#,
        ] {
            assert!(of(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn disabled_steps_are_skipped() {
        let text = r#"{"size":16,"crop_size":16,"do_rescale":false,"do_normalize":false}"#;
        let picture = RgbImage::from_pixel(16, 16, image::Rgb([7, 8, 9]));
        let planes = Preparation::parse(text.as_bytes()).expect("read").planes(&picture);
        assert_eq!((planes[0], planes[256], planes[512]), (7.0, 8.0, 9.0));
        let text = r#"{"do_resize":false,"crop_size":16,"do_normalize":false,"rescale_factor":0.5}"#;
        let picture = RgbImage::from_fn(20, 20, |x, _| image::Rgb([x as u8, 0, 0]));
        let planes = Preparation::parse(text.as_bytes()).expect("read").planes(&picture);
        assert_eq!((planes.len(), planes[0], planes[15]), (3 * 256, 1.0, 8.5));
        // With both sides resized to one length, a wide picture is squeezed, not cropped.
        let text = r#"{"size":{"height":16,"width":16},"do_center_crop":false,"resample":0}"#;
        let picture = RgbImage::from_fn(32, 16, |x, _| image::Rgb([if x < 16 { 0 } else { 255 }, 0, 0]));
        let planes = Preparation::parse(text.as_bytes()).expect("read").planes(&picture);
        assert!(planes[..8].iter().all(|v| *v < 0.0) && planes[8..16].iter().all(|v| *v > 0.0));
    }

    #[test]
    fn a_wide_picture_is_cropped_at_the_centre() {
        let config = br#"{"size":16,"crop_size":16,"image_mean":[0,0,0],"image_std":[1,1,1]}"#;
        let picture = RgbImage::from_fn(48, 16, |x, _| image::Rgb([x as u8, 0, 255]));
        let planes = Preparation::parse(config).expect("read").planes(&picture);
        assert_eq!(planes.len(), 3 * 256);
        assert!((planes[0] - 16.0 / 255.0).abs() < 1e-6 && (planes[15] - 31.0 / 255.0).abs() < 1e-6);
        assert!(planes[512..].iter().all(|blue| *blue == 1.0));
    }
}
