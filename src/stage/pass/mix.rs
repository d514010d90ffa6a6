//! The mixer: one deck, or two on their way from one to the other, into the stage's picture.

use super::{PipelinePlan, SAMPLER, TEXTURE, UNIFORM, bind, layout, module, pipeline, uniform};
use crate::stage::cue::FadeStyle;
use crate::stage::gpu::Gpu;

/// Twin of `Mix` in `shaders/mix.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct MixUniforms {
    pub progress: f32,
    pub style: u32,
    pub aspect: f32,
    pub light: f32,
}

impl MixUniforms {
    /// Number of a style in the shader.
    pub fn style(style: FadeStyle) -> u32 {
        match style {
            FadeStyle::Mix => 0,
            FadeStyle::Luma => 1,
            FadeStyle::Zoom => 2,
            FadeStyle::Radial => 3,
        }
    }
}

/// Pipeline of the mixer.
pub(in crate::stage) struct MixPass {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    uniforms: wgpu::Buffer,
    /// The pictures mixed last, and their bindings.
    bound: Option<([wgpu::TextureView; 2], wgpu::BindGroup)>,
}

impl MixPass {
    /// A mixer that draws into images of `format`.
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat) -> Self {
        let device = &gpu.device;
        let layout = layout(gpu, "mix", &[TEXTURE, TEXTURE, SAMPLER, UNIFORM]);
        let shader = module(gpu, "mix", include_str!("../../../shaders/mix.wgsl"));
        let pipeline = pipeline(
            device,
            &PipelinePlan {
                label: "mix",
                layouts: &[&layout],
                vertex: (&shader, "vs_screen"),
                buffers: &[],
                fragment: (&shader, "fs_mix"),
                format,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            },
        );
        Self { pipeline, layout, uniforms: uniform::<MixUniforms>(device, "mix"), bound: None }
    }

    /// Draws `front` and `incoming` into the open pass.
    pub fn draw(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        render: &mut wgpu::RenderPass,
        pictures: [&wgpu::TextureView; 2],
        sampler: &wgpu::Sampler,
        uniforms: MixUniforms,
    ) {
        queue.write_buffer(&self.uniforms, 0, bytemuck::bytes_of(&uniforms));
        if self.bound.as_ref().is_none_or(|(bound, _)| [&bound[0], &bound[1]] != pictures) {
            let resources = [
                wgpu::BindingResource::TextureView(pictures[0]),
                wgpu::BindingResource::TextureView(pictures[1]),
                wgpu::BindingResource::Sampler(sampler),
                self.uniforms.as_entire_binding(),
            ];
            let group = bind(device, "mix", &self.layout, &resources);
            self.bound = Some((pictures.map(Clone::clone), group));
        }
        let Some((_, group)) = &self.bound else { return };
        render.set_pipeline(&self.pipeline);
        render.set_bind_group(0, group, &[]);
        render.draw(0..3, 0..1);
    }
}
