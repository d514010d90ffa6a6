//! The target of a choice: a scene and an energy level, derived from the music and the performer's settings.

use serde::{Deserialize, Serialize};

use crate::analysis::{Features, Passage, Scene, Section};
use crate::library::style::{MotionThresholds, StylePolicy};
use crate::mind::Profile;
use crate::units::Unipolar;

/// The performer's settings that shift the target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerformerBias {
    /// Position of the motion macro.
    pub motion: Unipolar,
    /// Position of the sparkle macro.
    pub sparkle: Unipolar,
    /// The active profile.
    pub profile: Profile,
}

impl Default for PerformerBias {
    fn default() -> Self {
        Self { motion: Unipolar::HALF, sparkle: Unipolar::HALF, profile: Profile::default() }
    }
}

/// The scene and energy to choose for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The scene to choose for.
    pub scene: Scene,
    /// How much the picture should move: 0 calm, 1 groove, 2 peak.
    pub level: f64,
}

/// Energy level of each section: calm, groove, peak.
const SECTION_LEVELS: [f64; 3] = [0.3, 1.0, 1.7];
/// Weight of the section in the level; the rest is the weight of the energy over about two bars.
const SECTION_SHARE: f64 = 0.7;
/// Largest combined contribution of the motion and sparkle macros to the level.
const MACRO_REACH: f64 = 0.4;
/// Margin of probability by which another scene must lead the detected one to become the target; with a
/// smaller margin, the target would flicker.
const LEAD: f32 = 0.04;
/// Seconds without music before [`Scene::None`] becomes the target; a new track often starts with a pause.
const NO_MUSIC_SECS: f64 = 6.0;
/// Minimum probability for a music scene to be the target instead of [`Scene::None`].
const POSSIBLE: f32 = 0.02;
/// How far the level is pulled towards the energy that the policy assigns to the profile, 0 to 1.
const PROFILE_PULL: f64 = 0.3;
/// Weight of the level shift caused by the policy's motion thresholds.
const MOTION_PULL: f64 = 0.4;

impl Target {
    /// Returns the target for the music and the performer's bias. The library's `policy`, if any, assigns energies to
    /// profiles and sets the motion thresholds.
    pub fn of(features: &Features, bias: &PerformerBias, policy: Option<&StylePolicy>) -> Self {
        let section = match features.section {
            Section::Calm => SECTION_LEVELS[0],
            Section::Groove => SECTION_LEVELS[1],
            Section::Peak => SECTION_LEVELS[2],
        };
        let energy = 2.0 * f64::from(features.energy_slow.get());
        let passage = match features.passage {
            Passage::Steady => 0.0,
            Passage::Build => 0.15,
            Passage::Drop => 0.4,
            Passage::Breakdown => -0.3,
        };
        let macros = MACRO_REACH * f64::from(bias.motion.get() + bias.sparkle.get() - 1.0);
        let motion = policy.map_or(0.0, |policy| motion_shift(bias.motion, policy.motion_thresholds));
        let music_level = SECTION_SHARE * section + (1.0 - SECTION_SHARE) * energy + passage;
        let level = music_level + macros + motion;
        let policy_energy = policy.and_then(|policy| policy.profile_map.get(&bias.profile.name()));
        let level = match policy_energy {
            Some(energy) => level + PROFILE_PULL * (f64::from(energy.rank()) - level),
            None => level + profile_shift(bias.profile),
        };
        Self { scene: scene(features), level: level.clamp(0.0, 2.0) }
    }

    /// Returns the distance between this level and another, in energy steps.
    pub fn distance(&self, level: f64) -> f64 {
        (self.level - level).abs()
    }
}

/// Returns the scene to choose for: the detected one, or one that already leads it by [`LEAD`]. The detector changes
/// scene only after a lead has lasted, but a preset chosen now is shown later, so the lead is followed immediately.
/// Until it is clear that the music is over, the most likely music scene is used.
fn scene(features: &Features) -> Scene {
    let view = &features.scene;
    let probability = |scene: Scene| view.probabilities[scene as usize];
    let likeliest = |scenes: &[Scene]| {
        scenes
            .iter()
            .copied()
            .max_by(|a, b| probability(*a).total_cmp(&probability(*b)))
            .unwrap_or(view.scene)
    };
    let best = likeliest(&Scene::ALL);
    let leads = probability(best) > probability(view.scene) + LEAD;
    let scene = if leads { best } else { view.scene };
    let over = view.scene == Scene::None && (features.at - view.since).0 >= NO_MUSIC_SECS;
    let music = likeliest(&[Scene::Ambient, Scene::Techno, Scene::Rock]);
    if scene == Scene::None && !over && probability(music) >= POSSIBLE { music } else { scene }
}

