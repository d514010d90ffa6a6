//! Who may move a control: MIDI lock before the performer's hold, before the music, before hits.
//!
//! The one place where the saved position of a control is written, and only the performer writes it.

use serde::{Deserialize, Serialize};

use super::Bank;
use crate::mind::{Control, MacroPreset, Profile};
use crate::units::Unipolar;

/// How long the bank stands still after the performer touched it, seconds.
pub const HOLD_SECS: f64 = 9.0;

/// Who moves the bank at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nobody but the performer.
    #[default]
    Off,
    /// The music, around where the performer put it.
    Ai,
    /// The performer, for some seconds after a touch.
    Hold,
    /// Knobs of a controller, all eight of them.
    Midi,
}

impl Mode {
    /// The word on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Ai => "music",
            Self::Hold => "hold",
            Self::Midi => "midi",
        }
    }
}

/// What the performer set: the part of the macros that is saved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MacroState {
    /// Where the performer put the controls.
    pub bank: Bank,
    /// The kind of night.
    pub profile: Profile,
    /// The stored setting that stands, until a control is moved.
    pub preset: Option<MacroPreset>,
    /// The macros follow the music.
    pub follow: bool,
}

impl Default for MacroState {
    fn default() -> Self {
        Self { bank: Bank::default(), profile: Profile::default(), preset: None, follow: true }
    }
}

/// The saved positions and everything that decides who may add to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Arbiter {
    state: MacroState,
    held_secs: f64,
    /// All controls lie under knobs of a controller.
    locked: bool,
}

impl Arbiter {
    pub fn new(state: MacroState) -> Self {
        Self { state, ..Self::default() }
    }

    pub fn state(&self) -> &MacroState {
        &self.state
    }

    /// Seconds until the music may move the bank again.
    pub fn held_secs(&self) -> f64 {
        self.held_secs
    }

    pub fn advance(&mut self, dt: f64) {
        self.held_secs = (self.held_secs - dt).max(0.0);
    }

    /// Who moves the bank as a whole.
    pub fn mode(&self) -> Mode {
        if self.locked {
            Mode::Midi
        } else if !self.state.follow {
            Mode::Off
        } else if self.held_secs > 0.0 {
            Mode::Hold
        } else {
            Mode::Ai
        }
    }

    /// The performer puts `control` to `value`.
    pub fn touch(&mut self, control: Control, value: Unipolar) {
        self.state.bank.set(control, value);
        self.state.preset = None;
        self.held_secs = HOLD_SECS;
    }

    /// The performer takes a stored setting.
    pub fn take(&mut self, preset: MacroPreset, bank: Bank) {
        self.state.bank = bank;
        self.state.preset = Some(preset);
        self.held_secs = HOLD_SECS;
    }

    pub fn set_profile(&mut self, profile: Profile) {
        self.state.profile = profile;
    }

    /// Lets the bank follow the music, or no longer. Asking for it ends a hold: the performer has let go.
    pub fn toggle_follow(&mut self) {
        self.state.follow = !self.state.follow;
        self.held_secs = 0.0;
    }

    /// All controls lie under knobs of a controller and nothing but the performer moves them, or no longer.
    pub fn lock(&mut self, locked: bool) {
        self.locked = locked;
    }
}
