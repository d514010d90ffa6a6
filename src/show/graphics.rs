//! The show's side of failures of the graphics device: which decks have to be prepared again, and which are given up.

use serde::{Deserialize, Serialize};

use super::running::Show;
use super::setlog::Event;
use super::step::Failed;
use crate::library::{BanKind, PresetId};
use crate::stage::DeckId;

/// What happened to the graphics device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphicsEvent {
    /// The device was lost; every deck is prepared again.
    Lost,
    /// The device ran out of memory; fewer decks are kept warm.
    OutOfMemory,
    /// The size of the picture changed; every deck is prepared again.
    Resized,
}

impl Show {
    /// Handles an event of the graphics device; called before a step. What is on air stays, as do queue and history.
    pub fn graphics_event(&mut self, event: GraphicsEvent) {
        self.log(Event::Graphics { what: event });
        match event {
            GraphicsEvent::Lost | GraphicsEvent::Resized => self.decks.cool(),
            GraphicsEvent::OutOfMemory => self.decks.economise(),
        }
    }

    /// Excludes the preset that keeps losing the device, wherever it is.
    pub(super) fn quarantine(&mut self, preset: PresetId) {
        let why = "lost the graphics device three times";
        let Some(deck) = self.decks.of_preset(preset) else {
            return self.exclude(preset, BanKind::Quality, why);
        };
        self.fail(&Failed { deck, kind: BanKind::Quality, why: why.to_owned() });
    }

    /// Returns the decks to prepare again, most urgent first.
    pub(super) fn decks_by_urgency(&self) -> Vec<DeckId> {
        self.decks.by_urgency().map(|slot| slot.deck).collect()
    }
}
