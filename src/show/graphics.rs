//! The show's response to events of the graphics device: which decks it prepares again, and which it drops.

use super::graphics_event::GraphicsEvent;
use super::running::{CutRequest, Show};
use super::setlog::Event;
use crate::facts::PresetId;
use crate::stage::DeckId;
use crate::store::BanKind;

/// Maximum number of consecutive decks that are dropped because they show nothing; the next one is kept, because the
/// music may be the cause.
const MAX_SET_ASIDE: u32 = 4;
/// Why a preset is excluded while it is suspected of causing device losses.
const SUSPECTED: &str = "may make the graphics device fail";

impl Show {
    /// Handles an event of the graphics device; called before a step. A lost device or a resize does not change the
    /// preset on air, Up next or the history.
    pub fn graphics_event(&mut self, event: GraphicsEvent) {
        if let GraphicsEvent::Empty { deck } = event {
            self.set_aside(deck); // This logs the event if it drops the deck.
            return;
        }
        self.log(Event::Graphics { what: event });
        match event {
            GraphicsEvent::OverBudget { deck } => self.condemn(deck, "code exceeds its budget"),
            GraphicsEvent::NotFinite { deck } if self.judges_pictures() => {
                self.condemn(deck, "coordinates are not finite");
            }
            GraphicsEvent::Empty { .. } | GraphicsEvent::NotFinite { .. } => {}
            GraphicsEvent::TooSlow { deck } => self.condemn_slow(deck),
            GraphicsEvent::SlowTogether => self.draw_one_deck(),
            GraphicsEvent::Suspected { preset } => self.suspect(preset),
            GraphicsEvent::Cleared { preset } => self.lift_exclusion(preset, SUSPECTED),
            GraphicsEvent::AtFault { preset } => self.quarantine(preset),
            GraphicsEvent::Lost | GraphicsEvent::Resized => self.decks.cool(),
            GraphicsEvent::OutOfMemory => self.decks.economise(),
        }
    }

    /// Drops a deck that shows nothing after its first frames, so that the show never cuts to it. Returns whether the
    /// deck was dropped. A deck is kept if it is neither a candidate of the director nor the safe preset, if there is
    /// no music for it to react to, or if too many decks in a row have just been dropped.
    pub fn set_aside(&mut self, deck: DeckId) -> bool {
        let candidate = self.decks.candidates.iter().any(|slot| slot.deck == deck && slot.choice.is_some());
        let safe = self.decks.safe.as_ref().is_some_and(|slot| slot.deck == deck);
        if !(candidate || safe) || self.features.silent || self.set_aside >= MAX_SET_ASIDE {
            return false;
        }
        let Some(slot) = self.decks.cancel(deck) else { return false };
        self.set_aside += 1;
        if safe {
            self.unfit.add(slot.id, self.memory.favourites.contains(&slot.id)); // Otherwise, it could be chosen again.
        }
        if let Some(index) = slot.index {
            self.director.status.set_skipped(index, true); // Not excluded: it may look different later.
        }
        self.log(Event::Graphics { what: GraphicsEvent::Empty { deck } });
        true
    }

    /// Returns whether the preset on air is replaced if its picture is at fault: not if Auto is off, or if the performer
    /// has rescued the preset.
    pub(super) fn judges_pictures(&self) -> bool {
        self.auto && self.decks.shown().is_some_and(|slot| !self.memory.rescued.contains(&slot.id))
    }

    /// If this deck is on air, excludes its preset and requests a cut to another one.
    fn condemn(&mut self, deck: DeckId, why: &str) {
        let Some(slot) = self.decks.shown().filter(|slot| slot.deck == deck) else { return };
        let (id, name) = (slot.id, slot.name.clone());
        self.exclude(id, BanKind::Soft, why);
        self.feedback_given = true; // A failure is not feedback on the preset's style.
        self.replace_faulty();
        let duration = BanKind::Soft.duration_text();
        self.notify(format!("skipped {name} ({why}); excluded {duration}"));
    }

    /// Requests a cut to any preset, because the one on air is at fault. If no deck is warm, a built-in preset that is
    /// quick to prepare is requested.
    pub(super) fn replace_faulty(&mut self) {
        self.wanted = self.wanted.or(Some(CutRequest::Watch));
        let ready = self.decks.candidates.iter().chain(&self.decks.spare).any(|slot| slot.warm);
        if self.wanted == Some(CutRequest::Watch) && !ready {
            self.decks.drop_cold_safe();
        }
    }

    /// Condemns a deck that is far too slow. The next cut then has no crossfade, which would draw the deck again.
    fn condemn_slow(&mut self, deck: DeckId) {
        self.condemn(deck, "far too slow for this device");
        self.slow_deck = self.decks.shown().map(|slot| slot.deck).filter(|shown| *shown == deck);
        if self.slow_deck.is_some() && matches!(self.wanted, Some(CutRequest::Watch | CutRequest::Next)) {
            self.wanted = Some(CutRequest::Slow);
            self.decks.drop_cold_safe(); // One that is quick to prepare is requested instead.
        }
    }

    /// Ends the crossfade, and stops Fusion from blending in its second deck.
    fn draw_one_deck(&mut self) {
        self.decks.finish_fade();
        self.macro_driver.drop_second();
        self.notify("two presets at once are far too slow for this device; drawing only one".to_owned());
    }

    /// Drops all decks of a preset that may have caused the device to be lost, and excludes the preset for now. Called
    /// after a loss, when no deck is warm.
    fn suspect(&mut self, preset: PresetId) {
        if self.memory.excluded.contains_key(&preset) {
            self.withdraw(preset);
        } else {
            self.exclude(preset, BanKind::Soft, SUSPECTED);
        }
        while let Some(deck) = self.decks.of_preset(preset)
            && self.cancel(deck).is_some()
        {}
        if self.wanted == Some(CutRequest::Preset(preset)) {
            self.wanted = None;
        }
        let name = self.name_of(preset);
        self.notify(format!("{name} may make the graphics device fail; showing another preset to find out"));
    }

    /// Lifts the exclusion of a preset if it was excluded only because of the suspicion `why`.
    pub(super) fn lift_exclusion(&mut self, preset: PresetId, why: &str) {
        if self.memory.excluded.get(&preset).is_none_or(|exclusion| exclusion.why != why) {
            return;
        }
        self.memory.excluded.remove(&preset);
        self.marks_changed(preset);
        self.update_status(preset);
    }

    /// Excludes a suspected preset until the performer rescues it, unless the performer has done so already.
    fn quarantine(&mut self, preset: PresetId) {
        if self.memory.excluded.contains_key(&preset) {
            let (kind, why) = (BanKind::Quality, "makes the graphics device fail");
            self.exclude(preset, kind, why);
            let name = self.name_of(preset);
            self.notify(format!("{name} {why}; excluded {}", kind.duration_text()));
        }
    }

    /// Returns the IDs of all decks, most urgent first.
    pub(super) fn decks_by_urgency(&self) -> Vec<DeckId> {
        self.decks.by_urgency().map(|slot| slot.deck).collect()
    }
}
