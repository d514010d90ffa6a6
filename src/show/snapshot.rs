//! A read-only view of the show for the desk and MIDI LEDs.

use std::sync::Arc;

use super::reason::Reason;
use super::undo::Undoable;
use crate::analysis::Features;
use crate::facts::PresetId;
use crate::mind::director::{Moment, Target};
use crate::mind::macros::MacroView;
use crate::pacing::{DroppedSteps, Quality};
use crate::stage::OutputMode;
use crate::units::Unipolar;
use crate::warmup::PrepareTimes;

/// The state of the show at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Seconds since the start of the show.
    pub now: f64,
    /// The preset on air.
    pub playing: Option<Playing>,
    /// The next presets, soonest first.
    pub up_next: Vec<Upcoming>,
    /// Presets shown, newest first, starting with the one on air.
    pub history: Arc<[PlayedPreset]>,
    /// Whether Auto is on, so that the director cuts to other presets on its own.
    pub auto: bool,
    /// Whether the current preset is held.
    pub held: bool,
    /// State of the macro bank.
    pub macros: MacroView,
    /// How far choices stray from known favourites.
    pub adventure: Unipolar,
    /// The theme of the night, as the performer described it; empty if there is none.
    pub theme: String,
    /// Blackout, freeze or normal output.
    pub output_mode: OutputMode,
    /// Number of sprites on air, and number of messages and titles on air.
    pub layers: [usize; 2],
    /// The title to show when launched; empty if none is set.
    pub title: String,
    /// Progress of the running crossfade, if any.
    pub fade: Option<Unipolar>,
    /// Name of the safe preset for `Panic`, once it is warm.
    pub safe_preset: Option<String>,
    /// Reason for the pending cut, if any.
    pub waiting: Option<Moment>,
    /// The director's current target.
    pub target: Target,
    /// The current analysis of the music.
    pub features: Features,
    /// The performer's last mark that can be undone.
    pub undo: Option<Undoable>,
    /// Latest message for the performer.
    pub message: Option<String>,
    /// Number of dropped steps, by cause.
    pub dropped: DroppedSteps,
    /// The current picture quality, chosen so that the computer can keep up.
    pub quality: Quality,
}

/// The preset on air.
#[derive(Clone, Debug, PartialEq)]
pub struct Playing {
    /// ID of the preset.
    pub id: PresetId,
    /// Name of the preset.
    pub name: String,
    /// Time on air, in seconds.
    pub for_secs: f64,
    /// Whether it is a favourite.
    pub favourite: bool,
    /// Parts of the preset that do not work.
    pub problems: Vec<String>,
    /// Why it was chosen.
    pub reason: Reason,
    /// How long each step of the preparation took.
    pub took: PrepareTimes,
}

/// A preset that may be shown next.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// ID of the preset.
    pub id: PresetId,
    /// Name of the preset.
    pub name: String,
    /// Whether its deck is warm, so that the show can cut to it.
    pub warm: bool,
    /// Why it was chosen.
    pub reason: Reason,
    /// Probability with which the director drew its arm, 0 to 1; `None` if the director did not choose it.
    pub probability: Option<f32>,
}

/// A preset that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayedPreset {
    /// ID of the preset.
    pub id: PresetId,
    /// Name of the preset.
    pub name: String,
    /// Whether it is a favourite.
    pub favourite: bool,
    /// Whether it is banned.
    pub banned: bool,
}

/// The state of the audio input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioLine {
    /// Name of the input.
    pub source: String,
    /// Problem shown to the performer; empty if there is none.
    pub problem: String,
    /// How the input sounds, and whether the beat is trusted; empty if unknown.
    pub hearing: String,
}

/// Statistics on frame times.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameTimes {
    /// Steps per second, averaged over the latest 30 steps.
    pub fps: f32,
    /// Median time to draw a frame, in milliseconds.
    pub median_ms: f32,
    /// 95th percentile of the time to draw a frame, in milliseconds.
    pub p95_ms: f32,
}
