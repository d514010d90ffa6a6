//! Applies the performer's commands at once, without waiting for the music.

use super::Command;
use super::choosing::LeaveReason;
use super::decks::Slot;
use super::fading;
use super::memory::theme_text;
use super::running::{CutRequest, Show};
use super::setlog::Cause;
use crate::facts::PresetId;
use crate::layers::LayerContent;
use crate::library::{DWELL, INPUT_DELAY_MS};
use crate::mind::taste::{Feedback, Signal};
use crate::stage::OutputMode;

/// Minimum length of a hold that counts as feedback, in seconds.
const MIN_HOLD_SECS: f64 = 5.0;

impl Show {
    pub(super) fn apply(&mut self, command: &Command) {
        match command {
            Command::Next => self.want_another(),
            Command::Back => self.go_back(),
            Command::Hold => self.hold(),
            Command::Auto => self.auto = !self.auto,
            Command::Favourite | Command::Ban => {
                let Some(id) = self.decks.shown().map(|slot| slot.id) else { return };
                let of_preset = match command {
                    Command::Favourite => Command::FavouritePreset(id),
                    _ => Command::BanPreset(id),
                };
                self.apply(&of_preset);
            }
            Command::Panic => self.panic(),
            Command::Blackout => self.output_mode = toggled(self.output_mode, OutputMode::Blackout),
            Command::Freeze => self.output_mode = toggled(self.output_mode, OutputMode::Freeze),
            Command::PlayNow(preset) => self.play_now(*preset),
            Command::Veto(preset) => self.undoably(*preset, |show| show.veto(*preset)),
            Command::FavouritePreset(preset) => self.undoably(*preset, |show| {
                show.favourite(*preset);
                false
            }),
            Command::BanPreset(preset) => self.undoably(*preset, |show| {
                show.ban(*preset);
                false
            }),
            Command::Rescue(preset) => self.undoably(*preset, |show| {
                show.rescue(*preset);
                false
            }),
            Command::Undo => self.undo(),
            Command::Adventure(adventure) => {
                self.director.adventure = *adventure;
                self.changed.knobs = true;
            }
            Command::Theme(text) => {
                self.memory.theme = theme_text(text);
                self.changed.knobs = true;
            }
            Command::InputDelay(milliseconds) => {
                self.input_delay_ms = milliseconds.clamp(INPUT_DELAY_MS.0, INPUT_DELAY_MS.1);
            }
            Command::Dwell(times) => {
                self.dwell = f64::from(times.clamp(DWELL.0, DWELL.1));
            }
            Command::Macro { .. }
            | Command::MacroPreset(_)
            | Command::Profile(_)
            | Command::MacroAi
            | Command::MidiLock(_) => {
                self.macro_driver.apply(command);
                self.changed.knobs = true;
            }
            Command::Sprite(number) => self.layers.launch(LayerContent::Sprite(*number)),
            Command::Message(number) => self.layers.launch(LayerContent::Message(*number)),
            Command::SetTitle(title) => self.layers.set_title(title),
            Command::LaunchTitle => self.layers.launch_title(),
            Command::ClearSprites => self.layers.clear_sprites(),
            Command::ClearText => self.layers.clear_text(),
            Command::TapTempo
            | Command::Resync
            | Command::HalfTempo
            | Command::DoubleTempo
            | Command::SetTempo(_)
            | Command::NudgeBeat(_) => {} // Handled by the analysis thread.
        }
    }

    /// Requests a cut to any preset, unless one is already requested because the preset on air is far too slow.
    fn want_another(&mut self) {
        if self.wanted != Some(CutRequest::Slow) {
            self.wanted = Some(CutRequest::Next);
        }
    }

    fn hold(&mut self) {
        self.held = !self.held;
        if !self.held {
            self.learn_from_hold();
        }
    }

    /// Learns from a hold that has just ended, weighted by its length. Ignores holds shorter than
    /// [`MIN_HOLD_SECS`] and holds of a preset that has already received feedback.
    pub(super) fn learn_from_hold(&mut self) {
        let held_secs = std::mem::take(&mut self.held_secs);
        if held_secs >= MIN_HOLD_SECS && !self.feedback_given {
            self.learn_from_shown(Feedback::hold(held_secs));
        }
    }

    /// Learns from the performer's feedback on the preset on air.
    fn learn_from_shown(&mut self, feedback: impl Into<Feedback>) {
        let Some(slot) = self.decks.shown() else { return };
        let (index, id) = (slot.index, slot.id);
        let evidence = self.evidence_of(slot);
        self.feedback_given = true;
        self.learn(index, evidence, id, feedback, self.on_air_secs);
    }

    /// Toggles whether the preset is a favourite, and returns the matching signal.
    fn toggle_favourite(&mut self, id: PresetId) -> Signal {
        let marked = !self.memory.favourites.remove(&id);
        if marked {
            self.memory.favourites.insert(id);
        }
        self.marks_changed(id);
        if marked { Signal::Favourite } else { Signal::Unfavourite }
    }

    fn favourite(&mut self, id: PresetId) {
        if self.decks.shown().is_some_and(|slot| slot.id == id) {
            let signal = self.toggle_favourite(id);
            return self.learn_from_shown(signal);
        }
        let Some(index) = self.index(id) else { return };
        let signal = self.toggle_favourite(id);
        let evidence = self.director.evidence_of(index, &self.target());
        self.learn(Some(index), Some(evidence), id, signal, 0.0);
    }

