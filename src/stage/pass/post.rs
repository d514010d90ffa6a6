//! What every pass that fills the screen shares: one triangle, a sampler, a block of numbers, some images.
//!
//! A pass's shader is its own file behind `shaders/shared/screen.wgsl`; it binds the sampler at 0, its block at 1 and
//! its images from 2.

use std::marker::PhantomData;

use super::{
    BLOCK_USAGES, PipelinePlan, SAMPLER, TEXTURE, UNIFORM, begin, bind, layout, pipeline, screen_module,
};
use crate::stage::gpu::Gpu;

/// Sets of images whose bindings are kept: a pass reads one of two pictures, with one of two pasts.
const KEPT_BINDINGS: usize = 4;

/// What makes one such pass different from the next.
pub(in crate::stage) struct ScreenPlan<'a> {
    pub label: &'static str,
    /// The pass's own shader.
    pub shader: &'a str,
    pub entry: &'a str,
    /// How many images it reads.
    pub images: usize,
    pub format: wgpu::TextureFormat,
}

/// One pass with uniforms `U`.
pub(in crate::stage) struct ScreenPass<U> {
    label: &'static str,
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    uniforms: wgpu::Buffer,
    bound: Vec<(Vec<wgpu::TextureView>, wgpu::BindGroup)>,
    kind: PhantomData<U>,
}

impl<U: bytemuck::Pod> ScreenPass<U> {
    /// Builds the pass; errors surface where the device reports them.
    pub fn new(gpu: &Gpu, plan: &ScreenPlan) -> Self {
        let ScreenPlan { label, shader, entry, images, format } = *plan;
        let mut entries = vec![SAMPLER, UNIFORM];
        entries.resize(2 + images, TEXTURE);
        let layout = layout(gpu, label, &entries);
        let shader = screen_module(gpu, label, shader);
        let pipeline = pipeline(
            &gpu.device,
            &PipelinePlan {
                label,
                layouts: &[&layout],
                vertex: (&shader, "vs_screen"),
                buffers: &[],
                fragment: (&shader, entry),
                format,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            },
        );
        let uniforms = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            // A block is rounded up to sixteen bytes in every shading language.
            size: (size_of::<U>() as u64).next_multiple_of(16),
            usage: BLOCK_USAGES | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self { label, pipeline, layout, uniforms, bound: Vec::new(), kind: PhantomData }
    }

    /// Fills `target` from `images`.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        sampler: &wgpu::Sampler,
        images: &[&wgpu::TextureView],
        target: &wgpu::TextureView,
        uniforms: &U,
    ) {
        let mut render = begin(encoder, self.label, target, true);
        self.fill(gpu, &mut render, sampler, images, uniforms);
    }

    /// The same into an open pass, as far as its viewport reaches.
    pub fn fill(
        &mut self,
        gpu: &Gpu,
        render: &mut wgpu::RenderPass,
        sampler: &wgpu::Sampler,
        images: &[&wgpu::TextureView],
        uniforms: &U,
    ) {
        gpu.queue.write_buffer(&self.uniforms, 0, bytemuck::bytes_of(uniforms));
        let known = self.bound.iter().position(|(bound, _)| bound.iter().eq(images.iter().copied()));
        let place = known.unwrap_or_else(|| self.bind(gpu, sampler, images));
        render.set_pipeline(&self.pipeline);
        render.set_bind_group(0, &self.bound[place].1, &[]);
        render.draw(0..3, 0..1);
    }

    /// Keeps bindings of `images` and forgets the oldest.
    fn bind(&mut self, gpu: &Gpu, sampler: &wgpu::Sampler, images: &[&wgpu::TextureView]) -> usize {
        let mut resources = vec![wgpu::BindingResource::Sampler(sampler), self.uniforms.as_entire_binding()];
        resources.extend(images.iter().map(|view| wgpu::BindingResource::TextureView(view)));
        let group = bind(&gpu.device, self.label, &self.layout, &resources);
        if self.bound.len() >= KEPT_BINDINGS {
            self.bound.remove(0);
        }
        self.bound.push((images.iter().map(|&view| view.clone()).collect(), group));
        self.bound.len() - 1
    }
}
