//! The built-in warp pass, for presets without a warp shader.

use super::{FORMAT, PipelineDesc, SAMPLER, TEXTURE, layout, mesh, module, pipeline};
use crate::stage::gpu::Gpu;

/// Pipeline and layout of the built-in warp pass.
pub(in crate::stage) struct WarpPass {
    pub pipeline: wgpu::RenderPipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl WarpPass {
    pub fn new(gpu: &Gpu, mesh_shader: &wgpu::ShaderModule) -> Self {
        let device = &gpu.device;
        let layout = layout(gpu, "warp", &[TEXTURE, SAMPLER]);
        let shader = module(gpu, "warp", include_str!("../../../shaders/warp.wgsl"));
        let pipeline = pipeline(
            device,
            &PipelineDesc {
                label: "warp",
                layouts: &[&layout],
                vertex: (mesh_shader, "vs_mesh"),
                buffers: &[mesh::buffer_layout()],
                fragment: (&shader, "fs_warp"),
                constants: &[],
                format: FORMAT,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            },
        );
        Self { pipeline, layout }
    }
}
