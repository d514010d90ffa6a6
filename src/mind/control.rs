//! The macro bank's controls, the profiles that bias them, and the macro presets that set them.

use serde::{Deserialize, Serialize};

/// A control of the macro bank, with a position from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Fusion: trails and a second deck blended in, or trails removed.
    Fusion,
    /// Motion: how fast the preset runs, how far it moves, and how strongly it reacts to sound.
    Motion,
    /// Sparkle: local contrast, highlighted edges and glints, or softness.
    Sparkle,
    /// Hue: rotates the colour wheel.
    M4,
    /// Mirror: six mirrored sectors, or the left half mirrored onto the right.
    M5,
    /// Glow: bloom around bright parts, or a vignette.
    M6,
    /// Chroma: stronger colours with chromatic aberration, or greyscale.
    M7,
    /// Pulse: hits zoom in, or out.
    M8,
}

impl Control {
    /// All controls in bank order.
    pub const ALL: [Self; 8] =
        [Self::Fusion, Self::Motion, Self::Sparkle, Self::M4, Self::M5, Self::M6, Self::M7, Self::M8];

    /// Returns the label shown on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fusion => "Fusion",
            Self::Motion => "Motion",
            Self::Sparkle => "Sparkle",
            Self::M4 => "Hue",
            Self::M5 => "Mirror",
            Self::M6 => "Glow",
            Self::M7 => "Chroma",
            Self::M8 => "Pulse",
        }
    }

    /// Returns a description of the effect at each end; in the middle, the control leaves the picture unchanged.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fusion => "Up: trails and a second preset; down: no trails",
            Self::Motion => "Up: faster and wilder; down: slower",
            Self::Sparkle => "Up: detail, edges and glints; down: softness",
            Self::M4 => "Rotates the colours",
            Self::M5 => "Up: six mirrored sectors; down: two mirrored halves",
            Self::M6 => "Up: glow; down: vignette",
            Self::M7 => "Up: strong colours that drift apart; down: greyscale",
            Self::M8 => "Up: hits zoom in; down: hits zoom out",
        }
    }
}

/// A named bias on the macros and the target energy, for one kind of music.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Profile {
    /// Slow and soft music.
    Ambient,
    /// Deep and unhurried music.
    Dub,
    /// Music with almost no movement.
    Drone,
    /// Music with a steady beat.
    Techno,
    /// Music at maximum energy.
    PeakRave,
    /// Music by live bands.
    Rock,
    /// No bias: only the performer's settings.
    #[default]
    Custom,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 7] =
        [Self::Ambient, Self::Dub, Self::Drone, Self::Techno, Self::PeakRave, Self::Rock, Self::Custom];

    /// Returns the label shown on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ambient => "Ambient",
            Self::Dub => "Dub",
            Self::Drone => "Drone",
            Self::Techno => "Techno",
            Self::PeakRave => "Peak rave",
            Self::Rock => "Rock",
            Self::Custom => "Custom",
        }
    }

    /// Returns the name used in files.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => self.title().to_owned(),
        }
    }

    /// Returns the profile with this name in files, if any.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// A named set of positions for all eight controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MacroPreset {
    /// Strong effects.
    TechnoBoost,
    /// Strong effects that brighten the picture on hits.
    RavePunch,
    /// The most restrained effects, with a steady drive.
    DeepPulse,
    /// Effects with wide sweeps and a lot of sparkle.
    WideSweep,
    /// The strongest effects.
    TechnoBrutal,
    /// Hard and bright effects.
    IndustrialSurge,
    /// Sharp effects for acid techno.
    AcidOverdrive,
}

impl MacroPreset {
    /// All macro presets.
    pub const ALL: [Self; 7] = [
        Self::TechnoBoost,
        Self::RavePunch,
        Self::DeepPulse,
        Self::WideSweep,
        Self::TechnoBrutal,
        Self::IndustrialSurge,
        Self::AcidOverdrive,
    ];

    /// Returns the label shown on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::TechnoBoost => "Techno boost",
            Self::RavePunch => "Rave punch",
            Self::DeepPulse => "Deep pulse",
            Self::WideSweep => "Wide sweep",
            Self::TechnoBrutal => "Brutal techno",
            Self::IndustrialSurge => "Industrial surge",
            Self::AcidOverdrive => "Acid overdrive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{MACROS, PROFILES};

    #[test]
    fn names_match_the_settings_file() {
        assert_eq!(Profile::ALL.map(Profile::name), PROFILES);
        let macros = Control::ALL.map(|control| serde_json::to_value(control).expect("a name"));
        assert_eq!(macros, MACROS);
    }
}
