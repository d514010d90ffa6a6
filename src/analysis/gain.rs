//! Automatic gain: the reference level of the music, and a gate against hiss and the noise of the room.
//!
//! Band levels, hits and onsets are relative to this reference, so that the input level does not matter.
//! While the gate is closed, the reference is frozen and these features fall to 0.

/// Level up to which the gate is closed until the floor is known, in dBFS (RMS over about 0.1 s).
const FIRST_CLOSED_DBFS: f32 = -65.0;
/// Range above the closed level over which the gate opens, in dB.
const RAMP_DB: f32 = 7.0;
/// Level above the floor below which there is no music, and from which a closed gate opens, in dB.
const CLOSED_DB: f32 = 6.0;
const OPENS_DB: f32 = 10.0;
/// Level below the reference up to which sound counts as music, however steady it is, in dB.
const MUSIC_DB: f32 = 16.0;
/// How long the level must be that of the room before the gate closes, in seconds: longer than the gaps between beats.
const HOLD_SECS: f32 = 2.0;
/// Time constant of a falling level, in seconds.
const QUIET_SECS: f32 = 0.07;
/// Time constant of a rising reference, in seconds.
const RISE_SECS: f32 = 0.6;
/// Time constant of a falling reference, in seconds.
const FALL_SECS: f32 = 12.0;

/// Lowest and highest floor, in dBFS. Louder sound is music, however steady it is.
const FLOORS_DBFS: (f32, f32) = (-90.0, -46.0);
/// Length of the parts of which the minimum is taken, in seconds, and their number: 15 s.
const PART_SECS: f32 = 2.5;
const PARTS: usize = 6;
/// Seconds of sound from which the floor is known.
const KNOWN_SECS: f32 = 10.0;
/// Rate at which the floor rises, in dB per second. Slow, so that it outlasts passages without a pause.
const FLOOR_RISE_DB: f32 = 1.0 / 60.0;
/// Power below which there is no sound at all, such as while an input is not connected (-100 dBFS).
const NO_SOUND: f32 = 1e-10;

/// The level of the room without music: the minimum over the last 15 s (Martin, "Noise power spectral density
/// estimation based on optimal smoothing and minimum statistics", IEEE TSAP 9, 2001), which rises slowly.
struct Floor {
    /// Minimum of each part, in dBFS; the first is that of the current one.
    lowest: [f32; PARTS],
    /// Time since the start of the current part, in seconds.
    part_secs: f32,
    /// Duration of the sound, up to [`KNOWN_SECS`].
    heard_secs: f32,
    /// The floor in dBFS; `None` until it is known.
    level: Option<f32>,
}

impl Floor {
    fn new() -> Self {
        Self { lowest: [f32::MAX; PARTS], part_secs: 0.0, heard_secs: 0.0, level: None }
    }

    /// Adds a level in dBFS that lasted for `dt` seconds.
    fn step(&mut self, level: f32, dt: f32) {
        self.part_secs += dt;
        if self.part_secs >= PART_SECS {
            self.part_secs = 0.0;
            self.lowest.rotate_right(1);
            self.lowest[0] = f32::MAX;
        }
        self.lowest[0] = self.lowest[0].min(level);
        self.heard_secs += dt;
        if self.heard_secs < KNOWN_SECS {
            return;
        }
        self.heard_secs = KNOWN_SECS;
        let lowest = self.lowest.iter().copied().fold(f32::MAX, f32::min);
        let lowest = lowest.clamp(FLOORS_DBFS.0, FLOORS_DBFS.1);
        self.level = Some(self.level.map_or(lowest, |before| lowest.min(before + FLOOR_RISE_DB * dt)));
    }
}

/// Tracker of the reference level and the gate.
pub(super) struct Gain {
    dt: f32,
    smooth: f32,
    reference: f32,
    floor: Floor,
    /// Whether there is sound besides that of the room.
    open: bool,
    /// How long there has been no music, in seconds.
    quiet_secs: f32,
    /// Level from which the gate is fully open, in dBFS.
    open_dbfs: f32,
    gate: f32,
}

