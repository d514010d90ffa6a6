//! The built-in warp pass, for presets without a warp shader.

use super::coordinates::CoordinatesPass;
use super::{PipelineDesc, SAMPLER, TEXTURE, UNIFORM, layout, mesh, module, pipeline};
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/warp.wgsl");

/// Uniforms of the pass; matches `Warp` in `shaders/warp.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct WarpUniforms {
    /// Factors applied to the channels of the previous image. Alpha is kept, because textured polygons sample
    /// it.
    decay: [f32; 4],
}

impl WarpUniforms {
    pub fn new(decay: f32) -> Self {
        Self { decay: [decay, decay, decay, 1.0] }
    }
}

/// Pipeline and layout of the built-in warp pass.
pub(in crate::stage) struct WarpPass {
    pub pipeline: wgpu::RenderPipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl WarpPass {
    /// Creates the pass, which draws the mesh or, given `coordinates`, one triangle whose shader reads the
    /// attributes from textures. Targets have the given `format`.
    pub fn new(
        gpu: &Gpu,
        mesh_shader: &wgpu::ShaderModule,
        coordinates: Option<&CoordinatesPass>,
        format: wgpu::TextureFormat,
    ) -> Self {
        let device = &gpu.device;
        let layout = layout(gpu, "warp", &[TEXTURE, SAMPLER, UNIFORM]);
        let shader = module(gpu, "warp", SHADER);
        let mesh = PipelineDesc {
            label: "warp",
            layouts: &[&layout],
            vertex: (mesh_shader, "vs_mesh"),
            buffers: &[mesh::buffer_layout()],
            fragment: (&shader, "fs_warp"),
            constants: &[],
            format,
            blend: None,
            topology: wgpu::PrimitiveTopology::TriangleList,
        };
        let pipeline = match coordinates {
            Some(coordinates) => pipeline(
                device,
                &PipelineDesc {
                    layouts: &[&layout, &coordinates.layout],
                    vertex: (mesh_shader, "vs_image"),
                    buffers: &[],
                    fragment: (&shader, "fs_warp_image"),
                    ..mesh
                },
            ),
            None => pipeline(device, &mesh),
        };
        Self { pipeline, layout }
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(WarpUniforms { decay }, SHADER, "Warp");
    }
}
