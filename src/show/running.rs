//! The state of a show and its step function.
//!
//! See `apply` for commands, `choosing` for choices and cuts, and `decks` for the decks.

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use super::decks::{Decks, Slot};
use super::layer_board::LayerBoard;
use super::learnt_taste::{KnownStyles, LearntTaste};
use super::macro_driver::{FusionDecks, MacroDriver};
use super::memory::{Changed, Exclusion, MarkedPresets, MemoryChange, ShowMemory};
use super::next_library::{NextLibrary, Prepared};
use super::resume_state::Resumption;
use super::setlog::{self, Entry, Event, Frame, Frames};
use super::settings::ShowSettings;
use super::snapshot::PlayedPreset;
use super::step::{Step, StepInput};
use super::undo::UndoStep;
use super::unfit::Unfit;
use crate::analysis::{Features, Scene};
use crate::facts::PresetId;
use crate::library::Catalogue;
use crate::mind::director::{Clock, Director, Pool, Timing};
use crate::mind::macros::MacroState;
use crate::mind::taste::{Lesson, Taste, TasteState};
use crate::pacing::{DroppedSteps, Quality};
use crate::stage::{Cue, DeckId, Fade, OnAirDeck, OutputMode};
use crate::units::{Rng, Seconds};
use crate::watch::PictureWatch;

/// Maximum number of presets kept in the history.
const HISTORY: usize = 200;
/// Maximum number of log entries kept until they are collected.
const MAX_LOG_ENTRIES: usize = 10_000;
/// Error in the audio clock above which it is reset instead of corrected gradually, in seconds.
const CLOCK_JUMP_SECS: f64 = 0.05;
/// Fraction of a smaller error in the audio clock that is corrected whenever new features arrive.
const CLOCK_PULL: f64 = 0.05;
/// Identifies the director's random stream.
const CHOICE_RANDOMNESS: u64 = 2;
/// Identifies the macros' random stream.
const MACRO_RANDOMNESS: u64 = 1;
/// Identifies the layers' random stream.
const LAYER_RANDOMNESS: u64 = 3;

/// A cut requested by the performer or by the checks of the picture and the code, which waits until a suitable deck is
/// warm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutRequest {
    /// Any preset.
    Next,
    /// A specific preset.
    Preset(PresetId),
    /// The safe preset.
    Safe,
    /// Any preset, to replace one with a fault in its picture or its code.
    Watch,
    /// Any preset, to replace one that is far too slow and must not be drawn again.
    Slow,
}

/// A running show, with its decks and its director.
pub struct Show {
    pub(super) settings: ShowSettings,
    pub(super) director: Director,
    pub(super) rng: Rng,
    pub(super) now: f64,
    pub(super) steps: u64,
    pub(super) decks: Decks,
    pub(super) on_air_secs: f64,
    /// Whether the taste has already learnt from the preset since it went on air, or must not learn because the preset
    /// was at fault.
    pub(super) feedback_given: bool,
    pub(super) timing: Timing,
    pub(super) wanted: Option<CutRequest>,
    /// The deck on air if it is far too slow: a crossfade would draw it again.
    pub(super) slow_deck: Option<DeckId>,
    /// How long the target level has been too far from the one that a candidate was chosen for, in seconds.
    pub(super) off_level_secs: f64,
    pub(super) macro_driver: MacroDriver,
    pub(super) history: VecDeque<(PresetId, String)>,
    /// The history as snapshots show it.
    pub(super) history_view: Arc<[PlayedPreset]>,
    /// The marks and the theme. The taste, the adventure and the macros are those of the director and of the macro
    /// driver; see [`Self::memory()`].
    pub(super) memory: ShowMemory,
    /// The taste before the current library was loaded; keeps what was learnt about the styles of other libraries.
    taste_before: Arc<TasteState>,
    pub(super) changed: Changed,
    /// The presets whose marks have changed since the start of the show, oldest change first.
    pub(super) marked: Vec<PresetId>,
    /// Number of these changes that [`Self::changed_memory`] has returned.
    reported: usize,
    /// Undo steps for the performer's last marks, oldest first.
    pub(super) undo: VecDeque<UndoStep>,
    /// The last lesson that the taste learnt.
    pub(super) last_lesson: Option<Lesson>,
    pub(super) held: bool,
    /// How long the preset on air has been held, in seconds.
    pub(super) held_secs: f64,
    /// How long presets stay on air, as a multiple of the automatic duration.
    pub(super) dwell: f64,
    /// Delay of the audio input, in milliseconds.
    pub(super) input_delay_ms: f32,
    pub(super) auto: bool,
    pub(super) output_mode: OutputMode,
    pub(super) layers: LayerBoard,
    pub(super) message: Option<String>,
    pub(super) features: Features,
    /// Current time on the audio clock.
    pub(super) audio_now: Seconds,
    scene: Option<Scene>,
    log_entries: Vec<Entry>,
    /// Frames that are not in the log yet.
    frames: Vec<Frame>,
    pub(super) watch: PictureWatch,
    pub(super) unfit: Unfit,
    pub(super) resumption: Resumption,
    /// Number of consecutive decks dropped because they showed nothing after their first frames.
    pub(super) set_aside: u32,
    /// Frame rate passed to presets, in Hz.
    fps: f64,
    pub(super) dropped: DroppedSteps,
    pub(super) quality: Quality,
    /// Dropped steps that are not in the log yet.
    unlogged: DroppedSteps,
}

