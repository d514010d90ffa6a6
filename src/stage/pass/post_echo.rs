//! Trails: adds the history of the picture, or subtracts it.

use super::post::{ScreenPass, ScreenPassDesc};
use super::{FORMAT, view};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/post_echo.wgsl");
/// Format of the history; 8 bits would fade in visible steps.
const HISTORY_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
/// Time constant of the fade, in seconds.
const FADE_SECS: f32 = 0.3;
/// Rate at which the history is scaled up, per second.
const GROWTH: f32 = 0.25;

/// Uniforms of the pass; matches `Echo` in `shaders/post_echo.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct EchoUniforms {
    amount: f32,
    keep: f32,
    growth: f32,
}

/// The passes that update the history and draw the trails, and the history itself.
pub(in crate::stage) struct EchoPass {
    keep: ScreenPass<EchoUniforms>,
    echo: ScreenPass<EchoUniforms>,
    history: [wgpu::TextureView; 2],
    /// Index of the newest history image.
    newest: usize,
    /// Whether nothing has been drawn since the pass was created or last reset.
    fresh: bool,
}

impl EchoPass {
    pub fn new(gpu: &Gpu, size: [u32; 2]) -> Self {
        let pass = |label, entry, format| {
            ScreenPass::new(gpu, &ScreenPassDesc { label, shader: SHADER, entry, images: 2, format })
        };
        let history = ["post/history a", "post/history b"].map(|label| {
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
                format: HISTORY_FORMAT,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            }))
        });
        Self {
            keep: pass("post/keep", "fs_keep", HISTORY_FORMAT),
            echo: pass("post/echo", "fs_echo", FORMAT),
            history,
            newest: 0,
            fresh: true,
        }
    }

    /// Clears the history, so that there are no trails.
    pub fn reset(&mut self) {
        self.fresh = true;
    }

    /// Draws `picture` with trails to `target`. `amount` ranges from -1 (subtracted) to 1 (added); `dt` is
    /// the time since the previous frame, in seconds.
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
        self.keep.draw(
            gpu,
            encoder,
            sampler,
            &[picture, &self.history[last]],
            &self.history[next],
            &uniforms,
        );
        self.echo.draw(gpu, encoder, sampler, &[picture, &self.history[next]], target, &uniforms);
        self.newest = next;
        self.fresh = false;
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(EchoUniforms { amount, keep, growth }, SHADER, "Echo");
    }
}
