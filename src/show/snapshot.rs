//! What the show looks like from outside: everything the desk and the lamps need, nothing they could change.

use super::reason::Reason;
use super::warm::PrepareTimes;
use crate::analysis::Features;
use crate::library::PresetId;
use crate::mind::director::{Moment, Target};
use crate::mind::macros::MacroView;
use crate::stage::OutputMode;
use crate::units::Unipolar;

/// One moment of the show.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Seconds since the show began.
    pub now: f64,
    /// What is on air.
    pub playing: Option<Playing>,
    /// What comes next, nearest first.
    pub up_next: Vec<Upcoming>,
    /// What was shown, newest first; the first is on air.
    pub history: Vec<PlayedPreset>,
    /// The show chooses by itself.
    pub auto: bool,
    /// The running preset stays.
    pub held: bool,
    /// The macro bank.
    pub macros: MacroView,
    /// How far the choice strays from what is known to please.
    pub adventure: Unipolar,
    /// What lies over the picture.
    pub veil: OutputMode,
    /// How far a crossfade is, while one runs.
    pub fade: Option<Unipolar>,
    /// The safe picture that Panic cuts to, once it is warm.
    pub refuge: Option<String>,
    /// Why a change is about to come, while it waits for its beat.
    pub waiting: Option<Moment>,
    /// What the music and the hands ask for.
    pub target: Target,
    /// What is heard.
    pub features: Features,
    /// Newest message for the performer.
    pub message: Option<String>,
}

/// The preset on air.
#[derive(Clone, Debug, PartialEq)]
pub struct Playing {
    /// Which preset.
    pub id: PresetId,
    /// Its name.
    pub name: String,
    /// Seconds it has been on air.
    pub for_secs: f64,
    /// The performer marked it.
    pub favourite: bool,
    /// Parts of it that do not work, in words.
    pub problems: Vec<String>,
    /// Why it was chosen.
    pub reason: Reason,
    /// How long making it ready took.
    pub took: PrepareTimes,
}

/// A preset that may come next.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// Which preset.
    pub id: PresetId,
    /// Its name.
    pub name: String,
    /// It has drawn and can be cut to.
    pub warm: bool,
    /// Why it was chosen.
    pub reason: Reason,
    /// How likely its style was, 0 to 1; none when it was asked for by hand.
    pub probability: Option<f32>,
}

/// A preset that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayedPreset {
    /// Which preset.
    pub id: PresetId,
    /// Its name.
    pub name: String,
    /// The performer marked it.
    pub favourite: bool,
    /// It will not be shown again.
    pub banned: bool,
}

/// Where the sound comes from and how it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioLine {
    /// The input's name.
    pub source: String,
    /// What the performer should know; empty when all is well.
    pub trouble: String,
}

/// How long frames take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameTimes {
    /// Frames a second over the last second.
    pub fps: f32,
    /// Median milliseconds of work a frame.
    pub median_ms: f32,
    /// 95th percentile.
    pub p95_ms: f32,
}
