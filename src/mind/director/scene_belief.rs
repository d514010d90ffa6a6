//! How far the detected scene can be trusted: a cut to suit the wrong scene would force another cut soon after.
//!
//! When the music changes, the detected scene is a guess for about six seconds, and often a third scene is detected in
//! between. Cuts that can wait are delayed until the scene is clear.

use crate::analysis::{Scene, SceneView};

/// Minimum probability of a new scene before cuts follow it.
const SURE: f32 = 0.95;
/// How long the probability of a new scene must stay at or above [`SURE`], in seconds; spans two scene updates.
const SURE_SECS: f64 = 0.5;
/// Time after which a new scene is followed at any probability, in seconds.
const LASTING_SECS: f64 = 12.0;
/// Seconds for which [`Scene::None`] must be detected before cuts follow it; the start of a new track is often not
/// recognised as music.
const NO_MUSIC_SECS: f64 = 8.0;
/// Probability below which the scene is a guess.
const GUESS: f32 = 0.8;
/// Drop of the probability below its recent maximum that signals an approaching scene change.
const DOUBT: f32 = 0.05;
/// Time constant with which the recent maximum decays, in seconds.
const RECENT_SECS: f64 = 6.0;
/// Seconds without a sign of a scene change before the scene counts as calm.
const CALM_SECS: f64 = 6.0;

/// The detected scene, and for how long and with what certainty it has been detected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SceneBelief {
    scene: Scene,
    /// How long this scene has been detected, in seconds.
    age_secs: f64,
    /// How long its probability has been at least [`SURE`], in seconds.
    sure_secs: f64,
    /// How long there has been no sign of a scene change, in seconds.
    calm_secs: f64,
    /// Decaying maximum of the scene's probability.
    recent: f32,
}

impl SceneBelief {
    /// Advances by a frame of `dt` seconds.
    pub fn observe(&mut self, view: &SceneView, dt: f64) {
        let sure = if view.probabilities == [0.0; 4] {
            1.0 // Before the first decision, nothing is in doubt.
        } else {
            view.probabilities[view.scene as usize]
        };
        if self.scene != view.scene {
            *self = Self { scene: view.scene, recent: sure, ..Self::default() };
        }
        self.recent += (sure - self.recent) * (1.0 - (-dt / RECENT_SECS).exp()) as f32;
        self.recent = self.recent.max(sure);
        let doubt = sure < self.recent - DOUBT || sure < GUESS;
        self.age_secs += dt;
        self.sure_secs = if sure >= SURE { self.sure_secs + dt } else { 0.0 };
        self.calm_secs = if doubt { 0.0 } else { self.calm_secs + dt };
    }

    /// Returns whether cuts may follow this scene.
    pub fn followed(&self) -> bool {
        match self.scene {
            Scene::None => self.age_secs >= NO_MUSIC_SECS,
            Scene::Ambient | Scene::Techno | Scene::Rock => {
                self.sure_secs >= SURE_SECS || self.age_secs >= LASTING_SECS
            }
        }
    }

    /// Returns whether there has been no sign of a scene change for [`CALM_SECS`].
    pub fn calm(&self) -> bool {
        self.calm_secs >= CALM_SECS
    }

    /// Returns whether the scene has lasted for `secs` seconds, with no sign of a scene change in the last
    /// second.
    pub fn settled(&self, secs: f64) -> bool {
        self.age_secs >= secs && self.calm_secs >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(belief: &mut SceneBelief, scene: Scene, sure: f32, secs: f64) -> SceneBelief {
        let mut probabilities = [(1.0 - sure) / 3.0; 4];
        probabilities[scene as usize] = sure;
        let view = SceneView { scene, probabilities, ..SceneView::default() };
        (0..(secs * 30.0) as u32).for_each(|_| belief.observe(&view, 1.0 / 30.0));
        *belief
    }

    #[test]
    fn a_sure_scene_is_followed_before_a_guess_or_the_end_of_music() {
        let mut belief = SceneBelief::default();
        after(&mut belief, Scene::Techno, 0.97, 20.0);
        assert!(!after(&mut belief.clone(), Scene::Rock, 0.7, 5.0).followed());
        assert!(after(&mut belief.clone(), Scene::Rock, 0.7, 13.0).followed());
        assert!(after(&mut belief.clone(), Scene::Rock, 0.97, 0.6).followed());
        assert!(!after(&mut belief.clone(), Scene::None, 0.99, 6.0).followed());
        assert!(after(&mut belief.clone(), Scene::None, 0.99, 9.0).followed());
    }

    #[test]
    fn a_dip_in_probability_breaks_calm_until_it_has_passed() {
        let mut belief = SceneBelief::default();
        assert!(after(&mut belief, Scene::Techno, 0.99, 7.0).calm());
        assert!(!after(&mut belief, Scene::Techno, 0.85, 1.0).calm());
        assert!(!after(&mut belief, Scene::Techno, 0.99, 4.0).calm());
        assert!(after(&mut belief, Scene::Techno, 0.99, 3.0).calm());
    }
}
