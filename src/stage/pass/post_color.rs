//! Hue rotation and saturation.

use super::FORMAT;
use super::post::{ScreenPass, ScreenPassDesc};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_color.wgsl");

/// Uniforms of the pass; matches `Color` in `shaders/post_color.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct ColorUniforms {
    pub turn: f32,
    pub saturation: f32,
}

/// Creates the pass, which reads the picture.
pub(in crate::stage) fn pass(gpu: &Gpu) -> ScreenPass<ColorUniforms> {
    ScreenPass::new(
        gpu,
        &ScreenPassDesc { label: "post/color", shader: SHADER, entry: "fs_color", images: 1, format: FORMAT },
    )
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(ColorUniforms { turn, saturation }, SHADER, "Color");
    }
}
