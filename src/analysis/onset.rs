//! Onset strength in three frequency ranges: the rise of each band over the last two hops.
//!
//! Each band is compared with the loudest of itself and its two neighbours two hops earlier, which suppresses vibrato
//! (Böck and Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013).

use super::filterbank::{Filterbank, MAX_BANDS};

/// Hops between the two compared levels.
const LAG: usize = 2;
/// Factor of the logarithmic compression: the relative power is multiplied by this before the logarithm.
const COMPRESSION: f32 = 300.0;

/// Onset strength at one hop, averaged over the bands of each range; about 0.1 for a soft note, 1 for a solo
/// kick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Onset {
    /// Below 130 Hz: kicks and bass notes.
    pub low: f32,
    /// 130 to 2,000 Hz: snares, chords, voices.
    pub mid: f32,
    /// Above 2,000 Hz: hats, cymbals, consonants.
    pub high: f32,
}

impl Onset {
    /// Returns the mean of the three ranges.
    pub fn all(&self) -> f32 {
        (self.low + self.mid + self.high) / 3.0
    }
}

/// Returns the bands of the low, mid and high ranges.
pub(super) fn ranges(bank: &Filterbank) -> [std::ops::Range<usize>; 3] {
    [bank.within(25.0, 130.0), bank.within(130.0, 2_000.0), bank.within(2_000.0, 16_000.0)]
}

/// Detector that computes onset strength from band powers.
pub(super) struct OnsetDetector {
    ranges: [std::ops::Range<usize>; 3],
    past: [[f32; MAX_BANDS]; LAG],
    at: usize,
    hops: usize,
}

impl OnsetDetector {
    /// Builds a detector over the bands of `bank`.
    pub fn new(bank: &Filterbank) -> Self {
        Self { ranges: ranges(bank), past: [[0.0; MAX_BANDS]; LAG], at: 0, hops: 0 }
    }

    /// Returns the onset strength from the band powers of a hop, the reference power and the gate.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> Onset {
        let mut levels = [0.0; MAX_BANDS];
        for (level, power) in levels.iter_mut().zip(bands) {
            *level = (1.0 + COMPRESSION * power / reference).ln() * 0.5;
        }
        let before = &self.past[self.at];
        let strength = |range: &std::ops::Range<usize>| {
            let mut sum = 0.0;
            for band in range.clone() {
                let below = before[band.saturating_sub(1)];
                let above = before[(band + 1).min(bands.len() - 1)];
                sum += (levels[band] - before[band].max(below).max(above)).max(0.0);
            }
            gate * sum / range.len().max(1) as f32
        };
        let onset = Onset {
            low: strength(&self.ranges[0]),
            mid: strength(&self.ranges[1]),
            high: strength(&self.ranges[2]),
        };
        self.past[self.at] = levels;
        self.at = (self.at + 1) % LAG;
        self.hops += 1;
        if self.hops > LAG { onset } else { Onset::default() }
    }
}
