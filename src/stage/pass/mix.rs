//! The mixer: draws one deck, or a crossfade of two, to the output picture.

use super::post::{ScreenPass, ScreenPassDesc};
use crate::stage::cue::FadeStyle;
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/mix.wgsl");

/// Uniforms of the mixer; matches `Mix` in `shaders/mix.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct MixUniforms {
    pub progress: f32,
    pub style: u32,
    pub aspect: f32,
    pub pad: f32,
}

impl MixUniforms {
    /// Returns the index of a style in the shader.
    pub fn style(style: FadeStyle) -> u32 {
        match style {
            FadeStyle::Mix => 0,
            FadeStyle::Luma => 1,
            FadeStyle::Zoom => 2,
            FadeStyle::Radial => 3,
        }
    }
}

/// Creates the pass, which reads the outgoing and the incoming picture and draws to targets of `format`.
pub(in crate::stage) fn pass(gpu: &Gpu, format: wgpu::TextureFormat) -> ScreenPass<MixUniforms> {
    ScreenPass::new(gpu, &ScreenPassDesc { label: "mix", shader: SHADER, entry: "fs_mix", images: 2, format })
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(MixUniforms { progress, style, aspect, pad }, SHADER, "Mix");
    }
}
