//! A request for a deck, from the show to the warmer.

use crate::facts::PresetId;
use crate::library::PresetSource;
use crate::stage::DeckId;

/// A request for a deck.
#[derive(Clone, Debug)]
pub struct DeckRequest {
    /// ID of the deck on the stage.
    pub deck: DeckId,
    /// The preset to play.
    pub preset: PresetId,
    /// Where to read the preset from.
    pub source: PresetSource,
    /// Whether admission is skipped, because the performer has overruled an audit or the preset was admitted before.
    pub admitted: bool,
    /// Random seed of the deck.
    pub seed: u64,
    /// Number of frames to draw before the deck is warm.
    pub warm_frames: u32,
    /// How urgently the deck is needed.
    pub urgency: Urgency,
}

/// How urgently a deck is needed; the variants are in order of urgency, most urgent first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The performer asked for it, or the output is empty.
    Performer,
    /// The director chose it for the music.
    #[default]
    Music,
    /// Kept in case it is needed.
    Spare,
}
