//! A MilkDrop preset as a program: parsed text, EEL machine, per-frame state, shader text.
//!
//! Never touches the GPU; what a frame looks like leaves as a [`Frame`], which the stage draws.

mod constants;
mod custom_shape;
mod custom_wave;
mod double;
pub mod eel;
mod frame;
mod hooks;
mod mesh;
mod names;
mod overlay;
mod player;
mod preset_audio;
mod program;
pub mod shader;
mod stroke;
pub mod text;
mod wave;

pub use double::{DoubleBlend, Pattern};
pub use frame::{
    Blend, BlurRange, Draw, Frame, LegacyComposite, Segment, ShapeInstance, Spot, Vertex, Weight,
};
pub use hooks::Hooks;
pub use player::{FRAME_BUDGET, Player, StepReport, Tick};
pub use preset_audio::{PresetAudio, PresetAudioAnalyser, SPECTRUM_BINS, WAVE_SAMPLES};
pub use program::{MAX_PRESET_BYTES, Problem, Program, Refusal};

/// A colour channel as MilkDrop stores it: 8 bits, wrapping round above 1.
fn color_byte(value: f64) -> f32 {
    // `as` saturates and turns not-a-number into 0, so any value a preset computes is safe.
    ((value * 255.0) as i64 & 255) as f32 / 255.0
}
