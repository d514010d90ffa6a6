//! What the performer's hands say about the preset on air.

use serde::{Deserialize, Serialize};

/// One verdict on one showing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Sent away before its time.
    Skip,
    /// Marked as a favourite.
    Favourite,
    /// No favourite any more.
    Unfavourite,
    /// Kept on air by hand.
    Hold,
    /// Shown to the end without a word.
    Watched,
    /// It could not be played.
    Failed,
}

/// Variance of a reward around what the model expects. Half of it learns as fast where nothing surprises (reward lost in
/// an evening: 111 either way), and is fooled more by few signals (167 for 160) and by a misleading start (150 for 140).
const NOISE: f64 = 1.0;
/// Silence may also mean that nobody looked, so it says less.
const SILENCE_NOISE: f64 = 3.0 * NOISE;

impl Signal {
    /// How good it is, -1 to 1.
    pub fn reward(self) -> f64 {
        match self {
            Self::Skip | Self::Failed => -1.0,
            Self::Favourite => 1.0,
            // Takes most of a favourite back without making it a dislike.
            Self::Unfavourite => -0.3,
            Self::Hold => 0.5,
            Self::Watched => 0.1,
        }
    }

    /// How little one such signal proves: the variance of its reward.
    pub fn noise(self) -> f64 {
        match self {
            Self::Watched => SILENCE_NOISE,
            Self::Skip | Self::Failed | Self::Favourite | Self::Unfavourite | Self::Hold => NOISE,
        }
    }
}
