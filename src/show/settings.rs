//! The settings of a show; recorded in its log.

use serde::{Deserialize, Serialize};

/// The settings of a show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShowSettings {
    /// Random seed of all choices.
    pub seed: u64,
    /// Whether Auto is on, so that the director cuts to other presets on its own.
    pub auto: bool,
    /// Target frame rate, in Hz.
    pub fps: f64,
    /// Number of frames that a deck draws before it is warm.
    pub warm_frames: u32,
    /// Whether a safe preset is kept warm for `Panic`.
    #[serde(rename = "refuge")]
    pub safe_preset: bool,
    /// Whether the Fusion macro may blend in a second deck, which is too expensive on a software rasteriser.
    pub second_deck: bool,
    /// Delay between the newest audio and the display of a frame, in seconds; cuts are timed by when they are
    /// seen. Negative if a frame is displayed before the end of the audio it was drawn from, as in an offline
    /// show.
    pub seen_after_secs: f64,
    /// Whether the inputs of every frame are recorded in the set log for replay.
    pub record: bool,
    /// Whether the macros are recorded in the set log once a second.
    #[serde(default)]
    pub log_macros: bool,
}

impl Default for ShowSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            auto: true,
            fps: 60.0,
            warm_frames: 12,
            safe_preset: true,
            second_deck: true,
            seen_after_secs: 0.0,
            record: false,
            log_macros: false,
        }
    }
}
