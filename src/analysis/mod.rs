//! What the music does: bands, loudness, onsets, beat, section, scene. Pure: samples in, features out.

mod analyser;
mod beat;
mod call;
mod energy;
mod features;
mod filterbank;
mod gain;
mod hit;
mod meter;
mod onset;
mod scene;
mod section;
mod spectral;
mod stft;
#[cfg(test)]
mod tests;

pub use analyser::Analyser;
pub use beat::TempoRequest;
pub use call::BeatCall;
pub use features::{
    Bands, BeatGrid, Features, Level, Passage, Scene, SceneView, Section, TRUSTED_CONFIDENCE,
};

pub use scene::{SIZE as SUMMARY_SIZE, SceneEar, SceneModel, SceneWatch, ScoreInput};

/// The rate at which music is heard, in Hz.
pub(crate) const RATE_HZ: u32 = 44_100;
