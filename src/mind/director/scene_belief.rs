//! How far the scene that is heard may be relied on: a picture changed for the wrong kind of music has to change again.
//!
//! From one kind of music to another the way leads past half a dozen seconds in which the scene is a guess, often past a
//! third kind. What the picture can wait for waits until the guess is over.

use crate::analysis::{Scene, SceneView};

/// Probability from which a new scene is followed, and for how long it has to hold, seconds: two looks.
const SURE: f32 = 0.95;
const SURE_SECS: f64 = 0.5;
/// A new scene that stays this long is followed however sure it is, seconds.
const STAYS_SECS: f64 = 12.0;
/// The end of the music is believed after this long, seconds: a new piece often begins with something that is neither.
const NO_MUSIC_SECS: f64 = 8.0;
/// Probability below which the scene is a guess.
const GUESS: f32 = 0.8;
/// How much less sure than it was lately the scene has to be for another one to be on its way.
const DOUBT: f32 = 0.05;
/// How fast it is forgotten how sure the scene was, seconds.
const LATELY_SECS: f64 = 6.0;
/// How long the scene has to be without doubt before it counts as calm, seconds.
const CALM_SECS: f64 = 6.0;

/// What is believed about the scene, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SceneBelief {
    scene: Scene,
    /// For how long this scene is the one decided on, has been sure, and has been free of doubt, seconds.
    stood_secs: f64,
    sure_secs: f64,
    calm_secs: f64,
    /// How sure it was lately.
    lately: f32,
}

impl SceneBelief {
    /// Another frame of `dt` seconds.
    pub fn hear(&mut self, view: &SceneView, dt: f64) {
        let sure = if view.probabilities == [0.0; 4] {
            1.0 // Nothing was ever heard: there is nothing to doubt.
        } else {
            view.probabilities[view.scene as usize]
        };
        if self.scene != view.scene {
            *self = Self { scene: view.scene, lately: sure, ..Self::default() };
        }
        self.lately += (sure - self.lately) * (1.0 - (-dt / LATELY_SECS).exp()) as f32;
        self.lately = self.lately.max(sure);
        let doubt = sure < self.lately - DOUBT || sure < GUESS;
        self.stood_secs += dt;
        self.sure_secs = if sure >= SURE { self.sure_secs + dt } else { 0.0 };
        self.calm_secs = if doubt { 0.0 } else { self.calm_secs + dt };
    }

    /// Whether the picture may follow this scene.
    pub fn followed(&self) -> bool {
        match self.scene {
            Scene::None => self.stood_secs >= NO_MUSIC_SECS,
            Scene::Ambient | Scene::Techno | Scene::Rock => {
                self.sure_secs >= SURE_SECS || self.stood_secs >= STAYS_SECS
            }
        }
    }

    /// Whether nothing speaks for another scene.
    pub fn calm(&self) -> bool {
        self.calm_secs >= CALM_SECS
    }

    /// Whether it has been this scene, without doubt just now, for so many seconds.
    pub fn settled(&self, secs: f64) -> bool {
        self.stood_secs >= secs && self.calm_secs >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(belief: &mut SceneBelief, scene: Scene, sure: f32, secs: f64) -> SceneBelief {
        let mut probabilities = [(1.0 - sure) / 3.0; 4];
        probabilities[scene as usize] = sure;
        let view = SceneView { scene, probabilities, ..SceneView::default() };
        (0..(secs * 30.0) as u32).for_each(|_| belief.hear(&view, 1.0 / 30.0));
        *belief
    }

    #[test]
    fn a_sure_scene_is_followed_soon_a_guess_late_and_the_end_of_the_music_later_than_music() {
        let mut belief = SceneBelief::default();
        after(&mut belief, Scene::Techno, 0.97, 20.0);
        assert!(!after(&mut belief.clone(), Scene::Rock, 0.7, 5.0).followed());
        assert!(after(&mut belief.clone(), Scene::Rock, 0.7, 13.0).followed());
        assert!(after(&mut belief.clone(), Scene::Rock, 0.97, 0.6).followed());
        assert!(!after(&mut belief.clone(), Scene::None, 0.99, 6.0).followed());
        assert!(after(&mut belief.clone(), Scene::None, 0.99, 9.0).followed());
    }

    #[test]
    fn a_scene_less_sure_than_it_was_is_not_calm_until_that_has_passed() {
        let mut belief = SceneBelief::default();
        assert!(after(&mut belief, Scene::Techno, 0.99, 7.0).calm());
        assert!(!after(&mut belief, Scene::Techno, 0.85, 1.0).calm());
        assert!(!after(&mut belief, Scene::Techno, 0.99, 4.0).calm());
        assert!(after(&mut belief, Scene::Techno, 0.99, 3.0).calm());
    }
}
