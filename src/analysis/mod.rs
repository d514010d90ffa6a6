//! Music analysis: bands, loudness, onsets, beat, section and scene. Pure: samples in, features out.

mod analyser;
mod beat;
mod energy;
mod features;
mod filterbank;
mod gain;
mod hit;
mod meter;
mod onset;
mod prediction;
mod relative_onset;
mod room;
mod scene;
mod section;
mod spectral;
mod spectrum;
mod stft;
#[cfg(test)]
mod tests;

pub use analyser::Analyser;
pub use beat::TempoRequest;
pub use features::{
    Bands, BeatGrid, Features, Level, Passage, Scene, SceneView, Section, TRUSTED_CONFIDENCE,
};
pub use prediction::BeatPredictor;
pub use room::{Hearing, RoomCheck};

pub use scene::{SIZE as SUMMARY_SIZE, SceneAnalyser, SceneFilter, SceneModel, ScoreInput};

/// Sample rate of the analysis, in Hz.
pub(crate) const RATE_HZ: u32 = 44_100;
