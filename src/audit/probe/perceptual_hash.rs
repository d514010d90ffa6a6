//! Perceptual hash: the hashes of similar pictures differ in few bits.
//!
//! Each of three frames is reduced to 32 by 32 pixels and transformed (DCT); for each of the lowest 64
//! coefficients except the mean, the hash records whether it exceeds their median (pHash: Zauner, 2010).
//! Brightness and fine detail hardly affect it.

use serde::{Deserialize, Serialize};

/// Number of hashed frames.
pub const VIEWS: usize = 3;
const SIDE: usize = 32;
const WAVES: usize = 8;

/// Hash of a preset: 64 bits for each of [`VIEWS`] frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PerceptualHash(pub [u64; VIEWS]);

impl PerceptualHash {
    /// Returns the number of differing bits, out of `64 * VIEWS`.
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}

impl From<PerceptualHash> for String {
    fn from(perceptual_hash: PerceptualHash) -> Self {
        perceptual_hash.0.iter().map(|view| format!("{view:016x}")).collect()
    }
}

impl TryFrom<String> for PerceptualHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid = || format!("invalid perceptual hash {text:?}");
        // `from_str_radix` alone also accepts a plus sign.
        if text.len() != 16 * VIEWS || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let mut views = [0; VIEWS];
        for (view, digits) in views.iter_mut().zip(text.as_bytes().chunks_exact(16)) {
            let digits = std::str::from_utf8(digits).map_err(|_| invalid())?;
            *view = u64::from_str_radix(digits, 16).map_err(|_| invalid())?;
        }
        Ok(Self(views))
    }
}

/// Hashes one grey picture of `width` by `height` pixels.
pub(super) fn view(grey: &[u8], [width, height]: [usize; 2]) -> u64 {
    let small = shrink(grey, width, height);
    let wave: [[f32; SIDE]; WAVES] = std::array::from_fn(|k| {
        std::array::from_fn(|x| {
            (std::f32::consts::PI * k as f32 * (2.0 * x as f32 + 1.0) / (2.0 * SIDE as f32)).cos()
        })
    });
    let rows: Vec<[f32; WAVES]> = small
        .chunks_exact(SIDE)
        .map(|row| std::array::from_fn(|k| row.iter().zip(&wave[k]).map(|(a, b)| a * b).sum()))
        .collect();
    let coarse: [f32; WAVES * WAVES] = std::array::from_fn(|at| {
        let (down, across) = (at / WAVES, at % WAVES);
        rows.iter().zip(&wave[down]).map(|(row, b)| row[across] * b).sum()
    });
    let mut sorted = coarse[1..].to_vec();
    sorted.sort_by(f32::total_cmp);
    let median = sorted[sorted.len() / 2];
    // Skip the mean, which does not describe the shape.
    coarse.iter().enumerate().skip(1).fold(0, |bits, (at, &wave)| bits | (u64::from(wave > median) << at))
}

/// Averages the picture over a 32 by 32 grid.
fn shrink(grey: &[u8], width: usize, height: usize) -> Vec<f32> {
    let part = |at: usize, length: usize| {
        let start = at * length / SIDE;
        start..((at + 1) * length / SIDE).max(start + 1).min(length)
    };
    let mut small = Vec::with_capacity(SIDE * SIDE);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (rows, columns) = (part(y, height), part(x, width));
            let area = (rows.len() * columns.len()).max(1) as f32;
            let lines = rows.map(|row| &grey[row * width + columns.start..row * width + columns.end]);
            small.push(lines.flatten().map(|&g| f32::from(g)).sum::<f32>() / area);
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    const SIZE: [usize; 2] = [256, 144];

    fn blobs(seed: u64, gain: f32, noise: f64) -> Vec<u8> {
        let mut rng = Rng::new(seed);
        let centres: Vec<(f64, f64)> = (0..5).map(|_| (rng.unit() * 256.0, rng.unit() * 144.0)).collect();
        let mut pixels = Vec::new();
        for y in 0..SIZE[1] {
            for x in 0..SIZE[0] {
                let light: f64 = centres
                    .iter()
                    .map(|(cx, cy)| {
                        (-((x as f64 - cx).powi(2) + (y as f64 - cy).powi(2)) / 900.0).exp() * 150.0
                    })
                    .sum();
                pixels.push(((light + noise * rng.normal()) as f32 * gain).clamp(0.0, 255.0) as u8);
            }
        }
        pixels
    }

    #[test]
    fn noise_and_brightness_change_few_bits_and_a_different_picture_many() {
        let original = view(&blobs(1, 1.0, 0.0), SIZE);
        let alike = view(&blobs(1, 0.8, 4.0), SIZE);
        let other = view(&blobs(2, 1.0, 0.0), SIZE);
        assert!((original ^ alike).count_ones() <= 6, "{}", (original ^ alike).count_ones());
        assert!((original ^ other).count_ones() >= 16, "{}", (original ^ other).count_ones());
    }

    #[test]
    fn a_hash_survives_a_round_trip() {
        let perceptual_hash = PerceptualHash([1, u64::MAX, 0x0123_4567_89ab_cdef]);
        assert_eq!(PerceptualHash::try_from(String::from(perceptual_hash)), Ok(perceptual_hash));
    }

    #[test]
    fn only_hexadecimal_digits_are_a_hash() {
        for wrong in ["é".repeat(24), format!("+{}", "f".repeat(15)).repeat(3)] {
            assert!(PerceptualHash::try_from(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
