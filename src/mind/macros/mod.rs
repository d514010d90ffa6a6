//! The macro bank: what the performer set, what the music adds, and who may move what.
//!
//! Three layers make one position: the performer's own (saved), the slow drift after the music, and the shake of hits.
//! The upper two are offsets that come and go; in silence they are 0 and the performer's positions stand as they are.
//! A control set to either end of its travel is nailed there: offsets shrink towards the ends.

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
use crate::analysis::Features;
use crate::units::{Rng, Unipolar};

/// Energy above which there is music to follow.
const HEARD_ENERGY: f32 = 0.02;
/// How fast the music takes hold of the bank, and lets go of it in silence, seconds.
const PRESENCE_SECS: (f32, f32) = (0.5, 1.5);

/// Presence from which the slow drift goes on.
const AWAKE: f32 = 0.3;

/// The macro bank in motion.
#[derive(Clone, Debug, Default)]
pub struct Macros {
    arbiter: Arbiter,
    trajectory: Trajectory,
    accent: Accent,
    shake: bank::Offsets,
    /// How present the music is, 0 in silence to 1.
    presence: f32,
    mode: Mode,
    values: Bank,
}

/// The bank as seen from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MacroView {
    /// Where every control stands now, with all that the music adds.
    pub values: Bank,
    /// What the performer set, as it is saved.
    pub state: MacroState,
    /// Who moves the bank.
    pub mode: Mode,
    /// Seconds until the music may move it again.
    pub held_secs: f64,
}

impl Macros {
    /// A bank that starts as it was saved.
    pub fn new(state: MacroState) -> Self {
        Self { arbiter: Arbiter::new(state), values: state.bank, ..Self::default() }
    }

    /// The performer puts one control to `value`; it stands there at once, and the music waits [`HOLD_SECS`].
    pub fn touch(&mut self, control: Control, value: Unipolar) {
        self.arbiter.touch(control, value);
        self.trajectory.rebase(control as usize);
    }

    /// The performer takes a stored setting of the whole bank.
    pub fn take(&mut self, preset: MacroPreset) {
        self.arbiter.take(preset, stored::setting(preset).bank);
        for control in Control::ALL {
            self.trajectory.rebase(control as usize);
        }
    }

    /// The kind of night.
    pub fn set_profile(&mut self, profile: Profile) {
        self.arbiter.set_profile(profile);
    }

    /// Lets the bank follow the music, or stay where the performer put it.
    pub fn toggle_follow(&mut self) {
        self.arbiter.toggle_follow();
    }

    /// All controls lie under knobs of a controller and are moved by nothing else, or no longer.
    pub fn lock(&mut self, locked: bool) {
        self.arbiter.lock(locked);
    }

    /// What is saved.
    pub fn state(&self) -> &MacroState {
        self.arbiter.state()
    }

    /// One step of `dt` seconds; returns where the controls stand.
    pub fn step(&mut self, features: &Features, dt: f64, rng: &mut Rng) -> Bank {
        let dt_secs = dt.clamp(0.0, 1.0) as f32;
        self.arbiter.advance(dt);
        self.hear(features, dt_secs);
        let mode = self.arbiter.mode();
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
                    self.trajectory.settle(dt_secs);
                    self.trajectory.wake();
                }
            }
            Mode::Hold => self.accent.rest(),
            Mode::Off => {
                self.accent.rest();
                self.trajectory.settle(dt_secs);
            }
            Mode::Midi => {
                self.accent.rest();
                self.trajectory.rest();
            }
        }
        self.compose(features);
        self.values
    }

    /// What the desk shows.
    pub fn view(&self) -> MacroView {
        MacroView {
            values: self.values,
            state: *self.arbiter.state(),
            mode: self.arbiter.mode(),
            held_secs: self.arbiter.held_secs(),
        }
    }

    fn hear(&mut self, features: &Features, dt: f32) {
        let heard =
            !features.silent && features.energy_fast.get().max(features.energy_slow.get()) > HEARD_ENERGY;
        let (rise, fall) = PRESENCE_SECS;
        let (target, time) = if heard { (1.0, rise) } else { (0.0, fall) };
        self.presence += (target - self.presence) * (1.0 - (-dt / time).exp());
        if !heard && self.presence < 1e-3 {
            self.presence = 0.0;
        }
    }

    fn compose(&mut self, features: &Features) {
        let set = &self.arbiter.state().bank;
        for (control, base) in set.iter() {
            let place = control as usize;
            let offset = (self.trajectory.offsets()[place] + self.shake[place]) * self.presence;
            let value = if offset == 0.0 {
                base
            } else {
                let base = base.get();
                let wanted = base + offset * reach(base);
                Unipolar::new(guard::guarded(control, wanted, base, features.section))
            };
            self.values.set(control, value);
        }
    }
}

/// How far offsets carry from `base`: all the way from the middle, nowhere from either end.
fn reach(base: f32) -> f32 {
    (4.0 * base * (1.0 - base)).max(0.0).sqrt()
}
