//! Recovers a rig from failures of its graphics device. Meanwhile, the show keeps stepping.
//!
//! After the device is lost, a separate thread opens another one and creates its passes and stage. Then the
//! warmer is replaced and every deck is prepared again, the one on air first; the last picture stays until
//! that deck has drawn. If memory runs out, fewer decks are kept warm, and if that does not help, the picture
//! becomes smaller.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, TryRecvError};
use std::time::Duration;

use super::graphics_event::GraphicsEvent;
use super::recovery_state::Recovery;
use super::rig::Rig;
use super::step::Failed;
use crate::facts::PresetId;
use crate::stage::{Cue, DeckId, DeckSettings, OutputMode, Stage, StageError};
use crate::store::BanKind;
use crate::warmup::DeckRequest;
use crate::warmup::Urgency;
use crate::watch::DrawnDecks;

/// Seconds for which a deck must have been drawn before the next one is prepared, if decks are prepared one at a time.
const YOUNG_SECS: f64 = 5.0;
/// Side lengths of the picture relative to full size, tried in this order.
const SCALES: [f64; 4] = [1.0, 0.85, 0.7, 0.6];
/// Time within which further failed allocations are ignored, in seconds, because several tend to fail
/// together.
const ECONOMY_PAUSE_SECS: f64 = 2.0;
/// How long to wait for a stage to be built before another one is started, in seconds; longer after each attempt,
/// because a driver that never responds blocks a thread for each.
const BUILD_SECS: f64 = 20.0;
/// Pause before another attempt to open a device.
const RETRY: Duration = Duration::from_millis(150);

impl Rig {
    /// Returns a number that changes whenever the stage is replaced, on the same device or another. Whatever
    /// was created with the stage or its device must then be created again.
    pub fn generation(&self) -> u64 {
        self.recovery.generation
    }

    /// Returns whether the stage has no picture yet after a failure, in which case windows should keep their
    /// last one.
    pub fn picture_held(&self) -> bool {
        self.recovery.held_since.is_some()
    }

    /// Checks the device for failures and advances the recovery. Called before every step; never blocks,
    /// unless decks are prepared in place.
    pub(super) fn look_after_graphics(&mut self) {
        if let Some(rebuilt) = &self.recovery.rebuilt {
            match rebuilt.try_recv() {
                Ok(Ok(stage)) => self.install(stage),
                Ok(Err(error)) => {
                    log::info!("could not restore the graphics device: {error}; retrying");
                    self.rebuild(true, RETRY);
                }
                Err(TryRecvError::Disconnected) => self.rebuild(true, RETRY),
                Err(TryRecvError::Empty) => self.check_build(),
            }
            return;
        }
        let gpu = &self.stage.render_context().gpu;
        let (starved, lost) = (gpu.take_out_of_memory(), gpu.lost());
        let smaller = starved && self.economise();
        if lost {
            self.lose();
        } else if smaller {
            self.show.graphics_event(GraphicsEvent::Resized);
            self.rebuild(false, Duration::ZERO);
        }
    }

    /// Starts building the stage again if the driver has not responded for too long. The thread that is still waiting
    /// for the driver ends when the driver responds.
    fn check_build(&mut self) {
        let recovery = &mut self.recovery;
        let patience_secs = BUILD_SECS * f64::from(recovery.given_up + 1);
        if self.show.now - recovery.build_began > patience_secs {
            recovery.given_up += 1;
            log::warn!("the graphics driver did not respond within {patience_secs:.0} s; trying again");
            self.rebuild(true, Duration::ZERO);
        }
    }

    /// Reports the loss of the device, counts it against the presets that were being drawn or prepared, and starts to
    /// open another device.
    fn lose(&mut self) {
        let now = self.show.now;
        let recovery = &self.recovery;
        let decks = recovery.drawn.iter().chain(recovery.sent.iter().copied());
        let drawn_secs =
            |deck: DeckId| recovery.first_drawn_at.get(&deck).map_or(0.0, |drawn_at| now - drawn_at);
        let involved: BTreeMap<PresetId, f64> =
            decks.filter_map(|deck| Some((recovery.preset(deck)?, drawn_secs(deck)))).collect();
        let events = self.recovery.suspects.lost(&involved);
        self.show.graphics_event(GraphicsEvent::Lost);
        self.show.notify("the graphics device was lost; restoring the picture".to_owned());
        events.for_each(|event| self.show.graphics_event(event));
        self.rebuild(true, Duration::ZERO);
    }

