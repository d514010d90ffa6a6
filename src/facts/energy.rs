//! The energy of a preset: how much it moves.

use serde::{Deserialize, Serialize};

/// How much a preset moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Energy {
    /// Slow, drifting movement.
    Calm,
    /// Moderate movement.
    #[default]
    Groove,
    /// Fast, busy movement.
    Peak,
}

impl Energy {
    /// All energies, from calm to peak.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Groove, Self::Peak];

    /// Returns the rank used in files: 0 calm, 1 groove, 2 peak.
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// Returns the energy with the rank `rank`; [`Energy::Groove`] for an invalid one.
    pub fn of_rank(rank: u8) -> Self {
        Self::ALL.get(usize::from(rank)).copied().unwrap_or_default()
    }

    /// Returns the word used in files and messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Groove => "groove",
            Self::Peak => "peak",
        }
    }

    /// Returns the label shown on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Calm => "Calm",
            Self::Groove => "Groove",
            Self::Peak => "Peak",
        }
    }
}
