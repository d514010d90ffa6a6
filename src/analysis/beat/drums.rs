//! How strongly the drums accent this hop: each range compared with its own recent peaks, so that a kick counts
//! like a snare and a hat less than both.

use super::super::onset::Onset;

/// How fast the peak of a range is forgotten, seconds.
const PEAK_SECS: f32 = 8.0;
/// Peaks below this are no drums; it keeps pads from being blown up. Low, middle, high.
const LEAST_PEAK: [f32; 3] = [0.15, 0.10, 0.15];
/// Weight of each range: low, middle, high.
const WEIGHT: [f32; 3] = [1.0, 0.7, 0.5];
/// Softens the difference between loud and soft strokes.
const SOFTEN: f32 = 0.7;

/// The accent of one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accent {
    /// All ranges together, 0 to about 2.
    pub all: f32,
    /// Kicks and bass, 0..1.
    pub low: f32,
    /// Snares, chords and voices, 0..1.
    pub mid: f32,
    /// Hats and cymbals, 0..1.
    pub high: f32,
    /// What is sharp in the middle and on top at once, as snares and claps are, 0..1.
    pub sharp: f32,
}

impl Accent {
    /// Low, middle, high and sharp.
    pub fn ranges(&self) -> [f32; 4] {
        [self.low, self.mid, self.high, self.sharp]
    }
}

/// Accents from onsets.
pub struct Drums {
    dt: f32,
    peak: [f32; 3],
}

impl Drums {
    /// Accents of onsets that come every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self { dt, peak: LEAST_PEAK }
    }

    /// The accent of a hop.
    pub fn step(&mut self, onset: Onset) -> Accent {
        let fall = (-self.dt / PEAK_SECS).exp();
        let mut share = [0.0; 3];
        for (n, strength) in [onset.low, onset.mid, onset.high].into_iter().enumerate() {
            self.peak[n] = (self.peak[n] * fall).max(strength).max(LEAST_PEAK[n]);
            share[n] = strength / self.peak[n];
        }
        let all = share.iter().zip(WEIGHT).map(|(share, weight)| weight * share.powf(SOFTEN)).sum();
        Accent { all, low: share[0], mid: share[1], high: share[2], sharp: share[1] * share[2] }
    }
}