    /// Responds to failed allocations: keeps fewer decks to save graphics memory. Returns whether the picture
    /// must also become smaller.
    fn economise(&mut self) -> bool {
        let now = self.show.now;
        let recovery = &mut self.recovery;
        if recovery.out_of_memory_at.is_some_and(|at| now - at < ECONOMY_PAUSE_SECS) {
            return false;
        }
        let again = recovery.out_of_memory_at.replace(now).is_some();
        self.show.graphics_event(GraphicsEvent::OutOfMemory);
        if again && recovery.scale + 1 < SCALES.len() {
            recovery.scale += 1;
            let percent = SCALES[recovery.scale] * 100.0;
            self.show.notify(format!("graphics memory is full; rendering at {percent:.0}% resolution"));
            return true;
        }
        self.show.notify("graphics memory is full; keeping fewer presets warm".to_owned());
        false
    }

    /// Starts building a stage after `pause`, on a newly opened device if `reopen` is true.
    fn rebuild(&mut self, reopen: bool, pause: Duration) {
        let full = *self.recovery.full_size.get_or_insert(self.stage.size());
        let size = full.map(|side| ((f64::from(side) * SCALES[self.recovery.scale]) as u32).max(1));
        let (context, options) = (self.stage.render_context().clone(), self.stage.options());
        let (done, rebuilt) = mpsc::sync_channel(1);
        let work = move || {
            std::thread::sleep(pause);
            let context = if reopen { context.reopen().map(std::sync::Arc::new) } else { Ok(context) };
            // Fails if the rig was dropped.
            done.send(context.map(|context| Stage::with(context, size, options))).ok();
        };
        (self.recovery.rebuilt, self.recovery.build_began) = (Some(rebuilt), self.show.now);
        self.recovery.held_since.get_or_insert(self.show.now);
        if self.warmer.works_in_place() {
            work();
        } else if let Err(error) = std::thread::Builder::new().name("graphics".into()).spawn(work) {
            log::error!("could not start a thread to restore the graphics device: {error}; retrying");
        }
    }

    /// Puts the new stage in place and prepares every deck again, the one on air first.
    fn install(&mut self, stage: Stage) {
        let settings = DeckSettings { size: stage.size(), ..self.warmer.settings() };
        let warmer = self.warmer.renewed(stage.render_context(), settings);
        let old = (std::mem::replace(&mut self.stage, stage), std::mem::replace(&mut self.warmer, warmer));
        self.stage.set_layers(old.0.layers().clone());
        if old.0.options() != self.stage.options() {
            self.stage.limit_flashes(old.0.options().limiter); // The limiter was switched meanwhile.
        }
        // Dropped on another thread: the old warmer's threads may be in the middle of an audit, and freeing a device
        // takes longer than a frame.
        if let Err(error) = std::thread::Builder::new().name("retire".into()).spawn(move || drop(old)) {
            log::debug!("could not start a thread to free the old graphics device ({error}); freed it here");
        }
        let urgent = self.show.decks_by_urgency();
        let recovery = &mut self.recovery;
        recovery.requests.retain(|deck, _| urgent.contains(deck));
        let first = urgent.first().and_then(|deck| recovery.requests.get_mut(deck));
        first.into_iter().for_each(|request| request.urgency = Urgency::Performer);
        recovery.backlog = urgent.into();
        recovery.sent.clear();
        recovery.first_drawn_at.clear();
        recovery.drawn = DrawnDecks::default();
        (recovery.rebuilt, recovery.given_up) = (None, 0);
        recovery.generation += 1;
        self.flush_backlog();
    }

    /// Draws the picture, or keeps the last one while a failure leaves nothing to draw; returns whether it drew.
    pub(super) fn draw(&mut self, cue: &Cue) -> bool {
        let on_stage = cue.front.as_ref().is_some_and(|front| self.stage.deck(front.deck).is_some());
        if let Some(since) = self.recovery.held_since {
            if self.recovery.is_rebuilding() || !on_stage {
                return false;
            }
            self.recovery.held_since = None;
            let (took, device) = (self.show.now - since, self.stage.render_context().gpu.name());
            self.show.notify(format!("picture restored after {took:.1} s on {device}"));
        }
        self.stage.draw(cue);
        let fading = cue.fade.as_ref().map(|fade| &fade.to);
        let second = cue.second.as_ref().filter(|_| cue.output_mode != OutputMode::Blackout);
        let on_air = cue.front.iter().chain(fading).chain(second.map(|second| &second.on_air));
        let on_stage = |deck: &DeckId| self.stage.deck(*deck).is_some();
        self.recovery.drawn = on_air.map(|on_air| on_air.deck).filter(on_stage).collect();
        self.watch_for_losses(cue.dt);
        true
    }

