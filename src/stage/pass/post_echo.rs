//! The picture with its own past: trails of light laid in, or taken out.

use super::post::{ScreenPass, ScreenPlan};
use super::{FORMAT, view};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_echo.wgsl");
/// The past fades smoothly only with more than eight bits.
const PAST_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
/// Time in which the past fades to a third, seconds.
const FADE_SECS: f32 = 0.3;
/// How fast the past grows outwards, per second.
const GROWTH: f32 = 0.25;

/// Twin of `Echo` in `shaders/post_echo.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct EchoUniforms {
    amount: f32,
    keep: f32,
    growth: f32,
}

/// Both halves of the pass, and the past.
pub(in crate::stage) struct EchoPass {
    keep: ScreenPass<EchoUniforms>,
    echo: ScreenPass<EchoUniforms>,
    past: [wgpu::TextureView; 2],
    /// Which one holds the newest past.
    newest: usize,
    /// There is no past to go on from.
    fresh: bool,
}

impl EchoPass {
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let pass = |label, entry, format| {
            ScreenPass::new(gpu, &ScreenPlan { label, shader: SHADER, entry, images: 2, format })
        };
        let past = ["post/past a", "post/past b"].map(|label| {
            view(&gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d {
                    width: size[0].max(1),
                    height: size[1].max(1),
                    depth_or_array_layers: 1,
                },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: PAST_FORMAT,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            }))
        });
        Self {
            keep: pass("post/keep", "fs_keep", PAST_FORMAT),
            echo: pass("post/echo", "fs_echo", FORMAT),
            past,
            newest: 0,
            fresh: true,
        }
    }

    /// The next frame starts without a past.
    pub fn forget(&mut self) {
        self.fresh = true;
    }

    /// From `picture` to `target`, `dt` seconds after the last frame; `amount` -1 to 1.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        sampler: &wgpu::Sampler,
        [picture, target]: [&wgpu::TextureView; 2],
        amount: f32,
        dt: f32,
    ) {
        let keep = if self.fresh { 0.0 } else { (-dt / FADE_SECS).exp() };
        let uniforms = EchoUniforms { amount, keep, growth: 1.0 + GROWTH * dt };
        let (last, next) = (self.newest, 1 - self.newest);
        self.keep.draw(gpu, encoder, sampler, &[picture, &self.past[last]], &self.past[next], &uniforms);
        self.echo.draw(gpu, encoder, sampler, &[picture, &self.past[next]], target, &uniforms);
        self.newest = next;
        self.fresh = false;
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn both_sides_agree_on_the_block() {
        check_layout!(EchoUniforms { amount, keep, growth }, SHADER, "Echo");
    }
}
