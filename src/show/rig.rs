//! Combines a show with its warmer and stage in the one frame function that every client calls.

use std::sync::Arc;

use super::recovery_state::Recovery;
use super::{Arrived, Command, Failed, Show, Step, StepInput};
use crate::analysis::Features;
use crate::handoff::{Latest, Retirement};
use crate::milk::{PresetAudio, PresetAudioAnalyser};
use crate::stage::{Cue, OutputMode, Stage};
use crate::store::BanKind;
use crate::warmup::{Arrival, DeckError, WarmUpStep, Warmer};
use crate::watch::DeckWatch;

/// Minimum time between two measurements of the picture, in seconds.
const MEASURE_EVERY_SECS: f64 = 0.09;
/// How long drawing continues during a blackout, in seconds, because the flash limiter may need time to fade
/// to black.
const BLACKOUT_SECS: f64 = 1.5;

/// The inputs of one frame.
pub struct RigFrame<'a> {
    /// Seconds since the last frame.
    pub dt: f64,
    /// Stereo samples since the last frame, at 44.1 kHz.
    pub sound: &'a [[f32; 2]],
    /// The current analysis of the music.
    pub features: &'a Features,
    /// The performer's commands, oldest first.
    pub commands: &'a [Command],
}

/// A show with its stage and warmer.
pub struct Rig {
    /// The show, which decides what to draw.
    pub show: Show,
    /// The stage, which draws the picture.
    pub stage: Stage,
    pub(super) warmer: Warmer,
    retirement: Retirement,
    pub(super) recovery: Recovery,
    pub(super) deck_watch: DeckWatch,
    /// Whether the show is notified if the code of the deck on air exceeds its budget or computes no finite
    /// coordinates.
    pub(super) watches_code: bool,
    #[cfg(feature = "faults")]
    pub(super) faults: crate::faults::FaultSchedule,
    analyser: PresetAudioAnalyser,
    audio: Latest<PresetAudio>,
    /// Buffer for the audio of the next frame.
    spare: Arc<PresetAudio>,
    /// Time since the last measurement of the picture, in seconds.
    unmeasured_secs: f64,
    /// How long the current blackout has lasted, in seconds; 0 without a blackout.
    black_secs: f64,
}

impl Rig {
    /// Creates a rig from its parts. The audio of each frame is published in `audio`, which must be the cell that the
    /// warmer reads.
    pub fn new(show: Show, stage: Stage, warmer: Warmer, audio: Latest<PresetAudio>) -> Self {
        let spare = Arc::default();
        let retirement = if warmer.works_in_place() { Retirement::default() } else { Retirement::thread() };
        Self {
            show,
            stage,
            warmer,
            retirement,
            recovery: Recovery::default(),
            deck_watch: DeckWatch::default(),
            watches_code: true,
            #[cfg(feature = "faults")]
            faults: crate::faults::FaultSchedule::default(),
            analyser: PresetAudioAnalyser::new(),
            audio,
            spare,
            unmeasured_secs: 0.0,
            black_secs: 0.0,
        }
    }

    /// Runs one frame: analyses the audio, checks the graphics device, collects warm decks, steps the show, draws, and
    /// requests decks. Returns whether the picture may have changed; nothing is drawn while the picture is frozen, has
    /// been blacked out for a while, or is being restored, or while a deck that is far too slow is being replaced.
    pub fn frame(&mut self, input: &RigFrame) -> bool {
        #[cfg(feature = "faults")]
        self.inject(input.dt);
        let audio = self.hear(input);
        self.look_after_graphics();
        let step = self.step(input, &audio);
        self.advance_watch(input.dt);
        let changes = self.changes_picture(&step.cue) && self.draw(&step.cue);
        if !changes {
            self.stage.hold(step.cue.dt);
        } else if self.watches_code {
            self.judge_code(input.dt);
        }
        self.stage.take_layer_messages().into_iter().for_each(|message| self.show.notify(message));
        self.stage.take_retired_layers().into_iter().for_each(|layer| self.retirement.retire(layer));
        self.unmeasured_secs += input.dt;
        if changes && self.unmeasured_secs >= MEASURE_EVERY_SECS {
            self.unmeasured_secs = 0.0;
            if let Some(shown) = self.show.decks.shown().map(|slot| slot.deck) {
                self.stage.measure(shown);
            }
        }
        for deck in step.retired {
            if let Some(deck) = self.stage.remove(deck) {
                self.retirement.retire(deck);
            }
            self.recovery.forget(deck);
        }
        for deck in step.cancelled {
            self.warmer.cancel(deck);
            self.recovery.forget(deck);
        }
        step.requests.into_iter().for_each(|request| self.request(request));
        self.flush_backlog();
        self.warmer.step(WarmUpStep {
            on_air: changes && self.show.playing(),
            fading: self.show.decks.fade.is_some(),
            time: !self.deck_watch.suspicious(),
            scale: self.show.quality.scale,
        });
        changes
    }

