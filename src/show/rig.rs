//! Show, warmer and stage bolted together: the one frame every client runs.

use std::sync::Arc;

use super::warm::{DeckError, Warmer};
use super::{Arrived, Command, Failed, Show, Step, StepInput};
use crate::analysis::Features;
use crate::handoff::Latest;
use crate::library::BanKind;
use crate::milk::{PresetAudio, PresetAudioAnalyser};
use crate::stage::{PictureStats, Stage};

/// Frames between two glances at the picture, where the stage takes any.
const PICTURE_STATS_EVERY: u64 = 6;

/// What goes into one frame.
pub struct RigFrame<'a> {
    /// Seconds since the last frame.
    pub dt: f64,
    /// Stereo sound that arrived since the last frame, 44.1 kHz.
    pub sound: &'a [[f32; 2]],
    /// What the house knows about the music.
    pub features: &'a Features,
    /// What the performer asked for.
    pub commands: &'a [Command],
}

/// A show with its hands on a stage.
pub struct Rig {
    /// The show.
    pub show: Show,
    /// The stage.
    pub stage: Stage,
    warmer: Warmer,
    ear: PresetAudioAnalyser,
    heard: Latest<PresetAudio>,
    /// Memory for the sound of the next frame.
    spare: Arc<PresetAudio>,
    frames: u64,
    picture_stats: Option<PictureStats>,
}

impl Rig {
    /// Bolts the parts together; `heard` is what warm-up frames listen to.
    pub fn new(show: Show, stage: Stage, warmer: Warmer, heard: Latest<PresetAudio>) -> Self {
        let spare = Arc::default();
        Self {
            show,
            stage,
            warmer,
            ear: PresetAudioAnalyser::new(),
            heard,
            spare,
            frames: 0,
            picture_stats: None,
        }
    }

    /// One frame: hear, collect warm decks, step the show, draw, ask for what it wishes.
    pub fn frame(&mut self, input: &RigFrame) {
        let heard = self.ear.update(input.sound, input.dt).clone();
        self.publish(&heard);
        let step = self.step(input, &heard);
        self.stage.draw(&step.cue);
        if self.frames.is_multiple_of(PICTURE_STATS_EVERY) {
            self.picture_stats = self.stage.picture_stats();
        }
        self.frames += 1;
        for deck in step.retired {
            self.stage.retire(deck);
        }
        for request in step.requests {
            let deck = request.deck;
            if !self.warmer.ask(request) {
                self.show.give_up(deck);
            }
        }
    }

    /// What presets hear in this frame.
    pub fn heard(&self) -> Arc<PresetAudio> {
        self.heard.read()
    }

    /// Allocates only while a warm-up still reads what the frame before last heard.
    fn publish(&mut self, heard: &PresetAudio) {
        match Arc::get_mut(&mut self.spare) {
            Some(spare) => spare.clone_from(heard),
            None => self.spare = Arc::new(heard.clone()),
        }
        self.spare = self.heard.swap(self.spare.clone());
    }

    /// Lets a show that makes decks ready in place do so before its first frame, so that it does not start black.
    /// No time passes and nothing is drawn.
    pub fn settle(&mut self) {
        let still = RigFrame { dt: 0.0, sound: &[], features: &Features::default(), commands: &[] };
        for request in self.step(&still, &PresetAudio::default()).requests {
            let deck = request.deck;
            if !self.warmer.ask(request) {
                self.show.give_up(deck);
            }
        }
    }

    fn step(&mut self, input: &RigFrame, heard: &PresetAudio) -> Step {
        let mut arrived: Vec<Arrived> = Vec::new();
        let mut failed: Vec<Failed> = Vec::new();
        while let Some(arrival) = self.warmer.collect() {
            match arrival.result {
                Ok(deck) => {
                    let problems = deck.problems();
                    self.stage.add(arrival.deck, deck);
                    arrived.push(Arrived { deck: arrival.deck, problems, took: arrival.took });
                }
                Err(DeckError::Unplayable(why)) => {
                    failed.push(Failed { deck: arrival.deck, kind: BanKind::Soft, why });
                }
                Err(DeckError::Excluded(why)) => {
                    failed.push(Failed { deck: arrival.deck, kind: BanKind::Quality, why });
                }
                Err(DeckError::Temporary(why)) => {
                    log::warn!("a preset could not be looked at: {why}; another one is chosen");
                    self.show.give_up(arrival.deck);
                }
            }
        }
        self.show.step(&StepInput {
            dt: input.dt,
            heard,
            features: input.features,
            commands: input.commands,
            arrived: &arrived,
            failed: &failed,
            picture_stats: self.picture_stats.take(),
        })
    }
}
