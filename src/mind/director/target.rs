//! What the music asks for: a scene and a level of energy.

use serde::{Deserialize, Serialize};

use crate::analysis::{Features, Passage, Scene, Section};
use crate::library::style::{MotionThresholds, StylePolicy};
use crate::mind::Profile;
use crate::units::Unipolar;

/// What the performer's hands and the evening add to the music.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerformerBias {
    /// The motion macro.
    pub motion: Unipolar,
    /// The sparkle macro.
    pub sparkle: Unipolar,
    /// The kind of night.
    pub profile: Profile,
}

impl Default for PerformerBias {
    fn default() -> Self {
        Self { motion: Unipolar::HALF, sparkle: Unipolar::HALF, profile: Profile::default() }
    }
}

/// The style that fits now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The kind of music.
    pub scene: Scene,
    /// How much the picture should move: 0 calm, 1 groove, 2 peak.
    pub level: f64,
}

/// Level of each section by itself.
const SECTION_LEVELS: [f64; 3] = [0.3, 1.0, 1.7];
/// Share of the section in the level; the rest is the energy over a bar or two.
const SECTION_SHARE: f64 = 0.7;
/// What a macro at its end adds.
const MACRO_REACH: f64 = 0.4;
/// Lead by which another scene counts as rising; less would flicker.
const OVERTAKEN: f32 = 0.04;
/// How long there has to be no music before a picture is chosen for that, seconds; a new piece often begins so.
const NO_MUSIC_SECS: f64 = 6.0;
/// Least probability of a kind of music that is chosen for instead.
const POSSIBLE: f32 = 0.02;
/// Share of the way to the energy that a policy asks of a kind of night.
const NIGHT_PULL: f64 = 0.3;
/// What a whole step of energy counts by which a policy cuts the motion macro differently.
const MOTION_PULL: f64 = 0.4;

impl Target {
    /// What the music heard and the hands ask for. A `policy` beside the library says which energy a kind of night asks
    /// for, and how much motion counts as calm.
    pub fn of(heard: &Features, hands: &PerformerBias, policy: Option<&StylePolicy>) -> Self {
        let section = match heard.section {
            Section::Calm => SECTION_LEVELS[0],
            Section::Groove => SECTION_LEVELS[1],
            Section::Peak => SECTION_LEVELS[2],
        };
        let energy = 2.0 * f64::from(heard.energy_slow.get());
        let passage = match heard.passage {
            Passage::Steady => 0.0,
            Passage::Build => 0.15,
            Passage::Drop => 0.4,
            Passage::Breakdown => -0.3,
        };
        let macros = MACRO_REACH * f64::from(hands.motion.get() + hands.sparkle.get() - 1.0);
        let motion = policy.map_or(0.0, |policy| motion_shift(hands.motion, policy.motion_thresholds));
        let heard_level = SECTION_SHARE * section + (1.0 - SECTION_SHARE) * energy + passage;
        let level = heard_level + macros + motion;
        let asked = policy.and_then(|policy| policy.profile_map.get(&hands.profile.name()));
        let level = match asked {
            Some(energy) => level + NIGHT_PULL * (f64::from(energy.rank()) - level),
            None => level + night(hands.profile),
        };
        Self { scene: rising(heard), level: level.clamp(0.0, 2.0) }
    }

    /// Steps between this level and another.
    pub fn apart(&self, level: f64) -> f64 {
        (self.level - level).abs()
    }
}

/// The scene to choose for: the one that is decided on, or one that has overtaken it already. A decision waits until a
/// lead has lasted; what is chosen now is shown after that. While it is not clear yet that the music is over, the
/// likeliest kind of music is chosen for.
fn rising(heard: &Features) -> Scene {
    let view = &heard.scene;
    let probability = |scene: Scene| view.probabilities[scene as usize];
    let likeliest = |scenes: &[Scene]| {
        scenes
            .iter()
            .copied()
            .max_by(|a, b| probability(*a).total_cmp(&probability(*b)))
            .unwrap_or(view.scene)
    };
    let best = likeliest(&Scene::ALL);
    let overtaken = probability(best) > probability(view.scene) + OVERTAKEN;
    let scene = if overtaken { best } else { view.scene };
    let over = view.scene == Scene::None && (heard.at - view.since).0 >= NO_MUSIC_SECS;
    let music = likeliest(&[Scene::Ambient, Scene::Techno, Scene::Rock]);
    if scene == Scene::None && !over && probability(music) >= POSSIBLE { music } else { scene }
}

