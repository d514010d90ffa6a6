//! Passes measurements of the deck on air to the deck watch of a rig, and reports faults to the show.

use super::graphics_event::GraphicsEvent;
use super::rig::Rig;
use crate::watch::{DrawnDecks, LONGEST_STEP_SECS, Slowness};

/// How long, in seconds, the code of a preset may exceed its instruction budget in every frame, or compute no
/// finite coordinates in any.
const TOLERATED_SECS: f64 = 1.0;

impl Rig {
    /// Advances the watch by `dt` seconds; called before a frame is drawn.
    pub(super) fn advance_watch(&mut self, dt: f64) {
        self.deck_watch.follow(self.show.decks.shown().map(|slot| slot.deck));
        // The frame of a slow deck may be longer than the hold.
        self.deck_watch.advance(dt.min(LONGEST_STEP_SECS));
    }

    /// Reports the deck on air to the show once its code has exceeded its instruction budget, or computed no finite
    /// coordinates, in every frame drawn for [`TOLERATED_SECS`]. Called after a frame was drawn; `dt` is the frame time
    /// in seconds.
    pub(super) fn judge_code(&mut self, dt: f64) {
        let on_air = self.show.decks.shown().map(|slot| slot.deck);
        let report = on_air.and_then(|deck| self.stage.deck(deck)).map(|deck| deck.report());
        let (Some(deck), Some(report)) = (on_air, report) else { return };
        let watch = &mut self.deck_watch;
        let lasts = |secs: &mut f64, fault: bool| {
            *secs = if fault { *secs + dt.min(LONGEST_STEP_SECS) } else { 0.0 };
            let lasts = *secs >= TOLERATED_SECS;
            *secs = if lasts { 0.0 } else { *secs };
            lasts
        };
        if lasts(&mut watch.over_budget_secs, report.over_budget) {
            self.show.graphics_event(GraphicsEvent::OverBudget { deck });
        } else if lasts(&mut watch.not_finite_secs, report.not_finite) {
            self.show.graphics_event(GraphicsEvent::NotFinite { deck });
        }
    }

    /// Returns the decks that the latest frame drew.
    pub fn drawn(&self) -> DrawnDecks {
        self.recovery.drawn.clone()
    }

    /// Returns how many warm-up frames have been drawn, to pass on to [`Self::watch_time`].
    pub fn warm_up_frames(&self) -> u64 {
        self.warmer.frames()
    }

    /// Judges a frame that took at least `took` seconds to draw, not counting time that other programs used. Reports to
    /// the show if the deck on air is far too slow for this device, or if several decks drawn together are. `budget` is
    /// the time budget of a step at full rate, in seconds; `drawn` are the decks that the frame drew; `scale` is the
    /// side length at which it was drawn, relative to full size; `warm_up_frames` is what [`Self::warm_up_frames`]
    /// returned when the frame began.
    pub fn watch_time(
        &mut self,
        took: f64,
        budget: f64,
        drawn: &DrawnDecks,
        scale: f64,
        warm_up_frames: u64,
    ) -> Slowness {
        let on_air = self.show.decks.shown().map(|slot| slot.deck);
        self.deck_watch.follow(on_air);
        let warm_up = self.warmer.drew_since(warm_up_frames);
        let judged = self.deck_watch.time(took, budget, drawn, scale, warm_up);
        match (judged, on_air) {
            (Slowness::Shared, _) => self.show.graphics_event(GraphicsEvent::SlowTogether),
            (Slowness::Replaced, Some(deck)) => self.show.graphics_event(GraphicsEvent::TooSlow { deck }),
            _ => {}
        }
        judged
    }
}
