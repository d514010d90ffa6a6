//! Automatic gain: how loud the music is compared with itself, and a gate against hiss.
//!
//! Everything visual is told relative to the reference kept here, so that the level of the input does not matter;
//! below the gate the reference stands still and everything reads zero.

/// Below this level nothing is heard, in dBFS (RMS over about a tenth of a second).
const SHUT_DBFS: f32 = -65.0;
/// From this level on everything is heard.
const OPEN_DBFS: f32 = -58.0;
/// How long a quiet stretch takes to be believed, seconds.
const QUIET_SECS: f32 = 0.07;
/// How fast the reference follows louder music, seconds.
const RISE_SECS: f32 = 0.6;
/// How fast the reference forgets, seconds.
const FALL_SECS: f32 = 12.0;

/// The running reference.
pub(super) struct Gain {
    dt: f32,
    smooth: f32,
    reference: f32,
    gate: f32,
}

impl Gain {
    /// A gain that is stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self { dt, smooth: 0.0, reference: 0.0, gate: 0.0 }
    }

    /// Takes the mean square of the newest hop.
    pub fn step(&mut self, power: f32) {
        // A new loud hop counts at once, a quiet one only when it lasts.
        let towards = if power > self.smooth { 0.5 } else { self.dt / QUIET_SECS };
        self.smooth += (power - self.smooth) * towards;
        let level = 10.0 * (self.smooth + 1e-12).log10();
        self.gate = ((level - SHUT_DBFS) / (OPEN_DBFS - SHUT_DBFS)).clamp(0.0, 1.0);
        if self.gate <= 0.0 {
            return;
        }
        if self.reference <= 0.0 {
            self.reference = self.smooth;
        }
        let time = if self.smooth > self.reference { RISE_SECS } else { FALL_SECS };
        // In decibels, so that the pace does not depend on the level.
        let ratio = (self.smooth.max(1e-12) / self.reference).clamp(1e-3, 1e4);
        self.reference *= ratio.powf((self.dt / time).min(1.0));
    }

    /// Mean square that counts as the music's own full level; at least that of the gate.
    pub fn reference(&self) -> f32 {
        self.reference.max(10.0_f32.powf(OPEN_DBFS / 10.0))
    }

    /// 0 for silence and hiss, 1 for sound.
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