impl Show {
    /// Creates a show without memory; it starts with the first deck that becomes warm.
    pub fn new(settings: ShowSettings, library: Arc<Catalogue>) -> Self {
        Self::with_memory(settings, Arc::new(Pool::new(library)), ShowMemory::default())
    }

    /// Creates a show with a prepared library and the memory of earlier shows.
    pub fn with_memory(settings: ShowSettings, pool: Arc<Pool>, mut memory: ShowMemory) -> Self {
        let rng = Rng::new(settings.seed);
        // Without Auto, the macros do not follow the music either.
        let macros = MacroState { follow: memory.macros.follow && settings.auto, ..memory.macros };
        let taste_before = Arc::new(std::mem::take(&mut memory.taste));
        let taste = Taste::from_state(&taste_before, &pool.styles());
        let status = MarkedPresets::of(&memory, 0).status(&pool);
        Self {
            director: Director::with_status(pool, status, taste, memory.adventure),
            rng: rng.fork(CHOICE_RANDOMNESS),
            auto: settings.auto,
            fps: settings.fps,
            settings,
            now: 0.0,
            steps: 0,
            decks: Decks::default(),
            on_air_secs: 0.0,
            feedback_given: false,
            timing: Timing::default(),
            wanted: None,
            slow_deck: None,
            off_level_secs: 0.0,
            macro_driver: MacroDriver::new(macros, rng.fork(MACRO_RANDOMNESS)),
            history: VecDeque::new(),
            history_view: Arc::default(),
            taste_before,
            memory,
            changed: Changed::default(),
            marked: Vec::new(),
            reported: 0,
            undo: VecDeque::new(),
            last_lesson: None,
            held: false,
            held_secs: 0.0,
            dwell: 1.0,
            input_delay_ms: 0.0,
            output_mode: OutputMode::Open,
            layers: LayerBoard::new(rng.fork(LAYER_RANDOMNESS)),
            message: None,
            features: Features::default(),
            audio_now: Seconds::ZERO,
            scene: None,
            log_entries: Vec::new(),
            frames: Vec::new(),
            watch: PictureWatch::default(),
            unfit: Unfit::default(),
            resumption: Resumption::default(),
            set_aside: 0,
            dropped: DroppedSteps::default(),
            quality: Quality::FULL,
            unlogged: DroppedSteps::default(),
        }
    }

    /// Returns the theme of the night, as the performer described it.
    pub fn theme(&self) -> &str {
        &self.memory.theme
    }

    /// Switches to another library, or to new styles or another theme of the same one. The preset on air continues.
    /// What was learnt about styles carries over if the new library has the same or similar ones. If only the theme
    /// changes, presets that the performer requested stay in the queue.
    ///
    /// Returns what the show no longer needs. Freeing it may take longer than a frame.
    pub fn change_library(&mut self, next: impl Into<NextLibrary>) -> Box<dyn Send> {
        let NextLibrary { pool, event, prepared } = next.into();
        // A replay must take the same path, so the condition uses only what the log contains.
        let old: Box<dyn Send> = if self.director.pool.has_same_presets(&pool) {
            self.decks.discard_candidates();
            Box::new((std::mem::replace(&mut self.director.pool, pool), prepared))
        } else {
            self.replace_library(pool, prepared)
        };
        self.log(event);
        old
    }

