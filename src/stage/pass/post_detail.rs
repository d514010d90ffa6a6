//! Local contrast and edge enhancement, or softening.

use super::FORMAT;
use super::post::{ScreenPass, ScreenPassDesc};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_detail.wgsl");

/// Uniforms of the pass; matches `Detail` in `shaders/post_detail.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct DetailUniforms {
    pub step: [f32; 2],
    pub amount: f32,
    pub pad: f32,
}

/// Creates the pass, which reads the picture.
pub(in crate::stage) fn pass(gpu: &Gpu) -> ScreenPass<DetailUniforms> {
    ScreenPass::new(
        gpu,
        &ScreenPassDesc {
            label: "post/detail",
            shader: SHADER,
            entry: "fs_detail",
            images: 1,
            format: FORMAT,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(DetailUniforms { step, amount, pad }, SHADER, "Detail");
    }
}
