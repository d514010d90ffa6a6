//! Draws one pixel with a translated shader and reads its colour as floats.

use std::borrow::Cow;

use aivj::hlsl::{self, ExtraUniforms, Translation};
use aivj::stage::Gpu;
use lactea_abi::{FRAGMENT_ENTRY, MilkUniforms, PassKind, PassUniforms, TexDim};

/// Vertex shader for a triangle that covers the whole picture. At the only pixel, `uv` is (0.25, 0.5),
/// `uv_orig` of a warp shader (0.5, 0.75), `hue_shader` (0.1, 0.2, 0.3), `rad` 0.7 and `ang` 0.9.
const VERTEX: &str = "
struct Out {
    @builtin(position) position: vec4<f32>,
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
}

@vertex
fn vs(@builtin(vertex_index) index: u32) -> Out {
    let place = vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
    return Out(place, vec4<f32>(0.1, 0.2, 0.3, 1.0), vec4<f32>(0.25, 0.5, 0.5, 0.75), vec2<f32>(0.7, 0.9));
}
";

/// Value of every texel of every texture.
pub const TEXEL: [u8; 4] = [51, 102, 153, 255];

/// A renderer of single pixels.
pub struct Painter {
    gpu: Gpu,
    vertex: wgpu::ShaderModule,
}

impl Painter {
    /// Opens the device; `None` if `AIVJ_NO_GPU=1` declares that there is none.
    pub fn open() -> Option<Self> {
        let gpu = Gpu::for_test()?;
        let source = wgpu::ShaderSource::Wgsl(Cow::Borrowed(VERTEX));
        let vertex = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        Some(Self { gpu, vertex })
    }

    /// Returns the colour that the composite shader `source` computes at the pixel.
    pub fn pixel(&self, source: &str) -> Result<[f32; 3], String> {
        self.pixel_of(PassKind::Comp, source)
    }

    /// Returns the colour that a shader computes at the pixel.
    pub fn pixel_of(&self, kind: PassKind, source: &str) -> Result<[f32; 3], String> {
        let translation = hlsl::translate(kind, source).map_err(|error| error.to_string())?;
        naga::valid::Validator::new(
            naga::valid::ValidationFlags::all(),
            naga::valid::Capabilities::default(),
        )
        .validate(&translation.module)
        .map_err(|error| format!("invalid: {}", error.emit_to_string("")))?;
        let color = self.draw(&translation);
        match self.gpu.take_error() {
            Some(error) => Err(error),
            None => Ok(color),
        }
    }

