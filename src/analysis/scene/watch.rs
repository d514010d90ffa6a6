//! The decision: probabilities twice a second, smoothed, with hysteresis against flicker.

use super::super::features::{Scene, SceneView};
use super::model::SceneModel;
use super::scores::ScoreInput;
use super::summary::SIZE;
use crate::units::Seconds;

/// Seconds between two looks.
pub const LOOK_SECS: f32 = 0.5;
/// Share of a new look in the smoothed probabilities.
const FRESH: f32 = 0.35;
/// Lead over the present scene that a change needs, for so many looks in a row.
const LEAD: f32 = 0.12;
const LOOKS: u32 = 2;
/// Silence that lasts this long is no music, seconds.
const SILENT_SECS: f32 = 2.0;

/// Decides the scene.
pub struct SceneWatch {
    model: Option<SceneModel>,
    view: SceneView,
    silent: f32,
    rival: Scene,
    looks: u32,
    decided: bool,
}

impl SceneWatch {
    /// Nothing decided.
    pub fn new() -> Self {
        Self {
            model: SceneModel::shipped(),
            view: SceneView::default(),
            silent: 0.0,
            rival: Scene::None,
            looks: 0,
            decided: false,
        }
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
        let fresh = if self.silent >= SILENT_SECS {
            [0.0, 0.0, 0.0, 1.0]
        } else {
            match (&self.model, summary) {
                (Some(model), Some(summary)) => model.probabilities(summary),
                (None, Some(_)) => scores.probabilities(),
                (_, None) => return self.view,
            }
        };
        let share = if self.decided { FRESH } else { 1.0 };
        for (smooth, fresh) in self.view.probabilities.iter_mut().zip(fresh) {
            *smooth += (fresh - *smooth) * share;
        }
        let probability = |scene: Scene| self.view.probabilities[scene as usize];
        let best = Scene::ALL.into_iter().fold(Scene::Ambient, |best, scene| {
            if probability(scene) > probability(best) { scene } else { best }
        });
        let leads = best != self.view.scene && probability(best) > probability(self.view.scene) + LEAD;
        self.looks = if leads && best == self.rival { self.looks + 1 } else { u32::from(leads) };
        self.rival = best;
        if leads && (self.looks >= LOOKS || !self.decided) {
            self.view.scene = best;
            self.view.since = at;
            self.looks = 0;
        }
        self.decided = true;
        self.view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_becomes_none_and_one_odd_look_changes_nothing() {
        let mut watch = SceneWatch::new();
        watch.model = None;
        let techno = ScoreInput { energy: 1.0, kick: 1.0, confidence: 1.0, ..ScoreInput::default() };
        let ambient = ScoreInput::default();
        let summary = [0.0; SIZE];
        let mut look = |scores, silent| watch.look(Seconds(0.0), silent, Some(&summary), scores).scene;
        for _ in 0..10 {
            look(techno, false);
        }
        assert_eq!(look(techno, false), Scene::Techno);
        assert_eq!(look(ambient, false), Scene::Techno, "one odd look");
        for _ in 0..12 {
            look(ambient, false);
        }
        assert_eq!(look(ambient, false), Scene::Ambient, "a change that stays is followed");
        for _ in 0..12 {
            look(techno, true);
        }
        assert_eq!(look(techno, true), Scene::None);
    }
}
