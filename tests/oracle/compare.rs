//! Perceptual distance between two pictures: brightness, colours and layout.

use image::RgbaImage;
use image::imageops::{FilterType, resize};

/// Size at which pictures are compared: large enough for layout, small enough to ignore a shift of one pixel.
const SIZE: [u32; 2] = [64, 48];
/// Number of bins per channel of a colour histogram.
const BINS: usize = 8;

/// The distance between two pictures.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Distance {
    /// Difference of the mean luma, from 0 to 1.
    pub luma: f64,
    /// Share of the colour histograms in common, from 0 to 1.
    pub colour: f64,
    /// Correlation of luma over the picture, from -1 to 1.
    pub layout: f64,
}

impl Distance {
    /// Returns one number to rank by: 0 for equal pictures, about 3 for nothing in common.
    pub fn total(&self) -> f64 {
        self.luma.min(1.0) + (1.0 - self.colour) + (1.0 - self.layout)
    }

    /// Returns true if the two pictures look alike.
    pub fn close(&self) -> bool {
        self.luma < 0.06 && self.colour > 0.7 && self.layout > 0.5
    }
}

/// Measures the distance between `ours` and `theirs`.
pub fn compare(ours: &RgbaImage, theirs: &RgbaImage) -> Distance {
    let [ours, theirs] =
        [ours, theirs].map(|picture| resize(picture, SIZE[0], SIZE[1], FilterType::Triangle));
    let [a, b] = [&ours, &theirs].map(light);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let colour = histogram(&ours).iter().zip(histogram(&theirs)).map(|(a, b)| a.min(b)).sum();
    Distance { luma: (mean(&a) - mean(&b)).abs(), colour, layout: correlation(&a, &b) }
}

fn light(picture: &RgbaImage) -> Vec<f64> {
    let weigh = |[r, g, b, _]: [u8; 4]| 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
    picture.pixels().map(|pixel| weigh(pixel.0) / 255.0).collect()
}

fn histogram(picture: &RgbaImage) -> Vec<f64> {
    let mut bins = vec![0.0; 3 * BINS];
    let share = 1.0 / (3.0 * f64::from(picture.width() * picture.height()));
    for pixel in picture.pixels() {
        for (channel, value) in pixel.0[..3].iter().enumerate() {
            bins[channel * BINS + usize::from(*value) * BINS / 256] += share;
        }
    }
    bins
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let centred = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect::<Vec<_>>()
    };
    let (a, b) = (centred(a), centred(b));
    let deviation = |values: &[f64]| (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt();
    let (da, db) = (deviation(&a), deviation(&b));
    if da < 1e-3 && db < 1e-3 {
        return 1.0; // Both are uniform.
    }
    a.iter().zip(&b).map(|(x, y)| x * y).sum::<f64>() / a.len() as f64 / (da * db + 1e-6)
}
