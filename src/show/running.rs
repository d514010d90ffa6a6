//! The show's state and its one step.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::Command;
use super::snapshot::{Playing, Snapshot, Upcoming};
use super::warm::{PrepareTimes, Wish};
use crate::analysis::Features;
use crate::library::{Catalogue, Entry, PresetId};
use crate::milk::{Heard, Hooks};
use crate::stage::{Airing, Cue, DeckId, Fade, FadeStyle, Veil};
use crate::units::{Rng, Unipolar};

/// Candidates kept warm for the next cut.
const WARM_CANDIDATES: usize = 2;
/// Presets not shown again after they were shown.
const NO_REPEAT: usize = 40;
/// How long a preset stays when nothing asks for another, seconds.
const DWELL_SECS: f64 = 20.0;
/// Shortest and longest crossfade, seconds: the calmer the music, the longer.
const FADE_SECS: (f64, f64) = (0.8, 3.5);
/// Names kept in the history.
const HISTORY: usize = 200;

/// How a show runs.
#[derive(Clone, Copy, Debug)]
pub struct ShowSettings {
    /// Decides every choice.
    pub seed: u64,
    /// Choose presets without being asked.
    pub auto: bool,
    /// Frames a second the show aims at.
    pub fps: f64,
    /// Frames a deck draws before it may be cut to.
    pub warm_frames: u32,
}

/// What one step needs to know.
pub struct StepInput<'a> {
    /// Seconds since the last step.
    pub dt: f64,
    /// What presets hear.
    pub heard: &'a Heard,
    /// What the house knows about the music.
    pub features: &'a Features,
    /// What the performer asked for, oldest first.
    pub commands: &'a [Command],
    /// Decks that arrived on the rack since the last step.
    pub arrived: &'a [Arrived],
    /// Decks that could not be made ready, and why.
    pub failed: &'a [(DeckId, String)],
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

/// What one step asks for.
pub struct Step {
    /// For the stage.
    pub cue: Cue,
    /// Decks to make ready.
    pub wishes: Vec<Wish>,
    /// Decks to take off the rack.
    pub retired: Vec<DeckId>,
}

/// One preset on one deck.
#[derive(Clone, Debug)]
struct Slot {
    deck: DeckId,
    preset: usize,
    warm: bool,
    problems: Vec<String>,
    reason: String,
    took: PrepareTimes,
}

struct Crossfade {
    to: Slot,
    done_secs: f64,
    over_secs: f64,
    style: FadeStyle,
}

/// A running show.
pub struct Show {
    settings: ShowSettings,
    library: Arc<Catalogue>,
    rng: Rng,
    now: f64,
    next_deck: u64,
    front: Option<Slot>,
    on_air_secs: f64,
    fade: Option<Crossfade>,
    /// The deck shown before, still on the rack for Back.
    behind: Option<Slot>,
    candidates: Vec<Slot>,
    /// Presets in the order they will be drawn from.
    bag: VecDeque<usize>,
    recent: VecDeque<usize>,
    broken: BTreeSet<usize>,
    favourites: BTreeSet<usize>,
    cut_wanted: bool,
    held: bool,
    auto: bool,
    macros: [Unipolar; 8],
    adventure: Unipolar,
    veil: Veil,
    message: Option<String>,
    retired: Vec<DeckId>,
    features: Features,
}

impl Show {
    /// A show over `library`; it starts with whatever becomes warm first.
    pub fn new(settings: ShowSettings, library: Arc<Catalogue>) -> Self {
        Self {
            rng: Rng::new(settings.seed),
            auto: settings.auto,
            settings,
            library,
            now: 0.0,
            next_deck: 0,
            front: None,
            on_air_secs: 0.0,
            fade: None,
            behind: None,
            candidates: Vec::new(),
            bag: VecDeque::new(),
            recent: VecDeque::new(),
            broken: BTreeSet::new(),
            favourites: BTreeSet::new(),
            cut_wanted: false,
            held: false,
            macros: [Unipolar::HALF; 8],
            adventure: Unipolar::HALF,
            veil: Veil::Open,
            message: None,
            retired: Vec::new(),
            features: Features::default(),
        }
    }

    /// One frame of the show.
    pub fn step(&mut self, input: &StepInput) -> Step {
        self.now += input.dt;
        self.on_air_secs += input.dt;
        self.features = *input.features;
        for arrived in input.arrived {
            self.arrive(arrived);
        }
        for (deck, why) in input.failed {
            self.fail(*deck, why);
        }
        for command in input.commands {
            self.obey(command);
        }
        self.advance_fade(input.dt);
        let dwelt = self.on_air_secs >= DWELL_SECS;
        if self.fade.is_none()
            && (self.cut_wanted || self.front.is_none() || (self.auto && !self.held && dwelt))
        {
            self.cut();
        }
        let wishes = self.wish();
        Step { cue: self.cue(input), wishes, retired: std::mem::take(&mut self.retired) }
    }

