//! Local contrast and lit edges, or softness.

use super::FORMAT;
use super::post::{ScreenPass, ScreenPlan};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_detail.wgsl");

/// Twin of `Detail` in `shaders/post_detail.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct DetailUniforms {
    pub step: [f32; 2],
    pub amount: f32,
    pub pad: f32,
}

/// Reads the picture.
pub(in crate::stage) fn pass(gpu: &Gpu) -> ScreenPass<DetailUniforms> {
    ScreenPass::new(
        gpu,
        &ScreenPlan { label: "post/detail", shader: SHADER, entry: "fs_detail", images: 1, format: FORMAT },
    )
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn both_sides_agree_on_the_block() {
        check_layout!(DetailUniforms { step, amount, pad }, SHADER, "Detail");
    }
}
