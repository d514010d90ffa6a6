//! Number types with units or ranges, text for messages and terminals, dates, CPU time, and the seeded random number
//! generator.
//!
//! This module imports no other module of the crate; all others may import it.

mod count;
mod date;
mod printable;
mod processor;
mod rng;

pub use count::counted;
pub use date::iso_date;
pub use printable::printable;
pub use processor::{process_time, thread_time};
pub use rng::Rng;

use std::ops::{Add, Mul, Sub};

use serde::{Deserialize, Serialize};

/// A point in time or a duration, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub f64);

impl Seconds {
    /// Zero: the start of a clock, or a duration of zero.
    pub const ZERO: Self = Self(0.0);

    /// Returns the duration since `earlier`; 0 if `earlier` is later.
    pub fn since(self, earlier: Self) -> Self {
        Self((self.0 - earlier.0).max(0.0))
    }
}

impl Add for Seconds {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Seconds {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul<f64> for Seconds {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

/// A tempo in beats per minute, from [`MIN_TEMPO`] to [`MAX_TEMPO`].
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Tempo(f64);

/// Lowest valid tempo, in BPM.
pub const MIN_TEMPO: f64 = 40.0;
/// Highest valid tempo, in BPM.
pub const MAX_TEMPO: f64 = 220.0;
/// Tempo assumed before any audio arrives: 120 BPM.
pub const DEFAULT_TEMPO: Tempo = Tempo(120.0);

impl Default for Tempo {
    fn default() -> Self {
        DEFAULT_TEMPO
    }
}

impl Tempo {
    /// Clamps `bpm` to the valid range; non-finite values give [`DEFAULT_TEMPO`].
    pub fn new(bpm: f64) -> Self {
        if bpm.is_finite() { Self(bpm.clamp(MIN_TEMPO, MAX_TEMPO)) } else { DEFAULT_TEMPO }
    }

    /// Returns the tempo in beats per minute.
    pub fn bpm(self) -> f64 {
        self.0
    }

    /// Returns the duration of one beat.
    pub fn period(self) -> Seconds {
        Seconds(60.0 / self.0)
    }
}

impl From<f64> for Tempo {
    fn from(bpm: f64) -> Self {
        Self::new(bpm)
    }
}

impl From<Tempo> for f64 {
    fn from(tempo: Tempo) -> Self {
        tempo.0
    }
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f32", into = "f32")]
pub struct Unipolar(f32);

impl Unipolar {
    /// The number 0.
    pub const ZERO: Self = Self(0.0);
    /// The number 0.5, the initial value of every macro.
    pub const HALF: Self = Self(0.5);
    /// The number 1.
    pub const ONE: Self = Self(1.0);

    /// Clamps `value` to the range 0 to 1; NaN becomes 0.
    pub fn new(value: f32) -> Self {
        // `max` comes first because `NaN.max(0.0)` is 0.
        Self(value.max(0.0).min(1.0))
    }

    /// Returns the number, from 0 to 1.
    pub fn get(self) -> f32 {
        self.0
    }

    /// Interpolates linearly from this number (`amount` = 0) to `other` (`amount` = 1).
    pub fn lerp(self, other: Self, amount: Self) -> Self {
        Self::new(self.0 + (other.0 - self.0) * amount.0)
    }
}

impl From<f32> for Unipolar {
    fn from(value: f32) -> Self {
        Self::new(value)
    }
}

impl From<Unipolar> for f32 {
    fn from(value: Unipolar) -> Self {
        value.0
    }
}

/// A position in a cycle, from 0 up to but excluding 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Phase(f64);

impl Phase {
    /// Wraps `turns` into the cycle; non-finite values become 0.
    pub fn new(turns: f64) -> Self {
        if turns.is_finite() { Self(turns.rem_euclid(1.0).min(1.0 - f64::EPSILON)) } else { Self(0.0) }
    }

    /// Returns the position, from 0 up to but excluding 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<f64> for Phase {
    fn from(turns: f64) -> Self {
        Self::new(turns)
    }
}

impl From<Phase> for f64 {
    fn from(phase: Phase) -> Self {
        phase.0
    }
}

/// A position on the audio clock, in samples per channel since the start of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleIndex(pub u64);

impl SampleIndex {
    /// Returns the time of this sample at a sample rate of `rate_hz`.
    pub fn at(self, rate_hz: u32) -> Seconds {
        Seconds(self.0 as f64 / f64::from(rate_hz.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unipolar_clamps_any_number() {
        for (input, expected) in
            [(f32::NAN, 0.0), (-1.0, 0.0), (0.25, 0.25), (7.0, 1.0), (f32::INFINITY, 1.0)]
        {
            assert_eq!(Unipolar::new(input).get(), expected, "from {input}");
        }
    }

    #[test]
    fn phase_wraps_and_never_reaches_one() {
        for turns in [-0.25, 0.0, 0.999, 1.0, 3.5, -1e-18, f64::NAN] {
            let phase = Phase::new(turns).get();
            assert!((0.0..1.0).contains(&phase), "{turns} gave {phase}");
        }
    }

    #[test]
    fn tempo_is_clamped() {
        assert_eq!(Tempo::new(1.0).bpm(), MIN_TEMPO);
        assert_eq!(Tempo::new(f64::NAN), DEFAULT_TEMPO);
        assert_eq!(Tempo::new(120.0).period(), Seconds(0.5));
    }

    #[test]
    fn numbers_read_from_a_file_are_in_range_and_written_as_plain_numbers() {
        let read = |text: &str| serde_json::from_str::<(Tempo, Phase, Unipolar)>(text).expect("numbers");
        assert_eq!(read("[0.0, 1.25, 7.0]"), (Tempo::new(MIN_TEMPO), Phase::new(0.25), Unipolar::ONE));
        let written = serde_json::to_string(&read("[126.5, 0.75, 0.5]")).expect("numbers");
        assert_eq!(written, "[126.5,0.75,0.5]");
    }
}
