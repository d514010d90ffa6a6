//! The decks of a show: on air, coming in, shown before, and those kept warm for what may come.

use super::Arrived;
use super::reason::Reason;
use super::warm::{DeckRequest, PrepareTimes};
use crate::library::{Entry, PresetId, PresetSource};
use crate::mind::director::Choice;
use crate::stage::{DeckId, FadeStyle};
use crate::units::Unipolar;

/// One preset on one deck.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub deck: DeckId,
    pub id: PresetId,
    pub name: String,
    /// Its place in the library; none for a built-in preset beside it.
    pub place: Option<u32>,
    pub warm: bool,
    pub problems: Vec<String>,
    pub took: PrepareTimes,
    /// How the director came to it; none when the performer or an emergency did.
    pub choice: Option<Choice>,
    pub reason: Reason,
}

/// A crossfade under way.
pub(super) struct Crossfade {
    pub to: Slot,
    pub done_secs: f64,
    pub over_secs: f64,
    pub style: FadeStyle,
}

impl Crossfade {
    pub fn progress(&self) -> Unipolar {
        Unipolar::new((self.done_secs / self.over_secs.max(1e-3)) as f32)
    }
}

/// Every deck the show has asked for and not yet given back.
#[derive(Default)]
pub(super) struct Decks {
    next: u64,
    pub front: Option<Slot>,
    pub fade: Option<Crossfade>,
    /// The deck shown before, still on the rack for Back.
    pub behind: Option<Slot>,
    /// What comes next, nearest first.
    pub candidates: Vec<Slot>,
    /// Warm, but chosen for music that has passed: only the performer's hand may still take it.
    pub spare: Option<Slot>,
    /// A safe picture for Panic.
    pub refuge: Option<Slot>,
    retired: Vec<DeckId>,
    requests: Vec<DeckRequest>,
}

impl Decks {
    /// A new deck for a preset; it is wished for at the end of this step.
    pub fn order(&mut self, entry: &Entry, place: Option<u32>, seed: u64, warm_frames: u32) -> Slot {
        self.order_source(entry.id, entry.name().to_owned(), entry.source(), place, seed, warm_frames)
    }

    /// A new deck for a preset that is in no library.
    pub fn order_source(
        &mut self,
        id: PresetId,
        name: String,
        source: PresetSource,
        place: Option<u32>,
        seed: u64,
        warm_frames: u32,
    ) -> Slot {
        let deck = DeckId(self.next);
        self.next += 1;
        let seed = seed ^ deck.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.requests.push(DeckRequest { deck, preset: id, source, rescued: false, seed, warm_frames });
        Slot {
            deck,
            id,
            name,
            place,
            warm: false,
            problems: Vec::new(),
            took: PrepareTimes::default(),
            choice: None,
            reason: Reason::default(),
        }
    }

    /// What the crowd sees: the deck that comes in, once one does.
    pub fn shown(&self) -> Option<&Slot> {
        self.fade.as_ref().map(|fade| &fade.to).or(self.front.as_ref())
    }

    /// The decks that are on their way or waiting.
    fn waiting(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.candidates.iter_mut().chain(&mut self.spare).chain(&mut self.refuge)
    }

    /// A deck arrived on the rack; true when somebody waits for it.
    pub fn arrive(&mut self, arrived: &Arrived) -> bool {
        let Some(slot) = self.waiting().find(|slot| slot.deck == arrived.deck) else {
            self.retired.push(arrived.deck);
            return false;
        };
        slot.warm = true;
        slot.problems.clone_from(&arrived.problems);
        slot.took = arrived.took;
        true
    }

    /// Takes a deck out of those that are waited for; it is not on the rack, so it needs no retiring.
    pub fn give_up(&mut self, deck: DeckId) -> Option<Slot> {
        let same = |slot: &mut Slot| slot.deck == deck;
        if let Some(at) = self.candidates.iter().position(|slot| slot.deck == deck) {
            return Some(self.candidates.remove(at));
        }
        self.refuge.take_if(same).or_else(|| self.spare.take_if(same))
    }

    /// Gives a slot's deck back; one that is still on its way is sent back when it arrives.
    pub fn drop_slot(&mut self, slot: Slot) {
        if slot.warm {
            self.retired.push(slot.deck);
        }
        // A wish of this very step need not be made at all.
        self.requests.retain(|request| request.deck != slot.deck);
    }

    /// Puts the candidates aside because the music has passed on: the first warm one stays within the performer's
    /// reach until another is warm. What was asked for by hand stays.
    pub fn put_candidates_aside(&mut self) {
        for slot in std::mem::take(&mut self.candidates) {
            if slot.choice.is_none() {
                self.candidates.push(slot);
            } else if slot.warm && self.spare.is_none() {
                self.spare = Some(slot);
            } else {
                self.drop_slot(slot);
            }
        }
    }

    /// Gives the spare back once something fresher is warm.
    pub fn settle_spare(&mut self) {
        if self.candidates.iter().any(|slot| slot.warm)
            && let Some(spare) = self.spare.take()
        {
            self.drop_slot(spare);
        }
    }

    /// The first candidate that is warm.
    pub fn take_warm(&mut self) -> Option<Slot> {
        let at = self.candidates.iter().position(|slot| slot.warm)?;
        Some(self.candidates.remove(at))
    }

    /// Anything warm at all, for the performer's hand: it must not wait.
    pub fn take_any_warm(&mut self) -> Option<Slot> {
        let warm = |slot: &mut Slot| slot.warm;
        self.take_warm().or_else(|| self.spare.take_if(warm)).or_else(|| self.refuge.take_if(warm))
    }

    /// Puts a slot on air, by a crossfade where something is on air already.
    pub fn air(&mut self, to: Slot, over_secs: f64, style: FadeStyle) {
        self.finish_fade();
        if self.front.is_none() {
            self.front = Some(to);
        } else {
            self.fade = Some(Crossfade { to, done_secs: 0.0, over_secs, style });
        }
    }

    /// The crossfade goes on.
    pub fn advance(&mut self, dt: f64) {
        let Some(fade) = &mut self.fade else { return };
        fade.done_secs += dt;
        if fade.done_secs >= fade.over_secs {
            self.finish_fade();
        }
    }

    /// The crossfade is over at once.
    pub fn finish_fade(&mut self) {
        let Some(fade) = self.fade.take() else { return };
        let left = self.front.replace(fade.to);
        if let Some(dropped) = std::mem::replace(&mut self.behind, left) {
            self.drop_slot(dropped);
        }
    }

    /// What is wished for and given back since the last call.
    pub fn take_orders(&mut self) -> (Vec<DeckRequest>, Vec<DeckId>) {
        (std::mem::take(&mut self.requests), std::mem::take(&mut self.retired))
    }
}
