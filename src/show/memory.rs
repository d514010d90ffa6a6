//! What a show remembers from night to night. Plain data: who keeps it, and where, is not the show's business.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::library::{BanKind, PresetId};
use crate::mind::macros::MacroState;
use crate::mind::taste::TasteState;
use crate::units::Unipolar;

/// Taste, marks and the adventure; presets by identity, so that it holds for any library.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShowMemory {
    /// What the performer likes.
    pub taste: TasteState,
    /// Presets marked as favourites.
    pub favourites: BTreeSet<PresetId>,
    /// Presets never to be shown again.
    pub banned: BTreeSet<PresetId>,
    /// Presets that are left out for a while, and why.
    pub left_out: BTreeMap<PresetId, Exclusion>,
    /// Presets taken in again by hand: they play whatever an audit or the watch on empty pictures says.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rescued: BTreeSet<PresetId>,
    /// How far the choice strays from what is known to please.
    pub adventure: Unipolar,
    /// Where the performer left the macros.
    pub macros: MacroState,
}

/// Why a preset is left out, and for how long: as long as its kind of ban lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// How long.
    pub kind: BanKind,
    /// Why, in words.
    pub why: String,
}
