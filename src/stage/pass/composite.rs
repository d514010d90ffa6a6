//! The built-in composite pass, for presets without a composite shader.

use super::coordinates::CoordinatesPass;
use super::{FORMAT, PipelineDesc, SAMPLER, TEXTURE, UNIFORM, layout, mesh, module, pipeline};
use crate::milk::LegacyComposite;
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/composite.wgsl");

/// Matches `Composite` in `shaders/composite.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct CompositeUniforms {
    echo_alpha: f32,
    echo_zoom: f32,
    echo_flip_x: f32,
    echo_flip_y: f32,
    gamma: f32,
    hue_amount: f32,
    filters: u32,
    pad: f32,
    hue: [[f32; 4]; 4],
}

impl CompositeUniforms {
    pub fn new(legacy: &LegacyComposite, hue: [[f32; 4]; 4]) -> Self {
        let LegacyComposite {
            gamma,
            echo_alpha,
            echo_zoom,
            echo_orientation,
            brighten,
            darken,
            solarize,
            invert,
            hue_amount,
        } = *legacy;
        let bit = |on: bool, place: u32| u32::from(on) << place;
        Self {
            echo_alpha,
            echo_zoom,
            echo_flip_x: f32::from(u8::from(echo_orientation & 1 != 0)),
            echo_flip_y: f32::from(u8::from(echo_orientation & 2 != 0)),
            gamma,
            hue_amount,
            filters: bit(brighten, 0) | bit(darken, 1) | bit(solarize, 2) | bit(invert, 3),
            pad: 0.0,
            hue,
        }
    }
}

/// Pipeline and layout of the built-in composite pass.
pub(in crate::stage) struct CompositePass {
    pub pipeline: wgpu::RenderPipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl CompositePass {
    /// Creates the pass over the mesh, or over one triangle that reads images of `coordinates`.
    pub fn new(
        gpu: &Gpu,
        mesh_shader: &wgpu::ShaderModule,
        coordinates: Option<&CoordinatesPass>,
    ) -> Self {
        let device = &gpu.device;
        let layout = layout(gpu, "composite", &[TEXTURE, SAMPLER, UNIFORM]);
        let shader = module(gpu, "composite", SHADER);
        let mesh = PipelineDesc {
            label: "composite",
            layouts: &[&layout],
            vertex: (mesh_shader, "vs_mesh"),
            buffers: &[mesh::buffer_layout()],
            fragment: (&shader, "fs_composite"),
            format: FORMAT,
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
                    fragment: (&shader, "fs_composite_image"),
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
    fn both_sides_agree_on_the_block() {
        check_layout!(
            CompositeUniforms {
                echo_alpha,
                echo_zoom,
                echo_flip_x,
                echo_flip_y,
                gamma,
                hue_amount,
                filters,
                pad,
                hue
            },
            SHADER,
            "Composite"
        );
    }
}