    fn draw(&self, translation: &Translation) -> [f32; 3] {
        let device = &self.gpu.device;
        let source = wgpu::ShaderSource::Naga(Cow::Owned(translation.module.clone()));
        let shader = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let mut q = MilkUniforms::default();
        // q1 to q4 are 7, 2.5, -3 and 0; q5 is almost 0.
        q.q[0] = [7.0, 2.5, -3.0, 0.0];
        q.q[1] = [1e-30, 1e30, 4.0, 5.0];
        q.c[0] = [1.0, 0.5, 1.0, 2.0];
        q.c[2] = [12.0, 60.0, 3.0, 0.5];
        q.c[3] = [1.0, 2.0, 3.0, 2.0];
        q.c[4] = [0.5, 1.0, 1.5, 1.0];
        q.c[5] = [2.0, 0.5, 1.0, 0.0];
        q.c[6] = [1.0, 0.0, 0.0, 1.0];
        q.c[7] = [8.0, 4.0, 0.125, 0.25];
        q.c[8..12].fill([0.1, 0.2, 0.3, 0.4]);
        q.c[12] = [4.0, 5.0, 4.5, 0.0];
        q.c[13] = [0.1, 0.9, 0.2, 0.8];
        q.texsize_noise[0] = [256.0, 256.0, 1.0 / 256.0, 1.0 / 256.0];
        q.rot[0] = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]];
        let sizes = PassUniforms { texsize: [[16.0, 32.0, 0.0625, 0.03125]; 16] };
        let usage = wgpu::BufferUsages::UNIFORM;
        let frame = self.gpu.buffer("frame", bytemuck::bytes_of(&q), usage);
        // Bin N of the spectrum is N, and its peak twice that.
        let bins =
            |scale: f32| std::array::from_fn(|four| [0, 1, 2, 3].map(|i| (four * 4 + i) as f32 * scale));
        let added = ExtraUniforms {
            smooth: [0.5, 1.0, 1.5, 2.0],
            clock: [1.0, 2.0, 3.0, 3_723.0],
            spectrum: bins(1.0),
            peaks: bins(2.0),
            left: [[0.25; 4]; 128],
            right: [[0.75; 4]; 128],
            ..ExtraUniforms::default()
        };
        let extra = self.gpu.buffer("extra", bytemuck::bytes_of(&added), usage);
        let pass = self.gpu.buffer("pass", bytemuck::bytes_of(&sizes), usage);
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor::default());
        let views: Vec<_> =
            translation.interface.textures.iter().map(|texture| self.texture(texture.dim)).collect();
        let mut resources = vec![pass.as_entire_binding()];
        for view in &views {
            resources.push(wgpu::BindingResource::TextureView(view));
            resources.push(wgpu::BindingResource::Sampler(&sampler));
        }
        let groups = [vec![frame.as_entire_binding(), extra.as_entire_binding()], resources];
        let pipeline_layouts: Vec<_> =
            groups.iter().map(|resources| self.layout(resources, translation)).collect();
        let layouts: Vec<_> = pipeline_layouts.iter().map(Some).collect();
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &layouts,
            immediate_size: 0,
        });
        let format = wgpu::TextureFormat::Rgba32Float;
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: None,
            layout: Some(&layout),
            vertex: wgpu::VertexState {
                module: &self.vertex,
                entry_point: Some("vs"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: Default::default(),
            depth_stencil: None,
            multisample: Default::default(),
            fragment: Some(wgpu::FragmentState {
                module: &shader,
                entry_point: Some(FRAGMENT_ENTRY),
                compilation_options: Default::default(),
                targets: &[Some(format.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        let groups: Vec<_> = groups
            .iter()
            .zip(&pipeline_layouts)
            .map(|(resources, layout)| {
                let entries: Vec<_> = (0..)
                    .zip(resources)
                    .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource: resource.clone() })
                    .collect();
                device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: None,
                    layout,
                    entries: &entries,
                })
            })
            .collect();
        self.read(format, &pipeline, &groups)
    }

    /// Runs the pipeline on one pixel and reads it back.
    fn read(
        &self,
        format: wgpu::TextureFormat,
        pipeline: &wgpu::RenderPipeline,
        groups: &[wgpu::BindGroup],
    ) -> [f32; 3] {
        let device = &self.gpu.device;
        let usage = wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC;
        let target = device.create_texture(&descriptor(format, wgpu::TextureDimension::D2, usage));
        let view = target.create_view(&wgpu::TextureViewDescriptor::default());
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 256,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations::default(),
                })],
                ..wgpu::RenderPassDescriptor::default()
            });
            pass.set_pipeline(pipeline);
            for (index, group) in (0..).zip(groups) {
                pass.set_bind_group(index, group, &[]);
            }
            pass.draw(0..3, 0..1);
        }
        let layout =
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(256), rows_per_image: None };
        let destination = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
        encoder.copy_texture_to_buffer(target.as_image_copy(), destination, wgpu::Extent3d::default());
        self.gpu.submit([encoder.finish()]);
        let mapped = self.gpu.map(&buffer);
        self.gpu.wait().expect("the device finishes");
        mapped.recv().expect("a result").expect("readable");
        let bytes = buffer.slice(..16).get_mapped_range().expect("mapped");
        let [r, g, b, _]: [f32; 4] = bytemuck::pod_read_unaligned(&bytes);
        [r, g, b]
    }

    fn texture(&self, dim: TexDim) -> wgpu::TextureView {
        let dimension =
            if dim == TexDim::D3 { wgpu::TextureDimension::D3 } else { wgpu::TextureDimension::D2 };
        let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
        let format = wgpu::TextureFormat::Rgba8Unorm;
        let texture = self.gpu.device.create_texture(&descriptor(format, dimension, usage));
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(4), rows_per_image: None };
        self.gpu.queue.write_texture(texture.as_image_copy(), &TEXEL, layout, wgpu::Extent3d::default());
        texture.create_view(&wgpu::TextureViewDescriptor::default())
    }

    fn layout(
        &self,
        resources: &[wgpu::BindingResource],
        translation: &Translation,
    ) -> wgpu::BindGroupLayout {
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::FRAGMENT,
                ty: match resource {
                    wgpu::BindingResource::Sampler(_) => {
                        wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering)
                    }
                    wgpu::BindingResource::TextureView(_) => wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Float { filterable: true },
                        view_dimension: match translation.interface.textures[(binding as usize - 1) / 2].dim {
                            TexDim::D2 => wgpu::TextureViewDimension::D2,
                            TexDim::D3 => wgpu::TextureViewDimension::D3,
                        },
                        multisampled: false,
                    },
                    _ => wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Uniform,
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                },
                count: None,
            })
            .collect();
        let descriptor = wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries };
        self.gpu.device.create_bind_group_layout(&descriptor)
    }
}

/// Describes a texture of one texel.
fn descriptor(
    format: wgpu::TextureFormat,
    dimension: wgpu::TextureDimension,
    usage: wgpu::TextureUsages,
) -> wgpu::TextureDescriptor<'static> {
    wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d::default(),
        mip_level_count: 1,
        sample_count: 1,
        dimension,
        format,
        usage,
        view_formats: &[],
    }
}
