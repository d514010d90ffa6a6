//! What the music does: bands, loudness, onsets, beat, section, scene. Pure: samples in, features out.

mod features;

pub use features::{
    Bands, BeatGrid, Features, Level, Passage, Scene, SceneView, Section, TRUSTED_CONFIDENCE,
};
