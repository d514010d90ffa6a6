//! The decks of a show: on air, fading in, previous, and warm or in preparation.

use super::reason::Reason;
use super::step::Arrived;
use super::warm::{DeckRequest, PrepareTimes};
use crate::library::{Entry, PresetId, PresetSource};
use crate::mind::director::Choice;
use crate::stage::{DeckId, DeckLook, FadeStyle};
use crate::units::Unipolar;

/// A preset on a deck.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub deck: DeckId,
    pub id: PresetId,
    pub name: String,
    /// Index in the library; `None` for a built-in preset that is not part of it.
    pub index: Option<u32>,
    pub warm: bool,
    pub problems: Vec<String>,
    /// What it showed once warm, if that was measured.
    pub look: Option<DeckLook>,
    pub took: PrepareTimes,
    /// The director's choice; `None` for a request of the performer or a safe preset.
    pub choice: Option<Choice>,
    pub reason: Reason,
}

/// A running crossfade.
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

/// All decks that the show has requested and not yet retired.
#[derive(Default)]
pub(super) struct Decks {
    next: u64,
    pub front: Option<Slot>,
    pub fade: Option<Crossfade>,
    /// The previous deck, kept for `Back`.
    pub previous: Option<Slot>,
    /// The next presets, nearest first.
    pub candidates: Vec<Slot>,
    /// A warm deck chosen for music that has passed; only used if the performer requests a cut.
    pub spare: Option<Slot>,
    /// The safe preset for `Panic`.
    pub safe: Option<Slot>,
    retired: Vec<DeckId>,
    requests: Vec<DeckRequest>,
}

impl Decks {
    /// Requests a deck for a preset of the library.
    pub fn request(&mut self, entry: &Entry, index: Option<u32>, seed: u64, warm_frames: u32) -> Slot {
        self.request_source(entry.id, entry.name().to_owned(), entry.source(), index, seed, warm_frames)
    }

    /// Requests a deck for a preset that may not be in the library.
    pub fn request_source(
        &mut self,
        id: PresetId,
        name: String,
        source: PresetSource,
        index: Option<u32>,
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
            index,
            warm: false,
            problems: Vec::new(),
            look: None,
            took: PrepareTimes::default(),
            choice: None,
            reason: Reason::default(),
        }
    }

    /// Returns the deck the audience sees: the one fading in, otherwise the front.
    pub fn shown(&self) -> Option<&Slot> {
        self.fade.as_ref().map(|fade| &fade.to).or(self.front.as_ref())
    }

    /// Iterates over the decks that are not on air, warm or in preparation.
    fn waiting(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.candidates.iter_mut().chain(&mut self.spare).chain(&mut self.safe)
    }

    /// Marks a deck as warm, or retires it if no slot waits for it; returns whether one did.
    pub fn arrive(&mut self, arrived: &Arrived) -> bool {
        let Some(slot) = self.waiting().find(|slot| slot.deck == arrived.deck) else {
            self.retired.push(arrived.deck);
            return false;
        };
        slot.warm = true;
        slot.problems.clone_from(&arrived.problems);
        slot.look = arrived.look;
        slot.took = arrived.took;
        true
    }

    /// Removes and returns the slot of a deck that was never built and so needs no retiring.
    pub fn cancel(&mut self, deck: DeckId) -> Option<Slot> {
        let same = |slot: &mut Slot| slot.deck == deck;
        if let Some(at) = self.candidates.iter().position(|slot| slot.deck == deck) {
            return Some(self.candidates.remove(at));
        }
        self.safe.take_if(same).or_else(|| self.spare.take_if(same))
    }

    /// Removes and returns the candidate on this deck.
    pub fn take_candidate(&mut self, deck: DeckId) -> Option<Slot> {
        let at = self.candidates.iter().position(|slot| slot.deck == deck)?;
        Some(self.candidates.remove(at))
    }

    /// Drops a slot and retires its deck; a deck still in preparation is retired when it arrives.
    pub fn drop_slot(&mut self, slot: Slot) {
        if slot.warm {
            self.retired.push(slot.deck);
        }
        // A request of this step was not sent yet.
        self.requests.retain(|request| request.deck != slot.deck);
    }

    /// Discards the candidates because the music has changed. The first warm one becomes the spare until another is
    /// warm; presets requested by the performer stay.
    pub fn discard_candidates(&mut self) {
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

    /// Drops the spare once a candidate is warm.
    pub fn drop_stale_spare(&mut self) {
        if self.candidates.iter().any(|slot| slot.warm)
            && let Some(spare) = self.spare.take()
        {
            self.drop_slot(spare);
        }
    }

    /// Takes the first warm candidate.
    pub fn take_warm(&mut self) -> Option<Slot> {
        let at = self.candidates.iter().position(|slot| slot.warm)?;
        Some(self.candidates.remove(at))
    }

    /// Takes any warm deck, because the performer's cut must not wait.
    pub fn take_any_warm(&mut self) -> Option<Slot> {
        let warm = |slot: &mut Slot| slot.warm;
        self.take_warm().or_else(|| self.spare.take_if(warm)).or_else(|| self.safe.take_if(warm))
    }

    /// Puts a slot on air, with a crossfade if something is on air already.
    pub fn put_on_air(&mut self, to: Slot, over_secs: f64, style: FadeStyle) {
        self.finish_fade();
        if self.front.is_none() {
            self.front = Some(to);
        } else {
            self.fade = Some(Crossfade { to, done_secs: 0.0, over_secs, style });
        }
    }

    /// Advances the crossfade by `dt` seconds.
    pub fn advance(&mut self, dt: f64) {
        let Some(fade) = &mut self.fade else { return };
        fade.done_secs += dt;
        if fade.done_secs >= fade.over_secs {
            self.finish_fade();
        }
    }

    /// Completes the crossfade at once.
    pub fn finish_fade(&mut self) {
        let Some(fade) = self.fade.take() else { return };
        let left = self.front.replace(fade.to);
        if let Some(dropped) = std::mem::replace(&mut self.previous, left) {
            self.drop_slot(dropped);
        }
    }

    /// Takes the decks requested and retired since the last call.
    pub fn take_requests(&mut self) -> (Vec<DeckRequest>, Vec<DeckId>) {
        (std::mem::take(&mut self.requests), std::mem::take(&mut self.retired))
    }
}