    /// Returns whether decks are being prepared.
    pub fn warming(&self) -> bool {
        self.recovery.preparing()
    }

    /// Returns the audio that presets receive in this frame.
    pub fn audio(&self) -> Arc<PresetAudio> {
        self.audio.read()
    }

    /// Analyses, publishes and returns the audio of a frame. Allocates only if a warm-up or the desk is still reading
    /// the audio of an earlier frame.
    fn hear(&mut self, input: &RigFrame) -> Arc<PresetAudio> {
        let heard = self.analyser.update(input.sound, input.dt);
        match Arc::get_mut(&mut self.spare) {
            Some(spare) => spare.clone_from(heard),
            None => self.spare = Arc::new(heard.clone()),
        }
        let audio = self.spare.clone();
        self.spare = self.audio.swap(audio.clone());
        audio
    }

    /// Prepares the first decks of a show whose warmer works in place, so that the show does not start black.
    /// No time passes and nothing is drawn.
    pub fn prepare(&mut self) {
        let frame = RigFrame { dt: 0.0, sound: &[], features: &Features::default(), commands: &[] };
        let step = self.step(&frame, &Arc::default());
        step.requests.into_iter().for_each(|request| self.request(request));
    }

    fn changes_picture(&mut self, cue: &Cue) -> bool {
        let black = cue.output_mode == OutputMode::Blackout;
        self.black_secs = if black { self.black_secs + cue.dt } else { 0.0 };
        cue.output_mode != OutputMode::Freeze
            && self.black_secs < BLACKOUT_SECS
            && !self.deck_watch.holds_picture()
    }

    fn step(&mut self, input: &RigFrame, audio: &Arc<PresetAudio>) -> Step {
        let mut arrived: Vec<Arrived> = Vec::new();
        let mut failed: Vec<Failed> = Vec::new();
        while let Some(arrival) = self.warmer.collect() {
            self.recovery.arrived(arrival.deck);
            if arrival.result.is_ok() {
                self.recovery.warmed(arrival.deck);
            }
            let empty = arrival.shows_nothing();
            match arrival.result {
                Ok(_) if empty && self.show.set_aside(arrival.deck) => {
                    self.recovery.forget(arrival.deck);
                }
                Ok(deck) => {
                    self.recovery.ready(arrival.deck);
                    let problems = deck.problems();
                    self.stage.add(arrival.deck, deck);
                    let Arrival { deck, look, took, .. } = arrival;
                    arrived.push(Arrived { deck, problems, look, took });
                }
                Err(DeckError::Unplayable(why)) => {
                    self.recovery.forget(arrival.deck);
                    failed.push(Failed { deck: arrival.deck, kind: BanKind::Soft, why });
                }
                Err(DeckError::Excluded(why)) => {
                    self.recovery.forget(arrival.deck);
                    failed.push(Failed { deck: arrival.deck, kind: BanKind::Audit, why });
                }
                Err(DeckError::Temporary(why)) => {
                    log::warn!("could not load preset: {why}; choosing another");
                    self.recovery.forget(arrival.deck);
                    self.show.cancel_request(arrival.deck);
                }
                Err(DeckError::Cancelled) => self.recovery.forget(arrival.deck),
                Err(DeckError::Device(error)) => {
                    log::warn!("could not prepare a preset: {error}");
                    self.device_failed(arrival.deck, error);
                }
                Err(DeckError::TimedOut(error)) => {
                    log::warn!("could not prepare a preset: {error}");
                    failed.extend(self.timed_out(arrival.deck, error));
                }
            }
        }
        self.show.end_layers(self.stage.ended_layers());
        self.show.step(&StepInput {
            dt: input.dt,
            audio,
            features: input.features,
            commands: input.commands,
            arrived: &arrived,
            failed: &failed,
            picture_stats: self.stage.picture_stats(),
        })
    }
}