    fn entry(&self, preset: usize) -> &Entry {
        &self.library.entries[preset]
    }

    /// Whether a preset is on air.
    pub fn playing(&self) -> bool {
        self.front.is_some()
    }

    /// What the desk shows.
    pub fn snapshot(&self) -> Snapshot {
        let shown = self.fade.as_ref().map(|fade| &fade.to).or(self.front.as_ref());
        Snapshot {
            now: self.now,
            playing: shown.map(|slot| Playing {
                id: self.entry(slot.preset).id,
                name: self.entry(slot.preset).name.clone(),
                for_secs: self.on_air_secs,
                favourite: self.favourites.contains(&slot.preset),
                problems: slot.problems.clone(),
                reason: slot.reason.clone(),
                took: slot.took,
            }),
            up_next: self.candidates.iter().map(|slot| self.upcoming(slot)).collect(),
            history: self.recent.iter().rev().map(|&preset| self.entry(preset).name.clone()).collect(),
            auto: self.auto,
            held: self.held,
            macros: self.macros,
            adventure: self.adventure,
            veil: self.veil,
            fade: self.fade.as_ref().map(Crossfade::progress),
            features: self.features,
            message: self.message.clone(),
        }
    }

    fn upcoming(&self, slot: &Slot) -> Upcoming {
        let entry = self.entry(slot.preset);
        Upcoming { id: entry.id, name: entry.name.clone(), warm: slot.warm, reason: slot.reason.clone() }
    }

    fn obey(&mut self, command: &Command) {
        match command {
            Command::Next => {
                self.cut_wanted = true;
                self.finish_fade();
            }
            Command::Back => self.go_back(),
            Command::Hold => self.held = !self.held,
            Command::Auto => self.auto = !self.auto,
            Command::Favourite => self.toggle_favourite(),
            Command::Blackout => self.veil = toggled(self.veil, Veil::Blackout),
            Command::Freeze => self.veil = toggled(self.veil, Veil::Freeze),
            Command::PlayNow(preset) => self.play_now(*preset),
            Command::Veto(preset) => self.veto(*preset),
            Command::Adventure(value) => self.adventure = *value,
            Command::Macro { control, value } => self.macros[*control as usize] = *value,
            Command::Ban | Command::Panic | Command::FavouritePreset(_) | Command::BanPreset(_) => {} // The director's.
            Command::MacroPreset(_) | Command::Profile(_) | Command::MacroAi | Command::MidiLock(_) => {} // The macros'.
            Command::TapTempo
            | Command::Resync
            | Command::HalfTempo
            | Command::DoubleTempo
            | Command::SetTempo(_) => {} // The listener's.
        }
    }

    fn toggle_favourite(&mut self) {
        let shown = self.fade.as_ref().map(|fade| &fade.to).or(self.front.as_ref());
        let Some(preset) = shown.map(|slot| slot.preset) else { return };
        if !self.favourites.remove(&preset) {
            self.favourites.insert(preset);
        }
    }

    /// The deck shown before comes back as it is, and the one on air takes its place.
    fn go_back(&mut self) {
        self.finish_fade();
        let Some(slot) = self.behind.take() else {
            self.message = Some("there is nothing to go back to yet".into());
            return;
        };
        self.start_fade(slot, FADE_SECS.0);
    }

    fn place(&mut self, id: PresetId) -> Option<usize> {
        let place = self.library.entries.iter().position(|entry| entry.id == id);
        if place.is_none() {
            self.message = Some(format!("preset {id} is not in this library"));
        }
        place
    }

    fn play_now(&mut self, id: PresetId) {
        let Some(preset) = self.place(id) else { return };
        self.cut_wanted = true;
        if let Some(at) = self.candidates.iter().position(|slot| slot.preset == preset) {
            let slot = self.candidates.remove(at);
            self.candidates.insert(0, slot);
        } else {
            // It becomes the only candidate, so that it is the next one to be cut to.
            let others = std::mem::take(&mut self.candidates);
            self.retired.extend(others.iter().map(|slot| slot.deck));
            self.bag.push_front(preset);
        }
    }

    fn veto(&mut self, id: PresetId) {
        let Some(preset) = self.place(id) else { return };
        let (out, kept) = std::mem::take(&mut self.candidates).into_iter().partition(|s| s.preset == preset);
        self.candidates = kept;
        let out: Vec<Slot> = out;
        self.retired.extend(out.iter().map(|slot| slot.deck));
    }

    fn arrive(&mut self, arrived: &Arrived) {
        match self.candidates.iter_mut().find(|slot| slot.deck == arrived.deck) {
            Some(slot) => {
                slot.warm = true;
                slot.problems.clone_from(&arrived.problems);
                slot.took = arrived.took;
            }
            // Nobody waits for it any more.
            None => self.retired.push(arrived.deck),
        }
    }

