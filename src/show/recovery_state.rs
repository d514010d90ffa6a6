//! State of a rig's recovery from failures of its graphics device.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::Receiver;

use super::suspects::Suspects;
use super::timeouts::Timeouts;
use crate::facts::PresetId;
use crate::stage::{DeckId, GpuError, Stage, StageError};
use crate::warmup::DeckRequest;
use crate::watch::DrawnDecks;

/// The state of a rig's recovery from failures of its graphics device.
#[derive(Default)]
pub(super) struct Recovery {
    /// Requests for all decks that the show has not retired.
    pub requests: BTreeMap<DeckId, DeckRequest>,
    /// Decks that have yet to be requested from the warmer, in order.
    pub backlog: VecDeque<DeckId>,
    /// Decks that the warmer is preparing.
    pub sent: BTreeSet<DeckId>,
    /// Receives the new stage once it is built, or an error; `None` if no stage is being built.
    pub rebuilt: Option<Receiver<Result<Stage, GpuError>>>,
    /// Show time at which that stage began to be built, in seconds.
    pub build_began: f64,
    /// Number of attempts to build a stage that were abandoned because the driver did not respond.
    pub given_up: u32,
    /// Show time at which the last picture began to be held, in seconds; `None` if it is not being held.
    pub held_since: Option<f64>,
    /// Show time at which each deck on air was first drawn on this device, in seconds.
    pub first_drawn_at: BTreeMap<DeckId, f64>,
    /// Decks that the latest frame drew.
    pub drawn: DrawnDecks,
    pub suspects: Suspects,
    pub timeouts: Timeouts,
    pub full_size: Option<[u32; 2]>,
    pub scale: usize,
    /// Show time at which memory last ran out, in seconds.
    pub out_of_memory_at: Option<f64>,
    pub generation: u64,
    /// The last error of the device while it prepared a deck.
    pub device_failure: Option<StageError>,
}

impl Recovery {
    /// Returns whether a stage is being built.
    pub fn is_rebuilding(&self) -> bool {
        self.rebuilt.is_some()
    }

    /// Forgets a deck that the show no longer has.
    pub fn forget(&mut self, deck: DeckId) {
        self.requests.remove(&deck);
        self.first_drawn_at.remove(&deck);
        self.sent.remove(&deck);
        self.backlog.retain(|waiting| *waiting != deck);
    }

    /// Records that the warmer is done with a deck.
    pub fn arrived(&mut self, deck: DeckId) {
        self.sent.remove(&deck);
    }

    /// Records that a deck is ready, which means that its preset has been admitted: if the deck is prepared again,
    /// admission is skipped.
    pub fn ready(&mut self, deck: DeckId) {
        if let Some(request) = self.requests.get_mut(&deck) {
            request.admitted = true;
        }
    }

    /// Records that a deck is warm, which clears its preset of timeouts.
    pub fn warmed(&mut self, deck: DeckId) {
        if let Some(preset) = self.preset(deck) {
            self.timeouts.clear(preset);
        }
    }

    /// Returns whether a deck may be prepared now. A preset that has timed out is prepared alone.
    pub fn may_prepare(&self, deck: DeckId) -> bool {
        let suspected =
            |deck: &DeckId| self.preset(*deck).is_some_and(|preset| self.timeouts.suspects(preset));
        self.sent.is_empty() || !(suspected(&deck) || self.sent.iter().any(suspected))
    }

    /// Returns whether the warmer is preparing decks.
    pub fn preparing(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Returns the preset of a deck; `None` if the show no longer has the deck.
    pub fn preset(&self, deck: DeckId) -> Option<PresetId> {
        self.requests.get(&deck).map(|request| request.preset)
    }
}
