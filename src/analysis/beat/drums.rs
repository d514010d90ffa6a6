//! Accent strength of the drums per hop. Each range is normalised by its recent peak and then weighted, so
//! that kicks count most and hats least, however loud they are.

use super::super::onset::Onset;

/// Time constant of the decay of a range's peak, in seconds.
const PEAK_SECS: f32 = 8.0;
/// Minimum peaks (low, mid, high); they keep pads from being amplified to drum level.
const MIN_PEAK: [f32; 3] = [0.15, 0.10, 0.15];
/// Weight of each range (low, mid, high).
const WEIGHT: [f32; 3] = [1.0, 0.7, 0.5];
/// Exponent that compresses the difference between loud and soft strokes.
const COMPRESSION: f32 = 0.7;
/// Minimum peak of the relative onsets, whose scale does not depend on how loud a range is.
const MIN_RELATIVE_PEAK: f32 = 0.02;
/// Share of the relative onsets in the combined accent. The fixed scale has more contrast on a line input, the relative
/// scale in a room, in a crowd or without highs.
const RELATIVE_SHARE: f32 = 0.5;
/// Number of hops before the relative onsets are used (1 s), so that their means and peaks cover a beat or
/// two.
const RELATIVE_START: u32 = 100;

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
    /// Activation of a beat and of a downbeat, 0 to 1.
    pub beat: f32,
    pub downbeat: f32,
}

impl Accent {
    /// Returns low, mid, high, sharp and the activations of a beat and of a downbeat.
    pub fn ranges(&self) -> [f32; 6] {
        [self.low, self.mid, self.high, self.sharp, self.beat, self.downbeat]
    }
}

/// Detector that computes accents from onsets.
pub struct Drums {
    dt: f32,
    peak: [f32; 3],
    relative_peak: [f32; 3],
    hops: u32,
}

impl Drums {
    /// Builds a detector stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self { dt, peak: MIN_PEAK, relative_peak: [MIN_RELATIVE_PEAK; 3], hops: 0 }
    }

    /// Returns the accent of a hop from its onsets, on a fixed scale and relative to the recent level of each band.
    pub fn step(&mut self, fixed: Onset, relative: Onset) -> Accent {
        let fall = (-self.dt / PEAK_SECS).exp();
        let share = |strength: f32, peak: &mut f32, min: f32| {
            *peak = (*peak * fall).max(strength).max(min);
            strength / *peak
        };
        let fixed = [fixed.low, fixed.mid, fixed.high];
        let ranges: [f32; 3] = std::array::from_fn(|n| share(fixed[n], &mut self.peak[n], MIN_PEAK[n]));
        let combined = |shares: [f32; 3]| -> f32 {
            shares.iter().zip(WEIGHT).map(|(share, weight)| weight * share.powf(COMPRESSION)).sum()
        };
        let mut all = combined(ranges);
        self.hops = self.hops.saturating_add(1);
        if self.hops > RELATIVE_START {
            let relative = [relative.low, relative.mid, relative.high];
            let relative =
                std::array::from_fn(|n| share(relative[n], &mut self.relative_peak[n], MIN_RELATIVE_PEAK));
            all += (combined(relative) - all) * RELATIVE_SHARE;
        }
        let [low, mid, high] = ranges;
        Accent { all, low, mid, high, sharp: mid * high, ..Accent::default() }
    }
}
