//! The slow layer: the bank follows the music in eased morphs that start on beats and phrases.
//!
//! All values are offsets from the performer's setting, 0 at rest. A change of preset does not pause the
//! bank. aivj's browser-based predecessor holds it for 1.6 s after a hard cut; here, presets change in
//! crossfades on the beat, and a pause at each of them would be visible as a stall.

use super::bank::Offsets;
use super::ideal;
use super::profile::Character;
use crate::analysis::{Features, Passage, Section};
use crate::units::Rng;

/// Minimum time between morphs, in seconds.
const MIN_INTERVAL_SECS: f32 = 1.2;
/// Minimum and maximum duration of a morph, in seconds.
const MORPH_SECS: (f32, f32) = (1.8, 9.0);
/// Largest change of a control in one morph, whatever the music.
const MAX_STEP: f32 = 0.36;
/// For the first morph after [`Trajectory::wake`], which must quickly become visible: the minimum of the limit on a
/// control's change, and the maximum duration in seconds.
const FIRST: (f32, f32) = (0.25, 4.5);
/// Minimum and maximum number of beats after which the next morph is due.
const BEATS: (f32, f32) = (6.0, 48.0);
/// Rates at which trust in the beat rises and falls, per second.
const TRUST_RATES: (f32, f32) = (2.8, 0.7);

/// Parameters of the slow layer that depend on the section.
struct Pace {
    follow_secs: f32,
    noise: f32,
    noise_every_secs: f32,
    noise_follow_secs: f32,
    beats: f32,
    unsure_secs: f32,
    step: f32,
    length: f32,
}

fn pace(section: Section) -> Pace {
    match section {
        Section::Peak => Pace {
            follow_secs: 0.9,
            noise: 0.06,
            noise_every_secs: 1.3,
            noise_follow_secs: 1.2,
            beats: 8.0,
            unsure_secs: 3.2,
            step: 1.15,
            length: 0.75,
        },
        Section::Groove => Pace {
            follow_secs: 1.2,
            noise: 0.045,
            noise_every_secs: 1.7,
            noise_follow_secs: 1.5,
            beats: 16.0,
            unsure_secs: 4.2,
            step: 1.0,
            length: 1.0,
        },
        Section::Calm => Pace {
            follow_secs: 1.7,
            noise: 0.03,
            noise_every_secs: 2.2,
            noise_follow_secs: 1.8,
            beats: 24.0,
            unsure_secs: 5.2,
            step: 0.85,
            length: 1.35,
        },
    }
}

/// The state of the slow layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Trajectory {
    /// The aim after smoothing.
    aim: Offsets,
    noise: Offsets,
    noise_target: Offsets,
    noise_age_secs: f32,
    morph: Option<Morph>,
    now: Offsets,
    /// Whether no morph has started since [`Trajectory::wake`].
    fresh: bool,
    since_aim_secs: f32,
    beats: f32,
    last_beat: Option<f64>,
    trust: f32,
    passage: Passage,
    phrase_beats: f32,
}

/// One eased movement of the bank.
#[derive(Clone, Debug)]
struct Morph {
    from: Offsets,
    to: Offsets,
    done_secs: f32,
    over_secs: f32,
}

impl Trajectory {
    /// Returns the current offsets.
    pub fn offsets(&self) -> &Offsets {
        &self.now
    }

    /// Starts following the music; the first morph begins in the next step.
    pub fn wake(&mut self) {
        self.fresh = true;
        self.morph = None;
    }

    /// Resets the offset of `control` and stops the running morph of all controls.
    pub fn rebase(&mut self, control: usize) {
        self.now[control] = 0.0;
        self.morph = None;
    }

    /// Sets all offsets to 0 at once; used while MIDI knobs move the bank, whose positions must match the
    /// knobs exactly.
    pub fn rest(&mut self) {
        self.morph = None;
        self.now = Offsets::default();
    }

    /// Eases the offsets to 0 with a time constant of 0.15 s.
    pub fn ease_to_rest(&mut self, dt: f32) {
        self.morph = None;
        let keep = (-dt / 0.15).exp();
        for offset in &mut self.now {
            *offset = if offset.abs() < 1e-3 { 0.0 } else { *offset * keep };
        }
    }

