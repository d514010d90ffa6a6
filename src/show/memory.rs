//! What a show remembers between shows. Plain data; storing it is the job of `app`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::library::{BanKind, PresetId};
use crate::mind::macros::MacroState;
use crate::mind::taste::TasteState;
use crate::units::Unipolar;

/// The taste, marked presets and settings. Presets are identified by hash and so apply to any library.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShowMemory {
    /// The learnt taste.
    pub taste: TasteState,
    /// Favourite presets.
    pub favourites: BTreeSet<PresetId>,
    /// Banned presets.
    pub banned: BTreeSet<PresetId>,
    /// Excluded presets.
    #[serde(rename = "left_out")]
    pub excluded: BTreeMap<PresetId, Exclusion>,
    /// Presets rescued by the performer: shown regardless of audits and the picture watch.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rescued: BTreeSet<PresetId>,
    /// How far choices stray from known favourites.
    pub adventure: Unipolar,
    /// The performer's macro settings.
    pub macros: MacroState,
}

impl ShowMemory {
    /// Returns why a preset is excluded, if it is. `rejected` are the presets that an audit of the library rejected, with
    /// reasons; a rescue outweighs them.
    pub fn exclusion(&self, rejected: &BTreeMap<PresetId, String>, id: PresetId) -> Option<Exclusion> {
        let by_audit = || {
            let why = rejected.get(&id).filter(|_| !self.rescued.contains(&id))?;
            Some(Exclusion { kind: BanKind::Quality, why: why.clone() })
        };
        self.excluded.get(&id).cloned().or_else(by_audit)
    }
}

/// Why a preset is excluded, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Determines the duration.
    pub kind: BanKind,
    /// Reason shown to the performer.
    pub why: String,
}
