//! Keeps decks that show nothing from going on air, and dim ones from being the safe preset.
//!
//! Judged once, when a deck is warm. A deck on air is the picture watch's.

use std::collections::BTreeSet;

use super::decks::Slot;
use super::running::Show;
use super::step::Arrived;
use crate::library::PresetId;

/// Empty decks in a row after which the next one may go on air, because the cause may be the music.
const MAX_CONSECUTIVE: u32 = 3;
/// Dim safe presets after which any will do.
const MAX_DIM: usize = 6;

/// What was judged so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfit {
    consecutive: u32,
    /// Presets that are too dim, or too glaring, to be the safe one in this show.
    dim: BTreeSet<PresetId>,
}

impl Unfit {
    /// Whether a preset may be the safe one.
    pub fn may_be_safe(&self, id: PresetId) -> bool {
        self.dim.len() >= MAX_DIM || !self.dim.contains(&id)
    }

    /// Whether a warm deck is light enough to be the safe one.
    pub fn light(&self, slot: &Slot) -> bool {
        self.dim.len() >= MAX_DIM || slot.look.is_none_or(|look| look.light())
    }
}

impl Show {
    /// Judges a deck that has just become warm.
    pub(super) fn judge_look(&mut self, arrived: &Arrived) {
        let Some(look) = arrived.look else { return };
        if let Some(safe) = self.decks.safe.take_if(|slot| slot.deck == arrived.deck) {
            if self.unfit.light(&safe) {
                self.decks.safe = Some(safe);
            } else {
                self.unfit.dim.insert(safe.id);
                self.decks.drop_slot(safe);
            }
            return;
        }
        let of_director = |slot: &&Slot| slot.deck == arrived.deck && slot.choice.is_some();
        let Some(slot) = self.decks.candidates.iter().find(of_director) else { return };
        // In silence many good presets are empty, and a rescued one is the performer's decision.
        let Some(fault) = look.fault().filter(|_| !self.features.silent) else {
            self.unfit.consecutive = 0;
            return;
        };
        if self.memory.rescued.contains(&slot.id) || self.unfit.consecutive >= MAX_CONSECUTIVE {
            return;
        }
        self.unfit.consecutive += 1;
        let Some(slot) = self.decks.take_candidate(arrived.deck) else { return };
        if let Some(index) = slot.index {
            self.director.status.set_skipped(index, true);
        }
        self.notify(format!("passed over {}: {fault} while warming up", slot.name));
        self.decks.drop_slot(slot);
    }
}
