//! Compares the actual picture with the expected one, pixel by pixel.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageEncoder as _, Rgb, RgbImage};

use crate::scene::Scene;

/// Factor by which differences are amplified in `difference.png`.
const AMPLIFICATION: u8 = 8;
/// Minimum share of pixels that must stand out; a plainer picture would not reveal errors.
const LEAST_CONTENT: f64 = 0.004;
/// Difference from the most frequent colour, 0 to 255 in any channel, above which a pixel stands out.
const STANDS_OUT: u8 = 12;

/// The result of a comparison.
pub struct Comparison {
    /// Why the pictures do not match; `None` if they match.
    pub failure: Option<String>,
    /// The amplified differences; `None` if the pictures cannot be compared.
    pub difference: Option<RgbImage>,
}

impl Comparison {
    /// Returns the result for pictures that cannot be compared.
    pub fn mismatch(why: impl Into<String>) -> Self {
        Self { failure: Some(why.into()), difference: None }
    }
}

/// Compares two pictures by the number of pixels that differ by more than the scene's tolerance.
pub fn compare(expected: &RgbImage, actual: &RgbImage, scene: &Scene) -> Comparison {
    if expected.dimensions() != actual.dimensions() {
        let [was, is] = [expected, actual].map(RgbImage::dimensions);
        return Comparison::mismatch(format!("the sheet has {is:?} pixels, expected.png {was:?}"));
    }
    let mut difference = RgbImage::new(expected.width(), expected.height());
    let (mut outliers, mut worst) = (0, (0, 0, 0));
    for (x, y, pixel) in difference.enumerate_pixels_mut() {
        let off = channel_differences(expected.get_pixel(x, y), actual.get_pixel(x, y));
        *pixel = Rgb(off.map(|channel| channel.saturating_mul(AMPLIFICATION)));
        let most = off.into_iter().max().unwrap_or(0);
        outliers += usize::from(most > scene.tolerance);
        worst = worst.max((most, x, y));
    }
    let (most, x, y) = worst;
    let failure = (outliers > scene.max_outliers).then(|| {
        let [width, height] = scene.tile();
        let frame = scene.frames.get((x / width) as usize).copied().unwrap_or_default();
        format!(
            "{outliers} pixels differ by more than {}, at most {} may; worst difference {most}: row {}, \
             frame {frame}, pixel ({}, {}) is {:?} instead of {:?}",
            scene.tolerance,
            scene.max_outliers,
            y / height + 1,
            x % width,
            y % height,
            actual.get_pixel(x, y).0,
            expected.get_pixel(x, y).0,
        )
    });
    Comparison { failure, difference: Some(difference) }
}

fn channel_differences(a: &Rgb<u8>, b: &Rgb<u8>) -> [u8; 3] {
    std::array::from_fn(|channel| a.0[channel].abs_diff(b.0[channel]))
}

/// Returns an error for a picture of almost a single colour, which would match no matter what else goes wrong.
pub fn has_content(picture: &RgbImage) -> Result<(), String> {
    let mut counts = std::collections::BTreeMap::new();
    for pixel in picture.pixels() {
        *counts.entry(pixel.0).or_insert(0_usize) += 1;
    }
    let Some((&ground, _)) = counts.iter().max_by_key(|(_, count)| **count) else {
        return Err("the sheet is empty".into());
    };
    let far = |pixel: &&Rgb<u8>| channel_differences(pixel, &Rgb(ground)).iter().any(|&off| off > STANDS_OUT);
    let share = picture.pixels().filter(far).count() as f64 / f64::from(picture.width() * picture.height());
    if share < LEAST_CONTENT {
        return Err(format!("only {:.2}% of the sheet differs from {ground:?}", share * 100.0));
    }
    Ok(())
}

/// Writes a picture as PNG.
pub fn save(picture: &RgbImage, path: &Path) -> Result<(), String> {
    let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let encoder =
        PngEncoder::new_with_quality(BufWriter::new(file), CompressionType::Best, FilterType::Adaptive);
    let (width, height) = picture.dimensions();
    let written = encoder.write_image(picture.as_raw(), width, height, image::ExtendedColorType::Rgb8);
    written.map_err(|error| format!("{}: {error}", path.display()))
}
