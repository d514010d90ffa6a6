//! Feedback on presets: what the performer did, or that a preset failed.

use serde::{Deserialize, Serialize};

/// Feedback on one showing of a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The preset was skipped.
    Skip,
    /// The preset was marked as a favourite.
    Favourite,
    /// The preset was removed from favourites.
    Unfavourite,
    /// The preset was held on air.
    Hold,
    /// The preset was shown until the director replaced it, or for at least 30 seconds, without other
    /// feedback.
    Watched,
    /// The preset could not be played.
    Failed,
}

/// Variance of a reward around the model's expectation. With half this value, the model learns no faster in
/// the stationary scenario (regret per session: 111 either way) and suffers more from sparse signals (167
/// instead of 160) and from a misleading prior (150 instead of 140).
const NOISE: f64 = 1.0;
/// Variance of the reward if the performer did nothing; they may not have been looking.
const SILENCE_NOISE: f64 = 3.0 * NOISE;

/// Reward that a hold approaches as it gets longer.
const HOLD_REWARD: f64 = 0.8;
/// Time after which a hold has earned about two thirds of [`HOLD_REWARD`], in seconds.
const HOLD_SECS: f64 = 30.0;
/// Length assumed for a hold of unknown length, in seconds; gives the reward that [`Signal::reward`] returns
/// for a hold.
const USUAL_HOLD_SECS: f64 = 29.4;

/// A signal and, for a hold, its length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feedback {
    /// The signal.
    pub signal: Signal,
    /// How long the preset was held, in seconds; only used for [`Signal::Hold`].
    pub held_secs: f64,
}

impl Feedback {
    /// Creates the feedback for a hold of `held_secs` seconds.
    pub fn hold(held_secs: f64) -> Self {
        Self { signal: Signal::Hold, held_secs }
    }

    /// Returns the reward, -1 to 1; the longer a hold, the higher its reward.
    pub fn reward(&self) -> f64 {
        match self.signal {
            Signal::Hold => HOLD_REWARD * (1.0 - (-self.held_secs.max(0.0) / HOLD_SECS).exp()),
            signal => signal.reward(),
        }
    }
}

impl From<Signal> for Feedback {
    fn from(signal: Signal) -> Self {
        Self { signal, held_secs: USUAL_HOLD_SECS }
    }
}

impl Signal {
    /// Returns the reward, -1 to 1; a hold is assumed to have an average length.
    pub fn reward(self) -> f64 {
        match self {
            Self::Skip | Self::Failed => -1.0,
            Self::Favourite => 1.0,
            // Undoes most of a favourite without becoming a dislike.
            Self::Unfavourite => -0.3,
            Self::Hold => 0.5,
            Self::Watched => 0.1,
        }
    }

    /// Returns the variance of the reward.
    pub fn noise(self) -> f64 {
        match self {
            Self::Watched => SILENCE_NOISE,
            Self::Skip | Self::Failed | Self::Favourite | Self::Unfavourite | Self::Hold => NOISE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_hold_is_a_stronger_reward() {
        let rewards = [0.0, 5.0, 20.0, 60.0, 600.0].map(|secs| Feedback::hold(secs).reward());
        assert!(rewards.is_sorted() && rewards[0] == 0.0 && rewards[4] < Signal::Favourite.reward());
        let usual = Feedback::from(Signal::Hold).reward();
        assert!((usual - Signal::Hold.reward()).abs() < 1e-3, "{usual}");
        assert_eq!(Feedback::from(Signal::Skip).reward(), -1.0);
    }
}
