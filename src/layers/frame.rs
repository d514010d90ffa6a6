//! The layers of one frame as textured triangles: the input of the stage.

use std::ops::Range;
use std::sync::Arc;

use super::mipmap::Mipmap;
use crate::milk::PresetAudio;

/// How a layer is blended into the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blend {
    /// Blends by `a` and ignores the image's alpha.
    Mix,
    /// Replaces the picture.
    Decal,
    /// Adds to the picture.
    Additive,
    /// Blends each channel by its own brightness.
    SourceColor,
    /// Blends by `a` times the image's alpha, which is 0 where the image has the colour key.
    Keyed,
}

impl Blend {
    /// Returns the blend mode with MilkDrop's number; others mix.
    pub(super) fn of_sprite(number: f64) -> Self {
        match number as i64 {
            1 => Self::Decal,
            2 => Self::Additive,
            3 => Self::SourceColor,
            4 => Self::Keyed,
            _ => Self::Mix,
        }
    }
}

/// A vertex of a layer. Matches the vertex layout of `shaders/layer.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct LayerVertex {
    /// Position in clip space.
    pub at: [f32; 2],
    /// Position in the image, 0 to 1; beyond if it is tiled.
    pub uv: [f32; 2],
    /// RGBA, multiplied with the image.
    pub color: [f32; 4],
    /// 1 if the image's alpha applies, otherwise 0.
    pub keyed: f32,
}

/// Triangles of one layer.
#[derive(Clone, Debug)]
pub struct LayerDraw {
    /// The image on them.
    pub image: Arc<Mipmap>,
    /// Range of [`LayerFrame::vertices`], a multiple of three.
    pub range: Range<u32>,
    /// How they are blended.
    pub blend: Blend,
    /// Whether the image repeats beyond its edges, instead of ending there.
    pub tiled: bool,
    /// Whether they are drawn into the preset's picture instead of over it.
    pub burned: bool,
}

/// The layers of one frame, in the order they are drawn.
#[derive(Debug, Default)]
pub struct LayerFrame {
    /// Vertices of all draws.
    pub vertices: Vec<LayerVertex>,
    /// The draws.
    pub draws: Vec<LayerDraw>,
}

/// The inputs of one frame.
#[derive(Clone, Copy, Debug)]
pub struct LayerInput<'a> {
    /// The audio that presets receive.
    pub audio: &'a PresetAudio,
    /// Frames per second.
    pub fps: f64,
    /// Width of the picture divided by its height.
    pub aspect: f32,
}
