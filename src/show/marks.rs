//! Undo of the performer's marks: bans, favourites, rescues, and presets removed from Up next.

use super::memory::PresetMarks;
use super::running::Show;
use super::undo::{UndoStep, Undoable};
use crate::facts::PresetId;

/// Maximum number of steps that can be undone.
const STEPS: usize = 50;

impl Show {
    /// Runs a command that changes the marks of `id`, so that it can be undone. `act` returns whether it removed the
    /// preset from Up next.
    pub(super) fn undoably(&mut self, id: PresetId, act: impl FnOnce(&mut Self) -> bool) {
        let before = self.memory.marks_of(id);
        let index = self.director.pool.index_of(id);
        let skipped = index.is_some_and(|index| self.director.status.skipped(index));
        let on_air = self.decks.shown().is_some_and(|slot| slot.id == id);
        let no_feedback = on_air && !self.feedback_given;
        self.last_lesson = None;
        let name = self.name_of(id);
        let queued = act(self);
        let after = self.memory.marks_of(id);
        let what = match (&before, &after) {
            (PresetMarks { banned: false, .. }, PresetMarks { banned: true, .. }) => format!("Banned {name}"),
            (PresetMarks { banned: true, .. }, PresetMarks { banned: false, .. }) => {
                format!("Unbanned {name}")
            }
            (PresetMarks { favourite: false, .. }, PresetMarks { favourite: true, .. }) => {
                format!("Marked {name} as a favourite")
            }
            (PresetMarks { favourite: true, .. }, PresetMarks { favourite: false, .. }) => {
                format!("Removed {name} from favourites")
            }
            (PresetMarks { rescued: false, .. }, PresetMarks { rescued: true, .. }) => {
                format!("Rescued {name}")
            }
            _ if queued => format!("Removed {name} from Up next"),
            _ => return,
        };
        let shown = Undoable { what, at: self.now };
        let lesson = self.last_lesson.take();
        self.undo.push_back(UndoStep { shown, id, before, after, skipped, lesson, queued, no_feedback });
        if self.undo.len() > STEPS {
            self.undo.pop_front();
        }
    }

    /// Undoes the performer's last mark: reverts it and what the taste learnt from it, and puts the preset back in Up
    /// next if it was removed. The picture does not change.
    pub(super) fn undo(&mut self) {
        let Some(step) = self.undo.pop_back() else { return self.notify("nothing to undo".into()) };
        let marks = self.memory.marks_of(step.id).reverted(step.before, &step.after);
        self.restore(step.id, marks, step.skipped);
        if let Some(lesson) = step.lesson {
            self.director.taste.unlearn(&lesson);
        }
        if step.no_feedback && self.decks.shown().is_some_and(|slot| slot.id == step.id) {
            self.feedback_given = false;
        }
        if step.queued {
            self.queue_again(step.id);
        }
        self.changed.taste = true;
        self.marks_changed(step.id);
        self.notify(format!("undone: {}", step.shown.what));
    }

    /// Records that the marks of a preset have changed.
    pub(super) fn marks_changed(&mut self, id: PresetId) {
        self.marked.push(id);
        self.update_history_view();
    }

    /// Passes the marks of a preset on to the director.
    pub(super) fn update_status(&mut self, id: PresetId) {
        let excluded = self.exclusion(id).is_some();
        if let Some(index) = self.director.pool.index_of(id) {
            let status = &mut self.director.status;
            status.set_favourite(index, self.memory.favourites.contains(&id));
            status.set_banned(index, self.memory.banned.contains(&id));
            status.set_broken(index, excluded);
        }
    }

    /// Returns the mark that [`Self::undo`] would undo, if any.
    pub(super) fn undoable(&self) -> Option<Undoable> {
        self.undo.back().map(|step| step.shown.clone())
    }

    /// Drops the lessons of all undo steps, because their styles no longer exist; the marks can still be
    /// undone.
    pub(super) fn forget_lessons(&mut self) {
        self.undo.iter_mut().for_each(|step| step.lesson = None);
    }

    /// Restores the marks of a preset, and whether it was skipped in this show.
    fn restore(&mut self, id: PresetId, marks: PresetMarks, skipped: bool) {
        self.memory.mark(id, marks);
        self.update_status(id);
        if let Some(index) = self.director.pool.index_of(id) {
            self.director.status.set_skipped(index, skipped);
        }
        if !self.may_be_shown(id) {
            self.withdraw(id);
        }
    }

    /// Puts a preset that was removed from Up next back at the front; the last candidate is dropped if there
    /// would be too many.
    fn queue_again(&mut self, id: PresetId) {
        let Some(index) = self.director.pool.index_of(id) else { return };
        if self.decks.candidates.iter().any(|slot| slot.id == id) {
            return;
        }
        self.queue_first(index, "Restored by Undo");
    }

    /// Returns the name of a preset, or its ID if it is neither in the library nor in the history.
    pub(super) fn name_of(&self, id: PresetId) -> String {
        let shown =
            || self.history.iter().rev().find(|(shown, _)| *shown == id).map(|(_, name)| name.clone());
        let index = self.director.pool.index_of(id);
        let listed =
            index.map(|index| self.director.pool.catalogue.entries[index as usize].name().to_owned());
        listed.or_else(shown).unwrap_or_else(|| format!("preset {id}"))
    }
}
