//! Energy of the music over about one beat and over about two bars, relative to the last few minutes.

/// Time constants in seconds: rise and fall of the fast follower, then of the slow one.
const FAST_SECS: (f32, f32) = (0.15, 0.4);
const SLOW_SECS: (f32, f32) = (1.2, 2.5);
/// Fall time in complete silence, in seconds.
const SILENT_SECS: f32 = 0.25;
/// Range of the energy scale, in dB below the loudest passage of the last few minutes.
const RANGE_DB: f32 = 24.0;
/// Rate at which the remembered loudest level falls, in dB per second.
const DECAY_DB: f32 = 0.08;

/// Energy follower with a fast and a slow time constant.
pub(super) struct EnergyFollower {
    dt: f32,
    loud_db: f32,
    onset_mean: f32,
    fast: f32,
    slow: f32,
}

impl EnergyFollower {
    /// Builds an energy follower stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self { dt, loud_db: f32::NEG_INFINITY, onset_mean: 0.0, fast: 0.0, slow: 0.0 }
    }

    /// Returns fast and slow energy, 0 to 1, from the level in dB (relative to any fixed reference), the
    /// onset strength and the gate.
    pub fn step(&mut self, level_db: f32, onset: f32, gate: f32) -> (f32, f32) {
        let dt = self.dt;
        if gate > 0.0 {
            self.loud_db = (self.loud_db - DECAY_DB * dt).max(level_db);
        }
        self.onset_mean += (onset - self.onset_mean) * dt / 1.5;
        let loud = (1.0 + (level_db - self.loud_db) / RANGE_DB).clamp(0.0, 1.0);
        // Loudness alone is not energy: a loud pad is calm, but drums are not.
        let busy = 1.0 - (-self.onset_mean * 9.0).exp();
        let now = gate * loud * (0.35 + 0.65 * busy);
        let follow = |value: &mut f32, (up, down): (f32, f32)| {
            let time = if now > *value { up } else { down + (SILENT_SECS - down) * (1.0 - gate) };
            *value += (now - *value) * (dt / time).min(1.0);
            *value
        };
        (follow(&mut self.fast, FAST_SECS), follow(&mut self.slow, SLOW_SECS))
    }
}
