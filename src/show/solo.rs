//! One preset alone on the stage: a fresh deck, from black, drawn by the same show and the same stage as live.

use std::sync::Arc;

use crate::analysis::Features;
use crate::handoff::Latest;
use crate::library::Catalogue;
use crate::milk::PresetAudio;
use crate::show::{Playing, Rig, RigFrame, Show, ShowSettings, Warmer};
use crate::stage::{DeckSettings, RenderContext, Stage};

/// A preset on its own.
pub struct Solo {
    /// The show with its stage.
    pub rig: Rig,
    frame_secs: f64,
    frames: u64,
}

impl Solo {
    /// Puts the one preset of `library` on `stage`, which may have shown others before. The first frame says whether it
    /// can be played.
    pub fn begin(
        render_context: &Arc<RenderContext>,
        stage: Stage,
        library: Catalogue,
        deck: DeckSettings,
        seed: u64,
    ) -> Self {
        let heard = Latest::new(PresetAudio::default());
        let settings = ShowSettings {
            seed,
            auto: false,
            fps: deck.fps,
            warm_frames: 0,
            refuge: false,
            second_deck: false,
            ..ShowSettings::default()
        };
        let warmer = Warmer::in_place(render_context, &heard, deck, None);
        let mut rig = Rig::new(Show::new(settings, Arc::new(library)), stage, warmer, heard);
        rig.settle();
        Self { rig, frame_secs: 1.0 / deck.fps, frames: 0 }
    }

    /// Draws the next frame with this sound; says why in words when the preset cannot be played.
    pub fn frame(&mut self, sound: &[[f32; 2]]) -> Result<(), String> {
        let dt = if self.frames == 0 { 0.0 } else { self.frame_secs };
        let features = Features::default();
        self.rig.frame(&RigFrame { dt, sound, features: &features, commands: &[] });
        self.frames += 1;
        if self.frames == 1 && !self.rig.show.playing() {
            let message = self.rig.show.snapshot().message;
            return Err(message.unwrap_or_else(|| "it could not be made ready".into()));
        }
        Ok(())
    }

    /// What plays, with what does not work about it and how long making it ready took.
    pub fn playing(&self) -> Option<Playing> {
        self.rig.show.snapshot().playing
    }

    /// Whether the last frame's code ran out of its budget.
    pub fn over_budget(&self) -> bool {
        self.rig.stage.decks().any(|deck| deck.report().over_budget)
    }

    /// Gives the stage back for the next preset.
    pub fn end(self) -> Stage {
        let mut stage = self.rig.stage;
        stage.clear();
        stage
    }
}
