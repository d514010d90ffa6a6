//! What the music asks for: a scene and a level of energy.

use serde::{Deserialize, Serialize};

use crate::analysis::{Features, Passage, Scene, Section};
use crate::mind::Profile;
use crate::units::Unipolar;

/// What the performer's hands and the evening add to the music.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hands {
    /// The motion macro.
    pub motion: Unipolar,
    /// The sparkle macro.
    pub sparkle: Unipolar,
    /// The kind of night.
    pub profile: Profile,
}

impl Default for Hands {
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

impl Target {
    /// What the music heard and the hands ask for.
    pub fn of(heard: &Features, hands: &Hands) -> Self {
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
        let night = match hands.profile {
            Profile::Ambient => -0.3,
            Profile::Drone => -0.5,
            Profile::Dub => -0.15,
            Profile::Techno | Profile::Custom => 0.0,
            Profile::Rock => 0.1,
            Profile::PeakRave => 0.35,
        };
        let macros = f64::from(hands.motion.get() + hands.sparkle.get()) - 1.0;
        let heard_level = SECTION_SHARE * section + (1.0 - SECTION_SHARE) * energy + passage;
        Self { scene: heard.scene.scene, level: (heard_level + night + MACRO_REACH * macros).clamp(0.0, 2.0) }
    }

    /// Steps between this level and another.
    pub fn apart(&self, level: f64) -> f64 {
        (self.level - level).abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_energy_more_motion_and_a_wilder_night_raise_the_level() {
        let level = |section, motion: f32, profile| {
            let heard = Features { section, ..Features::default() };
            let hands = Hands { motion: Unipolar::new(motion), profile, ..Hands::default() };
            Target::of(&heard, &hands).level
        };
        assert!(level(Section::Peak, 0.5, Profile::Custom) > level(Section::Groove, 0.5, Profile::Custom));
        assert!(level(Section::Groove, 0.9, Profile::Custom) > level(Section::Groove, 0.5, Profile::Custom));
        assert!(level(Section::Groove, 0.5, Profile::PeakRave) > level(Section::Groove, 0.5, Profile::Drone));
        assert!((0.0..=2.0).contains(&level(Section::Calm, 0.0, Profile::Drone)));
    }
}
