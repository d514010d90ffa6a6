//! Builds the [`Snapshot`] of a show.

use super::decks::{Crossfade, Slot};
use super::running::Show;
use super::snapshot::{PlayedPreset, Playing, Snapshot, Upcoming};
use crate::facts::PresetId;

impl Show {
    /// Returns a snapshot for the desk and MIDI LEDs.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            now: self.now,
            playing: self.decks.shown().map(|slot| Playing {
                id: slot.id,
                name: slot.name.clone(),
                for_secs: self.on_air_secs,
                favourite: self.memory.favourites.contains(&slot.id),
                problems: slot.problems.clone(),
                reason: slot.reason.clone(),
                took: slot.took,
            }),
            up_next: self.decks.candidates.iter().map(|slot| self.upcoming(slot)).collect(),
            history: self.history_view.clone(),
            auto: self.auto,
            held: self.held,
            macros: self.macro_driver.view(),
            output_mode: self.output_mode,
            layers: self.layers.counts(),
            title: self.layers.title().to_owned(),
            fade: self.decks.fade.as_ref().map(Crossfade::progress),
            adventure: self.director.adventure,
            theme: self.memory.theme.clone(),
            safe_preset: self.decks.safe.as_ref().filter(|slot| slot.warm).map(|slot| slot.name.clone()),
            waiting: self.timing.waiting(),
            target: self.target(),
            features: self.features,
            undo: self.undoable(),
            message: self.message.clone(),
            dropped: self.dropped,
            quality: self.quality,
        }
    }

    /// Updates the history in snapshots, after a preset was shown or marked.
    pub(super) fn update_history_view(&mut self) {
        self.history_view = self.history.iter().rev().map(|(id, name)| self.played(*id, name)).collect();
    }

    fn played(&self, id: PresetId, name: &str) -> PlayedPreset {
        PlayedPreset {
            id,
            name: name.to_owned(),
            favourite: self.memory.favourites.contains(&id),
            banned: self.memory.banned.contains(&id),
        }
    }

    fn upcoming(&self, slot: &Slot) -> Upcoming {
        Upcoming {
            id: slot.id,
            name: slot.name.clone(),
            warm: slot.warm,
            reason: slot.reason.clone(),
            probability: slot.choice.map(|choice| choice.probability as f32),
        }
    }
}