impl Gain {
    /// Builds a gain tracker stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self {
            dt,
            smooth: 0.0,
            reference: 0.0,
            floor: Floor::new(),
            open: true,
            quiet_secs: 0.0,
            open_dbfs: FIRST_CLOSED_DBFS + RAMP_DB,
            gate: 0.0,
        }
    }

    /// Updates the reference with the mean square of the latest hop.
    pub fn step(&mut self, power: f32) {
        // Rising levels are followed within a few hops, falling ones with the time constant `QUIET_SECS`.
        let towards = if power > self.smooth { 0.5 } else { self.dt / QUIET_SECS };
        self.smooth += (power - self.smooth) * towards;
        let level = decibels(self.smooth);
        if power > NO_SOUND {
            self.floor.step(level, self.dt);
        }
        self.update_gate(level);
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

    /// Opens the gate for sound that stands out from the floor; closes it when there is nothing else for a while, or
    /// when the input is quieter than any room.
    fn update_gate(&mut self, level: f32) {
        let opens = self.floor.level.map_or(FIRST_CLOSED_DBFS, |floor| floor + OPENS_DB);
        let closed = self.floor.level.map_or(FIRST_CLOSED_DBFS, |floor| floor + CLOSED_DB);
        let music = if self.reference > 0.0 { decibels(self.reference) - MUSIC_DB } else { f32::MAX };
        let closed = if self.floor.level.is_some() { closed.min(music) } else { closed };
        self.quiet_secs = if level < closed { self.quiet_secs + self.dt } else { 0.0 };
        self.open = if self.open { self.quiet_secs < HOLD_SECS } else { level > opens };
        let closed = closed.min(FIRST_CLOSED_DBFS);
        self.open_dbfs = closed + RAMP_DB;
        self.gate = if self.open { ((level - closed) / RAMP_DB).clamp(0.0, 1.0) } else { 0.0 };
    }

    /// Returns the reference level as a mean square, at least the level from which the gate is fully open.
    pub fn reference(&self) -> f32 {
        self.reference.max(10.0_f32.powf(self.open_dbfs / 10.0))
    }

    /// Returns the gate, from 0 (closed, for silence, hiss and the noise of the room) to 1 (open, for sound).
    pub fn gate(&self) -> f32 {
        self.gate
    }
}

/// Returns a mean square in dBFS.
fn decibels(power: f32) -> f32 {
    10.0 * (power + 1e-12).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    /// Steps `gain` for `secs` seconds with a beat twice a second, at these levels on and between the beats, over noise
    /// (all in dBFS); returns the gate at each hop.
    fn beats(gain: &mut Gain, secs: f32, [on, between, noise]: [f32; 3]) -> Vec<f32> {
        let power = |level: f32| 10.0_f32.powf(level / 10.0);
        let mut rng = Rng::new(7);
        (0..(secs * 100.0) as usize)
            .map(|hop| {
                let music = if hop % 50 < 10 { power(on) } else { power(between) };
                gain.step(music + power(noise) * (0.5 + rng.unit_f32()));
                gain.gate()
            })
            .collect()
    }

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

    #[test]
    fn quiet_music_opens_the_gate_once_the_floor_is_known() {
        let mut gain = Gain::new(0.01);
        beats(&mut gain, 12.0, [-66.0, -78.0, -85.0]);
        let gates = beats(&mut gain, 4.0, [-66.0, -78.0, -85.0]);
        assert!(gates.iter().all(|&gate| gate > 0.0), "{gates:?}");
        assert!(gates[9..].iter().step_by(50).all(|&gate| gate == 1.0), "on the beats");
        assert!((decibels(gain.reference()) + 67.0).abs() < 4.0, "{}", decibels(gain.reference()));
    }

    #[test]
    fn a_noisy_room_is_silent_between_tracks() {
        let mut gain = Gain::new(0.01);
        let music = [-25.0, -36.0, -50.0];
        let gates = beats(&mut gain, 20.0, music);
        assert!(gates[10..].iter().all(|&gate| gate == 1.0));
        let reference = decibels(gain.reference());
        let gates = beats(&mut gain, 15.0, [-120.0, -120.0, -50.0]);
        assert!(gates[..100].iter().all(|&gate| gate == 1.0), "no sooner than after a bar");
        assert!(gates[300..].iter().all(|&gate| gate == 0.0));
        assert!((decibels(gain.reference()) - reference).abs() < 6.0, "{}", decibels(gain.reference()));
        let gates = beats(&mut gain, 2.0, music);
        assert!(gates[10..].iter().all(|&gate| gate == 1.0), "at once when the music returns");
    }

    #[test]
    fn steady_and_quiet_passages_are_not_taken_for_the_room() {
        let mut gain = Gain::new(0.01);
        let gates = beats(&mut gain, 60.0, [-50.0, -50.0, -80.0]);
        assert!(gates[10..].iter().all(|&gate| gate == 1.0), "a drone");
        let mut gain = Gain::new(0.01);
        beats(&mut gain, 30.0, [-15.0, -25.0, -80.0]);
        let gates = beats(&mut gain, 30.0, [-39.0, -39.0, -80.0]);
        assert!(gates.iter().all(|&gate| gate == 1.0), "a breakdown");
        // After a pause on a line input, the floor is low for minutes.
        beats(&mut gain, 3.0, [-120.0, -120.0, -85.0]);
        assert_eq!(gain.gate(), 0.0);
        beats(&mut gain, 60.0, [-15.0, -25.0, -80.0]);
        let gates = beats(&mut gain, 30.0, [-60.0, -60.0, -80.0]);
        assert!(gates[50..].iter().all(|&gate| gate > 0.7), "a quiet breakdown");
    }
}
