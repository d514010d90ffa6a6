//! The cue: what the stage draws in one frame.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::post::Post;
use crate::layers::LayerOnAir;
use crate::milk::{Modulation, PresetAudio};
use crate::units::Unipolar;

/// Identifies a deck. Assigned by the show, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeckId(pub u64);

/// What the stage draws in one frame.
#[derive(Clone, Debug)]
pub struct Cue {
    /// Seconds since the previous frame; 0 for the first.
    pub dt: f64,
    /// Frame rate reported to presets, in Hz.
    pub fps: f64,
    /// Audio input of the presets.
    pub audio: Arc<PresetAudio>,
    /// The deck on air, if any.
    pub front: Option<OnAirDeck>,
    /// Crossfade to another deck, if one is running.
    pub fade: Option<Fade>,
    /// Another deck blended into the picture, if any.
    pub second: Option<FusedDeck>,
    /// Post effects on the mixed picture.
    pub post: Post,
    /// The performer's layers, in the order they were launched.
    pub layers: Vec<LayerOnAir>,
    /// Live, blackout or freeze.
    pub output_mode: OutputMode,
}

/// A deck blended into the picture of the deck on air.
#[derive(Clone, Debug)]
pub struct FusedDeck {
    /// The deck; never the deck on air or the incoming deck.
    pub on_air: OnAirDeck,
    /// Blend amount, from 0 (invisible) to 1 (the bright parts of the deck cover the picture).
    pub share: Unipolar,
}

/// A deck that is drawn this frame.
#[derive(Clone, Debug)]
pub struct OnAirDeck {
    /// ID of the deck.
    pub deck: DeckId,
    /// Modulation of the deck's preset by the macros.
    pub modulation: Modulation,
}

/// A running crossfade.
#[derive(Clone, Debug)]
pub struct Fade {
    /// The incoming deck of the crossfade.
    pub to: OnAirDeck,
    /// Progress, from 0 (outgoing deck only) to 1 (incoming deck only).
    pub progress: Unipolar,
    /// Style of the crossfade.
    pub style: FadeStyle,
}

/// Style of a crossfade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FadeStyle {
    /// A plain mix of both pictures.
    #[default]
    Mix,
    /// The bright parts of the incoming picture appear first.
    Luma,
    /// Zooms into the outgoing picture while mixing.
    Zoom,
    /// The incoming picture appears from the centre outwards.
    Radial,
}

/// What the output shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMode {
    /// The live picture.
    #[default]
    Open,
    /// A black picture.
    Blackout,
    /// The last picture drawn before the freeze.
    Freeze,
}
