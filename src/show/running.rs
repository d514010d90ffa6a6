//! The show's state and its one step.
//!
//! What is asked for is in `obey`, what comes next and when in `choosing`, the decks themselves in `decks`.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::decks::{Decks, Slot};
use super::macro_driver::{FusionDecks, MacroDriver};
use super::memory::ShowMemory;
use super::picture_watch::VisualWatch;
use super::setlog::{self, Entry, Event, Frame, Frames};
use super::warm::{DeckRequest, PrepareTimes};
use crate::analysis::{Features, Scene};
use crate::library::{BanKind, Catalogue, PresetId};
use crate::milk::PresetAudio;
use crate::mind::director::{Clock, Director, Pool, Timing};
use crate::mind::macros::MacroState;
use crate::mind::taste::Taste;
use crate::stage::{Cue, DeckId, Fade, OnAirDeck, OutputMode, PictureStats};
use crate::units::{Rng, Seconds};

/// Presets kept in the history.
const HISTORY: usize = 200;
/// Lines of the set log kept for whoever collects them.
const KEPT_LINES: usize = 10_000;
/// An audio clock this far off starts anew, seconds.
const CLOCK_JUMP_SECS: f64 = 0.05;
/// Share of a smaller error that is taken away with each frame.
const CLOCK_PULL: f64 = 0.05;
/// Names the director's own random stream.
const CHOICE_RANDOMNESS: u64 = 2;
/// Names the macros' own random stream.
const MACRO_RANDOMNESS: u64 = 1;

/// How a show runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShowSettings {
    /// Decides every choice.
    pub seed: u64,
    /// Choose presets without being asked.
    pub auto: bool,
    /// Frames a second the show aims at.
    pub fps: f64,
    /// Frames a deck draws before it may be cut to.
    pub warm_frames: u32,
    /// Keep a safe picture ready for Panic.
    pub refuge: bool,
    /// Fusion may run a second deck; too much for a processor that draws by itself.
    pub second_deck: bool,
    /// How long after the newest sound a frame is seen, seconds: a cut is placed by when it is seen. Below 0 where a
    /// frame is drawn once all of its sound is there.
    pub seen_after_secs: f64,
    /// Keep what goes into every frame in the set log, so that it can be played again.
    pub record: bool,
}

impl Default for ShowSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            auto: true,
            fps: 60.0,
            warm_frames: 12,
            refuge: true,
            second_deck: true,
            seen_after_secs: 0.0,
            record: false,
        }
    }
}

/// What one step needs to know.
pub struct StepInput<'a> {
    /// Seconds since the last step.
    pub dt: f64,
    /// What presets hear.
    pub heard: &'a PresetAudio,
    /// What the house knows about the music.
    pub features: &'a Features,
    /// What the performer asked for, oldest first.
    pub commands: &'a [super::Command],
    /// Decks that arrived on the rack since the last step.
    pub arrived: &'a [Arrived],
    /// Decks that could not be made ready, and why.
    pub failed: &'a [Failed],
    /// What a new look at the picture told, if there is one.
    pub picture_stats: Option<PictureStats>,
}

/// A deck that arrived on the rack.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Which deck.
    pub deck: DeckId,
    /// Parts of its preset that do not work, in words.
    pub problems: Vec<String>,
    /// How long making it ready took.
    pub took: PrepareTimes,
}

/// A deck that could not be made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Which deck.
    pub deck: DeckId,
    /// How long its preset is left out.
    pub kind: BanKind,
    /// Why, in words.
    pub why: String,
}

/// What one step asks for.
pub struct Step {
    /// For the stage.
    pub cue: Cue,
    /// Decks to make ready.
    pub requests: Vec<DeckRequest>,
    /// Decks to take off the rack.
    pub retired: Vec<DeckId>,
}

/// What the performer's hand asked for and no warm deck could answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The next preset, whichever.
    Next,
    /// This one.
    Preset(PresetId),
    /// Safety.
    Refuge,
}

/// A running show.
pub struct Show {
    pub(super) settings: ShowSettings,
    pub(super) director: Director,
    pub(super) rng: Rng,
    pub(super) now: f64,
    pub(super) steps: u64,
    pub(super) decks: Decks,
    pub(super) on_air_secs: f64,
    /// The taste has learnt from this showing already.
    pub(super) spoken: bool,
    pub(super) timing: Timing,
    pub(super) wanted: Option<Wanted>,
    /// Seconds for which the energy has not been what the candidates were chosen for.
    pub(super) off_level_secs: f64,
    pub(super) hands: MacroDriver,
    pub(super) history: VecDeque<(PresetId, String)>,
    pub(super) memory: ShowMemory,
    pub(super) memory_changed: bool,
    pub(super) held: bool,
    /// How long presets stay, as a multiple of what suits the music.
    pub(super) dwell: f64,
    pub(super) auto: bool,
    pub(super) veil: OutputMode,
    pub(super) message: Option<String>,
    pub(super) features: Features,
    /// The audio clock at this step.
    pub(super) heard_now: Seconds,
    scene: Option<Scene>,
    lines: Vec<Entry>,
    /// Frames that are not in the log yet.
    frames: Vec<Frame>,
    pub(super) watch: VisualWatch,
}

