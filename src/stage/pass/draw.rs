//! Lines, dots, borders and untextured triangles.

use super::{PipelineDesc, UNIFORM, layout, module, pipeline};
use crate::milk::{Blend, Border, Dot, Segment, Vertex, Weight};
use crate::stage::gpu::Gpu;

const STROKE: &str = include_str!("../../../shaders/stroke.wgsl");

const DOT: &str = include_str!("../../../shaders/dot.wgsl");

const BORDER: &str = include_str!("../../../shaders/border.wgsl");

/// Uniforms of the passes; matches `Draw` in `shaders/stroke.wgsl`, `shaders/dot.wgsl` and `shaders/border.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct DrawUniforms {
    pub size: [f32; 2],
    pub pixel: f32,
    pub pad: f32,
}

/// Returns the size of a reference pixel, in pixels: 1 up to a height of 720, then in proportion to the
/// height, so that lines keep their relative width on larger screens.
pub(in crate::stage) fn reference_pixel(height: u32) -> f32 {
    (height as f32 / 720.0).max(1.0)
}

/// Returns the blend state for `blend`. Alpha is blended like the colours, because textured polygons sample
/// it.
pub(in crate::stage) fn blend_state(blend: Blend) -> wgpu::BlendState {
    let dst_factor = match blend {
        Blend::Alpha => wgpu::BlendFactor::OneMinusSrcAlpha,
        Blend::Additive => wgpu::BlendFactor::One,
    };
    let color = wgpu::BlendComponent {
        src_factor: wgpu::BlendFactor::SrcAlpha,
        dst_factor,
        operation: wgpu::BlendOperation::Add,
    };
    wgpu::BlendState { color, alpha: color }
}

/// One pipeline per blend mode.
pub(in crate::stage) struct ByBlend {
    alpha: wgpu::RenderPipeline,
    additive: wgpu::RenderPipeline,
}

impl ByBlend {
    pub fn new(build: impl Fn(Blend) -> wgpu::RenderPipeline) -> Self {
        Self { alpha: build(Blend::Alpha), additive: build(Blend::Additive) }
    }

    pub fn get(&self, blend: Blend) -> &wgpu::RenderPipeline {
        match blend {
            Blend::Alpha => &self.alpha,
            Blend::Additive => &self.additive,
        }
    }
}

/// Pipelines for lines, dots, borders and triangles.
pub(in crate::stage) struct DrawPass {
    pub layout: wgpu::BindGroupLayout,
    pub lines: ByBlend,
    thin_dots: ByBlend,
    thick_dots: ByBlend,
    pub borders: ByBlend,
    pub triangles: ByBlend,
}

impl DrawPass {
    /// Creates the pipelines for targets of the given `format`. If `smooth` is true, the edges of lines, dots and
    /// borders are antialiased.
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat, smooth: bool) -> Self {
        let device = &gpu.device;
        let layout = layout(gpu, "draw", &[UNIFORM]);
        let stroke = module(gpu, "stroke", STROKE);
        let dot = module(gpu, "dot", DOT);
        let border = module(gpu, "border", BORDER);
        let triangle = module(gpu, "triangle", include_str!("../../../shaders/triangle.wgsl"));
        let segment =
            wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x2, 2 => Float32x4, 3 => Float32x4];
        let point = wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x4];
        let instances = |stride: usize, attributes| wgpu::VertexBufferLayout {
            array_stride: stride as u64,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes,
        };
        let segments = instances(std::mem::size_of::<Segment>(), &segment);
        let dots = instances(std::mem::size_of::<Dot>(), &point);
        let borders = instances(std::mem::size_of::<Border>(), &point);
        let vertices = wgpu::VertexBufferLayout {
            array_stride: std::mem::size_of::<Vertex>() as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &point,
        };
        let strip = wgpu::PrimitiveTopology::TriangleStrip;
        let build = |label, (shader, vertex, fragment), buffer: &wgpu::VertexBufferLayout, topology| {
            ByBlend::new(|blend| {
                let plan = PipelineDesc {
                    label,
                    layouts: &[&layout],
                    vertex: (shader, vertex),
                    buffers: std::slice::from_ref(buffer),
                    fragment: (shader, fragment),
                    constants: &[],
                    format,
                    blend: Some(blend_state(blend)),
                    topology,
                };
                pipeline(device, &plan)
            })
        };
        let list = wgpu::PrimitiveTopology::TriangleList;
        let entries = |shader, vertex, smooth_vertex| {
            if smooth { (shader, smooth_vertex, "fs_smooth") } else { (shader, vertex, "fs_color") }
        };
        Self {
            lines: build("stroke", entries(&stroke, "vs_stroke", "vs_smooth"), &segments, list),
            thin_dots: build("dot/thin", entries(&dot, "vs_thin", "vs_smooth_thin"), &dots, strip),
            thick_dots: build("dot/thick", entries(&dot, "vs_thick", "vs_smooth_thick"), &dots, strip),
            borders: build("border", entries(&border, "vs_border", "vs_smooth"), &borders, list),
            triangles: build("triangle", (&triangle, "vs_triangle", "fs_color"), &vertices, list),
            layout,
        }
    }

    pub fn dots(&self, weight: Weight) -> &ByBlend {
        if weight == Weight::Thin { &self.thin_dots } else { &self.thick_dots }
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(DrawUniforms { size, pixel, pad }, STROKE, "Draw");
        check_layout!(DrawUniforms { size, pixel, pad }, DOT, "Draw");
        check_layout!(DrawUniforms { size, pixel, pad }, BORDER, "Draw");
    }
}
