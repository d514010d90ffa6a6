//! Presets that are unsuitable as the safe preset, because of how they looked when they became warm.

use std::collections::BTreeSet;

use super::decks::Slot;
use crate::facts::PresetId;

/// Number of presets found unfit after which any preset may be the safe one.
const MAX_UNFIT: usize = 6;

/// The presets found unfit so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfit {
    /// Presets that are too dark, too bright or too empty to be the safe one in this show.
    pub presets: BTreeSet<PresetId>,
}

impl Unfit {
    /// Returns whether a preset may be the safe one.
    pub fn may_be_safe(&self, id: PresetId) -> bool {
        self.presets.len() >= MAX_UNFIT || !self.presets.contains(&id)
    }

    /// Returns whether a warm deck may be the safe one: it is not too dark, too bright or too empty, or
    /// [`MAX_UNFIT`] presets have been found unfit.
    pub fn suits_panic(&self, slot: &Slot) -> bool {
        self.presets.len() >= MAX_UNFIT || slot.look.is_none_or(|look| look.suits_panic())
    }
}
