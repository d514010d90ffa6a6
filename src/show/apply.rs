//! What the performer asks for. Nothing here waits for the music.

use super::Command;
use super::choosing::LeaveReason;
use super::decks::Slot;
use super::fading;
use super::running::{Show, Wanted};
use super::setlog::Cause;
use crate::library::{DWELL, PresetId};
use crate::mind::taste::Signal;
use crate::stage::OutputMode;

impl Show {
    pub(super) fn obey(&mut self, command: &Command) {
        match command {
            Command::Next => self.wanted = Some(Wanted::Next),
            Command::Back => self.go_back(),
            Command::Hold => self.hold(),
            Command::Auto => self.auto = !self.auto,
            Command::Favourite => self.favourite_shown(),
            Command::Ban => self.ban_shown(),
            Command::Panic => self.panic(),
            Command::Blackout => self.veil = toggled(self.veil, OutputMode::Blackout),
            Command::Freeze => self.veil = toggled(self.veil, OutputMode::Freeze),
            Command::PlayNow(preset) => self.play_now(*preset),
            Command::Veto(preset) => self.veto(*preset),
            Command::FavouritePreset(preset) => self.favourite(*preset),
            Command::BanPreset(preset) => self.ban(*preset),
            Command::Rescue(preset) => self.rescue(*preset),
            Command::Adventure(adventure) => {
                self.director.adventure = *adventure;
                self.memory_changed = true;
            }
            Command::Dwell(times) => {
                self.dwell = f64::from(times.clamp(DWELL.0, DWELL.1));
            }
            Command::Macro { .. }
            | Command::MacroPreset(_)
            | Command::Profile(_)
            | Command::MacroAi
            | Command::MidiLock(_) => {
                self.hands.obey(command);
                self.memory_changed = true;
            }
            Command::TapTempo
            | Command::Resync
            | Command::HalfTempo
            | Command::DoubleTempo
            | Command::SetTempo(_) => {} // The listener's.
        }
    }

    fn hold(&mut self) {
        self.held = !self.held;
        if self.held && !self.spoken {
            self.say_of_shown(Signal::Hold);
        }
    }

    /// The performer says something about what is on air.
    fn say_of_shown(&mut self, signal: Signal) {
        let Some(slot) = self.decks.shown() else { return };
        let (place, id) = (slot.place, slot.id);
        let evidence = self.evidence_of(slot);
        self.spoken = true;
        self.learn(place, evidence, id, signal, self.on_air_secs);
    }

    fn favourite_shown(&mut self) {
        let Some(id) = self.decks.shown().map(|slot| slot.id) else { return };
        let signal = self.mark(id);
        self.say_of_shown(signal);
    }

    /// Marks or unmarks a favourite, and says what that tells.
    fn mark(&mut self, id: PresetId) -> Signal {
        let marked = !self.memory.favourites.remove(&id);
        if marked {
            self.memory.favourites.insert(id);
        }
        if marked { Signal::Favourite } else { Signal::Unfavourite }
    }

    fn favourite(&mut self, id: PresetId) {
        if self.decks.shown().is_some_and(|slot| slot.id == id) {
            return self.favourite_shown();
        }
        let Some(place) = self.place(id) else { return };
        let signal = self.mark(id);
        let evidence = self.director.evidence_of(place, &self.target());
        self.learn(Some(place), Some(evidence), id, signal, 0.0);
    }

    fn ban_shown(&mut self) {
        let Some(id) = self.decks.shown().map(|slot| slot.id) else { return };
        self.ban(id);
    }

    /// Never again, or again after all. What is on air leaves at once; a favourite is one no longer.
    fn ban(&mut self, id: PresetId) {
        let place = self.director.pool.place(id);
        let allowed_again = self.memory.banned.remove(&id);
        if !allowed_again {
            self.memory.banned.insert(id);
            self.memory.favourites.remove(&id);
            self.memory.rescued.remove(&id);
        }
        self.memory_changed = true;
        if let Some(place) = place {
            self.director.standing.set_banned(place, !allowed_again);
            self.director.standing.set_favourite(place, self.memory.favourites.contains(&id));
        }
        if allowed_again {
            return;
        }
        self.drop_candidate(id);
        if self.decks.shown().is_some_and(|slot| slot.id == id) {
            self.say_of_shown(Signal::Skip);
            self.wanted = Some(Wanted::Next);
        }
    }

    /// What was left out is taken in again, and nobody but the performer sends it away from now on.
    fn rescue(&mut self, id: PresetId) {
        if self.memory.left_out.remove(&id).is_none() {
            return self.say(format!("preset {id} is not left out"));
        }
        self.memory.rescued.insert(id);
        self.memory_changed = true;
        if let Some(place) = self.director.pool.place(id) {
            self.director.standing.set_broken(place, false);
            self.say(format!("{} may be shown again", self.name(place)));
        }
    }

    /// Safety: the refuge, or a favourite that happens to be warm already.
    fn panic(&mut self) {
        let favourite = |slot: &Slot| slot.warm && self.memory.favourites.contains(&slot.id);
        let ready = self.decks.refuge.as_ref().is_some_and(|slot| slot.warm);
        if let Some(at) = self.decks.candidates.iter().position(favourite).filter(|_| !ready) {
            let slot = self.decks.candidates.remove(at);
            if let Some(refuge) = self.decks.refuge.replace(slot) {
                self.decks.drop_slot(refuge);
            }
        }
        self.veil = OutputMode::Open; // Whoever asks for safety wants to see it.
        self.wanted = Some(Wanted::Refuge);
    }

    /// The deck shown before comes back as it is, and the one on air takes its place.
    fn go_back(&mut self) {
        self.decks.finish_fade();
        let Some(slot) = self.decks.behind.take() else {
            self.say("there is nothing to go back to yet".into());
            return;
        };
        self.wanted = None;
        let style = fading::style(self.target().level, &mut self.rng);
        self.left(LeaveReason::MadeRoom);
        self.cut(slot, Cause::Hand, fading::BY_HAND_SECS, style);
    }

    fn place(&mut self, id: PresetId) -> Option<u32> {
        let place = self.director.pool.place(id);
        if place.is_none() {
            self.say(format!("preset {id} is not in this library"));
        }
        place
    }

    fn play_now(&mut self, id: PresetId) {
        let Some(place) = self.place(id) else { return };
        if self.decks.shown().is_some_and(|slot| slot.id == id) {
            return;
        }
        if self.director.standing.broken(place) {
            return self
                .say(format!("{} is left out; rescue it on the library page first", self.name(place)));
        }
        // Made ready in this very step, unless it is on its way already.
        self.wanted = Some(Wanted::Preset(id));
    }

    fn name(&self, place: u32) -> &str {
        self.director.pool.catalogue.entries[place as usize].name()
    }

    fn veto(&mut self, id: PresetId) {
        if !self.drop_candidate(id) {
            self.say(format!("preset {id} is not among what comes next"));
            return;
        }
        // Not now is not never: it may come back when it has rested like one that was shown.
        if let Some(place) = self.director.pool.place(id) {
            self.director.standing.set_skipped(place);
        }
    }

    fn drop_candidate(&mut self, id: PresetId) -> bool {
        let Some(at) = self.decks.candidates.iter().position(|slot| slot.id == id) else { return false };
        let slot = self.decks.candidates.remove(at);
        self.decks.drop_slot(slot);
        if self.wanted == Some(Wanted::Preset(id)) {
            self.wanted = None;
        }
        true
    }
}

fn toggled(now: OutputMode, wanted: OutputMode) -> OutputMode {
    if now == wanted { OutputMode::Open } else { wanted }
}
