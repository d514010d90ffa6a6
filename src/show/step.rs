//! The inputs and outputs of one step of the show.

use std::sync::Arc;

use super::command::Command;
use crate::analysis::Features;
use crate::milk::PresetAudio;
use crate::stage::{Cue, DeckId, DeckLook, PictureStats};
use crate::store::BanKind;
use crate::warmup::DeckRequest;
use crate::warmup::PrepareTimes;

/// The inputs of one step.
pub struct StepInput<'a> {
    /// Seconds since the last step.
    pub dt: f64,
    /// The audio that presets receive.
    pub audio: &'a Arc<PresetAudio>,
    /// The current analysis of the music.
    pub features: &'a Features,
    /// The performer's commands, oldest first.
    pub commands: &'a [Command],
    /// Decks prepared since the last step.
    pub arrived: &'a [Arrived],
    /// Decks that could not be prepared.
    pub failed: &'a [Failed],
    /// A new measurement of the picture, if there is one.
    pub picture_stats: Option<PictureStats>,
}

/// A deck that was prepared.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// ID of the deck.
    pub deck: DeckId,
    /// Parts of the preset that do not work.
    pub problems: Vec<String>,
    /// The look of the deck's picture; `None` if it was not measured.
    pub look: Option<DeckLook>,
    /// How long each step of the preparation took.
    pub took: PrepareTimes,
}

/// A deck that could not be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// ID of the deck.
    pub deck: DeckId,
    /// Determines how long the preset is excluded.
    pub kind: BanKind,
    /// Why it could not be prepared.
    pub why: String,
}

/// The outputs of one step.
pub struct Step {
    /// What the stage draws.
    pub cue: Cue,
    /// Decks to prepare.
    pub requests: Vec<DeckRequest>,
    /// Decks whose requests are cancelled; any of them that still arrives is retired.
    pub cancelled: Vec<DeckId>,
    /// Decks to retire.
    pub retired: Vec<DeckId>,
}
