//! Plays a single preset on a fresh deck, starting from black, with the show and stage code of a live show.

use std::sync::Arc;

use crate::analysis::Features;
use crate::handoff::Latest;
use crate::library::Catalogue;
use crate::milk::PresetAudio;
use crate::show::setlog::Event;
use crate::show::{Playing, Rig, RigFrame, Show, ShowSettings};
use crate::stage::{DeckSettings, RenderContext, Stage, StageError};
use crate::warmup::Warmer;

/// Why a preset is not on air.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoloError {
    /// The preset cannot be played.
    #[error("{0}")]
    Unplayable(String),
    /// The graphics device failed, which is never blamed on the preset.
    #[error("{0}")]
    Device(StageError),
}

/// A show with a single preset.
pub struct Solo {
    /// The rig that plays the preset.
    pub rig: Rig,
    frame_secs: f64,
    frames: u64,
}

impl Solo {
    /// Prepares the only preset of `library` for `stage`, which can be reused for several presets. The first
    /// call to [`Self::frame`] reports whether the preset can be played.
    pub fn begin(
        render_context: &Arc<RenderContext>,
        stage: Stage,
        library: Catalogue,
        deck: DeckSettings,
        seed: u64,
    ) -> Self {
        let audio = Latest::new(PresetAudio::default());
        let settings = ShowSettings {
            seed,
            auto: false,
            fps: deck.fps,
            warm_frames: 0,
            safe_preset: false,
            second_deck: false,
            ..ShowSettings::default()
        };
        let warmer = Warmer::in_place(render_context, &audio, deck, None);
        let mut rig = Rig::new(Show::new(settings, Arc::new(library)), stage, warmer, audio);
        rig.prepare();
        Self { rig, frame_secs: 1.0 / deck.fps, frames: 0 }
    }

    /// Draws the next frame with the audio in `sound`.
    ///
    /// # Errors
    /// The first call returns an error if the preset cannot be played, or if the device failed to prepare it.
    pub fn frame(&mut self, sound: &[[f32; 2]]) -> Result<(), SoloError> {
        let dt = if self.frames == 0 { 0.0 } else { self.frame_secs };
        let features = Features::default();
        self.rig.frame(&RigFrame { dt, sound, features: &features, commands: &[] });
        self.frames += 1;
        if self.frames == 1 && !self.rig.show.playing() {
            if let Some(error) = self.rig.recovery.device_failure.take() {
                return Err(SoloError::Device(error));
            }
            // The message on the desk adds the preset's name and its exclusion, which is not saved here.
            let failure = |event| if let Event::Failure { why, .. } = event { Some(why) } else { None };
            let why = self.rig.show.take_log().into_iter().find_map(|entry| failure(entry.event));
            let why = why.or_else(|| self.rig.show.snapshot().message);
            return Err(SoloError::Unplayable(
                why.unwrap_or_else(|| "the preset could not be prepared".into()),
            ));
        }
        Ok(())
    }

    /// Returns the preset on air with its problems and preparation times.
    pub fn playing(&self) -> Option<Playing> {
        self.rig.show.snapshot().playing
    }

    /// Returns whether the code of the preset exceeded its instruction budget in the last frame.
    pub fn over_budget(&self) -> bool {
        self.rig.stage.decks().any(|deck| deck.report().over_budget)
    }

    /// Returns the cleared stage for the next preset.
    pub fn end(self) -> Stage {
        let mut stage = self.rig.stage;
        stage.clear();
        stage
    }
}
