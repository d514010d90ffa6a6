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
        rig.watches_code = false; // Whatever its code does, this preset is the one to draw.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Gpu;

    #[test]
    fn a_preset_whose_code_exceeds_its_budget_stays_on_air() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = Arc::new(RenderContext::new(gpu, &[]));
        let text = b"per_frame_1=loop(1000000,loop(1000000,n+=1));";
        let library = Catalogue::of_one("endless.milk".as_ref(), Arc::new(*text));
        let deck = DeckSettings { size: [96, 54], mesh: [24, 18], fps: 30.0 };
        let id = library.entries[0].id;
        let stage = Stage::new(context.clone(), deck.size);
        let mut solo = Solo::begin(&context, stage, library, deck, 1);
        for frame in 0..60 {
            solo.frame(&[[0.1; 2]; 1470]).expect("a preset");
            assert_eq!(solo.playing().map(|playing| playing.id), Some(id), "frame {frame}");
        }
        assert!(solo.over_budget());
    }
}
