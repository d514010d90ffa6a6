//! Custom shapes: instanced, outlined polygons, filled with a colour or with the previous image.

use super::draw::{ByBlend, blend_state};
use super::{PipelineDesc, SAMPLER, TEXTURE, UNIFORM, layout, module, pipeline};
use crate::milk::ShapeInstance;
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/shape.wgsl");

/// Uniforms of a draw; matches `ShapeDraw` in `shaders/shape.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct ShapeUniforms {
    pub size: [f32; 2],
    pub pixel: f32,
    pub sides: f32,
    pub textured: f32,
    pub thick: f32,
    pub pad: [f32; 2],
}

/// Distance between the uniforms of consecutive draws, in bytes; every device supports this alignment.
pub(in crate::stage) const UNIFORM_STRIDE: u64 = 256;

/// Pipelines and layout of the shape pass.
pub(in crate::stage) struct ShapePass {
    pub layout: wgpu::BindGroupLayout,
    /// Pipelines, indexed by textured, then by outlined.
    pipelines: [[ByBlend; 2]; 2],
}

impl ShapePass {
    /// Creates the pipelines for targets of the given `format`. If `smooth` is true, edges are antialiased.
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat, smooth: bool) -> Self {
        let device = &gpu.device;
        let wgpu::BindingType::Buffer { ty, min_binding_size, .. } = UNIFORM else {
            unreachable!("UNIFORM is a buffer");
        };
        let per_draw = wgpu::BindingType::Buffer { ty, has_dynamic_offset: true, min_binding_size };
        let layout = layout(gpu, "shape", &[per_draw, TEXTURE, SAMPLER]);
        let shader = module(gpu, "shape", SHADER);
        let attributes = wgpu::vertex_attr_array![
            0 => Float32x2, 1 => Float32x2, 2 => Float32x4, 3 => Float32x4, 4 => Float32x4, 5 => Float32x4,
            6 => Float32
        ];
        let instances = wgpu::VertexBufferLayout {
            array_stride: std::mem::size_of::<ShapeInstance>() as u64,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes: &attributes,
        };
        let build = |vertex: &str, fragment: &str| {
            ByBlend::new(|blend| {
                let plan = PipelineDesc {
                    label: "shape",
                    layouts: &[&layout],
                    vertex: (&shader, vertex),
                    buffers: std::slice::from_ref(&instances),
                    fragment: (&shader, fragment),
                    constants: &[],
                    format,
                    blend: Some(blend_state(blend)),
                    topology: wgpu::PrimitiveTopology::TriangleList,
                };
                pipeline(device, &plan)
            })
        };
        let [plain, textured] = if smooth {
            [[("vs_smooth", "fs_smooth"); 2], [("vs_smooth", "fs_smooth_textured"); 2]]
        } else {
            [
                [("vs_plain", "fs_plain"), ("vs_plain_outlined", "fs_plain")],
                [("vs_textured", "fs_textured"), ("vs_textured_outlined", "fs_textured_outlined")],
            ]
        };
        let build = |(vertex, fragment)| build(vertex, fragment);
        Self { pipelines: [plain.map(build), textured.map(build)], layout }
    }

    /// Returns the pipelines for polygons filled with an image or with colours only, with or without
    /// outlines. Their shaders omit code that these polygons do not need, because a software rasteriser
    /// computes both sides of a branch.
    pub fn pipelines(&self, textured: bool, outlined: bool) -> &ByBlend {
        &self.pipelines[usize::from(textured)][usize::from(outlined)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(ShapeUniforms { size, pixel, sides, textured, thick, pad }, SHADER, "ShapeDraw");
    }
}
