//! The layers of one frame as textured triangles: the input of the stage.

use std::ops::Range;
use std::sync::Arc;

use super::mipmap::Mipmap;
use crate::milk::PresetAudio;

/// How a layer is blended into the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blend {
    /// Blends by the sprite's `a` and ignores the image's alpha.
    Mix,
    /// Replaces the picture below the layer.
    Decal,
    /// Adds the layer's colour, times `a`, to the picture.
    Additive,
    /// Blends each colour channel by the layer's brightness in that channel.
    SourceColor,
    /// Blends by `a` times the image's alpha, which is 0 in pixels that match the colour key.
    Keyed,
}

impl Blend {
    /// Returns the blend mode with this number in MilkDrop; [`Self::Mix`] if there is none.
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
    /// Position in the image, 0 to 1, or beyond if the image is tiled.
    pub uv: [f32; 2],
    /// RGBA, from 0 to 1, by which the image is multiplied.
    pub color: [f32; 4],
    /// 1 if the image's alpha applies, otherwise 0.
    pub keyed: f32,
}

/// Triangles of one layer.
#[derive(Clone, Debug)]
pub struct LayerDraw {
    /// The image drawn on the triangles.
    pub image: Arc<Mipmap>,
    /// Range in [`LayerFrame::vertices`]; its length is a multiple of three.
    pub range: Range<u32>,
    /// How the triangles are blended into the picture.
    pub blend: Blend,
    /// Whether the image repeats beyond its edges; if not, it is clamped.
    pub tiled: bool,
    /// Whether the triangles are drawn into the preset's picture instead of over it.
    pub burned: bool,
}

/// The layers of one frame, in the order they are drawn.
#[derive(Debug, Default)]
pub struct LayerFrame {
    /// Vertices of all draws, three for each triangle.
    pub vertices: Vec<LayerVertex>,
    /// The draws, from the bottom layer to the top one.
    pub draws: Vec<LayerDraw>,
}

/// Inputs to the layers in one frame.
#[derive(Clone, Copy, Debug)]
pub struct LayerInput<'a> {
    /// The audio that presets receive.
    pub audio: &'a PresetAudio,
    /// Frame rate of the show, in frames per second.
    pub fps: f64,
    /// Width of the picture divided by its height.
    pub aspect: f32,
}
