//! Glow and rays around bright parts, or a vignette.

use super::post::{ScreenPass, ScreenPassDesc};
use super::{FORMAT, image, view};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_glow.wgsl");
/// Factor by which the width and height of the picture are reduced to compute the glow.
const SHRINK: u32 = 4;

/// Uniforms of the passes; matches `Glow` in `shaders/post_glow.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct GlowUniforms {
    step: [f32; 2],
    amount: f32,
    glint: f32,
}

/// The passes, and the images between them.
pub(in crate::stage) struct GlowPass {
    bright: ScreenPass<GlowUniforms>,
    across: ScreenPass<GlowUniforms>,
    down: ScreenPass<GlowUniforms>,
    glow: ScreenPass<GlowUniforms>,
    /// The bright parts of the picture: unblurred, blurred horizontally, and blurred in both directions.
    small: [wgpu::TextureView; 3],
    size: [f32; 2],
    small_size: [f32; 2],
}

impl GlowPass {
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let pass = |label, entry, images| {
            ScreenPass::new(gpu, &ScreenPassDesc { label, shader: SHADER, entry, images, format: FORMAT })
        };
        let small_size = size.map(|side| (side / SHRINK).max(1));
        let small = ["post/bright", "post/across", "post/down"]
            .map(|label| view(&image(&gpu.device, label, small_size)));
        Self {
            bright: pass("post/bright", "fs_bright", 1),
            across: pass("post/across", "fs_blur", 1),
            down: pass("post/down", "fs_blur", 1),
            glow: pass("post/glow", "fs_glow", 3),
            small,
            size: size.map(|side| side as f32),
            small_size: small_size.map(|side| side as f32),
        }
    }

    /// Draws `picture` to `target` with glow or vignette, and rays. `amount` ranges from -1 (vignette) to 1
    /// (glow), `glint` (rays) from 0 to 1.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        sampler: &wgpu::Sampler,
        [picture, target]: [&wgpu::TextureView; 2],
        amount: f32,
        glint: f32,
    ) {
        let block = |step| GlowUniforms { step, amount, glint };
        let [bright, across, down] = &self.small;
        let [width, height] = self.small_size;
        self.bright.draw(gpu, encoder, sampler, &[picture], bright, &block(self.size.map(|side| 1.0 / side)));
        self.across.draw(gpu, encoder, sampler, &[bright], across, &block([1.0 / width, 0.0]));
        self.down.draw(gpu, encoder, sampler, &[across], down, &block([0.0, 1.0 / height]));
        let images = [picture, bright, down];
        self.glow.draw(gpu, encoder, sampler, &images, target, &block([1.0 / width, 1.0 / height]));
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(GlowUniforms { step, amount, glint }, SHADER, "Glow");
    }
}
