//! The blur pyramid that shaders read as `blur1` to `blur3`. Each level is a horizontal and a vertical pass.

use super::{
    DEEP_FORMAT, PipelineDesc, SAMPLER, TEXTURE, UNIFORM, begin, bind, image_in, layout, pipeline,
    screen_module, view,
};
use crate::milk::BlurRange;
use crate::stage::buffer::UniformBuffer;
use crate::stage::gpu::Gpu;

const SHADER: &str = include_str!("../../../shaders/blur.wgsl");

/// Uniforms of the pass; matches `Blur` in `shaders/blur.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
pub(in crate::stage) struct BlurUniforms {
    texel: [f32; 2],
    scale: f32,
    bias: f32,
    edge_keep: f32,
    edge_darken: f32,
    slip: f32,
    pad: f32,
}

/// Pipelines and layout of the horizontal and vertical passes.
pub(in crate::stage) struct BlurPass {
    across: wgpu::RenderPipeline,
    down: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    format: wgpu::TextureFormat,
}

impl BlurPass {
    /// Creates the passes for blur levels of the given `format`.
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat) -> Self {
        let device = &gpu.device;
        let layout = layout(gpu, "blur", &[SAMPLER, UNIFORM, TEXTURE]);
        let shader = screen_module(gpu, "blur", SHADER);
        let build = |fragment| {
            let plan = PipelineDesc {
                label: "blur",
                layouts: &[&layout],
                vertex: (&shader, "vs_screen"),
                buffers: &[],
                fragment: (&shader, fragment),
                constants: &[("IS_CLAMPED", f64::from(u8::from(format == DEEP_FORMAT)))],
                format,
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            };
            pipeline(device, &plan)
        };
        Self { across: build("fs_across"), down: build("fs_down"), layout, format }
    }
}

/// Blur pyramid of one deck, with as many levels as the deck's shaders read.
pub(in crate::stage) struct Pyramid {
    halves: Vec<Half>,
}

/// The horizontal or vertical pass of one level.
struct Half {
    texture: wgpu::Texture,
    target: wgpu::TextureView,
    uniforms: UniformBuffer<BlurUniforms>,
    /// Size of the input, in pixels.
    source: [u32; 2],
    /// Bind groups: one per feedback image in the first pass, and a single one in every other pass.
    groups: Vec<wgpu::BindGroup>,
}

impl Pyramid {
    /// Creates a pyramid with `levels` levels (0 to 3) of the feedback `images`, whose size is `size` pixels.
    pub fn new(
        device: &wgpu::Device,
        pass: &BlurPass,
        images: [&wgpu::TextureView; 2],
        sampler: &wgpu::Sampler,
        size: [u32; 2],
        levels: u8,
    ) -> Self {
        let mut halves: Vec<Half> = Vec::new();
        let mut side = size;
        let mut source = size;
        for number in 0..usize::from(levels.min(3)) * 2 {
            // Level 1 halves the size in both passes, the other levels only in the horizontal pass.
            if number % 2 == 0 || number < 2 {
                side = side.map(|length| (length / 2).max(16));
            }
            let rounded = [((side[0] + 3) / 16 * 16).max(16), (side[1].div_ceil(4) * 4).max(4)];
            let texture = image_in(device, &format!("blur/half {number}"), rounded, pass.format);
            let target = view(&texture);
            let uniforms = UniformBuffer::new(device, "blur/uniforms");
            let sources = halves.last().map_or(images.to_vec(), |before| vec![&before.target]);
            let groups = sources.into_iter().map(|from| {
                let resources = [
                    wgpu::BindingResource::Sampler(sampler),
                    uniforms.binding(),
                    wgpu::BindingResource::TextureView(from),
                ];
                bind(device, "blur", &pass.layout, &resources)
            });
            let groups = groups.collect();
            halves.push(Half { texture, target, uniforms, source, groups });
            source = rounded;
        }
        Self { halves }
    }

    /// Returns true if the pyramid has no levels, because no shader reads one.
    pub fn is_empty(&self) -> bool {
        self.halves.is_empty()
    }

    /// Returns the image of level 1 to 3, or of the deepest level if the pyramid has fewer; `None` if it is
    /// empty.
    pub fn level(&self, level: u8) -> Option<&wgpu::Texture> {
        let wanted = usize::from(level.max(1)) * 2 - 1;
        self.halves.get(wanted).or(self.halves.last()).map(|half| &half.texture)
    }

    /// Records the passes that blur the feedback image with index `image`.
    pub fn encode(
        &mut self,
        pass: &BlurPass,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        image: usize,
        range: &BlurRange,
    ) {
        let scales = scales(range);
        for (number, half) in self.halves.iter_mut().enumerate() {
            let (scale, bias) = scales[number / 2];
            let darken = if number == 1 { range.edge_darken } else { 0.0 };
            let uniforms = BlurUniforms {
                texel: half.source.map(|side| 1.0 / side as f32),
                scale,
                bias,
                edge_keep: 1.0 - darken,
                edge_darken: darken,
                // In projectM, the feedback image is upside down, but the blur levels are not.
                slip: if number == 0 { -1.0 } else { 1.0 },
                pad: 0.0,
            };
            half.uniforms.set(queue, uniforms);
            let Some(group) = half.groups.get(image).or(half.groups.first()) else { continue };
            let mut render = begin(encoder, "blur", &half.target, false);
            render.set_pipeline(if number % 2 == 0 { &pass.across } else { &pass.down });
            render.set_bind_group(0, group, &[]);
            render.draw(0..3, 0..1);
        }
    }
}

/// Returns the scale and bias of each level. They map the level's value range, expressed in units of the previous
/// level's range, to 0..1.
fn scales(range: &BlurRange) -> [(f32, f32); 3] {
    let mut scales = [(1.0, 0.0); 3];
    let (mut below_min, mut below_span) = (0.0, 1.0);
    for level in 0..3 {
        let low = (range.min[level] - below_min) / below_span;
        let high = (range.max[level] - below_min) / below_span;
        let scale = 1.0 / (high - low).max(1e-3);
        scales[level] = (scale, -low * scale);
        (below_min, below_span) = (range.min[level], (range.max[level] - range.min[level]).max(1e-3));
    }
    scales
}

#[cfg(test)]
mod tests {
    use super::super::block_layout::check_layout;
    use super::*;

    #[test]
    fn the_block_layout_matches_the_shader() {
        check_layout!(BlurUniforms { texel, scale, bias, edge_keep, edge_darken, slip, pad }, SHADER, "Blur");
    }
}
