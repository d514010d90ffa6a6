//! Presets that are unsuitable as the safe preset, because of how they looked when they became warm.

use std::collections::BTreeSet;

use super::decks::Slot;
use crate::facts::PresetId;

/// Number of fallbacks found unfit after which any fallback may be the safe preset.
const MAX_UNFIT: usize = 6;

/// The presets found unfit so far. An unfit favourite is never the safe preset, because a fallback (a built-in preset
/// that is not a favourite) can take its place. Once [`MAX_UNFIT`] fallbacks have been found unfit, any fallback may be
/// the safe preset, because any picture is better than none.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfit {
    /// Presets that are too dark, too bright or too empty to be the safe one in this show.
    presets: BTreeSet<PresetId>,
    /// How many of them were fallbacks.
    fallbacks: usize,
}

impl Unfit {
    /// Adds a preset that was found unfit.
    pub fn add(&mut self, id: PresetId, favourite: bool) {
        self.presets.insert(id);
        self.fallbacks += usize::from(!favourite);
    }

    /// Returns whether a preset may be prepared as the safe one.
    pub fn may_be_safe(&self, id: PresetId, favourite: bool) -> bool {
        !self.presets.contains(&id) || self.accepts_any(favourite)
    }

    /// Returns whether a warm deck may be the safe one.
    pub fn suits_panic(&self, slot: &Slot, favourite: bool) -> bool {
        slot.look.is_none_or(|look| look.suits_panic()) || self.accepts_any(favourite)
    }

    fn accepts_any(&self, favourite: bool) -> bool {
        !favourite && self.fallbacks >= MAX_UNFIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fallback_may_be_unfit_once_six_others_were() {
        let id = |number: u8| PresetId::of(&[number]);
        let mut unfit = Unfit::default();
        (0..12).for_each(|number| unfit.add(id(number), true));
        assert!(!unfit.may_be_safe(id(0), false), "favourites do not count");
        (12..18).for_each(|number| unfit.add(id(number), false));
        assert!(unfit.may_be_safe(id(12), false));
        assert!(!unfit.may_be_safe(id(0), true));
    }
}
