//! Memory between shows: taste, marks and settings. Plain data; `archive` stores it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::next_library::{KnownStyles, NextLibrary};
use crate::facts::PresetId;
use crate::mind::macros::MacroState;
use crate::mind::taste::{Taste, TasteState};
use crate::store::BanKind;
use crate::units::Unipolar;

/// Maximum length of a theme, in characters.
const MAX_THEME: usize = 500;

/// Returns the text of a theme without control characters or surrounding spaces, truncated to 500 characters.
pub fn theme_text(text: &str) -> String {
    let letters: String = text.trim().chars().filter(|letter| !letter.is_control()).take(MAX_THEME).collect();
    letters.trim().to_owned() // Truncation may leave a space at the end.
}

/// The taste, marked presets and settings. Presets are identified by a hash of their contents, so that their
/// marks apply in any library.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShowMemory {
    /// What was learnt about styles.
    pub taste: TasteState,
    /// Favourite presets.
    pub favourites: BTreeSet<PresetId>,
    /// Banned presets.
    pub banned: BTreeSet<PresetId>,
    /// Excluded presets, with the reason and duration of each exclusion.
    #[serde(rename = "left_out")]
    pub excluded: BTreeMap<PresetId, Exclusion>,
    /// Presets rescued by the performer: shown regardless of audits and of faults in their pictures.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rescued: BTreeSet<PresetId>,
    /// How far choices stray from known favourites.
    pub adventure: Unipolar,
    /// The performer's macro settings.
    pub macros: MacroState,
    /// The theme of the night, as the performer described it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub theme: String,
}

impl ShowMemory {
    /// Returns why a preset is excluded, if it is. `rejected` are the presets that an audit of the library
    /// rejected, with reasons; a rescue overrides them.
    pub fn exclusion(&self, rejected: &BTreeMap<PresetId, String>, id: PresetId) -> Option<Exclusion> {
        let by_audit = || {
            let why = rejected.get(&id).filter(|_| !self.rescued.contains(&id))?;
            Some(Exclusion { kind: BanKind::Audit, why: why.clone() })
        };
        self.excluded.get(&id).cloned().or_else(by_audit)
    }
}

/// Changes to the memory of a show. Cheap to create; the expensive work is done in [`Self::apply`], which can
/// run on another thread.
#[derive(Clone, Debug)]
pub struct MemoryChange {
    pub(super) adventure: Unipolar,
    pub(super) macros: MacroState,
    pub(super) theme: String,
    pub(super) marks: Option<MarkedPresets>,
    pub(super) taste: Option<LearntTaste>,
}

/// The marked presets of a [`ShowMemory`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MarkedPresets {
    /// Favourite presets.
    pub favourites: BTreeSet<PresetId>,
    /// Banned presets.
    pub banned: BTreeSet<PresetId>,
    /// Excluded presets, with the reason and duration of each exclusion.
    pub excluded: BTreeMap<PresetId, Exclusion>,
    /// Presets rescued by the performer.
    pub rescued: BTreeSet<PresetId>,
}

/// The taste for the styles of one library, and the saved taste for the styles of other libraries.
#[derive(Clone, Debug)]
pub(super) struct LearntTaste {
    pub taste: Taste,
    pub known: KnownStyles,
}

impl LearntTaste {
    /// Returns the serialisable state. Copies the centroids of all styles.
    pub fn state(&self) -> TasteState {
        let styles = self.known.pool.styles();
        self.taste.state(&styles).keep_other_libraries(&self.known.before, &styles)
    }

    /// Returns the taste for the styles of another library. `state` is the result of [`Self::state`].
    pub fn carry_over(&self, state: &TasteState, next: &NextLibrary) -> Taste {
        let styles = next.pool().styles();
        match next.similarities(&self.known) {
            Some(similarities) => {
                let rows = self.taste.rows(&self.known.before, &self.known.pool.styles());
                Taste::from_prepared(state, &styles, similarities, &rows)
            }
            None => Taste::from_state(state, &styles),
        }
    }
}

impl MemoryChange {
    /// Applies the change. Takes longer than a frame if the taste has changed.
    pub fn apply(self, memory: &mut ShowMemory) {
        (memory.adventure, memory.macros, memory.theme) = (self.adventure, self.macros, self.theme);
        if let Some(MarkedPresets { favourites, banned, excluded, rescued }) = self.marks {
            (memory.favourites, memory.banned) = (favourites, banned);
            (memory.excluded, memory.rescued) = (excluded, rescued);
        }
        if let Some(taste) = &self.taste {
            memory.taste = taste.state();
        }
    }

    /// Returns the marked presets, if they have changed.
    pub fn marks(&self) -> Option<&MarkedPresets> {
        self.marks.as_ref()
    }
}

/// Parts of the memory that have changed since the changes were last collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// The adventure, the theme or a macro setting.
    pub knobs: bool,
    pub marks: bool,
    pub taste: bool,
}

/// Why a preset is excluded, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Kind of ban, which determines the duration.
    pub kind: BanKind,
    /// Reason shown to the performer.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_trimmed_and_limited() {
        assert_eq!(theme_text(" \t\n"), "");
        assert_eq!(theme_text("\u{1} deep\tsea "), "deepsea");
        let long = format!("{} b", "a".repeat(MAX_THEME - 1));
        assert_eq!(theme_text(&long).chars().count(), MAX_THEME - 1);
        assert_eq!(theme_text(&theme_text(&long)), theme_text(&long));
    }
}
