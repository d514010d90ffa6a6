//! The performer's layers: textured triangles, blended over a picture.

use super::{FORMAT, PipelineDesc, SAMPLER, TEXTURE, bind, layout, module, pipeline};
use crate::layers::{Blend, LayerVertex, Mipmap};
use crate::stage::gpu::Gpu;
use crate::stage::upload;

/// Pipelines, layout and samplers of the pass.
pub(in crate::stage) struct LayerPass {
    layout: wgpu::BindGroupLayout,
    /// Samplers: one for images that are clamped at their edges, one for images that repeat.
    samplers: [wgpu::Sampler; 2],
    /// Pipelines for layers over the finished picture.
    over: ByBlend,
    /// Pipelines for layers burned into feedback images, if those have another format.
    burned: Option<ByBlend>,
}

/// One pipeline per way of blending.
struct ByBlend {
    mix: wgpu::RenderPipeline,
    decal: wgpu::RenderPipeline,
    additive: wgpu::RenderPipeline,
    source_color: wgpu::RenderPipeline,
}

impl LayerPass {
    /// Creates the pipelines; `feedback` is the format of feedback images.
    pub fn new(gpu: &Gpu, feedback: wgpu::TextureFormat) -> Self {
        let layout = layout(gpu, "layer", &[TEXTURE, SAMPLER]);
        let shader = module(gpu, "layer", include_str!("../../../shaders/layer.wgsl"));
        let attributes =
            wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x2, 2 => Float32x4, 3 => Float32];
        let vertices = wgpu::VertexBufferLayout {
            array_stride: std::mem::size_of::<LayerVertex>() as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &attributes,
        };
        let build = |format, src_factor, dst_factor| {
            let add = wgpu::BlendOperation::Add;
            // The alpha of the picture is kept.
            let (zero, one) = (wgpu::BlendFactor::Zero, wgpu::BlendFactor::One);
            let blend = wgpu::BlendState {
                color: wgpu::BlendComponent { src_factor, dst_factor, operation: add },
                alpha: wgpu::BlendComponent { src_factor: zero, dst_factor: one, operation: add },
            };
            let desc = PipelineDesc {
                label: "layer",
                layouts: &[&layout],
                vertex: (&shader, "vs_layer"),
                buffers: std::slice::from_ref(&vertices),
                fragment: (&shader, "fs_layer"),
                constants: &[],
                format,
                blend: Some(blend),
                topology: wgpu::PrimitiveTopology::TriangleList,
            };
            pipeline(&gpu.device, &desc)
        };
        use wgpu::BlendFactor::{One, OneMinusSrc, OneMinusSrcAlpha, Src, SrcAlpha, Zero};
        let by_blend = |format| ByBlend {
            mix: build(format, SrcAlpha, OneMinusSrcAlpha),
            decal: build(format, One, Zero),
            additive: build(format, SrcAlpha, One),
            source_color: build(format, Src, OneMinusSrc),
        };
        let (over, burned) = (by_blend(FORMAT), (feedback != FORMAT).then(|| by_blend(feedback)));
        let samplers = [wgpu::AddressMode::ClampToEdge, wgpu::AddressMode::Repeat].map(|address| {
            gpu.device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some("layer"),
                address_mode_u: address,
                address_mode_v: address,
                mag_filter: wgpu::FilterMode::Linear,
                min_filter: wgpu::FilterMode::Linear,
                mipmap_filter: wgpu::MipmapFilterMode::Linear,
                ..Default::default()
            })
        });
        Self { over, burned, layout, samplers }
    }

    /// Returns the pipeline for layers over the finished picture or, if `burned`, in feedback images.
    pub fn pipeline(&self, blend: Blend, burned: bool) -> &wgpu::RenderPipeline {
        let pipelines = self.burned.as_ref().filter(|_| burned).unwrap_or(&self.over);
        match blend {
            Blend::Mix | Blend::Keyed => &pipelines.mix,
            Blend::Decal => &pipelines.decal,
            Blend::Additive => &pipelines.additive,
            Blend::SourceColor => &pipelines.source_color,
        }
    }

    /// Uploads an image with all its mip levels and returns its bind group. If `tiled` is true, the image repeats
    /// beyond its edges.
    pub fn upload(&self, gpu: &Gpu, image: &Mipmap, tiled: bool) -> wgpu::BindGroup {
        let extent = |level: &image::RgbaImage| wgpu::Extent3d {
            width: level.width(),
            height: level.height(),
            depth_or_array_layers: 1,
        };
        let levels: Vec<_> =
            image.levels().iter().map(|level| (level.as_raw().as_slice(), extent(level))).collect();
        let texture = upload::texture(gpu, "layer", wgpu::TextureDimension::D2, &levels);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let sampler = &self.samplers[usize::from(tiled)];
        let resources = [wgpu::BindingResource::TextureView(&view), wgpu::BindingResource::Sampler(sampler)];
        bind(&gpu.device, "layer", &self.layout, &resources)
    }
}
