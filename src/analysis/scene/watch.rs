//! The decision: what was believed at the last look and what is seen at this one, weighed against each other.
//!
//! A hidden Markov model with one state for each scene, filtered forwards (Rabiner, "A tutorial on hidden Markov
//! models", 1989). Scenes last, so one odd look changes nothing; and a kick that rests is a breakdown long before
//! it is the end of the techno.

use super::super::features::{Scene, SceneView};
use super::model::SceneModel;
use super::scores::ScoreInput;
use super::summary::SIZE;
use crate::units::Seconds;

/// Seconds between two looks.
pub const LOOK_SECS: f32 = 0.5;
/// How likely another scene follows at any look, and at the first look after the music turned.
const CHANGES: (f32, f32) = (0.03, 0.3);
/// How likely ambient follows settled techno while its kick may only rest, and for how many looks it may.
const KICK_ENDS: f32 = 1e-30;
const RESTS: u32 = 30;
/// Looks after which techno is settled.
const SETTLED: u32 = 14;
/// How much one look counts; neighbours see mostly the same seconds.
const WEIGHT: f32 = 0.35;
/// Least probability that a look leaves to a scene.
const LEAST: f32 = 1e-3;
/// How much likelier than the present scene another one must be.
const LEAD: f32 = 1.5;
/// Silence that lasts this long is no music, seconds.
const SILENT_SECS: f32 = 2.0;

/// Decides the scene.
pub struct SceneWatch {
    model: Option<SceneModel>,
    view: SceneView,
    silent: f32,
    decided: bool,
    turned: bool,
    /// Looks since the scene last changed.
    stood: u32,
    /// Looks in a row that saw ambient rather than techno.
    rested: u32,
}

impl SceneWatch {
    /// Nothing decided; without a model the linear scores decide.
    pub fn new(model: Option<SceneModel>) -> Self {
        Self {
            model,
            view: SceneView::default(),
            silent: 0.0,
            decided: false,
            turned: false,
            stood: 0,
            rested: 0,
        }
    }

    /// The music turned: what was believed is doubted at the next look.
    pub fn turn(&mut self) {
        self.turned = true;
    }

    /// Looks once: at a summary when there is one, and at the linear scores when there is no model.
    pub fn look(
        &mut self,
        at: Seconds,
        silent: bool,
        summary: Option<&[f32; SIZE]>,
        scores: ScoreInput,
    ) -> SceneView {
        self.silent = if silent { self.silent + LOOK_SECS } else { 0.0 };
        let seen = if self.silent >= SILENT_SECS {
            [0.0, 0.0, 0.0, 1.0]
        } else {
            match (&self.model, summary) {
                (Some(model), Some(summary)) => model.probabilities(summary),
                (None, Some(_)) => scores.probabilities(),
                (_, None) => return self.view,
            }
        };
        let before = if self.decided { self.view.probabilities } else { [0.25; 4] };
        let changes = if self.turned { CHANGES.1 } else { CHANGES.0 };
        let like_ambient = seen[Scene::Ambient as usize] > seen[Scene::Techno as usize];
        self.rested = if like_ambient { self.rested + 1 } else { 0 };
        let settled = self.view.scene == Scene::Techno && self.stood >= SETTLED;
        let rests = settled && self.rested < RESTS;
        self.turned = false;
        let mut belief = [0.0_f32; 4];
        for (from, before) in before.into_iter().enumerate() {
            for (to, belief) in belief.iter_mut().enumerate() {
                *belief += before
                    * if from == to {
                        1.0 - changes
                    } else if rests && to == Scene::Ambient as usize {
                        KICK_ENDS
                    } else {
                        changes / 3.0
                    };
            }
        }
        for (belief, seen) in belief.iter_mut().zip(seen) {
            *belief *= seen.max(LEAST).powf(WEIGHT);
        }
        let sum: f32 = belief.iter().sum();
        self.view.probabilities = belief.map(|belief| belief / sum);
        let probability = |scene: Scene| self.view.probabilities[scene as usize];
        let best = Scene::ALL.into_iter().fold(Scene::Ambient, |best, scene| {
            if probability(scene) > probability(best) { scene } else { best }
        });
        if !self.decided || probability(best) > LEAD * probability(self.view.scene) {
            if best != self.view.scene || !self.decided {
                self.view.since = at;
                self.stood = 0;
            }
            self.view.scene = best;
        }
        self.stood += 1;
        self.decided = true;
        self.view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model that believes whatever stands first in the summary: its place among the scenes.
    fn told() -> SceneModel {
        let mut weights = vec![vec![0.0; SIZE]; 4];
        for (scene, row) in weights.iter_mut().enumerate() {
            row[scene] = 1.5;
        }
        SceneModel {
            made: "test".into(),
            mean: vec![0.0; SIZE],
            deviation: vec![1.0; SIZE],
            weights,
            bias: vec![0.0; 4],
        }
    }

    /// Looks that pass until `scene` is believed when `now` is heard, at most 100.
    fn looks(watch: &mut SceneWatch, now: Scene, silent: bool) -> usize {
        let mut summary = [0.0; SIZE];
        summary[now as usize] = 2.0;
        let wanted = if silent { Scene::None } else { now };
        (1..=100)
            .find(|_| watch.look(Seconds(0.0), silent, Some(&summary), ScoreInput::default()).scene == wanted)
            .unwrap_or(100)
    }

    #[test]
    fn one_odd_look_changes_nothing_and_a_change_that_stays_is_followed_within_seconds() {
        let mut watch = SceneWatch::new(Some(told()));
        assert_eq!(looks(&mut watch, Scene::Rock, false), 1, "the first look decides");
        for _ in 0..40 {
            looks(&mut watch, Scene::Rock, false);
        }
        for next in [Scene::Techno, Scene::Rock, Scene::Ambient, Scene::Techno, Scene::None] {
            let took = looks(&mut watch, next, false);
            assert!((2..=8).contains(&took), "{next:?} after {took} looks");
            for _ in 0..10 {
                looks(&mut watch, next, false);
            }
        }
    }

    #[test]
    fn a_turn_of_the_music_hurries_a_change() {
        let took = |turns: bool| {
            let mut watch = SceneWatch::new(Some(told()));
            for _ in 0..40 {
                looks(&mut watch, Scene::Rock, false);
            }
            if turns {
                watch.turn();
            }
            looks(&mut watch, Scene::Ambient, false)
        };
        assert!(took(true) < took(false), "{} {}", took(true), took(false));
    }

    #[test]
    fn a_breakdown_stays_techno_but_not_for_ever_and_silence_is_none() {
        let mut watch = SceneWatch::new(Some(told()));
        for _ in 0..40 {
            looks(&mut watch, Scene::Techno, false);
        }
        let took = looks(&mut watch, Scene::Ambient, false);
        assert!((16..=60).contains(&took), "ambient after {took} looks");
        assert!(looks(&mut watch, Scene::Techno, false) <= 10, "the kick is back");
        for _ in 0..10 {
            looks(&mut watch, Scene::Techno, false);
        }
        let took = looks(&mut watch, Scene::Ambient, false);
        assert!((2..=10).contains(&took), "techno that did not last, after {took} looks");
        let took = looks(&mut watch, Scene::Ambient, true);
        assert!((4..=12).contains(&took), "silence after {took} looks");
    }
}