impl Show {
    /// A show over `library` that remembers nothing; it starts with whatever becomes warm first.
    pub fn new(settings: ShowSettings, library: Arc<Catalogue>) -> Self {
        Self::remembering(settings, Arc::new(Pool::new(library)), ShowMemory::default())
    }

    /// A show over a library that was made ready before, with what was remembered from earlier nights.
    pub fn remembering(settings: ShowSettings, pool: Arc<Pool>, memory: ShowMemory) -> Self {
        let rng = Rng::new(settings.seed);
        // A show that is not left to itself does not move the macros by itself either.
        let macros = MacroState { follow: memory.macros.follow && settings.auto, ..memory.macros };
        Self {
            director: director(pool, &memory),
            rng: rng.fork(CHOICE_RANDOMNESS),
            auto: settings.auto,
            settings,
            now: 0.0,
            steps: 0,
            decks: Decks::default(),
            on_air_secs: 0.0,
            spoken: false,
            timing: Timing::default(),
            wanted: None,
            off_level_secs: 0.0,
            hands: MacroDriver::new(macros, rng.fork(MACRO_RANDOMNESS)),
            history: VecDeque::new(),
            memory,
            memory_changed: false,
            held: false,
            dwell: 1.0,
            veil: OutputMode::Open,
            message: None,
            features: Features::default(),
            heard_now: Seconds::ZERO,
            scene: None,
            lines: Vec::new(),
            frames: Vec::new(),
            watch: VisualWatch::default(),
        }
    }

    /// Goes on with another library, or the same one with new styles; what is on air stays. The taste moves along with
    /// the styles it knows.
    pub fn change_library(&mut self, pool: Arc<Pool>) {
        self.memory = self.memory();
        for slot in std::mem::take(&mut self.decks.candidates) {
            self.decks.drop_slot(slot);
        }
        let shown = self.history.iter().rev().take(crate::mind::director::NO_REPEAT).map(|(id, _)| *id);
        let shown: Vec<PresetId> = shown.collect();
        self.director = director(pool, &self.memory);
        for id in shown.iter().rev() {
            if let Some(place) = self.director.pool.place(*id) {
                self.director.shown(place);
            }
        }
        let place = |id: PresetId| self.director.pool.place(id);
        let fade = self.decks.fade.as_mut().map(|fade| &mut fade.to);
        let kept =
            [&mut self.decks.front, &mut self.decks.behind, &mut self.decks.spare, &mut self.decks.refuge];
        for slot in kept.into_iter().flatten().chain(fade) {
            slot.place = place(slot.id);
            slot.choice = None; // Its cluster was one of the old library.
        }
        let affinities = self.director.pool.affinities().to_vec();
        let library = self.library();
        let (library, presets) = (setlog::identity(library), library.entries.len());
        self.log(Event::Library { library, presets, affinities });
    }

    /// One frame of the show.
    pub fn step(&mut self, input: &StepInput) -> Step {
        self.now += input.dt;
        self.on_air_secs += input.dt;
        self.follow_sound(input);
        self.features = *input.features;
        self.hear_scene();
        self.timing.hear(&self.features, input.dt);
        for arrived in input.arrived {
            self.arrive(arrived);
        }
        for failed in input.failed {
            self.fail(failed);
        }
        for command in input.commands {
            self.log(Event::Command { command: command.clone() });
            self.obey(command);
        }
        self.decks.advance(input.dt);
        self.look(input);
        self.refresh(input.dt);
        self.change(input.dt);
        self.prepare();
        self.move_hands(input.dt);
        self.record(input);
        self.steps += 1;
        let (mut requests, retired) = self.decks.take_orders();
        requests
            .iter_mut()
            .for_each(|request| request.rescued = self.memory.rescued.contains(&request.preset));
        Step { cue: self.cue(input), requests, retired }
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
        if self.frames.len() >= setlog::TOGETHER {
            let frames = Frames::of(&std::mem::take(&mut self.frames));
            self.log(Event::Frames(Box::new(frames)));
        }
    }

    /// The macros move on; fusion may lay in the deck shown before, or one that waits.
    fn move_hands(&mut self, dt: f64) {
        let deck = |slot: &Slot| slot.deck;
        let fading = self.decks.fade.as_ref().map(|fade| fade.to.deck);
        let on_air: SmallVec<[DeckId; 2]> = self.decks.front.iter().map(deck).chain(fading).collect();
        let waiting = self.decks.candidates.iter().filter(|slot| slot.warm);
        let mut spare: SmallVec<[DeckId; 4]> = self.decks.behind.iter().chain(waiting).map(deck).collect();
        if !self.settings.second_deck {
            spare.clear();
        }
        let features = Features { at: self.heard_now, ..self.features };
        let rack = FusionDecks { on_air: &on_air, spare: &spare, fading: fading.is_some() };
        self.hands.step(&features, &rack, dt);
    }

