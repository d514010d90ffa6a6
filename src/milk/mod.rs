//! A MilkDrop preset as a program: parsed text, EEL machine, per-frame state, shader text.
//!
//! Never touches the GPU; what a frame looks like leaves as a [`Frame`], which the stage draws.

pub mod eel;
mod frame;
mod heard;
pub mod shader;

pub use frame::{Blend, BlurRange, Draw, Frame, LegacyComposite, Segment, ShapeInstance, Spot, Vertex};
pub use heard::Heard;
