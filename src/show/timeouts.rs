//! Finds the preset whose first frames the graphics device does not finish in time.
//!
//! A timeout counts against a preset only if no other deck was being prepared; otherwise, another deck or the machine
//! may be the cause. A preset that has timed out is therefore prepared alone until one of its decks is warm.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::PresetId;
use crate::stage::DeckId;

/// Number of timeouts after which a preset is excluded.
const MAX_STRIKES: u32 = 2;

/// The presets that have timed out, with the number of timeouts counted against each.
#[derive(Default)]
pub(super) struct Timeouts {
    strikes: BTreeMap<PresetId, u32>,
    /// Decks that were being prepared when another one timed out; their own timeouts do not count.
    excused: BTreeSet<DeckId>,
}

impl Timeouts {
    /// Records that a deck with this preset timed out while `others` were being prepared. Returns whether to exclude
    /// the preset; if so, forgets its timeouts.
    pub fn strike(&mut self, deck: DeckId, preset: PresetId, others: &BTreeSet<DeckId>) -> bool {
        let alone = others.is_empty() && !self.excused.contains(&deck);
        self.excused.clone_from(others);
        let strikes = self.strikes.entry(preset).or_default();
        *strikes += u32::from(alone);
        let guilty = *strikes >= MAX_STRIKES;
        if guilty {
            self.strikes.remove(&preset);
        }
        guilty
    }

    /// Clears a preset that has become warm.
    pub fn clear(&mut self, preset: PresetId) {
        self.strikes.remove(&preset);
    }

    /// Returns whether the preset has timed out, so that it is prepared alone.
    pub fn suspects(&self, preset: PresetId) -> bool {
        self.strikes.contains_key(&preset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_timeouts_of_a_preset_that_was_prepared_alone_count_against_it() {
        let [a, b] = [PresetId::of(b"a"), PresetId::of(b"b")];
        let [first, second] = [DeckId(1), DeckId(2)];
        let nobody = BTreeSet::new();
        let mut timeouts = Timeouts::default();
        for _ in 0..10 {
            // The machine stalls both decks.
            assert!(!timeouts.strike(first, a, &BTreeSet::from([second])));
            assert!(!timeouts.strike(second, b, &nobody), "timed out together with another deck");
        }
        assert!(timeouts.suspects(a) && timeouts.suspects(b));
        assert!(!timeouts.strike(first, a, &nobody));
        timeouts.clear(a);
        assert!(!timeouts.suspects(a));
        assert_eq!([(); 2].map(|()| timeouts.strike(first, a, &nobody)), [false, true]);
        assert!(!timeouts.suspects(a), "an excluded preset is forgotten");
    }
}