/// Returns the level shift of a profile that the policy does not mention.
fn profile_shift(profile: Profile) -> f64 {
    match profile {
        Profile::Ambient => -0.3,
        Profile::Drone => -0.5,
        Profile::Dub => -0.15,
        Profile::Techno | Profile::Custom => 0.0,
        Profile::Rock => 0.1,
        Profile::PeakRave => 0.35,
    }
}

/// Returns the level shift caused by motion thresholds that differ from the defaults.
fn motion_shift(motion: Unipolar, thresholds: MotionThresholds) -> f64 {
    // 0.5 at the end of calm and 1.5 at the end of groove; linear in between and beyond, limited to 0 and 2.
    let level = |thresholds: MotionThresholds| {
        let groove = (thresholds.groove_max - thresholds.calm_max).max(0.05);
        (0.5 + (f64::from(motion.get()) - thresholds.calm_max) / groove).clamp(0.0, 2.0)
    };
    MOTION_PULL * (level(thresholds) - level(MotionThresholds::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::SceneView;
    use crate::facts::Energy;
    use crate::units::Seconds;

    #[test]
    fn energy_motion_and_wilder_profiles_raise_the_level() {
        let level = |section, motion: f32, profile| {
            let features = Features { section, ..Features::default() };
            let bias = PerformerBias { motion: Unipolar::new(motion), profile, ..PerformerBias::default() };
            Target::of(&features, &bias, None).level
        };
        assert!(level(Section::Peak, 0.5, Profile::Custom) > level(Section::Groove, 0.5, Profile::Custom));
        assert!(level(Section::Groove, 0.9, Profile::Custom) > level(Section::Groove, 0.5, Profile::Custom));
        assert!(level(Section::Groove, 0.5, Profile::PeakRave) > level(Section::Groove, 0.5, Profile::Drone));
        assert!((0.0..=2.0).contains(&level(Section::Calm, 0.0, Profile::Drone)));
    }

    #[test]
    fn a_scene_that_leads_the_detected_one_becomes_the_target() {
        let scene = SceneView { scene: Scene::Techno, ..SceneView::default() };
        let mut features = Features { scene, ..Features::default() };
        let mut scene = |probabilities| {
            features.scene.probabilities = probabilities;
            Target::of(&features, &PerformerBias::default(), None).scene
        };
        assert_eq!(scene([0.4, 0.5, 0.1, 0.0]), Scene::Techno);
        assert_eq!(scene([0.49, 0.47, 0.04, 0.0]), Scene::Techno);
        assert_eq!(scene([0.55, 0.4, 0.05, 0.0]), Scene::Ambient);
        assert_eq!(scene([0.0; 4]), Scene::Techno, "before any music");
    }

    #[test]
    fn a_short_pause_targets_the_likeliest_scene_and_a_long_one_targets_none() {
        let mut features = Features { at: Seconds(60.0), ..Features::default() };
        let mut scene = |since: f64, probabilities| {
            features.scene = SceneView { scene: Scene::None, since: Seconds(since), probabilities };
            Target::of(&features, &PerformerBias::default(), None).scene
        };
        assert_eq!(scene(58.0, [0.05, 0.2, 0.1, 0.65]), Scene::Techno);
        assert_eq!(scene(50.0, [0.05, 0.2, 0.1, 0.65]), Scene::None);
        assert_eq!(scene(58.0, [0.001, 0.001, 0.001, 0.997]), Scene::None, "silence");
    }

    #[test]
    fn a_policy_pulls_the_level_towards_its_energy_and_shifts_the_motion_thresholds() {
        let features = Features { section: Section::Groove, ..Features::default() };
        let level = |profile, motion: f32, policy: &StylePolicy| {
            let bias = PerformerBias { profile, motion: Unipolar::new(motion), ..PerformerBias::default() };
            Target::of(&features, &bias, Some(policy)).level
        };
        let mut policy = StylePolicy::default();
        let calm = level(
            Profile::PeakRave,
            0.5,
            &StylePolicy { profile_map: [("peakRave".into(), Energy::Calm)].into(), ..policy.clone() },
        );
        assert!(level(Profile::PeakRave, 0.5, &policy) > calm + 0.4);
        let plain = Target::of(&features, &PerformerBias::default(), None).level;
        assert_eq!(level(Profile::Custom, 0.5, &policy), plain, "the policy has no entry for this profile");
        policy.motion_thresholds = MotionThresholds { calm_max: 0.7, groove_max: 0.9 };
        assert!(level(Profile::Custom, 0.5, &policy) < plain - 0.1, "more motion counts as calm");
    }
}
