//! Decides who may move the bank. MIDI knobs take precedence over everything else, and a hold by the
//! performer takes precedence over the music.
//!
//! The only place that writes the saved positions, and only on the performer's commands.

use serde::{Deserialize, Serialize};

use super::Bank;
use crate::mind::{Control, MacroPreset, Profile};
use crate::units::Unipolar;

/// How long the bank does not follow the music after the performer moves a control or recalls a macro preset, in
/// seconds.
pub const HOLD_SECS: f64 = 9.0;

/// Who moves the bank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Only the performer.
    #[default]
    Off,
    /// The music, around the performer's settings.
    Ai,
    /// Only the performer, for [`HOLD_SECS`] after moving a control or recalling a macro preset.
    Hold,
    /// MIDI knobs, which are assigned to all eight controls.
    Midi,
}

/// The performer's settings: the saved part of the macros.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MacroState {
    /// Positions of the controls.
    pub bank: Bank,
    /// The active profile.
    pub profile: Profile,
    /// The active macro preset, until a control is moved.
    pub preset: Option<MacroPreset>,
    /// Whether the macros follow the music.
    pub follow: bool,
}

impl Default for MacroState {
    fn default() -> Self {
        Self { bank: Bank::default(), profile: Profile::default(), preset: None, follow: true }
    }
}

/// The performer's settings with the hold timer and the MIDI lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Arbiter {
    state: MacroState,
    held_secs: f64,
    /// Whether MIDI knobs are assigned to all controls.
    locked: bool,
}

impl Arbiter {
    pub fn new(state: MacroState) -> Self {
        Self { state, ..Self::default() }
    }

    pub fn state(&self) -> &MacroState {
        &self.state
    }

    /// Returns the seconds left of a hold, after which the music may move the bank again; 0 without a hold.
    pub fn held_secs(&self) -> f64 {
        self.held_secs
    }

    pub fn advance(&mut self, dt: f64) {
        self.held_secs = (self.held_secs - dt).max(0.0);
    }

    /// Returns who moves the bank.
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

    /// Sets `control` to `value` and starts a hold.
    pub fn touch(&mut self, control: Control, value: Unipolar) {
        self.state.bank.set(control, value);
        self.state.preset = None;
        self.held_secs = HOLD_SECS;
    }

    /// Recalls a macro preset and starts a hold.
    pub fn recall(&mut self, preset: MacroPreset, bank: Bank) {
        self.state.bank = bank;
        self.state.preset = Some(preset);
        self.held_secs = HOLD_SECS;
    }

    pub fn set_profile(&mut self, profile: Profile) {
        self.state.profile = profile;
    }

    /// Toggles whether the bank follows the music, and ends a hold.
    pub fn toggle_follow(&mut self) {
        self.state.follow = !self.state.follow;
        self.held_secs = 0.0;
    }

    /// Locks the bank so that only the performer moves it, or unlocks it.
    pub fn lock(&mut self, locked: bool) {
        self.locked = locked;
    }
}
