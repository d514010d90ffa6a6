//! The built-in composite pass, for presets without a composite shader.

use super::coordinates::CoordinatesPass;
use super::{FORMAT, PipelineDesc, SAMPLER, TEXTURE, UNIFORM, layout, mesh, module, pipeline};
use crate::milk::LegacyComposite;
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/composite.wgsl");

/// Uniforms of the pass; matches `Composite` in `shaders/composite.wgsl`.
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

    /// Returns the optional parts of the shader that have an effect with these uniforms.
    pub fn parts(&self) -> CompositeParts {
        CompositeParts { echo: self.echo_alpha > MIN_ECHO, filters: self.filters != 0 }
    }
}

/// Opacity above which the echo is visible.
const MIN_ECHO: f32 = 0.001;

/// Optional parts of the composite shader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::stage) struct CompositeParts {
    echo: bool,
    filters: bool,
}

/// Pipelines and layout of the built-in composite pass.
pub(in crate::stage) struct CompositePass {
    /// Pipelines, indexed by filters, then by echo.
    pipelines: [[wgpu::RenderPipeline; 2]; 2],
    pub layout: wgpu::BindGroupLayout,
}

impl CompositePass {
    /// Creates the pass, which draws the mesh or, given `coordinates`, one triangle whose shader reads the
    /// attributes from textures.
    pub fn new(gpu: &Gpu, mesh_shader: &wgpu::ShaderModule, coordinates: Option<&CoordinatesPass>) -> Self {
        let device = &gpu.device;
        let layout = layout(gpu, "composite", &[TEXTURE, SAMPLER, UNIFORM]);
        let shader = module(gpu, "composite", SHADER);
        let build = |filters: bool, echo: bool| {
            let mesh = PipelineDesc {
                label: "composite",
                layouts: &[&layout],
                vertex: (mesh_shader, "vs_mesh"),
                buffers: &[mesh::buffer_layout()],
                fragment: (&shader, "fs_composite"),
                constants: &[
                    ("HAS_ECHO", f64::from(u8::from(echo))),
                    ("HAS_FILTERS", f64::from(u8::from(filters))),
                ],
                format: FORMAT,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            };
            match coordinates {
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
            }
        };
        let pipelines = [false, true].map(|filters| [false, true].map(|echo| build(filters, echo)));
        Self { pipelines, layout }
    }

    /// Returns the pipeline with exactly the given optional parts.
    pub fn pipeline(&self, CompositeParts { echo, filters }: CompositeParts) -> &wgpu::RenderPipeline {
        &self.pipelines[usize::from(filters)][usize::from(echo)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
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
