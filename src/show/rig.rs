//! Show, warmer and stage bolted together: the one frame every client runs.

use super::warm::Warmer;
use super::{Command, Show, StepInput};
use crate::analysis::Features;
use crate::handoff::Latest;
use crate::milk::{Ear, Heard};
use crate::stage::Stage;

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
    ear: Ear,
    heard: Latest<Heard>,
}

impl Rig {
    /// Bolts the parts together; `heard` is what warm-up frames listen to.
    pub fn new(show: Show, stage: Stage, warmer: Warmer, heard: Latest<Heard>) -> Self {
        Self { show, stage, warmer, ear: Ear::new(), heard }
    }

    /// One frame: hear, collect warm decks, step the show, draw, ask for what it wishes.
    pub fn frame(&mut self, input: &RigFrame) {
        let heard = self.ear.listen(input.sound, input.dt);
        self.heard.publish(heard.clone());
        let (mut arrived, mut failed) = (Vec::new(), Vec::new());
        while let Some(arrival) = self.warmer.collect() {
            match arrival.result {
                Ok(deck) => {
                    let problems = deck.problems();
                    self.stage.rack(arrival.deck, deck);
                    arrived.push((arrival.deck, problems));
                }
                Err(why) => failed.push((arrival.deck, why)),
            }
        }
        let step = self.show.step(&StepInput {
            dt: input.dt,
            heard,
            features: input.features,
            commands: input.commands,
            arrived: &arrived,
            failed: &failed,
        });
        self.stage.draw(&step.cue);
        for deck in step.retired {
            self.stage.retire(deck);
        }
        for wish in step.wishes {
            let deck = wish.deck;
            if !self.warmer.ask(wish) {
                log::warn!("too many presets wait to be made ready; {deck:?} is asked for again later");
            }
        }
    }
}
