//! The decks of a show: on air, fading in, previous, and warm or in preparation.

use super::reason::Reason;
use super::step::Arrived;
use crate::facts::PresetId;
use crate::library::{Entry, PresetSource};
use crate::mind::director::Choice;
use crate::stage::{DeckId, DeckLook, FadeStyle};
use crate::units::Unipolar;
use crate::warmup::DeckRequest;
use crate::warmup::PrepareTimes;
use crate::warmup::Urgency;

/// A preset on a deck.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub deck: DeckId,
    pub id: PresetId,
    pub name: String,
    /// Index in the library; `None` if the preset is not in it.
    pub index: Option<u32>,
    pub warm: bool,
    pub problems: Vec<String>,
    /// The look of the deck's picture when it became warm; `None` if it was not measured.
    pub look: Option<DeckLook>,
    pub took: PrepareTimes,
    /// The director's choice; `None` if the director did not choose the preset.
    pub choice: Option<Choice>,
    pub reason: Reason,
}

/// A crossfade that is running.
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
    /// The next presets, soonest first.
    pub candidates: Vec<Slot>,
    /// A warm deck that was chosen for earlier music; used only for a cut that must not wait.
    pub spare: Option<Slot>,
    /// The safe preset for `Panic`.
    pub safe: Option<Slot>,
    /// Whether memory is low; if so, one candidate is kept instead of two, and neither a spare nor a previous deck.
    economy: bool,
    retired: Vec<DeckId>,
    cancelled: Vec<DeckId>,
    requests: Vec<DeckRequest>,
}