    /// Returns the styles that the taste may already cover, for [`NextLibrary::prepare`].
    pub fn known_styles(&self) -> KnownStyles {
        KnownStyles { pool: self.director.pool.clone(), before: self.taste_before.clone() }
    }

    /// Switches to a library with other presets, and returns what the show no longer needs. Fast only if the switch was
    /// prepared for the styles that the show knows.
    fn replace_library(&mut self, pool: Arc<Pool>, prepared: Option<Box<Prepared>>) -> Box<dyn Send> {
        let learnt = self.learnt_taste();
        let prepared = prepared.filter(|prepared| prepared.suits(&learnt.known));
        let mut prepared = prepared.unwrap_or_else(|| {
            let marks = MarkedPresets::of(&self.memory, self.marked.len());
            Box::new(Prepared::new(&pool, learnt.known.clone(), &marks))
        });
        let state = learnt.state();
        let taste = prepared.taste(&pool, &learnt, &state);
        let status = std::mem::take(&mut prepared.status);
        let director = Director::with_status(pool, status, taste, self.director.adventure);
        let old = (
            std::mem::replace(&mut self.director, director),
            std::mem::replace(&mut self.taste_before, Arc::new(state)),
        );
        let marked_since: Vec<PresetId> = self.marked.iter().skip(prepared.changes).copied().collect();
        marked_since.into_iter().for_each(|id| self.update_status(id));
        for slot in std::mem::take(&mut self.decks.candidates) {
            self.decks.drop_slot(slot);
        }
        let shown = self.history.iter().rev().take(crate::mind::director::NO_REPEAT).map(|(id, _)| *id);
        let shown: Vec<PresetId> = shown.collect();
        self.forget_lessons();
        for id in shown.iter().rev() {
            if let Some(index) = self.director.pool.index_of(*id) {
                self.director.record_shown(index);
            }
        }
        let index = |id: PresetId| self.director.pool.index_of(id);
        let fade = self.decks.fade.as_mut().map(|fade| &mut fade.to);
        let kept =
            [&mut self.decks.front, &mut self.decks.previous, &mut self.decks.spare, &mut self.decks.safe];
        for slot in kept.into_iter().flatten().chain(fade) {
            slot.index = index(slot.id);
            slot.choice = None; // The choice refers to a cluster of the old library.
        }
        Box::new((old, learnt, prepared))
    }

    /// Advances the show by one step.
    pub fn step(&mut self, input: &StepInput) -> Step {
        self.now += input.dt;
        self.on_air_secs += input.dt;
        self.held_secs += if self.held { input.dt } else { 0.0 };
        self.sync_audio_clock(input);
        self.features = *input.features;
        self.log_scene_change();
        self.timing.observe(&self.features, input.dt);
        for arrived in input.arrived {
            self.arrive(arrived);
        }
        for failed in input.failed {
            self.fail(failed);
        }
        // The stage does not advance layers while the picture is frozen.
        if self.output_mode != OutputMode::Freeze {
            self.layers.advance(input.dt);
        }
        for command in input.commands {
            self.log(Event::Command { command: command.clone() });
            self.apply(command);
        }
        self.decks.advance(input.dt);
        self.watch_picture(input);
        self.refresh_candidates(input.dt);
        self.cut_if_due(input.dt);
        self.prepare();
        self.step_macros(input.dt);
        self.log_macros(input.dt);
        self.record(input);
        self.steps += 1;
        let (mut requests, cancelled, retired) = self.decks.take_requests();
        let forgiven = &self.director.pool.catalogue.forgiven;
        requests.iter_mut().for_each(|request| {
            let preset = &request.preset;
            request.admitted = self.memory.rescued.contains(preset) || forgiven.contains_key(preset);
        });
        Step { cue: self.cue(input), requests, cancelled, retired }
    }

    /// Sets the frame rate passed to presets, in Hz. No choice depends on it.
    pub fn set_fps(&mut self, fps: f64) {
        self.fps = fps;
    }

