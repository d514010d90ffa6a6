//! State of a rig's recovery from failures of its graphics device.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::Receiver;

use super::deck_request::DeckRequest;
use super::deck_watch::DrawnDecks;
use super::suspects::Suspects;
use crate::facts::PresetId;
use crate::stage::{DeckId, GpuError, Stage};

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
    /// Show time since which the last picture has been held, in seconds; `None` if it is not held.
    pub held_since: Option<f64>,
    /// Show time at which each deck on air was first drawn on this device, in seconds.
    pub first_drawn_at: BTreeMap<DeckId, f64>,
    /// Decks that the latest frame drew.
    pub drawn: DrawnDecks,
    pub suspects: Suspects,
    pub full_size: Option<[u32; 2]>,
    pub scale: usize,
    /// Show time at which memory last ran out, in seconds.
    pub out_of_memory_at: Option<f64>,
    pub generation: u64,
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

    /// Returns whether the warmer is preparing decks.
    pub fn preparing(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Returns the preset of a deck; `None` if the show no longer has the deck.
    pub fn preset(&self, deck: DeckId) -> Option<PresetId> {
        self.requests.get(&deck).map(|request| request.preset)
    }
}