    /// Records a frame of `dt` seconds that was drawn without losing the device, and reports a preset that turns out to
    /// be the cause of earlier losses.
    fn watch_for_losses(&mut self, dt: f64) {
        let now = self.show.now;
        let Recovery { drawn, first_drawn_at, requests, suspects, backlog, sent, .. } = &mut self.recovery;
        for deck in drawn.iter() {
            first_drawn_at.entry(deck).or_insert(now);
        }
        let presets = drawn.iter().filter_map(|deck| requests.get(&deck)).map(|request| request.preset);
        let at_fault = suspects.drawn(presets, dt);
        let young = first_drawn_at.values().any(|drawn_at| now - drawn_at < YOUNG_SECS);
        if backlog.is_empty() && sent.is_empty() && !young {
            suspects.relax();
        }
        if let Some(preset) = at_fault {
            self.show.graphics_event(GraphicsEvent::AtFault { preset });
        }
    }

    /// Requests a deck from the warmer. Queues the request instead while a stage is being built, while decks are
    /// prepared one at a time after a device loss, or while a preset that has timed out must be prepared alone.
    pub(super) fn request(&mut self, request: DeckRequest) {
        let deck = request.deck;
        let recovery = &mut self.recovery;
        recovery.requests.insert(deck, request.clone());
        let waits = recovery.is_rebuilding() || recovery.suspects.any() || !recovery.backlog.is_empty();
        if waits || !recovery.may_prepare(deck) {
            match request.urgency {
                Urgency::Performer => recovery.backlog.push_front(deck),
                Urgency::Music | Urgency::Spare => recovery.backlog.push_back(deck),
            }
        } else {
            self.warmer.request(request);
            self.recovery.sent.insert(deck);
        }
    }

    /// Requests the queued decks from the warmer: all at once, or one at a time after a device loss or while a preset
    /// that has timed out must be prepared alone.
    pub(super) fn flush_backlog(&mut self) {
        while let Some(deck) = self.recovery.backlog.front().copied() {
            let recovery = &self.recovery;
            let young =
                recovery.first_drawn_at.values().any(|drawn_at| self.show.now - drawn_at < YOUNG_SECS);
            let in_turn = !recovery.suspects.any() || (recovery.sent.is_empty() && !young);
            if recovery.is_rebuilding() || !in_turn || !recovery.may_prepare(deck) {
                return;
            }
            let Some(request) = recovery.requests.get(&deck).cloned() else {
                self.recovery.backlog.pop_front();
                continue;
            };
            self.warmer.request(request);
            self.recovery.backlog.pop_front();
            self.recovery.sent.insert(deck);
        }
    }

    /// Handles a deck whose first frames the device did not finish in time. If its preset has timed out twice while
    /// being prepared alone, returns the failure with which to exclude the preset; until then, this counts as a failure
    /// of the device.
    pub(super) fn timed_out(&mut self, deck: DeckId, error: StageError) -> Option<Failed> {
        let Recovery { timeouts, requests, sent, .. } = &mut self.recovery;
        let preset = requests.get(&deck).map(|request| request.preset);
        if preset.is_some_and(|preset| timeouts.strike(deck, preset, sent)) {
            self.recovery.forget(deck);
            return Some(Failed { deck, kind: BanKind::Soft, why: format!("{error}, twice") });
        }
        self.device_failed(deck, error);
        None
    }

    /// Handles a deck that the device failed to prepare. The most urgent deck is requested again; for any
    /// other deck, the show chooses again.
    pub(super) fn device_failed(&mut self, deck: DeckId, error: StageError) {
        self.recovery.device_failure = Some(error);
        let lost = self.stage.render_context().gpu.lost();
        let urgent = self.show.decks_by_urgency().first() == Some(&deck);
        if lost {
            return; // The deck will be requested again on the next device.
        }
        if urgent {
            self.recovery.backlog.push_back(deck);
        } else {
            self.recovery.forget(deck);
            self.show.cancel_request(deck);
        }
    }
}
