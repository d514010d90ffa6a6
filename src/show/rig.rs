//! Show, warmer and stage combined: the one frame function that every client runs.

use std::sync::Arc;

use super::warm::{DeckError, DeckRequest, Warmer};
use super::{Arrived, Command, Failed, Show, Step, StepInput};
use crate::analysis::Features;
use crate::handoff::Latest;
use crate::library::BanKind;
use crate::milk::{PresetAudio, PresetAudioAnalyser};
use crate::stage::{Cue, OutputMode, PictureStats, Stage};

/// Frames between two measurements of the picture.
const PICTURE_STATS_EVERY: u64 = 6;
/// How long a blackout is drawn, seconds, until nothing changes any more: the flash limiter may fade to black.
const BLACKOUT_SECS: f64 = 1.5;

/// The inputs of one frame.
pub struct RigFrame<'a> {
    /// Seconds since the last frame.
    pub dt: f64,
    /// Stereo samples since the last frame, 44.1 kHz.
    pub sound: &'a [[f32; 2]],
    /// The current analysis of the music.
    pub features: &'a Features,
    /// The performer's commands, oldest first.
    pub commands: &'a [Command],
}

/// A show with its stage and warmer.
pub struct Rig {
    /// The show.
    pub show: Show,
    /// The stage.
    pub stage: Stage,
    warmer: Warmer,
    analyser: PresetAudioAnalyser,
    audio: Latest<PresetAudio>,
    /// Buffer for the audio of the next frame.
    spare: Arc<PresetAudio>,
    frames: u64,
    picture_stats: Option<PictureStats>,
    /// Seconds of the current blackout drawn so far.
    black_secs: f64,
    /// Decks requested and not yet collected.
    pending: usize,
}

impl Rig {
    /// Combines the parts; `audio` receives the audio of each frame for warm-up.
    pub fn new(show: Show, stage: Stage, warmer: Warmer, audio: Latest<PresetAudio>) -> Self {
        let spare = Arc::default();
        Self {
            show,
            stage,
            warmer,
            analyser: PresetAudioAnalyser::new(),
            audio,
            spare,
            frames: 0,
            picture_stats: None,
            black_secs: 0.0,
            pending: 0,
        }
    }

    /// Runs one frame: analyse audio, collect warm decks, step the show, draw, request decks. Returns whether the picture
    /// may have changed; nothing is drawn while it is frozen or has been black for a while.
    pub fn frame(&mut self, input: &RigFrame) -> bool {
        let audio = self.analyser.update(input.sound, input.dt).clone();
        self.publish(&audio);
        let step = self.step(input, &audio);
        let changes = self.changes_picture(&step.cue);
        if changes {
            self.stage.draw(&step.cue);
            if self.frames.is_multiple_of(PICTURE_STATS_EVERY) {
                self.picture_stats = self.stage.picture_stats();
            }
        }
        self.frames += 1;
        for deck in step.retired {
            self.stage.retire(deck);
        }
        self.request(step.requests);
        changes
    }

    /// Returns whether decks are being prepared.
    pub fn warming(&self) -> bool {
        self.pending > 0
    }

    /// Returns the audio that presets receive in this frame.
    pub fn audio(&self) -> Arc<PresetAudio> {
        self.audio.read()
    }

    /// Publishes the frame's audio. Allocates only while a warm-up still reads an earlier frame.
    fn publish(&mut self, audio: &PresetAudio) {
        match Arc::get_mut(&mut self.spare) {
            Some(spare) => spare.clone_from(audio),
            None => self.spare = Arc::new(audio.clone()),
        }
        self.spare = self.audio.swap(self.spare.clone());
    }

    /// Prepares the first decks of a show whose warmer works in place, so that it does not start black. No time passes
    /// and nothing is drawn.
    pub fn prepare(&mut self) {
        let frame = RigFrame { dt: 0.0, sound: &[], features: &Features::default(), commands: &[] };
        let step = self.step(&frame, &PresetAudio::default());
        self.request(step.requests);
    }

    fn request(&mut self, requests: Vec<DeckRequest>) {
        for request in requests {
            let deck = request.deck;
            if self.warmer.request(request) {
                self.pending += 1;
            } else {
                self.show.cancel_request(deck);
            }
        }
    }

    fn changes_picture(&mut self, cue: &Cue) -> bool {
        let black = cue.output_mode == OutputMode::Blackout;
        self.black_secs = if black { self.black_secs + cue.dt } else { 0.0 };
        cue.output_mode != OutputMode::Freeze && self.black_secs < BLACKOUT_SECS
    }

    fn step(&mut self, input: &RigFrame, audio: &PresetAudio) -> Step {
        let mut arrived: Vec<Arrived> = Vec::new();
        let mut failed: Vec<Failed> = Vec::new();
        while let Some(arrival) = self.warmer.collect() {
            self.pending = self.pending.saturating_sub(1);
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
                    log::warn!("could not load preset: {why}; choosing another");
                    self.show.cancel_request(arrival.deck);
                }
            }
        }
        self.show.step(&StepInput {
            dt: input.dt,
            audio,
            features: input.features,
            commands: input.commands,
            arrived: &arrived,
            failed: &failed,
            picture_stats: self.picture_stats.take(),
        })
    }
}
