//! Automatic gain: the reference level of the music, and a gate against hiss.
//!
//! Band levels, hits and onsets are relative to this reference, so that the input level does not matter.
//! While the gate is closed, the reference is frozen and these features fall to 0.

/// Level at or below which the gate is closed, in dBFS (RMS over about 0.1 s).
const CLOSED_DBFS: f32 = -65.0;
/// Level at or above which the gate is fully open, in dBFS.
const OPEN_DBFS: f32 = -58.0;
/// Time constant of a falling level, in seconds.
const QUIET_SECS: f32 = 0.07;
/// Time constant of a rising reference, in seconds.
const RISE_SECS: f32 = 0.6;
/// Time constant of a falling reference, in seconds.
const FALL_SECS: f32 = 12.0;

/// Tracker of the reference level and the gate.
pub(super) struct Gain {
    dt: f32,
    smooth: f32,
    reference: f32,
    gate: f32,
}

impl Gain {
    /// Builds a gain tracker stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self { dt, smooth: 0.0, reference: 0.0, gate: 0.0 }
    }

    /// Updates the reference with the mean square of the latest hop.
    pub fn step(&mut self, power: f32) {
        // Rising levels are followed within a few hops, falling ones with the time constant `QUIET_SECS`.
        let towards = if power > self.smooth { 0.5 } else { self.dt / QUIET_SECS };
        self.smooth += (power - self.smooth) * towards;
        let level = 10.0 * (self.smooth + 1e-12).log10();
        self.gate = ((level - CLOSED_DBFS) / (OPEN_DBFS - CLOSED_DBFS)).clamp(0.0, 1.0);
        if self.gate <= 0.0 {
            return;
        }
        if self.reference <= 0.0 {
            self.reference = self.smooth;
        }
        let time = if self.smooth > self.reference { RISE_SECS } else { FALL_SECS };
        // The reference is smoothed in decibels, so that the rate does not depend on the level.
        let ratio = (self.smooth.max(1e-12) / self.reference).clamp(1e-3, 1e4);
        self.reference *= ratio.powf((self.dt / time).min(1.0));
    }

    /// Returns the reference level as a mean square, at least that of [`OPEN_DBFS`].
    pub fn reference(&self) -> f32 {
        self.reference.max(10.0_f32.powf(OPEN_DBFS / 10.0))
    }

    /// Returns the gate, from 0 (closed, for silence and hiss) to 1 (open, for sound).
    pub fn gate(&self) -> f32 {
        self.gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_follows_the_level_and_the_gate_shuts_on_hiss() {
        let mut gain = Gain::new(0.01);
        for _ in 0..200 {
            gain.step(0.01);
        }
        assert!((gain.reference() / 0.01 - 1.0).abs() < 0.1, "{}", gain.reference());
        assert_eq!(gain.gate(), 1.0);
        for _ in 0..100 {
            gain.step(1e-7); // -70 dBFS
        }
        assert_eq!(gain.gate(), 0.0);
        assert!((gain.reference() / 0.01).log10().abs() < 0.2, "{}", gain.reference());
    }
}