    /// A wish that could not be taken on: it is made again at the next step, without blame.
    pub fn give_up(&mut self, deck: DeckId) {
        self.candidates.retain(|slot| slot.deck != deck);
    }

    fn fail(&mut self, deck: DeckId, why: &str) {
        let Some(at) = self.candidates.iter().position(|slot| slot.deck == deck) else { return };
        let slot = self.candidates.remove(at);
        self.broken.insert(slot.preset);
        let name = &self.entry(slot.preset).name;
        let message = format!("{name} cannot be played ({why}); it is left out of this show");
        self.message = Some(message);
    }

    /// Cuts to the first warm candidate; waits if there is none.
    fn cut(&mut self) {
        let Some(at) = self.candidates.iter().position(|slot| slot.warm) else { return };
        let slot = self.candidates.remove(at);
        self.cut_wanted = false;
        let (quick, slow) = FADE_SECS;
        let calm = 1.0 - f64::from(self.features.energy_fast.get());
        self.start_fade(slot, quick + (slow - quick) * calm);
    }

    fn start_fade(&mut self, to: Slot, over_secs: f64) {
        self.remember(to.preset);
        self.on_air_secs = 0.0;
        if self.front.is_none() {
            self.front = Some(to);
            return;
        }
        let style = match self.rng.below(4) {
            0 => FadeStyle::Luma,
            1 => FadeStyle::Zoom,
            2 => FadeStyle::Radial,
            _ => FadeStyle::Mix,
        };
        self.fade = Some(Crossfade { to, done_secs: 0.0, over_secs, style });
    }

    fn advance_fade(&mut self, dt: f64) {
        let Some(fade) = &mut self.fade else { return };
        fade.done_secs += dt;
        if fade.done_secs >= fade.over_secs {
            self.finish_fade();
        }
    }

    fn finish_fade(&mut self) {
        let Some(fade) = self.fade.take() else { return };
        let left = self.front.replace(fade.to);
        if let Some(dropped) = std::mem::replace(&mut self.behind, left) {
            self.retired.push(dropped.deck);
        }
    }

    fn remember(&mut self, preset: usize) {
        self.recent.push_back(preset);
        if self.recent.len() > HISTORY {
            self.recent.pop_front();
        }
    }

    /// Keeps enough candidates on their way.
    fn wish(&mut self) -> Vec<Wish> {
        let mut wishes = Vec::new();
        while self.candidates.len() < WARM_CANDIDATES {
            let Some(preset) = self.draw() else { break };
            let deck = DeckId(self.next_deck);
            self.next_deck += 1;
            let reason = "next in a shuffled round of the library".to_owned();
            self.candidates.push(Slot {
                deck,
                preset,
                warm: false,
                problems: Vec::new(),
                reason,
                took: PrepareTimes::default(),
            });
            wishes.push(Wish {
                deck,
                source: self.entry(preset).source.clone(),
                seed: self.settings.seed ^ deck.0.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                warm_frames: self.settings.warm_frames,
            });
        }
        wishes
    }

    /// The next preset of a shuffled round; a library too small for the rule repeats earlier.
    fn draw(&mut self) -> Option<usize> {
        let usable = self.library.entries.len() - self.broken.len();
        let keep_apart = NO_REPEAT.min(usable.saturating_sub(WARM_CANDIDATES + 1));
        for _ in 0..self.library.entries.len() * 2 {
            if self.bag.is_empty() {
                let mut round: Vec<usize> = (0..self.library.entries.len()).collect();
                self.rng.shuffle(&mut round);
                self.bag.extend(round);
            }
            let preset = self.bag.pop_front()?;
            let waiting = self.candidates.iter().any(|slot| slot.preset == preset);
            let shown = self.recent.iter().rev().take(keep_apart).any(|&recent| recent == preset);
            if !waiting && !shown && !self.broken.contains(&preset) {
                return Some(preset);
            }
        }
        None
    }

    fn cue(&self, input: &StepInput) -> Cue {
        let airing = |slot: &Slot| Airing { deck: slot.deck, hooks: Hooks::default() };
        Cue {
            dt: input.dt,
            fps: self.settings.fps,
            heard: input.heard.clone(),
            front: self.front.as_ref().map(airing),
            fade: self.fade.as_ref().map(|fade| Fade {
                to: airing(&fade.to),
                progress: fade.progress(),
                style: fade.style,
            }),
            veil: self.veil,
        }
    }
}

impl Crossfade {
    fn progress(&self) -> Unipolar {
        Unipolar::new((self.done_secs / self.over_secs.max(1e-3)) as f32)
    }
}

fn toggled(now: Veil, wanted: Veil) -> Veil {
    if now == wanted { Veil::Open } else { wanted }
}
