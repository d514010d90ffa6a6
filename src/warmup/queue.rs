//! Queues decks for the warm-up threads, the most urgent first, and decides when their first frames may be
//! drawn: while a picture is on air, at most one per step, and during a crossfade, which already draws two decks,
//! only those of the performer's deck, so that the picture stays smooth.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::request::{DeckRequest, Urgency};
use crate::stage::DeckId;

/// How long a thread waits for its turn before it checks again, in case a wake-up is lost.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// A change requested by the show.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Prepare a deck.
    Request(DeckRequest),
    /// Cancel the preparation of a deck.
    Cancel(DeckId),
}

/// What the warm-up threads need to know about a step of the show.
#[derive(Clone, Copy, Debug)]
pub struct WarmUpStep {
    /// Whether a picture is on air, which warm-up frames would delay.
    pub on_air: bool,
    /// Whether a crossfade is in progress.
    pub fading: bool,
    /// Whether there is time for one warm-up frame.
    pub time: bool,
    /// Scale at which decks are drawn, as a fraction of their full size.
    pub scale: f64,
}

/// The queue between the show and its warm-up threads.
#[derive(Default)]
pub(super) struct WarmQueue {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether a warm-up frame may be drawn in this step.
    permit: AtomicBool,
    /// Whether only the performer's deck may use the permit.
    performer_only: AtomicBool,
    /// Whether a picture is on air, which warm-up frames would delay.
    on_air: AtomicBool,
    /// Scale at which decks are drawn on air, as the bits of an `f64`; 0 before the first step.
    scale: AtomicU64,
    /// Number of warm-up frames that were begun.
    begun: AtomicU64,
    /// Number of warm-up frames that have ended.
    ended: AtomicU64,
}

/// Ends a warm-up frame when it is dropped.
pub(super) struct WarmUpFrame<'a>(&'a WarmQueue);

impl Drop for WarmUpFrame<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct State {
    /// Waiting requests, in the order in which they were made.
    waiting: Vec<DeckRequest>,
    /// Decks that a thread is working on.
    working: Vec<Working>,
    closed: bool,
}

struct Working {
    deck: DeckId,
    urgency: Urgency,
    cancelled: bool,
    /// Whether the thread is waiting to draw a frame.
    draws: bool,
}

impl State {
    fn find(&mut self, deck: DeckId) -> Option<&mut Working> {
        self.working.iter_mut().find(|working| working.deck == deck)
    }
}

impl WarmQueue {
    /// Takes all changes and returns true. If a thread is using the queue, takes none and returns false.
    /// Never blocks.
    pub fn pass(&self, changes: &mut Vec<Change>) -> bool {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        for change in changes.drain(..) {
            match change {
                Change::Request(request) => state.waiting.push(request),
                Change::Cancel(deck) => {
                    state.waiting.retain(|request| request.deck != deck);
                    state.find(deck).into_iter().for_each(|working| working.cancelled = true);
                }
            }
        }
        drop(state);
        self.changed.notify_all();
        true
    }