/// What a kind of night adds where no policy speaks of it.
fn night(profile: Profile) -> f64 {
    match profile {
        Profile::Ambient => -0.3,
        Profile::Drone => -0.5,
        Profile::Dub => -0.15,
        Profile::Techno | Profile::Custom => 0.0,
        Profile::Rock => 0.1,
        Profile::PeakRave => 0.35,
    }
}

/// What it adds that a policy cuts the motion macro elsewhere than usual: its calm ends at another place.
fn motion_shift(motion: Unipolar, cuts: MotionThresholds) -> f64 {
    // 0.5 where calm ends and 1.5 where groove does, straight in between and beyond.
    let level = |cuts: MotionThresholds| {
        let groove = (cuts.groove_max - cuts.calm_max).max(0.05);
        (0.5 + (f64::from(motion.get()) - cuts.calm_max) / groove).clamp(0.0, 2.0)
    };
    MOTION_PULL * (level(cuts) - level(MotionThresholds::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::SceneView;
    use crate::library::Energy;
    use crate::units::Seconds;

    #[test]
    fn more_energy_more_motion_and_a_wilder_night_raise_the_level() {
        let level = |section, motion: f32, profile| {
            let heard = Features { section, ..Features::default() };
            let hands = PerformerBias { motion: Unipolar::new(motion), profile, ..PerformerBias::default() };
            Target::of(&heard, &hands, None).level
        };
        assert!(level(Section::Peak, 0.5, Profile::Custom) > level(Section::Groove, 0.5, Profile::Custom));
        assert!(level(Section::Groove, 0.9, Profile::Custom) > level(Section::Groove, 0.5, Profile::Custom));
        assert!(level(Section::Groove, 0.5, Profile::PeakRave) > level(Section::Groove, 0.5, Profile::Drone));
        assert!((0.0..=2.0).contains(&level(Section::Calm, 0.0, Profile::Drone)));
    }

    #[test]
    fn a_scene_that_has_overtaken_the_decided_one_is_chosen_for() {
        let scene = SceneView { scene: Scene::Techno, ..SceneView::default() };
        let mut heard = Features { scene, ..Features::default() };
        let mut scene = |probabilities| {
            heard.scene.probabilities = probabilities;
            Target::of(&heard, &PerformerBias::default(), None).scene
        };
        assert_eq!(scene([0.4, 0.5, 0.1, 0.0]), Scene::Techno);
        assert_eq!(scene([0.49, 0.47, 0.04, 0.0]), Scene::Techno);
        assert_eq!(scene([0.55, 0.4, 0.05, 0.0]), Scene::Ambient);
        assert_eq!(scene([0.0; 4]), Scene::Techno, "before anything was heard");
    }

    #[test]
    fn a_moment_without_music_asks_for_the_likeliest_kind_of_it_and_a_longer_one_for_none() {
        let mut heard = Features { at: Seconds(60.0), ..Features::default() };
        let mut scene = |since: f64, probabilities| {
            heard.scene = SceneView { scene: Scene::None, since: Seconds(since), probabilities };
            Target::of(&heard, &PerformerBias::default(), None).scene
        };
        assert_eq!(scene(58.0, [0.05, 0.2, 0.1, 0.65]), Scene::Techno);
        assert_eq!(scene(50.0, [0.05, 0.2, 0.1, 0.65]), Scene::None);
        assert_eq!(scene(58.0, [0.001, 0.001, 0.001, 0.997]), Scene::None, "silence");
    }

    #[test]
    fn a_policy_pulls_towards_the_energy_it_asks_of_a_night_and_cuts_motion_its_own_way() {
        let heard = Features { section: Section::Groove, ..Features::default() };
        let level = |profile, motion: f32, policy: &StylePolicy| {
            let hands = PerformerBias { profile, motion: Unipolar::new(motion), ..PerformerBias::default() };
            Target::of(&heard, &hands, Some(policy)).level
        };
        let mut policy = StylePolicy::default();
        let calm = level(
            Profile::PeakRave,
            0.5,
            &StylePolicy { profile_map: [("peakRave".into(), Energy::Calm)].into(), ..policy.clone() },
        );
        assert!(level(Profile::PeakRave, 0.5, &policy) > calm + 0.4);
        let plain = Target::of(&heard, &PerformerBias::default(), None).level;
        assert_eq!(level(Profile::Custom, 0.5, &policy), plain, "it says nothing about this one");
        policy.motion_thresholds = MotionThresholds { calm_max: 0.7, groove_max: 0.9 };
        assert!(level(Profile::Custom, 0.5, &policy) < plain - 0.1, "more motion counts as calm");
    }
}
