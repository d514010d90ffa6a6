//! Audio input of presets: waveform, spectrum and relative band levels, as MilkDrop computes them.
//!
//! Presets were tuned to these values. Musical features (beat, section, scene) come from `analysis`.

mod align;
mod analyser;
mod loudness;
mod sound;

pub use analyser::PresetAudioAnalyser;
pub use sound::{PresetAudio, SPECTRUM_BINS, WAVE_SAMPLES};