    /// Removes the layers with these IDs, which have ended on their own. No choice depends on layers.
    pub fn end_layers(&mut self, ended: impl Iterator<Item = u64>) {
        self.layers.end(ended);
    }

    /// Counts steps that were dropped before the next step.
    pub fn count_dropped(&mut self, steps: &DroppedSteps) {
        self.dropped.add(steps);
        self.unlogged.add(steps);
    }

    /// Records and logs a new picture quality. No choice depends on it.
    pub fn set_quality(&mut self, quality: Quality) {
        self.quality = quality;
        self.log(Event::Quality { quality });
    }

    /// Records that the computer was suspended for `secs` seconds, which do not count as show time.
    pub fn suspended(&mut self, secs: f64) {
        self.log(Event::Suspended { secs });
        self.count_dropped(&DroppedSteps { suspended: 1, ..DroppedSteps::default() });
        self.notify(format!(
            "the computer was suspended for {secs:.0} s; the show continues where it left off"
        ));
    }

    fn record(&mut self, input: &StepInput) {
        if !self.settings.record {
            return;
        }
        self.frames.push(Frame {
            dt: input.dt,
            features: *input.features,
            picture_stats: input.picture_stats,
        });
        if self.frames.len() >= setlog::FRAMES_PER_ENTRY {
            self.log_frames();
        }
    }

    /// Logs the dropped steps and the frames since the last entry; also called at the end of a show.
    pub fn log_frames(&mut self) {
        let steps = std::mem::take(&mut self.unlogged);
        if steps.total() > 0 {
            self.log(Event::Dropped { steps });
        }
        if !self.frames.is_empty() {
            let frames = Frames::of(&std::mem::take(&mut self.frames));
            self.log(Event::Frames(Box::new(frames)));
        }
    }

    /// Advances the macros; fusion may use a warm candidate as the second deck, or the previous deck unless its preset
    /// is banned or excluded.
    fn step_macros(&mut self, dt: f64) {
        let deck = |slot: &Slot| slot.deck;
        let fading = self.decks.fade.as_ref().map(|fade| fade.to.deck);
        let on_air: SmallVec<[DeckId; 2]> = self.decks.front.iter().map(deck).chain(fading).collect();
        let previous = self.decks.previous.iter().filter(|slot| self.may_be_shown(slot.id));
        let waiting = self.decks.candidates.iter().filter(|slot| slot.warm);
        let mut spare: SmallVec<[DeckId; 4]> = previous.chain(waiting).map(deck).collect();
        if !self.settings.second_deck {
            spare.clear();
        }
        let features = Features { at: self.audio_now, ..self.features };
        let rack = FusionDecks { on_air: &on_air, spare: &spare, fading: fading.is_some() };
        self.macro_driver.step(&features, &rack, dt);
    }

    /// Logs the macros as they act on the picture, once a second, if enabled.
    fn log_macros(&mut self, dt: f64) {
        let second = |secs: f64| secs.max(0.0) as u64;
        if self.settings.log_macros && (self.steps == 0 || second(self.now) != second(self.now - dt)) {
            self.log(Event::Macros { bank: self.macro_driver.bank() });
        }
    }

    /// Advances the audio clock by the frame time. Whenever new features arrive, corrects it towards their time:
    /// gradually, or at once if the error exceeds [`CLOCK_JUMP_SECS`].
    fn sync_audio_clock(&mut self, input: &StepInput) {
        self.audio_now = self.audio_now + Seconds(input.dt);
        if input.features.at == self.features.at {
            return;
        }
        let off = input.features.at - self.audio_now;
        let part = if off.0.abs() > CLOCK_JUMP_SECS { 1.0 } else { CLOCK_PULL };
        self.audio_now = self.audio_now + off * part;
    }

    /// Returns the position of the music, on the audio clock, that is heard in the room when this frame is displayed.
    pub(super) fn display_time(&self) -> Seconds {
        let input_delay_secs = f64::from(self.input_delay_ms) / 1000.0;
        self.audio_now + Seconds(self.settings.seen_after_secs + input_delay_secs)
    }

    fn log_scene_change(&mut self) {
        let scene = self.features.scene;
        if self.scene != Some(scene.scene) {
            self.scene = Some(scene.scene);
            self.log(Event::Scene { scene: scene.scene, probabilities: scene.probabilities });
        }
    }

