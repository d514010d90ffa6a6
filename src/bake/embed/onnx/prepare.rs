//! A picture as CLIP-like models want it: `preprocessor_config.json`, followed to the letter.

use std::path::Path;

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};
use serde::Deserialize;

/// What is done to a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Preparation {
    /// The shorter side after resizing.
    pub resize: u32,
    /// Sides of the square cut from the middle.
    pub crop: u32,
    /// Subtracted from each channel, 0..1.
    pub mean: [f32; 3],
    /// Each channel is divided by it.
    pub std: [f32; 3],
    filter: Filter,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Filter {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    size: Option<Size>,
    #[serde(default)]
    crop_size: Option<Size>,
    #[serde(default)]
    image_mean: Option<[f32; 3]>,
    #[serde(default)]
    image_std: Option<[f32; 3]>,
    /// Pillow's number of the filter.
    #[serde(default)]
    resample: Option<u8>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Side(u32),
    Shortest { shortest_edge: u32 },
    Sides { height: u32 },
}

impl Size {
    fn side(&self) -> u32 {
        match *self {
            Self::Side(side) | Self::Shortest { shortest_edge: side } | Self::Sides { height: side } => side,
        }
    }
}

impl Preparation {
    /// Reads `preprocessor_config.json`; what it leaves out is as OpenAI's CLIP has it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes =
            std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::parse(&bytes).map_err(|why| format!("{} cannot be used: {why}", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let config: Config = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let crop = config.crop_size.map_or(224, |size| size.side());
        let resize = config.size.map_or(crop, |size| size.side());
        let filter = match config.resample.unwrap_or(3) {
            0 => Filter::Nearest,
            1 => Filter::Lanczos,
            2 => Filter::Bilinear,
            3 => Filter::Bicubic,
            other => return Err(format!("its resample filter {other} is unknown")),
        };
        if !(16..=4096).contains(&crop) || !(16..=4096).contains(&resize) {
            return Err(format!("pictures of {resize} and {crop} pixels are not meant"));
        }
        let mean = config.image_mean.unwrap_or([0.481_454_66, 0.457_827_5, 0.408_210_73]);
        let std = config.image_std.unwrap_or([0.268_629_54, 0.261_302_6, 0.275_777_1]);
        if std.iter().any(|std| *std <= 0.0) {
            return Err("its image_std must be above 0".into());
        }
        Ok(Self { resize, crop: crop.min(resize), mean, std, filter })
    }

    /// Red, green and blue planes of a picture, one after the other.
    pub fn planes(&self, picture: &RgbImage) -> Vec<f32> {
        let (width, height) = picture.dimensions();
        let shorter = width.min(height).max(1);
        let scaled = |side: u32| if side == shorter { self.resize } else { side * self.resize / shorter };
        let size = (scaled(width), scaled(height));
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
            cut.pixels().map(move |pixel| (f32::from(pixel.0[channel]) / 255.0 - mean) / std)
        };
        (0..3).flat_map(plane).collect()
    }

    /// In words, for the file that says how rows were made.
    pub fn told(&self) -> String {
        let Self { resize, crop, mean, std, filter } = self;
        format!("{filter:?} to {resize}, middle {crop}, mean {mean:?}, std {std:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_file_are_read_and_nonsense_is_not() {
        let new = br#"{"size":{"shortest_edge":32},"crop_size":{"height":24,"width":24},"resample":3}"#;
        let old = br#"{"size":32,"crop_size":24,"image_std":[0.5,0.5,0.5]}"#;
        let (new, old) = (Preparation::parse(new).expect("read"), Preparation::parse(old).expect("read"));
        assert_eq!((new.resize, new.crop, old.resize, old.crop), (32, 24, 32, 24));
        assert_eq!(old.std, [0.5; 3]);
        assert!(Preparation::parse(br#"{"resample":77}"#).is_err());
        assert!(Preparation::parse(br#"{"image_std":[0,1,1]}"#).is_err());
    }

    #[test]
    fn the_middle_of_a_wide_picture_is_kept() {
        let config = br#"{"size":16,"crop_size":16,"image_mean":[0,0,0],"image_std":[1,1,1]}"#;
        let picture = RgbImage::from_fn(48, 16, |x, _| image::Rgb([x as u8, 0, 255]));
        let planes = Preparation::parse(config).expect("read").planes(&picture);
        assert_eq!(planes.len(), 3 * 256);
        assert!((planes[0] - 16.0 / 255.0).abs() < 1e-6 && (planes[15] - 31.0 / 255.0).abs() < 1e-6);
        assert!(planes[512..].iter().all(|blue| *blue == 1.0));
    }
}
