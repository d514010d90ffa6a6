//! What to show this frame: the only thing the stage is ever told.

use serde::{Deserialize, Serialize};

use super::post::Post;
use crate::milk::{Hooks, PresetAudio};
use crate::units::Unipolar;

/// Names one deck on the rack; handed out by the show, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeckId(pub u64);

/// One frame's instructions.
#[derive(Clone, Debug)]
pub struct Cue {
    /// Seconds since the last frame; 0 on the first.
    pub dt: f64,
    /// Frames a second the show aims at.
    pub fps: f64,
    /// What presets hear.
    pub heard: PresetAudio,
    /// The deck on air, if any.
    pub front: Option<OnAirDeck>,
    /// The deck that is coming in.
    pub fade: Option<Fade>,
    /// A further deck laid into the picture of those.
    pub second: Option<Second>,
    /// What is done to the finished picture.
    pub post: Post,
    /// Nothing, black, or the last picture instead.
    pub veil: OutputMode,
}

/// A deck that is laid into the picture of the one on air.
#[derive(Clone, Debug)]
pub struct Second {
    /// The deck; never one that is on air already.
    pub airing: OnAirDeck,
    /// 0 not at all, 1 its bright parts cover the picture.
    pub share: Unipolar,
}

/// A deck that runs this frame, with the hands inside its preset.
#[derive(Clone, Debug)]
pub struct OnAirDeck {
    /// Which deck.
    pub deck: DeckId,
    /// What the macros do to it.
    pub hooks: Hooks,
}

/// A crossfade under way.
#[derive(Clone, Debug)]
pub struct Fade {
    /// The deck that is coming in.
    pub to: OnAirDeck,
    /// 0 the front alone, 1 the new deck alone.
    pub progress: Unipolar,
    /// How the two mix.
    pub style: FadeStyle,
}

/// How one picture turns into the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FadeStyle {
    /// A plain mix.
    #[default]
    Mix,
    /// Bright parts of the new picture come first.
    Luma,
    /// Through the picture, growing.
    Zoom,
    /// From the centre outwards.
    Radial,
}

/// What lies over the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMode {
    /// Nothing.
    #[default]
    Open,
    /// Black.
    Blackout,
    /// The picture stands still.
    Freeze,
}