    /// Returns whether a preset is on air.
    pub fn playing(&self) -> bool {
        self.decks.front.is_some()
    }

    /// Returns the preset on air or fading in, and its time on air in seconds.
    pub fn on_air(&self) -> Option<(PresetId, f64)> {
        let fading = self.decks.fade.as_ref().map(|fade| &fade.to);
        fading.or(self.decks.front.as_ref()).map(|slot| (slot.id, self.on_air_secs))
    }

    /// Returns the library that presets are chosen from.
    pub fn library(&self) -> &Arc<Catalogue> {
        &self.director.pool.catalogue
    }

    /// Returns the pool that the director chooses from, which contains the library.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.director.pool
    }

    /// Returns why a preset is excluded, if it is.
    pub(super) fn exclusion(&self, id: PresetId) -> Option<Exclusion> {
        self.memory.exclusion(&self.director.pool.rejected, id)
    }

    /// Returns whether a preset is neither banned nor excluded.
    pub(super) fn may_be_shown(&self, id: PresetId) -> bool {
        !self.memory.banned.contains(&id) && self.exclusion(id).is_none()
    }

    /// Returns the settings of the show.
    pub fn settings(&self) -> &ShowSettings {
        &self.settings
    }

    /// Returns the current memory of the show, for saving.
    pub fn memory(&self) -> ShowMemory {
        ShowMemory {
            taste: self.learnt_taste().state(),
            adventure: self.director.adventure,
            macros: *self.macro_driver.state(),
            ..self.memory.clone()
        }
    }

    fn learnt_taste(&self) -> LearntTaste {
        LearntTaste { taste: self.director.taste.clone(), known: self.known_styles() }
    }

    /// Returns the changes to the memory since the last call; `None` if there are none.
    pub fn changed_memory(&mut self) -> Option<MemoryChange> {
        let changed = std::mem::take(&mut self.changed);
        let mark_changes = self.marked.len();
        let reported = std::mem::replace(&mut self.reported, mark_changes);
        (changed != Changed::default() || reported < mark_changes).then(|| MemoryChange {
            adventure: self.director.adventure,
            macros: *self.macro_driver.state(),
            theme: self.memory.theme.clone(),
            marks: self.marked[reported..].iter().map(|id| (*id, self.memory.marks_of(*id))).collect(),
            mark_changes,
            taste: changed.taste.then(|| self.learnt_taste()),
        })
    }

    /// Takes the log entries added since the last call.
    pub fn take_log(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.log_entries)
    }

    pub(super) fn log(&mut self, event: Event) {
        // Keeps the log bounded if nobody collects it, dropping the oldest entries.
        if self.log_entries.len() >= MAX_LOG_ENTRIES {
            self.log_entries.drain(..MAX_LOG_ENTRIES / 2);
        }
        self.log_entries.push(Entry { at: self.now, step: self.steps, event });
    }

    /// Shows a message to the performer and logs it.
    pub(super) fn notify(&mut self, text: String) {
        self.log(Event::Message { text: text.clone() });
        self.message = Some(text);
    }

    pub(super) fn clock(&self, dt: f64) -> Clock {
        Clock {
            now: self.display_time(),
            frame_secs: dt.max(1e-3),
            on_air_secs: self.on_air_secs,
            dwell: self.dwell,
        }
    }

    pub(super) fn remember_shown(&mut self, slot: &Slot) {
        self.history.push_back((slot.id, slot.name.clone()));
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        self.update_history_view();
    }

    fn cue(&self, input: &StepInput) -> Cue {
        let on_air = |slot: &Slot| OnAirDeck { deck: slot.deck, modulation: self.macro_driver.modulation() };
        Cue {
            dt: input.dt,
            fps: self.fps,
            audio: input.audio.clone(),
            front: self.decks.front.as_ref().map(on_air),
            fade: self.decks.fade.as_ref().map(|fade| Fade {
                to: on_air(&fade.to),
                progress: fade.progress(),
                style: fade.style,
            }),
            second: self.macro_driver.second(),
            post: self.macro_driver.post(),
            layers: self.layers.on_air().to_vec(),
            output_mode: self.output_mode,
        }
    }
}
