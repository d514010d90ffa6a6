//! The names on the macro bank: its eight controls, the profiles that bias them, and the presets that set them.

use serde::{Deserialize, Serialize};

/// One control of the macro bank, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// How much a second deck, the post layers and the feedback are fused into one picture.
    Fusion,
    /// How fast the running preset's time goes and how strongly it reacts to sound.
    Motion,
    /// Contrast, glint, detail and edges.
    Sparkle,
    /// Hue: turns the colour wheel.
    M4,
    /// Mirror: six mirrored sectors, or left onto right.
    M5,
    /// Glow: light around bright parts, or darkness towards the edge.
    M6,
    /// Chroma: stronger colours that drift apart, or grey.
    M7,
    /// Pulse: hits draw the picture closer, or push it away.
    M8,
}

impl Control {
    /// Every control, in the order of the bank.
    pub const ALL: [Self; 8] =
        [Self::Fusion, Self::Motion, Self::Sparkle, Self::M4, Self::M5, Self::M6, Self::M7, Self::M8];

    /// The words on the desk.
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

    /// What its two ends do; the middle leaves the picture alone.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fusion => "trails and a second deck, or none of the past",
            Self::Motion => "faster and wilder, or slow",
            Self::Sparkle => "detail, edges and glints, or softness",
            Self::M4 => "turns the colours",
            Self::M5 => "six mirrors, or one",
            Self::M6 => "glow, or a dark edge",
            Self::M7 => "strong colours that part, or grey",
            Self::M8 => "hits pull the picture close, or push it away",
        }
    }
}

/// The kind of night: biases the macros and the energy that is aimed at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Profile {
    /// Slow and soft.
    Ambient,
    /// Deep and unhurried.
    Dub,
    /// Hardly moving.
    Drone,
    /// A straight beat.
    Techno,
    /// Everything at once.
    PeakRave,
    /// A band.
    Rock,
    /// No bias: what the performer set.
    #[default]
    Custom,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 7] =
        [Self::Ambient, Self::Dub, Self::Drone, Self::Techno, Self::PeakRave, Self::Rock, Self::Custom];

    /// The words on the desk.
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

    /// The name in files.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => self.title().to_owned(),
        }
    }

    /// The profile of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// A stored setting of the whole bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MacroPreset {
    /// Strong and even.
    TechnoBoost,
    /// Bright hits.
    RavePunch,
    /// Low and steady.
    DeepPulse,
    /// Wide and glinting.
    WideSweep,
    /// As hard as it goes.
    TechnoBrutal,
    /// Hard and bright.
    IndustrialSurge,
    /// Sharp and acid.
    AcidOverdrive,
}

impl MacroPreset {
    /// Every macro preset.
    pub const ALL: [Self; 7] = [
        Self::TechnoBoost,
        Self::RavePunch,
        Self::DeepPulse,
        Self::WideSweep,
        Self::TechnoBrutal,
        Self::IndustrialSurge,
        Self::AcidOverdrive,
    ];

    /// The words on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::TechnoBoost => "Techno boost",
            Self::RavePunch => "Rave punch",
            Self::DeepPulse => "Deep pulse",
            Self::WideSweep => "Wide sweep",
            Self::TechnoBrutal => "Techno brutal",
            Self::IndustrialSurge => "Industrial surge",
            Self::AcidOverdrive => "Acid overdrive",
        }
    }
}
