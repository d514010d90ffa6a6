//! Saves the state of a show, and resumes the show in a new process.

use super::memory::theme_text;
use super::resume_state::{ResumeState, Resumption};
use super::running::{CutRequest, Show};
use crate::facts::PresetId;
use crate::library::built_in;
use crate::mind::director::NO_REPEAT;
use crate::stage::OutputMode;
use crate::store::BanKind;

/// Maximum number of presets from the history that are saved.
const KEPT_HISTORY: usize = 60;
/// Time after resuming, in seconds, at which the rest of the saved queue is dropped, in case its library is never
/// loaded.
const QUEUE_SECS: f64 = 60.0;
/// Why a preset is excluded while it is suspected of having caused a crash.
const SUSPECTED: &str = "may have crashed the show";

impl Show {
    /// Returns the state from which this show can be resumed.
    pub fn resume_state(&self) -> ResumeState {
        let older = self.history.len().saturating_sub(KEPT_HISTORY);
        ResumeState {
            now: self.now,
            history: self.history.iter().skip(older).cloned().collect(),
            queue: self.decks.candidates.iter().map(|slot| slot.id).collect(),
            auto: self.auto,
            held: self.held,
            dwell: self.dwell,
            input_delay_ms: self.input_delay_ms,
            adventure: self.director.adventure,
            theme: self.memory.theme.clone(),
            macros: *self.macro_driver.state(),
            output_mode: self.output_mode,
            title: self.layers.title().to_owned(),
            layers: self.layers.on_air().to_vec(),
            involved: self.involved().collect(),
            suspects: self.resumption.suspects.clone(),
            crashed: false,
        }
    }

    /// Iterates over the presets that are on air or being prepared. While the one on air is prepared again after a
    /// device failure, there are no others.
    fn involved(&self) -> impl Iterator<Item = PresetId> {
        let on_air = self.decks.front.iter().chain(self.decks.fade.iter().map(|fade| &fade.to));
        let only_front = self.decks.front.as_ref().is_some_and(|front| !front.warm);
        let waiting = self.decks.candidates.iter().chain(&self.decks.safe);
        on_air.chain(waiting.filter(move |slot| !slot.warm && !only_front)).map(|slot| slot.id)
    }

    /// Returns whether [`Self::resume_state`] would return `state`, apart from the show time; false if there are layers
    /// on air. Allocates nothing.
    pub fn would_resume(&self, state: &ResumeState) -> bool {
        let ResumeState {
            now: _,
            history,
            queue,
            auto,
            held,
            dwell,
            input_delay_ms,
            adventure,
            theme,
            macros,
            output_mode,
            title,
            layers,
            involved,
            suspects,
            crashed: _,
        } = state;
        let older = self.history.len().saturating_sub(KEPT_HISTORY);
        self.history.iter().skip(older).eq(history)
            && self.decks.candidates.iter().map(|slot| slot.id).eq(queue.iter().copied())
            && (self.auto, self.held, self.dwell) == (*auto, *held, *dwell)
            && self.input_delay_ms == *input_delay_ms
            && self.director.adventure == *adventure
            && self.memory.theme == *theme
            && *self.macro_driver.state() == *macros
            && self.output_mode == *output_mode
            && self.layers.title() == title
            && self.layers.on_air().is_empty()
            && layers.is_empty()
            && self.involved().eq(involved.iter().copied())
            && self.resumption.suspects == *suspects
    }

    /// Resumes an earlier show before the first step: plays a safe built-in preset, then the saved queue.
    pub fn resume(&mut self, state: &ResumeState) {
        let ResumeState {
            now,
            history,
            queue,
            auto,
            held,
            dwell,
            input_delay_ms,
            adventure,
            theme,
            macros,
            output_mode,
            title,
            layers,
            involved,
            suspects,
            crashed,
        } = state;
        self.now = *now;
        self.history = history.iter().cloned().collect();
        self.update_history_view();
        (self.auto, self.held, self.dwell) = (*auto, *held, *dwell);
        self.input_delay_ms = *input_delay_ms;
        // A frozen picture is lost with its process, but a blackout can be restored.
        self.output_mode = if *output_mode == OutputMode::Freeze { OutputMode::Open } else { *output_mode };
        self.layers.set_title(title);
        self.layers.resume(layers);
        self.director.adventure = *adventure;
        self.memory.theme = theme_text(theme);
        self.macro_driver.restore(*macros);
        for (id, _) in history.iter().skip(history.len().saturating_sub(NO_REPEAT)) {
            if let Some(index) = self.director.pool.index_of(*id) {
                self.director.record_shown(index);
            }
        }
        self.resumption = Resumption {
            starting: true,
            queue: queue.clone(),
            until: now + QUEUE_SECS,
            suspects: suspects.clone(),
        };
        self.wanted = Some(CutRequest::Safe);
        self.changed.knobs = true;
        if *crashed {
            self.suspect_of_crash(involved.iter().copied());
        }
    }

    /// Excludes the presets that were on air or being prepared during a crash, except built-in ones, and clears the
    /// other suspects, because the show has crashed without them.
    fn suspect_of_crash(&mut self, involved: impl Iterator<Item = PresetId>) {
        let involved: Vec<PresetId> =
            involved.filter(|id| built_in().all(|preset| preset.id != *id)).collect();
        let before = std::mem::replace(&mut self.resumption.suspects, involved.clone());
        for cleared in before.iter().filter(|id| !involved.contains(id)) {
            self.lift_exclusion(*cleared, SUSPECTED);
        }
        for id in involved {
            if self.memory.excluded.contains_key(&id) {
                continue;
            }
            self.exclude(id, BanKind::Soft, SUSPECTED);
            let duration = BanKind::Soft.duration_text();
            self.notify(format!("{} {SUSPECTED}; excluded {duration}", self.name_of(id)));
        }
    }

    /// Returns whether an earlier show is being resumed and nothing has been on air yet.
    pub(super) fn resuming(&self) -> bool {
        self.resumption.starting
    }

    /// Takes from the saved queue the first preset that is in this library and may be shown, and returns its index.
    pub(super) fn next_resumed(&mut self) -> Option<u32> {
        if self.now > self.resumption.until {
            self.resumption.queue.clear();
        }
        let pool = &self.director.pool;
        let usable =
            |id: &PresetId| pool.index_of(*id).filter(|index| self.director.status.usable(*index, true));
        let (at, index) =
            self.resumption.queue.iter().enumerate().find_map(|(at, id)| Some((at, usable(id)?)))?;
        self.resumption.queue.remove(at);
        Some(index)
    }
}
