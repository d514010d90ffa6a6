//! Blends another deck into the picture.

use super::FORMAT;
use super::post::{ScreenPass, ScreenPassDesc};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_fuse.wgsl");

/// Uniforms of the pass; matches `Fuse` in `shaders/post_fuse.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct FuseUniforms {
    pub share: f32,
}

/// Creates the pass, which reads the picture and the fused deck.
pub(in crate::stage) fn pass(gpu: &Gpu) -> ScreenPass<FuseUniforms> {
    ScreenPass::new(
        gpu,
        &ScreenPassDesc { label: "post/fuse", shader: SHADER, entry: "fs_fuse", images: 2, format: FORMAT },
    )
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(FuseUniforms { share }, SHADER, "Fuse");
    }
}