    /// The audio clock runs on with the frames and is drawn gently towards the moments that features tell, which come
    /// in hops; after a jump it starts anew.
    fn follow_sound(&mut self, input: &StepInput) {
        self.heard_now = self.heard_now + Seconds(input.dt);
        if input.features.at == self.features.at {
            return;
        }
        let off = input.features.at - self.heard_now;
        let part = if off.0.abs() > CLOCK_JUMP_SECS { 1.0 } else { CLOCK_PULL };
        self.heard_now = self.heard_now + off * part;
    }

    /// The moment on the audio clock at which this frame is seen.
    pub(super) fn seen_at(&self) -> Seconds {
        self.heard_now + Seconds(self.settings.seen_after_secs)
    }

    fn hear_scene(&mut self) {
        let scene = self.features.scene;
        if self.scene != Some(scene.scene) {
            self.scene = Some(scene.scene);
            self.log(Event::Scene { scene: scene.scene, probabilities: scene.probabilities });
        }
    }

    /// Whether a preset is on air.
    pub fn playing(&self) -> bool {
        self.decks.front.is_some()
    }

    /// What is on air or fading in, and for how many seconds.
    pub fn on_air(&self) -> Option<(PresetId, f64)> {
        let fading = self.decks.fade.as_ref().map(|fade| &fade.to);
        fading.or(self.decks.front.as_ref()).map(|slot| (slot.id, self.on_air_secs))
    }

    /// The library that is chosen from.
    pub fn library(&self) -> &Arc<Catalogue> {
        &self.director.pool.catalogue
    }

    /// The same, made ready to be chosen from.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.director.pool
    }

    /// How the show was asked to run.
    pub fn settings(&self) -> &ShowSettings {
        &self.settings
    }

    /// What should be remembered, as it is now.
    pub fn memory(&self) -> ShowMemory {
        let styles = self.director.pool.styles();
        ShowMemory {
            taste: self.director.taste.state(&styles).keeping(&self.memory.taste, &styles),
            adventure: self.director.adventure,
            macros: *self.hands.state(),
            ..self.memory.clone()
        }
    }

    /// What should be remembered, when it has changed since the last call.
    pub fn changed_memory(&mut self) -> Option<ShowMemory> {
        std::mem::take(&mut self.memory_changed).then(|| self.memory())
    }

    /// The lines of the set log since the last call.
    pub fn take_log(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.lines)
    }

    pub(super) fn log(&mut self, event: Event) {
        // A show whose log nobody collects must not grow; the oldest lines go.
        if self.lines.len() >= KEPT_LINES {
            self.lines.drain(..KEPT_LINES / 2);
        }
        self.lines.push(Entry { at: self.now, step: self.steps, event });
    }

    /// Tells the performer something.
    pub(super) fn say(&mut self, text: String) {
        self.log(Event::Message { text: text.clone() });
        self.message = Some(text);
    }

    pub(super) fn clock(&self, dt: f64) -> Clock {
        Clock {
            now: self.seen_at(),
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
    }

    fn cue(&self, input: &StepInput) -> Cue {
        let on_air = |slot: &Slot| OnAirDeck { deck: slot.deck, modulation: self.hands.modulation() };
        Cue {
            dt: input.dt,
            fps: self.settings.fps,
            audio: input.heard.clone(),
            front: self.decks.front.as_ref().map(on_air),
            fade: self.decks.fade.as_ref().map(|fade| Fade {
                to: on_air(&fade.to),
                progress: fade.progress(),
                style: fade.style,
            }),
            second: self.hands.second(),
            post: self.hands.post(),
            output_mode: self.veil,
        }
    }
}

/// A director over a library who remembers.
fn director(pool: Arc<Pool>, memory: &ShowMemory) -> Director {
    let taste = Taste::from_state(&memory.taste, &pool.styles());
    let mut director = Director::new(pool, taste);
    let places = |id: &PresetId| director.pool.place(*id);
    let favourites: Vec<u32> = memory.favourites.iter().filter_map(places).collect();
    let banned: Vec<u32> = memory.banned.iter().filter_map(places).collect();
    let broken: Vec<u32> = memory.left_out.keys().filter_map(places).collect();
    favourites.into_iter().for_each(|preset| director.standing.set_favourite(preset, true));
    banned.into_iter().for_each(|preset| director.standing.set_banned(preset, true));
    broken.into_iter().for_each(|preset| director.standing.set_broken(preset, true));
    director.adventure = memory.adventure;
    director
}
