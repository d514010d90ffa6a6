//! Scene decision: combines the previous belief with the latest observation.
//!
//! Runs the forward algorithm on a hidden Markov model with one state per scene (Rabiner, "A tutorial on
//! hidden Markov models", 1989). Scenes persist, so one outlier changes nothing, and a pause in the kick first
//! counts as a breakdown; only a long one ends techno.

use super::super::features::{Scene, SceneView};
use super::model::SceneModel;
use super::scores::ScoreInput;
use super::summary::SIZE;
use crate::units::Seconds;

/// Seconds between two updates.
pub const UPDATE_SECS: f32 = 0.5;
/// Probability of a scene change per update: normally, and right after a change in the music.
const CHANGE: (f32, f32) = (0.03, 0.3);
/// Probability per update of a change to ambient while techno is settled and its kick may only be pausing, and the
/// number of updates for which a pause is assumed.
const TECHNO_ENDS: f32 = 1e-30;
const PAUSE_UPDATES: u32 = 30;
/// Number of updates after which techno counts as settled.
const SETTLED_UPDATES: u32 = 14;
/// Weight of one update; low because consecutive updates cover mostly the same audio.
const WEIGHT: f32 = 0.35;
/// Minimum probability of a scene in one update.
const FLOOR: f32 = 1e-3;
/// Factor by which another scene must be more probable than the current one to replace it.
const LEAD: f32 = 1.5;
/// Seconds of silence after which the observed scene is [`Scene::None`].
const SILENT_SECS: f32 = 2.0;

/// Filter that decides which scene the music belongs to.
pub struct SceneFilter {
    model: Option<SceneModel>,
    view: SceneView,
    silent: f32,
    decided: bool,
    changed: bool,
    /// Updates since the scene last changed.
    updates: u32,
    /// Consecutive updates in which ambient was observed as more probable than techno.
    ambient_updates: u32,
}

impl SceneFilter {
    /// Builds a filter that has not decided yet; without a model, it uses the linear scores.
    pub fn new(model: Option<SceneModel>) -> Self {
        Self {
            model,
            view: SceneView::default(),
            silent: 0.0,
            decided: false,
            changed: false,
            updates: 0,
            ambient_updates: 0,
        }
    }

    /// Records a change in the music, which weakens the previous belief in the next update.
    pub fn note_change(&mut self) {
        self.changed = true;
    }

    /// Updates and returns the decision, from `summary` if there is a model, otherwise from `scores`. After
    /// two seconds of silence, [`Scene::None`] is observed instead; until then, the decision stays unchanged
    /// if `summary` is `None`.
    pub fn update(
        &mut self,
        at: Seconds,
        silent: bool,
        summary: Option<&[f32; SIZE]>,
        scores: ScoreInput,
    ) -> SceneView {
        self.silent = if silent { self.silent + UPDATE_SECS } else { 0.0 };
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
        let changes = if self.changed { CHANGE.1 } else { CHANGE.0 };
        let like_ambient = seen[Scene::Ambient as usize] > seen[Scene::Techno as usize];
        self.ambient_updates = if like_ambient { self.ambient_updates + 1 } else { 0 };
        let settled = self.view.scene == Scene::Techno && self.updates >= SETTLED_UPDATES;
        let pausing = settled && self.ambient_updates < PAUSE_UPDATES;
        self.changed = false;
        let mut belief = [0.0_f32; 4];
        for (from, before) in before.into_iter().enumerate() {
            for (to, belief) in belief.iter_mut().enumerate() {
                *belief += before
                    * if from == to {
                        1.0 - changes
                    } else if pausing && to == Scene::Ambient as usize {
                        TECHNO_ENDS
                    } else {
                        changes / 3.0
                    };
            }
        }
        for (belief, seen) in belief.iter_mut().zip(seen) {
            *belief *= seen.max(FLOOR).powf(WEIGHT);
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
                self.updates = 0;
            }
            self.view.scene = best;
        }
        self.updates += 1;
        self.decided = true;
        self.view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a model that reads the scene directly from the first four inputs of the summary.
    fn direct_model() -> SceneModel {
        let mut weights = vec![vec![0.0; SIZE]; 4];
        for (scene, row) in weights.iter_mut().enumerate() {
            row[scene] = 1.5;
        }
        SceneModel {
            provenance: "test".into(),
            mean: vec![0.0; SIZE],
            deviation: vec![1.0; SIZE],
            scenes: Scene::ALL.to_vec(),
            weights,
            bias: vec![0.0; 4],
        }
    }

    /// Updates `filter` with observations of the scene `now` until it decides on that scene, or on [`Scene::None`] if
    /// the input is `silent`. Returns the number of updates, at most 100.
    fn updates_until(filter: &mut SceneFilter, now: Scene, silent: bool) -> usize {
        let mut summary = [0.0; SIZE];
        summary[now as usize] = 2.0;
        let wanted = if silent { Scene::None } else { now };
        (1..=100)
            .find(|_| {
                filter.update(Seconds(0.0), silent, Some(&summary), ScoreInput::default()).scene == wanted
            })
            .unwrap_or(100)
    }

    #[test]
    fn one_outlier_changes_nothing_and_a_lasting_change_takes_seconds() {
        let mut filter = SceneFilter::new(Some(direct_model()));
        assert_eq!(updates_until(&mut filter, Scene::Rock, false), 1, "the first update decides");
        for _ in 0..40 {
            updates_until(&mut filter, Scene::Rock, false);
        }
        for next in [Scene::Techno, Scene::Rock, Scene::Ambient, Scene::Techno, Scene::None] {
            let took = updates_until(&mut filter, next, false);
            assert!((2..=8).contains(&took), "{next:?} after {took} updates");
            for _ in 0..10 {
                updates_until(&mut filter, next, false);
            }
        }
    }

    #[test]
    fn a_change_in_the_music_speeds_up_the_decision() {
        let took = |changes: bool| {
            let mut filter = SceneFilter::new(Some(direct_model()));
            for _ in 0..40 {
                updates_until(&mut filter, Scene::Rock, false);
            }
            if changes {
                filter.note_change();
            }
            updates_until(&mut filter, Scene::Ambient, false)
        };
        assert!(took(true) < took(false), "{} {}", took(true), took(false));
    }

    #[test]
    fn a_breakdown_stays_techno_for_a_while_and_silence_is_none() {
        let mut filter = SceneFilter::new(Some(direct_model()));
        for _ in 0..40 {
            updates_until(&mut filter, Scene::Techno, false);
        }
        let took = updates_until(&mut filter, Scene::Ambient, false);
        assert!((16..=60).contains(&took), "ambient after {took} updates");
        assert!(updates_until(&mut filter, Scene::Techno, false) <= 10, "the kick is back");
        for _ in 0..10 {
            updates_until(&mut filter, Scene::Techno, false);
        }
        let took = updates_until(&mut filter, Scene::Ambient, false);
        assert!((2..=10).contains(&took), "brief techno ends after {took} updates");
        let took = updates_until(&mut filter, Scene::Ambient, true);
        assert!((4..=12).contains(&took), "silence after {took} updates");
    }
}
