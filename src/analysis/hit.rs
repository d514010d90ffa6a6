//! Hit follower: rises within milliseconds of a kick, snare or clap, then decays.
//!
//! A hit is a simultaneous rise of several bands above their recent level, well beyond their usual
//! fluctuation. The fluctuations of pads, noise and hiss are therefore ignored.

use super::filterbank::MAX_BANDS;

/// Number of past steps kept to find the level before a rise.
const HISTORY: usize = 14;
/// Number of latest steps, including the current one, in which the rise may already have started; excluded from the
/// search.
const RISING: usize = 3;
/// Time constant of the envelope's decay, in seconds.
const FALL_SECS: f32 = 0.13;
/// Time constant of a band's fluctuation estimate, in seconds.
const FLUCTUATION_SECS: f32 = 3.0;
/// Initial fluctuation estimate, in dB.
const FIRST_FLUCTUATION_DB: f32 = 3.0;
/// Lower limit of the levels, in dB relative to the reference.
const FLOOR_DB: f32 = -42.0;
/// Rise that is ignored: a constant in dB plus a multiple of the band's fluctuation.
const IGNORED_DB: f32 = 1.5;
const IGNORED_FLUCTUATIONS: f32 = 2.0;
/// Rise beyond the ignored part at which a band counts fully, in dB.
const FULL_RISE_DB: f32 = 7.0;
/// Detection threshold for the mean over the bands: without and with a clear hit in the last few seconds.
const FIRST_THRESHOLD: f32 = 0.085;
const THRESHOLD: f32 = 0.045;
/// Strength from which a hit starts to count as clear (fully at twice this strength), and the time constant
/// with which clear hits are forgotten, in seconds.
const CLEAR: f32 = 0.1;
const CLEAR_SECS: f32 = 4.0;
/// Minimum height of the envelope at a hit; high enough that a further rise shortly after does not look like a second
/// hit.
const MIN_HEIGHT: f32 = 0.7;

/// Envelope follower for drum hits.
pub(super) struct HitFollower {
    dt: f32,
    /// Level of each band in the last steps, in dB relative to the reference.
    past: [[f32; MAX_BANDS]; HISTORY],
    at: usize,
    fluctuation: [f32; MAX_BANDS],
    clear: f32,
    value: f32,
    steps: usize,
}

impl HitFollower {
    /// Builds a follower stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self {
            dt,
            past: [[FLOOR_DB; MAX_BANDS]; HISTORY],
            at: 0,
            fluctuation: [FIRST_FLUCTUATION_DB; MAX_BANDS],
            clear: 0.0,
            value: 0.0,
            steps: 0,
        }
    }

    /// Returns the envelope, 0 to 1, from the power of each band, the reference power and the gate.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> f32 {
        let strength = self.strength(bands, reference);
        self.steps += 1;
        self.value *= (-self.dt / FALL_SECS).exp();
        self.clear *= (-self.dt / CLEAR_SECS).exp();
        // The first steps have no history to compare with.
        if self.steps <= HISTORY {
            return self.value;
        }
        self.clear = self.clear.max(strength);
        let confidence = (self.clear / CLEAR - 1.0).clamp(0.0, 1.0);
        if strength > FIRST_THRESHOLD + (THRESHOLD - FIRST_THRESHOLD) * confidence {
            self.value = self.value.max((MIN_HEIGHT + strength).min(1.0) * gate);
        }
        self.value
    }

    /// Returns the mean over all bands of the rise beyond the ignored part, 0 to 1.
    fn strength(&mut self, bands: &[f32], reference: f32) -> f32 {
        let mut sum = 0.0;
        for (band, power) in bands.iter().enumerate() {
            let level = (10.0 * (power / reference + 1e-12).log10()).max(FLOOR_DB);
            let before = (RISING..HISTORY)
                .map(|back| self.past[(self.at + HISTORY - back) % HISTORY][band])
                .fold(FLOOR_DB, f32::max);
            let rise = (level - before).max(0.0);
            let fluctuation = &mut self.fluctuation[band];
            sum += ((rise - IGNORED_DB - IGNORED_FLUCTUATIONS * *fluctuation) / FULL_RISE_DB).clamp(0.0, 1.0);
            *fluctuation += (rise.min(12.0) - *fluctuation) * self.dt / FLUCTUATION_SECS;
            self.past[self.at][band] = level;
        }
        self.at = (self.at + 1) % HISTORY;
        sum / bands.len().max(1) as f32
    }
}