    /// Reports a step of the show. Never blocks.
    pub fn step(&self, step: WarmUpStep) {
        self.on_air.store(step.on_air, Ordering::Relaxed);
        self.scale.store(step.scale.to_bits(), Ordering::Relaxed);
        self.performer_only.store(step.fading, Ordering::Relaxed);
        self.permit.store(step.time, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Returns whether a picture is on air.
    pub fn on_air(&self) -> bool {
        self.on_air.load(Ordering::Relaxed)
    }

    /// Returns the scale at which decks are drawn on air.
    pub fn scale(&self) -> f64 {
        match self.scale.load(Ordering::Relaxed) {
            0 => 1.0,
            bits => f64::from_bits(bits),
        }
    }

    /// Begins a warm-up frame, which ends when the result is dropped.
    pub fn begin_frame(&self) -> WarmUpFrame<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        WarmUpFrame(self)
    }

    /// Returns how many warm-up frames have ended.
    pub fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// Returns whether a warm-up frame has been drawn at any time since `ended` of them had ended.
    pub fn drew_since(&self, ended: u64) -> bool {
        self.begun.load(Ordering::Relaxed) > ended
    }

    /// Closes the queue, which ends all warm-up threads.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Blocks until there is a request and takes the most urgent one; `None` once the queue is closed.
    pub fn take(&self) -> Option<DeckRequest> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let most_urgent = (0..state.waiting.len()).min_by_key(|at| state.waiting[*at].urgency);
            if let Some(at) = most_urgent {
                let request = state.waiting.remove(at);
                let DeckRequest { deck, urgency, .. } = request;
                state.working.push(Working { deck, urgency, cancelled: false, draws: false });
                return Some(request);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reports that a thread is done with a deck.
    pub fn finish(&self, deck: DeckId) {
        self.lock().working.retain(|working| working.deck != deck);
    }

    /// Returns whether a deck in preparation is still wanted.
    pub fn wants(&self, deck: DeckId) -> bool {
        let mut state = self.lock();
        !state.closed && state.find(deck).is_some_and(|working| !working.cancelled)
    }

    /// Blocks until a frame of the deck may be drawn; returns false if the deck is no longer wanted.
    pub fn frame(&self, deck: DeckId) -> bool {
        let mut state = self.lock();
        loop {
            let closed = state.closed;
            let Some(working) = state.find(deck).filter(|working| !closed && !working.cancelled) else {
                return false;
            };
            working.draws = true;
            let first = state
                .working
                .iter()
                .filter(|working| working.draws && !working.cancelled)
                .min_by_key(|working| working.urgency);
            let performer_only = self.performer_only.load(Ordering::Relaxed);
            let may_draw = first.is_some_and(|first| {
                first.deck == deck && (first.urgency == Urgency::Performer || !performer_only)
            });
            if !self.on_air() || (may_draw && self.permit.swap(false, Ordering::Relaxed)) {
                state.find(deck).into_iter().for_each(|working| working.draws = false);
                return true;
            }
            state =
                self.changed.wait_timeout(state, CHECK_INTERVAL).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;
    use crate::facts::PresetId;
    use crate::library::PresetSource;

    const STEP: WarmUpStep = WarmUpStep { on_air: true, fading: false, time: true, scale: 1.0 };

    fn request(deck: u64, urgency: Urgency) -> Change {
        Change::Request(DeckRequest {
            deck: DeckId(deck),
            preset: PresetId::of(b""),
            source: PresetSource::BuiltIn(""),
            admitted: false,
            seed: 0,
            warm_frames: 1,
            urgency,
        })
    }

    fn queue(changes: &[Change]) -> WarmQueue {
        let queue = WarmQueue::default();
        assert!(queue.pass(&mut changes.to_vec()));
        queue
    }

    #[test]
    fn the_most_urgent_deck_comes_first_and_cancelled_decks_are_skipped() {
        let queue = queue(&[
            request(1, Urgency::Spare),
            request(2, Urgency::Music),
            request(3, Urgency::Music),
            request(4, Urgency::Performer),
            Change::Cancel(DeckId(2)),
        ]);
        let order: Vec<u64> = (0..3).filter_map(|_| queue.take()).map(|request| request.deck.0).collect();
        assert_eq!(order, [4, 3, 1]);
        assert!(queue.wants(DeckId(3)) && queue.frame(DeckId(3)), "nothing is on air");
        queue.pass(&mut vec![Change::Cancel(DeckId(3))]);
        assert!(!queue.wants(DeckId(3)) && !queue.frame(DeckId(3)));
        queue.finish(DeckId(4));
        assert!(!queue.wants(DeckId(4)));
        queue.close();
        assert!(queue.take().is_none() && !queue.frame(DeckId(1)));
    }

    #[test]
    fn warm_up_frames_that_overlap_a_frame_are_noticed() {
        let queue = WarmQueue::default();
        let begin = || queue.ended();
        let before = begin();
        assert!(!queue.drew_since(before));
        let warm_up = queue.begin_frame();
        let during = begin();
        assert!(queue.drew_since(before) && queue.drew_since(during));
        drop(warm_up);
        assert!(queue.drew_since(before) && queue.drew_since(during));
        assert!(!queue.drew_since(begin()));
    }

    #[test]
    fn a_step_allows_one_frame_of_the_most_urgent_deck() {
        let queue = Arc::new(queue(&[request(1, Urgency::Spare), request(2, Urgency::Performer)]));
        queue.step(WarmUpStep { time: false, ..STEP });
        let counts: [Arc<AtomicU32>; 2] = Default::default();
        let threads: Vec<_> = (0..2)
            .map(|_| queue.take().expect("a request"))
            .map(|DeckRequest { deck, urgency, .. }| {
                let (queue, count) = (queue.clone(), counts[usize::from(urgency == Urgency::Spare)].clone());
                thread::spawn(move || {
                    while queue.frame(deck) {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let ready = || queue.lock().working.iter().all(|working| working.draws);
        while !ready() {
            thread::yield_now();
        }
        let drawn = || counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let wait_for = |all: u32| {
            while drawn().iter().sum::<u32>() < all {
                thread::yield_now();
            }
        };
        for step in 1..=50 {
            queue.step(STEP);
            wait_for(step);
        }
        let [hand, spare] = drawn();
        assert!(hand + spare == 50 && hand > spare, "{hand} and {spare}");
        queue.step(WarmUpStep { time: false, ..STEP });
        queue.pass(&mut vec![Change::Cancel(DeckId(2))]);
        queue.step(STEP);
        wait_for(51);
        queue.close();
        threads.into_iter().for_each(|thread| thread.join().expect("ends"));
    }

    #[test]
    fn during_a_crossfade_only_the_deck_of_the_performer_is_warmed_up() {
        let queue = Arc::new(queue(&[request(1, Urgency::Spare)]));
        let spare = queue.take().expect("a request").deck;
        let draws = || queue.lock().find(spare).is_some_and(|working| working.draws);
        queue.step(WarmUpStep { fading: true, time: false, ..STEP });
        let waiting = thread::spawn({
            let queue = queue.clone();
            move || queue.frame(spare)
        });
        while !draws() {
            thread::yield_now();
        }
        queue.step(WarmUpStep { fading: true, ..STEP });
        let mut changes = vec![request(2, Urgency::Performer)];
        while !queue.pass(&mut changes) {}
        let wanted = queue.take().expect("a request").deck;
        assert!(queue.frame(wanted), "draws, because the other deck has not used the permit");
        queue.finish(wanted);
        queue.step(WarmUpStep { fading: true, ..STEP });
        assert!(draws() && !waiting.is_finished());
        queue.step(STEP);
        assert!(waiting.join().expect("ends"));
    }
}
