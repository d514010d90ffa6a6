//! Events of the graphics device, as inputs of a show.

use serde::{Deserialize, Serialize};

use crate::facts::PresetId;
use crate::stage::DeckId;

/// An event of the graphics device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphicsEvent {
    /// The device was lost; every deck is prepared again.
    Lost,
    /// The device ran out of memory; fewer decks are kept warm.
    OutOfMemory,
    /// The size of the picture changed; every deck is prepared again.
    Resized,
    /// A deck shows nothing after its first frames; another preset is chosen.
    Empty {
        /// ID of the deck.
        deck: DeckId,
    },
    /// The code of the preset on air keeps exceeding its instruction budget; another preset goes on air.
    OverBudget {
        /// The deck of the preset on air.
        deck: DeckId,
    },
    /// The preset on air keeps computing only coordinates that are NaN or infinite; another preset goes on
    /// air.
    NotFinite {
        /// The deck of the preset on air.
        deck: DeckId,
    },
    /// The preset on air is far too slow for this device, even at the smallest size; another preset goes on
    /// air.
    TooSlow {
        /// The deck of the preset on air.
        deck: DeckId,
    },
    /// The decks drawn together, in a crossfade or by Fusion, are far too slow for this device; only one is drawn.
    SlowTogether,
    /// A preset may have caused the device to be lost repeatedly; it is set aside, and another preset goes on air.
    Suspected {
        /// ID of the preset.
        preset: PresetId,
    },
    /// The device was also lost without the suspected preset, which may be shown again.
    Cleared {
        /// ID of the preset.
        preset: PresetId,
    },
    /// The device was not lost again without the suspected preset, which is excluded.
    AtFault {
        /// ID of the preset.
        preset: PresetId,
    },
}