/// Number of candidates kept warm for the next cut.
pub const WARM_CANDIDATES: usize = 2;

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
        self.requests.push(DeckRequest {
            deck,
            preset: id,
            source,
            admitted: false,
            seed,
            warm_frames,
            urgency: Urgency::default(),
        });
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

    /// Returns the slot that counts as shown: the one fading in, otherwise the one on air.
    pub fn shown(&self) -> Option<&Slot> {
        self.fade.as_ref().map(|fade| &fade.to).or(self.front.as_ref())
    }

    /// Returns how many candidates are kept warm.
    pub fn capacity(&self) -> usize {
        if self.economy { 1 } else { WARM_CANDIDATES }
    }

    /// Iterates over the decks that may be in preparation. These include the front and previous decks, which
    /// are prepared again after a device failure.
    fn waiting(&mut self) -> impl Iterator<Item = &mut Slot> {
        let waiting = self.candidates.iter_mut().chain(&mut self.spare).chain(&mut self.safe);
        waiting.chain(&mut self.front).chain(&mut self.previous)
    }

    /// Iterates over all decks, the most urgent first. If nothing is on air, the safe preset comes first, because it is
    /// quick to prepare.
    pub fn by_urgency(&self) -> impl Iterator<Item = &Slot> {
        let nothing_on_air = self.front.is_none();
        let fading = self.fade.iter().map(|fade| &fade.to);
        let first = self.safe.iter().filter(move |_| nothing_on_air);
        let later = self.safe.iter().filter(move |_| !nothing_on_air);
        let waiting = self.candidates.iter().chain(later).chain(&self.spare).chain(&self.previous);
        fading.chain(&self.front).chain(first).chain(waiting)
    }

    /// Returns the most urgent deck with this preset, if any.
    pub fn of_preset(&self, preset: PresetId) -> Option<DeckId> {
        self.by_urgency().find(|slot| slot.id == preset).map(|slot| slot.deck)
    }

    /// Completes the crossfade and marks every deck as not warm, including the one on air, so that it is prepared
    /// again.
    pub fn cool(&mut self) {
        self.finish_fade();
        self.waiting().for_each(|slot| slot.warm = false);
    }

    /// Keeps fewer decks from now on: one candidate, and neither a spare nor a previous deck.
    pub fn economise(&mut self) {
        self.economy = true;
        let spare = self.spare.take().into_iter().chain(self.previous.take());
        let dropped: Vec<Slot> = spare.chain(self.candidates.drain(1.min(self.candidates.len())..)).collect();
        dropped.into_iter().for_each(|slot| self.drop_slot(slot));
    }

    /// Marks the slot of an arrived deck as warm, or retires the deck if it has no slot. Returns whether it has a slot.
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

    /// Removes and returns the slot of a deck that is not on the stage yet and therefore need not be retired. The front
    /// and previous decks match only while they are prepared again after a device failure.
    pub fn cancel(&mut self, deck: DeckId) -> Option<Slot> {
        let same = |slot: &mut Slot| slot.deck == deck && !slot.warm;
        if let Some(at) = self.candidates.iter().position(|slot| slot.deck == deck) {
            return Some(self.candidates.remove(at));
        }
        let waiting = self.safe.take_if(same).or_else(|| self.spare.take_if(same));
        waiting.or_else(|| self.previous.take_if(same)).or_else(|| self.front.take_if(same))
    }

    /// Drops the safe preset if it is not warm, so that another one is requested.
    pub fn drop_cold_safe(&mut self) {
        if let Some(cold) = self.safe.take_if(|slot| !slot.warm) {
            self.drop_slot(cold);
        }
    }

    /// Drops a slot and retires its deck, or cancels its preparation.
    pub fn drop_slot(&mut self, slot: Slot) {
        // A request made in this step has not been sent yet.
        let sent = !self.requests.iter().any(|request| request.deck == slot.deck);
        self.requests.retain(|request| request.deck != slot.deck);
        match slot.warm {
            true => self.retired.push(slot.deck),
            false if sent => self.cancelled.push(slot.deck),
            false => {}
        }
    }

    /// Discards the candidates because the music has changed. If there is no spare and memory is not low, the first
    /// warm candidate becomes the spare until another one is warm. Presets that the director did not choose stay.
    pub fn discard_candidates(&mut self) {
        for slot in std::mem::take(&mut self.candidates) {
            if slot.choice.is_none() {
                self.candidates.push(slot);
            } else if slot.warm && self.spare.is_none() && !self.economy {
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

    /// Takes any warm deck, for a cut that must not wait: a candidate, the spare or the safe preset, in that
    /// order.
    pub fn take_any_warm(&mut self) -> Option<Slot> {
        let warm = |slot: &mut Slot| slot.warm;
        self.take_warm().or_else(|| self.spare.take_if(warm)).or_else(|| self.safe.take_if(warm))
    }

    /// Puts a slot on air, with a crossfade if something is on air already and `over_secs` is positive.
    pub fn put_on_air(&mut self, to: Slot, over_secs: f64, style: FadeStyle) {
        self.finish_fade();
        // After a device failure, a deck that is not back on the stage yet has no picture to fade from.
        if let Some(cold) = self.front.take_if(|front| !front.warm) {
            self.drop_slot(cold);
        }
        if self.front.is_none() {
            self.front = Some(to);
        } else {
            self.fade = Some(Crossfade { to, done_secs: 0.0, over_secs, style });
        }
        if over_secs <= 0.0 {
            self.finish_fade();
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
        let dropped = if self.economy { left } else { std::mem::replace(&mut self.previous, left) };
        if let Some(dropped) = dropped {
            self.drop_slot(dropped);
        }
    }

    /// Sets the urgency of a deck that was requested in this step.
    pub fn set_urgency(&mut self, deck: DeckId, urgency: Urgency) {
        let request = self.requests.iter_mut().find(|request| request.deck == deck);
        request.into_iter().for_each(|request| request.urgency = urgency);
    }

    /// Takes the decks requested, cancelled and retired since the last call.
    pub fn take_requests(&mut self) -> (Vec<DeckRequest>, Vec<DeckId>, Vec<DeckId>) {
        let Self { requests, cancelled, retired, .. } = self;
        (std::mem::take(requests), std::mem::take(cancelled), std::mem::take(retired))
    }
}