    /// Follows the music for `dt` seconds. `accent` is the current accent level, 0 to 1.
    pub fn step(&mut self, features: &Features, character: &Character, accent: f32, dt: f32, rng: &mut Rng) {
        let pace = pace(features.section);
        self.follow_beat(features, dt);
        self.wander(&pace, dt, rng);
        let aim = ideal::aim(features, character);
        let follow = 1.0 - (-dt / (pace.follow_secs * (1.4 - 0.6 * self.trust))).exp();
        for ((smooth, aim), noise) in self.aim.iter_mut().zip(aim).zip(self.noise) {
            let wanted = aim + noise;
            *smooth = if self.fresh { wanted } else { *smooth + (wanted - *smooth) * follow };
        }
        self.since_aim_secs += dt;
        if self.time_to_aim(features, &pace) {
            self.take_aim(features, character, &pace, accent);
        }
        self.advance(dt);
    }

    fn follow_beat(&mut self, features: &Features, dt: f32) {
        let target = features.beat.confidence.get();
        let (rise, fall) = TRUST_RATES;
        let rate = if target > self.trust { rise } else { fall };
        self.trust += (target - self.trust) * (1.0 - (-dt * rate).exp());
        let beat = features.beat.beats_at(features.at);
        // A new grid makes the beat number jump: ignore steps backwards or of more than four beats.
        let passed = self.last_beat.map_or(0.0, |last| beat.floor() - last.floor());
        if features.beat.trusted() && (0.0..=4.0).contains(&passed) {
            self.beats += passed as f32;
        }
        self.last_beat = Some(beat);
    }

    fn wander(&mut self, pace: &Pace, dt: f32, rng: &mut Rng) {
        self.noise_age_secs += dt;
        if self.noise_age_secs >= pace.noise_every_secs {
            self.noise_age_secs = 0.0;
            self.noise_target = std::array::from_fn(|_| (rng.unit_f32() * 2.0 - 1.0) * pace.noise);
        }
        let follow = 1.0 - (-dt / pace.noise_follow_secs).exp();
        for (noise, target) in self.noise.iter_mut().zip(self.noise_target) {
            *noise += (target - *noise) * follow;
        }
    }

    fn time_to_aim(&mut self, features: &Features, pace: &Pace) -> bool {
        let dropped = features.passage != self.passage && features.passage == Passage::Drop;
        let new_phrase = features.beat.trusted()
            && features.beat.phrase_bars > 0
            && features.beat.phrase_beats < self.phrase_beats;
        self.passage = features.passage;
        self.phrase_beats = features.beat.phrase_beats;
        if self.fresh {
            return true;
        }
        if self.since_aim_secs < MIN_INTERVAL_SECS {
            return false;
        }
        let doubt = 1.0 - self.trust;
        let due = if features.beat.trusted() {
            self.beats >= (pace.beats * (1.0 + 1.6 * doubt)).round().clamp(BEATS.0, BEATS.1)
        } else {
            self.since_aim_secs >= pace.unsure_secs * (1.0 + 1.2 * doubt)
        };
        dropped || new_phrase || due
    }

    fn take_aim(&mut self, features: &Features, character: &Character, pace: &Pace, accent: f32) {
        let onset = features.onset.get();
        let step = character.step
            * pace.step
            * (1.0 + 0.18 * onset)
            * (0.7 + 0.6 * self.trust)
            * (1.0 + 0.25 * accent);
        let step = if self.fresh { step.max(FIRST.0) } else { step };
        let slot_step = step + 0.08 + 0.04 * accent;
        let to = std::array::from_fn(|control| {
            let furthest = if control < 3 { step } else { slot_step }.min(MAX_STEP);
            self.now[control] + (self.aim[control] - self.now[control]).clamp(-furthest, furthest)
        });
        let over = character.morph_secs
            * (1.25 - 0.55 * features.energy_fast.get())
            * pace.length
            * (1.3 - 0.5 * self.trust)
            * (1.0 - 0.2 * onset)
            * (1.0 - 0.25 * accent * character.haste).max(0.7);
        let longest = if self.fresh { FIRST.1 } else { MORPH_SECS.1 };
        self.morph =
            Some(Morph { from: self.now, to, done_secs: 0.0, over_secs: over.clamp(MORPH_SECS.0, longest) });
        self.since_aim_secs = 0.0;
        self.beats = 0.0;
        self.fresh = false;
    }

    fn advance(&mut self, dt: f32) {
        let Some(morph) = &mut self.morph else { return };
        morph.done_secs += dt;
        let progress = (morph.done_secs / morph.over_secs).min(1.0);
        let eased = 0.5 - 0.5 * (progress * std::f32::consts::PI).cos();
        self.now = std::array::from_fn(|i| morph.from[i] + (morph.to[i] - morph.from[i]) * eased);
        if progress >= 1.0 {
            self.morph = None;
        }
    }
}
