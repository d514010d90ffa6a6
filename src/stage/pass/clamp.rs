//! Clamps pictures with 16 bits per channel to 0..1, as images with 8 bits do by themselves.

use super::{DEEP_FORMAT, PipelineDesc, TEXTURE, begin, bind, image_in, layout, module, pipeline, view};
use crate::stage::gpu::Gpu;

/// Pipeline and layout of the pass.
pub(in crate::stage) struct ClampPass {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
}

/// An image that a picture is drawn to before its values are limited.
pub(in crate::stage) struct Canvas {
    pub view: wgpu::TextureView,
    group: wgpu::BindGroup,
}

impl ClampPass {
    pub fn new(gpu: &Gpu) -> Self {
        let layout = layout(gpu, "clamp", &[TEXTURE]);
        let shader = module(gpu, "clamp", include_str!("../../../shaders/clamp.wgsl"));
        let desc = PipelineDesc {
            label: "clamp",
            layouts: &[&layout],
            vertex: (&shader, "vs_screen"),
            buffers: &[],
            fragment: (&shader, "fs_clamp"),
            constants: &[],
            format: DEEP_FORMAT,
            blend: None,
            topology: wgpu::PrimitiveTopology::TriangleList,
        };
        Self { pipeline: pipeline(&gpu.device, &desc), layout }
    }

    /// Creates a canvas of `size` pixels.
    pub fn canvas(&self, device: &wgpu::Device, size: [u32; 2]) -> Canvas {
        let view = view(&image_in(device, "canvas", size, DEEP_FORMAT));
        let group = bind(device, "clamp", &self.layout, &[wgpu::BindingResource::TextureView(&view)]);
        Canvas { view, group }
    }

    /// Records the pass that copies the limited picture to `target`, an image of the same size.
    pub fn draw(&self, encoder: &mut wgpu::CommandEncoder, canvas: &Canvas, target: &wgpu::TextureView) {
        let mut render = begin(encoder, "clamp", target, false);
        render.set_pipeline(&self.pipeline);
        render.set_bind_group(0, &canvas.group, &[]);
        render.draw(0..3, 0..1);
    }
}
