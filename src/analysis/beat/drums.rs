//! Accent strength of the drums per hop. Each range is normalised by its own recent peak, so a kick counts as much
//! as a snare and a hat less than both.

use super::super::onset::Onset;

/// Decay time of the peak of a range, in seconds.
const PEAK_SECS: f32 = 8.0;
/// Minimum peaks (low, mid, high); keeps pads from being amplified to drum level.
const MIN_PEAK: [f32; 3] = [0.15, 0.10, 0.15];
/// Weight of each range (low, mid, high).
const WEIGHT: [f32; 3] = [1.0, 0.7, 0.5];
/// Exponent that compresses the difference between loud and soft strokes.
const COMPRESSION: f32 = 0.7;

/// Accent of one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accent {
    /// All ranges combined, 0 to about 2.
    pub all: f32,
    /// Kicks and bass, 0 to 1.
    pub low: f32,
    /// Snares, chords and voices, 0 to 1.
    pub mid: f32,
    /// Hats and cymbals, 0 to 1.
    pub high: f32,
    /// Mid and high at once, as in snares and claps, 0 to 1.
    pub sharp: f32,
}

impl Accent {
    /// Returns low, mid, high and sharp.
    pub fn ranges(&self) -> [f32; 4] {
        [self.low, self.mid, self.high, self.sharp]
    }
}

/// Computes accents from onsets.
pub struct Drums {
    dt: f32,
    peak: [f32; 3],
}

impl Drums {
    /// Builds the detector for one onset every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self { dt, peak: MIN_PEAK }
    }

    /// Returns the accent of a hop.
    pub fn step(&mut self, onset: Onset) -> Accent {
        let fall = (-self.dt / PEAK_SECS).exp();
        let mut share = [0.0; 3];
        for (n, strength) in [onset.low, onset.mid, onset.high].into_iter().enumerate() {
            self.peak[n] = (self.peak[n] * fall).max(strength).max(MIN_PEAK[n]);
            share[n] = strength / self.peak[n];
        }
        let all = share.iter().zip(WEIGHT).map(|(share, weight)| weight * share.powf(COMPRESSION)).sum();
        Accent { all, low: share[0], mid: share[1], high: share[2], sharp: share[1] * share[2] }
    }
}
