//! Kinds of bans.

use serde::{Deserialize, Serialize};

/// Why a preset is excluded, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BanKind {
    /// The preset could not be loaded, or its code failed or was too slow during a show; lasts a day.
    #[default]
    Soft,
    /// The preset was black, white or frozen during a show; lasts a week.
    Aesthetic,
    /// The preset repeatedly caused the graphics device to be lost; lasts until the performer rescues the preset.
    Quality,
    /// An audit rejected the preset. Lasts as long as the verdict, which is stored instead of the ban, or until the
    /// performer rescues the preset.
    Audit,
    /// The performer banned the preset; permanent.
    Permanent,
}

impl BanKind {
    /// All kinds of bans in the store.
    pub const ALL: [Self; 4] = [Self::Soft, Self::Aesthetic, Self::Quality, Self::Permanent];

    /// Returns the word used in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Aesthetic => "aesthetic",
            Self::Quality => "quality",
            Self::Audit => "audit",
            Self::Permanent => "permanent",
        }
    }

    /// Returns the duration as text, such as `for a day`.
    pub fn duration_text(self) -> &'static str {
        match self {
            Self::Soft => "for a day",
            Self::Aesthetic => "for a week",
            Self::Quality => "until you rescue it on the Library page",
            Self::Audit => "until it passes an audit or you rescue it on the Library page",
            Self::Permanent => "permanently",
        }
    }

    /// Returns the duration in seconds; `None` if unlimited.
    pub fn duration_secs(self) -> Option<i64> {
        const DAY: i64 = 86_400;
        match self {
            Self::Soft => Some(DAY),
            Self::Aesthetic => Some(7 * DAY),
            Self::Quality | Self::Audit | Self::Permanent => None,
        }
    }
}
