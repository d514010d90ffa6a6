//! MilkDrop presets: parsing, EEL code, per-frame state and shader translation.
//!
//! Never touches the GPU. Each step of a [`Player`] fills a [`Frame`], which the stage draws.

mod added;
mod constants;
mod custom_shape;
mod custom_wave;
mod double;
mod engine;
mod frame;
mod mesh;
mod modulation;
mod names;
pub mod noise;
mod overlay;
mod player;
mod preset_audio;
mod program;
pub mod shader;
mod stroke;
pub mod text;
mod texture_name;
mod wave;

pub use crate::hlsl::ExtraUniforms;
pub use double::{DoubleBlend, Pattern};
pub use engine::Tick;
pub use frame::{
    Blend, BlurRange, Border, Dot, Draw, Frame, LegacyComposite, Segment, ShapeInstance, Vertex, Weight,
};
pub use mesh::{GridPoint, grid_points};
pub use modulation::Modulation;
pub use player::{COARSE_MESH, FRAME_BUDGET, Player, StepReport};
pub use preset_audio::{PresetAudio, PresetAudioAnalyser, SPECTRUM_BINS, WAVE_SAMPLES};
pub use program::{MAX_PRESET_BYTES, PresetError, Problem, Program};
pub use texture_name::random_texture;

/// Quantizes a colour channel to 8 bits as MilkDrop does; values outside 0 to 1 wrap around.
fn color_byte(value: f64) -> f32 {
    // `as` saturates and maps NaN to 0, so every input is valid.
    ((value * 255.0) as i64 & 255) as f32 / 255.0
}
