//! Memory between shows: taste, marks and settings. Plain data; `archive` stores it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::learnt_taste::LearntTaste;
use crate::facts::PresetId;
use crate::mind::director::{Pool, PresetStatus};
use crate::mind::macros::MacroState;
use crate::mind::taste::TasteState;
use crate::store::BanKind;
use crate::units::Unipolar;

/// Maximum length of a theme, in characters.
const MAX_THEME: usize = 4000;

/// Returns the text of a theme without control characters or surrounding spaces, truncated to 4,000 characters.
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

    /// Returns the marks of a preset.
    pub(super) fn marks_of(&self, id: PresetId) -> PresetMarks {
        PresetMarks {
            favourite: self.favourites.contains(&id),
            banned: self.banned.contains(&id),
            rescued: self.rescued.contains(&id),
            excluded: self.excluded.get(&id).cloned(),
        }
    }

    /// Replaces the marks of a preset.
    pub(super) fn mark(&mut self, id: PresetId, marks: PresetMarks) {
        let PresetMarks { favourite, banned, rescued, excluded } = marks;
        for (set, on) in
            [(&mut self.favourites, favourite), (&mut self.banned, banned), (&mut self.rescued, rescued)]
        {
            if on {
                set.insert(id);
            } else {
                set.remove(&id);
            }
        }
        match excluded {
            Some(exclusion) => _ = self.excluded.insert(id, exclusion),
            None => _ = self.excluded.remove(&id),
        }
    }
}

/// The marks of one preset.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PresetMarks {
    pub favourite: bool,
    pub banned: bool,
    pub rescued: bool,
    pub excluded: Option<Exclusion>,
}

impl PresetMarks {
    /// Returns these marks without the change from `before` to `after`. Other changes since then are kept.
    pub fn reverted(self, before: Self, after: &Self) -> Self {
        fn revert<T: PartialEq>(now: T, before: T, after: &T) -> T {
            if before == *after { now } else { before }
        }
        Self {
            favourite: revert(self.favourite, before.favourite, &after.favourite),
            banned: revert(self.banned, before.banned, &after.banned),
            rescued: revert(self.rescued, before.rescued, &after.rescued),
            excluded: revert(self.excluded, before.excluded, &after.excluded),
        }
    }
}

/// Changes to the memory of a show. Cheap to create, however many presets are marked; the expensive work is done in
/// [`Self::apply`], which can run on another thread.
#[derive(Clone, Debug)]
pub struct MemoryChange {
    pub(super) adventure: Unipolar,
    pub(super) macros: MacroState,
    pub(super) theme: String,
    /// The presets whose marks have changed, with their marks.
    pub(super) marks: Vec<(PresetId, PresetMarks)>,
    /// How often marks have changed since the start of the show, including these changes.
    pub(super) mark_changes: usize,
    pub(super) taste: Option<LearntTaste>,
}

/// The marked presets of a [`ShowMemory`] at one moment of a show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MarkedPresets {
    /// Favourite presets.
    pub favourites: Arc<BTreeSet<PresetId>>,
    /// Banned presets.
    pub banned: Arc<BTreeSet<PresetId>>,
    /// Excluded presets, with the reason and duration of each exclusion.
    pub excluded: Arc<BTreeMap<PresetId, Exclusion>>,
    /// Presets rescued by the performer.
    pub rescued: Arc<BTreeSet<PresetId>>,
    /// How often marks had changed since the start of the show.
    pub(super) changes: usize,
}

impl MarkedPresets {
    /// Copies the marked presets of `memory`, after `changes` changes since the start of the show; see
    /// [`MemoryChange::mark_changes()`].
    pub fn of(memory: &ShowMemory, changes: usize) -> Self {
        Self {
            favourites: Arc::new(memory.favourites.clone()),
            banned: Arc::new(memory.banned.clone()),
            excluded: Arc::new(memory.excluded.clone()),
            rescued: Arc::new(memory.rescued.clone()),
            changes,
        }
    }

    /// Returns the status of the presets of `pool`. Takes tens of milliseconds if many presets are marked or rejected.
    pub(super) fn status(&self, pool: &Pool) -> PresetStatus {
        let presets = &pool.catalogue.entries;
        let mut status = PresetStatus::new(presets.len());
        let index_of = |id: &PresetId| pool.index_of(*id);
        self.favourites.iter().filter_map(index_of).for_each(|preset| status.set_favourite(preset, true));
        self.banned.iter().filter_map(index_of).for_each(|preset| status.set_banned(preset, true));
        let rescued = |preset: &u32| self.rescued.contains(&presets[*preset as usize].id);
        let rejected = pool.rejected_presets().iter().copied().filter(|preset| !rescued(preset));
        let broken = self.excluded.keys().filter_map(index_of).chain(rejected);
        broken.for_each(|preset| status.set_broken(preset, true));
        status
    }
}

impl MemoryChange {
    /// Applies the change. Takes longer than a frame if the taste has changed.
    pub fn apply(self, memory: &mut ShowMemory) {
        (memory.adventure, memory.macros, memory.theme) = (self.adventure, self.macros, self.theme);
        self.marks.into_iter().for_each(|(id, marks)| memory.mark(id, marks));
        if let Some(taste) = &self.taste {
            memory.taste = taste.state();
        }
    }

    /// Returns how often marks have changed since the start of the show, or `None` if this change leaves them as they
    /// are.
    pub fn mark_changes(&self) -> Option<usize> {
        (!self.marks.is_empty()).then_some(self.mark_changes)
    }
}

/// Parts of the memory, other than marks, that have changed since the changes were last collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// The adventure, the theme or a macro setting.
    pub knobs: bool,
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
        let styles = "style \"number 10\" 80%, ".repeat(100);
        assert_eq!(theme_text(&styles), styles.trim(), "the fits of many styles");
    }
}