    /// Bans a preset or lifts its ban. A banned preset is neither a favourite nor rescued, loses its waiting decks,
    /// and leaves the air as soon as another deck is warm.
    fn ban(&mut self, id: PresetId) {
        let index = self.director.pool.index_of(id);
        let allowed_again = self.memory.banned.remove(&id);
        if !allowed_again {
            self.memory.banned.insert(id);
            self.memory.favourites.remove(&id);
            self.memory.rescued.remove(&id);
        }
        self.marks_changed(id);
        if let Some(index) = index {
            self.director.status.set_banned(index, !allowed_again);
            self.director.status.set_favourite(index, self.memory.favourites.contains(&id));
        }
        if allowed_again {
            return;
        }
        self.withdraw(id);
        if self.decks.shown().is_some_and(|slot| slot.id == id) {
            self.learn_from_shown(Signal::Skip);
            self.want_another();
        }
    }

    /// Lifts the exclusion of a preset, and exempts it from audits and from the watch over its picture from then on.
    fn rescue(&mut self, id: PresetId) {
        if self.exclusion(id).is_none() {
            return self.notify(format!("preset {id} is not excluded"));
        }
        self.memory.excluded.remove(&id);
        self.memory.rescued.insert(id);
        self.marks_changed(id);
        if let Some(index) = self.director.pool.index_of(id) {
            self.director.status.set_broken(index, false);
            self.notify(format!("preset {} can be shown again", self.name(index)));
        }
    }

    /// Requests a cut to the safe preset. If that preset is not warm yet, it is replaced by a warm
    /// favourite among the candidates that is not too dark, too bright or too empty, if there is one.
    fn panic(&mut self) {
        let favourite = |slot: &Slot| {
            slot.warm && self.memory.favourites.contains(&slot.id) && self.unfit.suits_panic(slot, true)
        };
        let ready = self.decks.safe.as_ref().is_some_and(|slot| slot.warm);
        if let Some(at) = self.decks.candidates.iter().position(favourite).filter(|_| !ready) {
            let slot = self.decks.candidates.remove(at);
            if let Some(safe) = self.decks.safe.replace(slot) {
                self.decks.drop_slot(safe);
            }
        }
        self.output_mode = OutputMode::Open; // The safe preset must be visible.
        self.wanted = Some(CutRequest::Safe);
    }

    /// Cuts back to the previous deck, in the state in which it was last drawn; the deck on air becomes the
    /// previous one.
    fn go_back(&mut self) {
        self.decks.finish_fade();
        let Some(slot) = self.decks.previous.take_if(|slot| slot.warm) else {
            let waiting = self.decks.previous.is_some();
            let why =
                if waiting { "the previous preset is being restored" } else { "no previous preset yet" };
            return self.notify(why.into());
        };
        self.wanted = None;
        let style = fading::style(self.target().level, &mut self.rng);
        self.learn_from_leaving(LeaveReason::Replaced);
        self.cut(slot, Cause::Performer, fading::PERFORMER_SECS, style);
    }

    fn index(&mut self, id: PresetId) -> Option<u32> {
        let index = self.director.pool.index_of(id);
        if index.is_none() {
            self.notify(format!("preset {id} is not in this library"));
        }
        index
    }

    fn play_now(&mut self, id: PresetId) {
        let Some(index) = self.index(id) else { return };
        if self.decks.shown().is_some_and(|slot| slot.id == id) {
            return;
        }
        if self.director.status.broken(index) {
            return self.notify(format!(
                "preset {} is excluded; rescue it on the Library page first",
                self.name(index)
            ));
        }
        // Its deck is requested in this step, unless it is already being prepared.
        self.wanted = Some(CutRequest::Preset(id));
    }

    fn name(&self, index: u32) -> &str {
        self.director.pool.catalogue.entries[index as usize].name()
    }

    /// Removes a preset from Up next; returns whether it was queued.
    fn veto(&mut self, id: PresetId) -> bool {
        if !self.drop_candidate(id) {
            self.notify(format!("preset {id} is not queued"));
            return false;
        }
        // A veto lasts only for this show, and the preset may still be chosen if nothing else is left.
        if let Some(index) = self.director.pool.index_of(id) {
            self.director.status.set_skipped(index, true);
        }
        true
    }

    /// Drops the decks that wait to show a preset: the candidate, the spare and the safe preset. The previous deck
    /// stays, because only the performer goes back to it.
    pub(super) fn withdraw(&mut self, id: PresetId) {
        self.drop_candidate(id);
        let same = |slot: &mut Slot| slot.id == id;
        let reserves = [self.decks.spare.take_if(same), self.decks.safe.take_if(same)];
        reserves.into_iter().flatten().for_each(|slot| self.decks.drop_slot(slot));
    }

    fn drop_candidate(&mut self, id: PresetId) -> bool {
        let Some(at) = self.decks.candidates.iter().position(|slot| slot.id == id) else { return false };
        let slot = self.decks.candidates.remove(at);
        self.decks.drop_slot(slot);
        if self.wanted == Some(CutRequest::Preset(id)) {
            self.wanted = None;
        }
        true
    }
}

fn toggled(now: OutputMode, wanted: OutputMode) -> OutputMode {
    if now == wanted { OutputMode::Open } else { wanted }
}
