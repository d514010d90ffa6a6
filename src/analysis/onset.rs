//! Onset strength in three ranges: how much louder each band became within the last hops.
//!
//! The difference is taken against the loudest neighbour two hops before, so that vibrato is no onset
//! (Böck and Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013).

use super::filterbank::{Filterbank, MOST_BANDS};

/// Hops between the two levels that are compared.
const LAG: usize = 2;
/// How strongly levels are compressed: power over reference is multiplied by this before the logarithm.
const COMPRESSION: f32 = 300.0;

/// Onset strength at one hop. Each is a mean over its bands; about 0.1 for a soft note, 1 for a kick alone.
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
    /// All ranges together.
    pub fn all(&self) -> f32 {
        (self.low + self.mid + self.high) / 3.0
    }
}

/// Finds onsets from band powers.
pub(super) struct OnsetFinder {
    ranges: [std::ops::Range<usize>; 3],
    past: [[f32; MOST_BANDS]; LAG],
    at: usize,
    started: usize,
}

impl OnsetFinder {
    /// A finder over the bands of `bank`.
    pub fn new(bank: &Filterbank) -> Self {
        let ranges = [bank.within(25.0, 130.0), bank.within(130.0, 2_000.0), bank.within(2_000.0, 16_000.0)];
        Self { ranges, past: [[0.0; MOST_BANDS]; LAG], at: 0, started: 0 }
    }

    /// Takes the band powers of a hop, the reference power and the gate.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> Onset {
        let mut levels = [0.0; MOST_BANDS];
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
        self.started += 1;
        if self.started > LAG { onset } else { Onset::default() }
    }
}
