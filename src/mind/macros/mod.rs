//! The macro bank: the performer's settings, the offsets added by the music, and who may move the controls.
//!
//! A position is the sum of three layers: the performer's setting (saved), a slow drift that follows the
//! music, and short accents on hits. The last two are temporary offsets; in silence they are 0. A control set
//! to either end of its travel stays there: offsets shrink towards the ends.

mod accent;
mod arbiter;
mod bank;
mod guard;
mod ideal;
mod profile;
mod stored;
mod trajectory;

#[cfg(test)]
mod tests;

use accent::Accent;
use arbiter::Arbiter;
pub use arbiter::{HOLD_SECS, MacroState, Mode};
pub use bank::Bank;
use trajectory::Trajectory;

use super::{Control, MacroPreset, Profile};
use crate::analysis::{Features, Section};
use crate::units::{Rng, Unipolar};

/// Energy above which music is considered audible.
const AUDIBLE_ENERGY: f32 = 0.02;
/// Time constants with which the music's influence rises when music is heard, and falls in silence, in
/// seconds.
const PRESENCE_SECS: (f32, f32) = (0.5, 1.5);

/// Presence above which the slow drift runs.
const AWAKE: f32 = 0.3;

/// The macro bank with everything that moves it.
#[derive(Clone, Debug, Default)]
pub struct Macros {
    arbiter: Arbiter,
    trajectory: Trajectory,
    accent: Accent,
    /// Offsets of the accent layer.
    shake: bank::Offsets,
    /// Smoothed presence of music, 0 in silence to 1. It scales the offsets.
    presence: f32,
    /// The section for which automatic moves are limited.
    section: Section,
    mode: Mode,
    values: Bank,
}

/// A snapshot of the bank.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MacroView {
    /// Current position of every control, including offsets.
    pub values: Bank,
    /// The performer's settings, as saved.
    pub state: MacroState,
    /// Who moves the bank.
    pub mode: Mode,
    /// Seconds left of a hold, after which the music may move the bank again.
    pub held_secs: f64,
}

impl Macros {
    /// Creates a bank from saved settings.
    pub fn new(state: MacroState) -> Self {
        Self { arbiter: Arbiter::new(state), values: state.bank, ..Self::default() }
    }

    /// Sets a control to `value` at once. For [`HOLD_SECS`], the music does not move the bank.
    pub fn touch(&mut self, control: Control, value: Unipolar) {
        self.arbiter.touch(control, value);
        self.trajectory.rebase(control as usize);
    }

    /// Recalls a macro preset. For [`HOLD_SECS`], the music does not move the bank.
    pub fn recall(&mut self, preset: MacroPreset) {
        self.arbiter.recall(preset, stored::setting(preset).bank);
        for control in Control::ALL {
            self.trajectory.rebase(control as usize);
        }
    }

    /// Sets the profile.
    pub fn set_profile(&mut self, profile: Profile) {
        self.arbiter.set_profile(profile);
    }

    /// Toggles whether the bank follows the music.
    pub fn toggle_follow(&mut self) {
        self.arbiter.toggle_follow();
    }

    /// Locks or unlocks the bank; it is locked while MIDI knobs are assigned to all controls.
    pub fn lock(&mut self, locked: bool) {
        self.arbiter.lock(locked);
    }

    /// Returns the state to save.
    pub fn state(&self) -> &MacroState {
        self.arbiter.state()
    }

    /// Advances by `dt` seconds and returns the positions.
    pub fn step(&mut self, features: &Features, dt: f64, rng: &mut Rng) -> Bank {
        let dt_secs = dt.clamp(0.0, 1.0) as f32;
        self.arbiter.advance(dt);
        let mode = self.arbiter.mode();
        // During a hold, the offsets stay as they are, whatever the music does.
        if mode != Mode::Hold {
            self.follow_presence(features, dt_secs);
            self.section = features.section;
        }
        if mode == Mode::Ai && !matches!(self.mode, Mode::Ai | Mode::Hold) {
            self.trajectory.wake();
        }
        self.mode = mode;
        self.shake = [0.0; Control::ALL.len()];
        let state = self.arbiter.state();
        let character = profile::character(state.profile);
        match mode {
            Mode::Ai => {
                let drive = state.preset.map_or(stored::EVEN_DRIVE, |preset| stored::setting(preset).drive);
                self.shake = self.accent.step(features, &character, drive, dt_secs);
                if self.presence > AWAKE {
                    self.trajectory.step(features, &character, self.accent.level(), dt_secs, rng);
                } else if self.presence == 0.0 {
                    self.trajectory.ease_to_rest(dt_secs);
                    self.trajectory.wake();
                }
            }
            Mode::Hold => self.accent.rest(),
            Mode::Off => {
                self.accent.rest();
                self.trajectory.ease_to_rest(dt_secs);
            }
            Mode::Midi => {
                self.accent.rest();
                self.trajectory.rest();
            }
        }
        self.compose();
        self.values
    }

    /// Returns a snapshot for the desk.
    pub fn view(&self) -> MacroView {
        MacroView {
            values: self.values,
            state: *self.arbiter.state(),
            mode: self.arbiter.mode(),
            held_secs: self.arbiter.held_secs(),
        }
    }

    fn follow_presence(&mut self, features: &Features, dt: f32) {
        let audible =
            !features.silent && features.energy_fast.get().max(features.energy_slow.get()) > AUDIBLE_ENERGY;
        let (rise, fall) = PRESENCE_SECS;
        let (target, time) = if audible { (1.0, rise) } else { (0.0, fall) };
        self.presence += (target - self.presence) * (1.0 - (-dt / time).exp());
        if !audible && self.presence < 1e-3 {
            self.presence = 0.0;
        }
    }

    fn compose(&mut self) {
        let set = &self.arbiter.state().bank;
        for (control, base) in set.iter() {
            let index = control as usize;
            let offset = (self.trajectory.offsets()[index] + self.shake[index]) * self.presence;
            let value = if offset == 0.0 {
                base
            } else {
                let base = base.get();
                let wanted = base + offset * reach(base);
                Unipolar::new(guard::guarded(control, wanted, base, self.section))
            };
            self.values.set(control, value);
        }
    }
}

/// Returns the factor by which offsets are multiplied at the setting `base`: 1 in the middle, 0 at the ends.
fn reach(base: f32) -> f32 {
    (4.0 * base * (1.0 - base)).max(0.0).sqrt()
}
