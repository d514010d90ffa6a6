//! Copies a picture to a target of any size and format, with one sample per pixel.

use super::{FORMAT, PipelineDesc, SAMPLER, TEXTURE, begin, bind, layout, pipeline, screen_module};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/blit.wgsl");
/// Maximum number of cached bind groups. Several are needed because the output picture may alternate between
/// images.
const CACHED_BIND_GROUPS: usize = 4;

/// Copies the images of a deck to images of another size.
pub(in crate::stage) struct ResizePass {
    pictures: BlitPass,
    /// The pass for feedback images, if their format differs from that of finished pictures.
    feedback: Option<BlitPass>,
}

impl ResizePass {
    /// Creates the passes; `feedback` is the format of feedback images.
    pub fn new(gpu: &Gpu, feedback: wgpu::TextureFormat) -> Self {
        let deep = (feedback != FORMAT).then(|| BlitPass::copy(gpu, feedback));
        Self { pictures: BlitPass::copy(gpu, FORMAT), feedback: deep }
    }

    /// Records the pass that copies `from` to `to`, an image of the same format.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        sampler: &wgpu::Sampler,
        [from, to]: [&wgpu::TextureView; 2],
    ) {
        let blit = match &mut self.feedback {
            Some(feedback) if to.texture().format() != FORMAT => feedback,
            _ => &mut self.pictures,
        };
        blit.fill(gpu, &mut begin(encoder, "resize", to, true), sampler, from);
    }
}

/// The copy pass, for targets of one format.
pub(in crate::stage) struct BlitPass {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    cached: Vec<(wgpu::TextureView, wgpu::Sampler, wgpu::BindGroup)>,
}

impl BlitPass {
    /// Creates a pass that sets alpha to 1, for windows. The device reports errors through its error scopes.
    pub fn opaque(gpu: &Gpu, format: wgpu::TextureFormat) -> Self {
        Self::new(gpu, format, "fs_opaque")
    }

    /// Creates a pass that copies all channels, including alpha.
    pub fn copy(gpu: &Gpu, format: wgpu::TextureFormat) -> Self {
        Self::new(gpu, format, "fs_copy")
    }

    fn new(gpu: &Gpu, format: wgpu::TextureFormat, entry: &str) -> Self {
        let layout = layout(gpu, "blit", &[SAMPLER, TEXTURE]);
        let shader = screen_module(gpu, "blit", SHADER);
        let desc = PipelineDesc {
            label: "blit",
            layouts: &[&layout],
            vertex: (&shader, "vs_screen"),
            buffers: &[],
            fragment: (&shader, entry),
            constants: &[],
            format,
            blend: None,
            topology: wgpu::PrimitiveTopology::TriangleList,
        };
        Self { pipeline: pipeline(&gpu.device, &desc), layout, cached: Vec::new() }
    }

    /// Draws `picture` in an open render pass, filling the viewport.
    pub fn fill(
        &mut self,
        gpu: &Gpu,
        render: &mut wgpu::RenderPass,
        sampler: &wgpu::Sampler,
        picture: &wgpu::TextureView,
    ) {
        let same = |(view, filter, _): &(_, _, _)| view == picture && filter == sampler;
        let cached = self.cached.iter().position(same);
        let index = cached.unwrap_or_else(|| {
            let resources =
                [wgpu::BindingResource::Sampler(sampler), wgpu::BindingResource::TextureView(picture)];
            let group = bind(&gpu.device, "blit", &self.layout, &resources);
            if self.cached.len() >= CACHED_BIND_GROUPS {
                self.cached.remove(0);
            }
            self.cached.push((picture.clone(), sampler.clone(), group));
            self.cached.len() - 1
        });
        render.set_pipeline(&self.pipeline);
        render.set_bind_group(0, &self.cached[index].2, &[]);
        render.draw(0..3, 0..1);
    }
}
