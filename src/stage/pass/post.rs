//! Common parts of fullscreen passes: one triangle, a sampler, a uniform block and input images.
//!
//! Each pass has a shader file, which is appended to `shaders/shared/screen.wgsl`. The sampler is at binding 0, the
//! uniform block at 1, and the images from 2 on.

use super::{PipelineDesc, SAMPLER, TEXTURE, UNIFORM, begin, bind, layout, pipeline, screen_module};
use crate::stage::buffer::UniformBuffer;
use crate::stage::gpu::Gpu;

/// Maximum number of cached bind groups: a pass reads one of two pictures and one of two history images.
const CACHED_BIND_GROUPS: usize = 4;

/// Descriptor of a fullscreen pass.
pub(in crate::stage) struct ScreenPassDesc<'a> {
    pub label: &'static str,
    /// Shader of the pass, without the shared part.
    pub shader: &'a str,
    pub entry: &'a str,
    /// Number of input images.
    pub images: usize,
    pub format: wgpu::TextureFormat,
}

/// A fullscreen pass with uniforms `U`.
pub(in crate::stage) struct ScreenPass<U> {
    label: &'static str,
    pub pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    uniforms: UniformBuffer<U>,
    cached: Vec<(Vec<wgpu::TextureView>, wgpu::BindGroup)>,
}

impl<U: bytemuck::Pod> ScreenPass<U> {
    /// Creates the pass. The device reports errors through its error scopes.
    pub fn new(gpu: &Gpu, desc: &ScreenPassDesc) -> Self {
        let ScreenPassDesc { label, shader, entry, images, format } = *desc;
        let mut entries = vec![SAMPLER, UNIFORM];
        entries.resize(2 + images, TEXTURE);
        let layout = layout(gpu, label, &entries);
        let shader = screen_module(gpu, label, shader);
        let pipeline = pipeline(
            &gpu.device,
            &PipelineDesc {
                label,
                layouts: &[&layout],
                vertex: (&shader, "vs_screen"),
                buffers: &[],
                fragment: (&shader, entry),
                constants: &[],
                format,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            },
        );
        let uniforms = UniformBuffer::new(&gpu.device, label);
        Self { label, pipeline, layout, uniforms, cached: Vec::new() }
    }

    /// Creates another pass with the same pipeline.
    pub fn another(&self, gpu: &Gpu) -> Self {
        Self {
            label: self.label,
            pipeline: self.pipeline.clone(),
            layout: self.layout.clone(),
            uniforms: UniformBuffer::new(&gpu.device, self.label),
            cached: Vec::new(),
        }
    }

    /// Draws to `target`, reading `images`.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        sampler: &wgpu::Sampler,
        images: &[&wgpu::TextureView],
        target: &wgpu::TextureView,
        uniforms: &U,
    ) {
        let mut render = begin(encoder, self.label, target, false);
        self.fill(gpu, &mut render, sampler, images, uniforms);
    }

    /// Draws in an open render pass, within its viewport.
    pub fn fill(
        &mut self,
        gpu: &Gpu,
        render: &mut wgpu::RenderPass,
        sampler: &wgpu::Sampler,
        images: &[&wgpu::TextureView],
        uniforms: &U,
    ) {
        self.uniforms.set(&gpu.queue, *uniforms);
        let cached = self.cached.iter().position(|(views, _)| views.iter().eq(images.iter().copied()));
        let index = cached.unwrap_or_else(|| self.bind(gpu, sampler, images));
        render.set_pipeline(&self.pipeline);
        render.set_bind_group(0, &self.cached[index].1, &[]);
        render.draw(0..3, 0..1);
    }

    /// Creates and caches a bind group for `images`, evicting the oldest one if the cache is full, and returns
    /// its index.
    fn bind(&mut self, gpu: &Gpu, sampler: &wgpu::Sampler, images: &[&wgpu::TextureView]) -> usize {
        let mut resources = vec![wgpu::BindingResource::Sampler(sampler), self.uniforms.binding()];
        resources.extend(images.iter().map(|view| wgpu::BindingResource::TextureView(view)));
        let group = bind(&gpu.device, self.label, &self.layout, &resources);
        if self.cached.len() >= CACHED_BIND_GROUPS {
            self.cached.remove(0);
        }
        self.cached.push((images.iter().map(|&view| view.clone()).collect(), group));
        self.cached.len() - 1
    }
}
