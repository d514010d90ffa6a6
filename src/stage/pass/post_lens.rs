//! Mirrors, zoom and chromatic aberration.

use super::FORMAT;
use super::post::{ScreenPass, ScreenPassDesc};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_lens.wgsl");

/// Uniforms of the pass; matches `Lens` in `shaders/post_lens.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct LensUniforms {
    pub fold: f32,
    pub zoom: f32,
    pub split: f32,
    pub aspect: f32,
}

/// Creates the pass, which reads the picture.
pub(in crate::stage) fn pass(gpu: &Gpu) -> ScreenPass<LensUniforms> {
    ScreenPass::new(
        gpu,
        &ScreenPassDesc { label: "post/lens", shader: SHADER, entry: "fs_lens", images: 1, format: FORMAT },
    )
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(LensUniforms { fold, zoom, split, aspect }, SHADER, "Lens");
    }
}
