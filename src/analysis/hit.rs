//! The fast follower of hits: jumps within milliseconds of a kick, snare or clap and falls by itself.
//!
//! A hit is a rise of several bands at once over what they held just before, well beyond what they do by
//! themselves; so pads, noise and hiss, whose bands also move, raise nothing.

use super::filterbank::MOST_BANDS;

/// Steps over which the level before a rise is looked for.
const BEFORE: usize = 14;
/// The newest steps, in which the rise itself may already lie.
const RISING: usize = 3;
/// How fast the follower falls, seconds.
const FALL_SECS: f32 = 0.13;
/// How long a band's own restlessness is remembered, seconds.
const SWING_SECS: f32 = 3.0;
/// Restlessness assumed at first, dB.
const FIRST_SWING_DB: f32 = 3.0;
/// Levels this far below the reference are as good as nothing, dB.
const FLOOR_DB: f32 = -42.0;
/// Rise that no band counts, dB; on top of it, so many times its own restlessness.
const SPARE_DB: f32 = 1.5;
const SPARE_SWINGS: f32 = 2.0;
/// Further rise that makes a band count in full, dB.
const FULL_RISE_DB: f32 = 7.0;
/// Mean over the bands that makes a hit: before anything clear was heard, and after.
const WARY: f32 = 0.085;
const EAGER: f32 = 0.045;
/// From here to twice this, a hit is clear; how long that is remembered, seconds.
const CLEAR: f32 = 0.1;
const CLEAR_SECS: f32 = 4.0;
/// Height of the faintest hit; fairly high, so that a later and stronger one does not look like the hit itself.
const LEAST_HEIGHT: f32 = 0.7;

/// The follower.
pub(super) struct HitFollower {
    dt: f32,
    /// Levels of the last steps per band, dB over the reference.
    past: [[f32; MOST_BANDS]; BEFORE],
    at: usize,
    swing: [f32; MOST_BANDS],
    clear: f32,
    value: f32,
    steps: usize,
}

impl HitFollower {
    /// A follower that is stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self {
            dt,
            past: [[FLOOR_DB; MOST_BANDS]; BEFORE],
            at: 0,
            swing: [FIRST_SWING_DB; MOST_BANDS],
            clear: 0.0,
            value: 0.0,
            steps: 0,
        }
    }

    /// Takes the power of each band, the reference power and the gate; returns the follower, 0..1.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> f32 {
        let strength = self.strength(bands, reference);
        self.steps += 1;
        self.value *= (-self.dt / FALL_SECS).exp();
        self.clear *= (-self.dt / CLEAR_SECS).exp();
        // The first sound out of nothing is no hit.
        if self.steps <= BEFORE {
            return self.value;
        }
        self.clear = self.clear.max(strength);
        let sure = (self.clear / CLEAR - 1.0).clamp(0.0, 1.0);
        if strength > WARY + (EAGER - WARY) * sure {
            self.value = self.value.max((LEAST_HEIGHT + strength).min(1.0) * gate);
        }
        self.value
    }

    /// How much the bands rise together, 0..1.
    fn strength(&mut self, bands: &[f32], reference: f32) -> f32 {
        let mut sum = 0.0;
        for (band, power) in bands.iter().enumerate() {
            let level = (10.0 * (power / reference + 1e-12).log10()).max(FLOOR_DB);
            let before = (RISING..BEFORE)
                .map(|back| self.past[(self.at + BEFORE - back) % BEFORE][band])
                .fold(FLOOR_DB, f32::max);
            let rise = (level - before).max(0.0);
            let swing = &mut self.swing[band];
            sum += ((rise - SPARE_DB - SPARE_SWINGS * *swing) / FULL_RISE_DB).clamp(0.0, 1.0);
            *swing += (rise.min(12.0) - *swing) * self.dt / SWING_SECS;
            self.past[self.at][band] = level;
        }
        self.at = (self.at + 1) % BEFORE;
        sum / bands.len().max(1) as f32
    }
}
