//! Pipeline and bindings of a preset's warp or composite shader.

use lactea_abi::{Address, Filter, PassKind, PassUniforms, TexDim, TexSource, TextureBinding};
use naga::Module;

use super::deck_images::DeckImages;
use super::error::StageError;
use super::pass::blur::Pyramid;
use super::pass::{self, PipelineDesc, TEXTURE, UNIFORM, mesh};
use super::preset_pipeline::PresetPipeline;
use super::render_context::RenderContext;
use crate::milk::shader::{IMAGE_ENTRY, ShaderText};
use crate::{pipelines, shading};

/// A preset shader, ready to draw.
pub(super) struct PresetPass {
    pub shared: PresetPipeline,
    /// Bind groups, indexed by feedback image, then by address mode of the main image (clamp, wrap).
    groups: [[wgpu::BindGroup; 2]; 2],
}

/// The deck's own pictures that a preset shader can read.
pub(super) struct Sources<'a> {
    /// The two feedback images.
    pub images: [&'a wgpu::TextureView; 2],
    pub image_size: [u32; 2],
    pub pyramid: &'a Pyramid,
}

impl PresetPass {
    /// Creates a pass with its bind groups, and with its pipeline unless a deck with the same shader was prepared
    /// recently. Image files are found through `images`.
    ///
    /// # Errors
    /// Returns an error if the device rejects the shader, is lost or runs out of memory.
    pub fn new(
        render_context: &RenderContext,
        kind: PassKind,
        text: &ShaderText,
        sources: &Sources,
        images: &mut DeckImages,
    ) -> Result<Self, StageError> {
        let (gpu, pipelines) = (&render_context.gpu, &render_context.preset_pipelines);
        let key = (kind, text.source_hash);
        let shared = match pipelines.get(&key) {
            Some(shared) => shared,
            None => {
                let shared = gpu.checked(|| Self::pipeline(render_context, kind, text))?;
                pipelines.insert(key, shared.clone());
                shared
            }
        };
        gpu.checked(|| Self::bind(render_context, kind, text, sources, images, shared))
    }

    /// Creates the pipeline, which must depend only on the context, `kind` and the source of the shader.
    fn pipeline(render_context: &RenderContext, kind: PassKind, text: &ShaderText) -> PresetPipeline {
        let label = label(kind);
        let gpu = &render_context.gpu;
        let device = &gpu.device;
        let mut types = vec![UNIFORM];
        for texture in &text.interface.textures {
            types.push(match texture.dim {
                TexDim::D2 => TEXTURE,
                TexDim::D3 => wgpu::BindingType::Texture {
                    sample_type: wgpu::TextureSampleType::Float { filterable: true },
                    view_dimension: wgpu::TextureViewDimension::D3,
                    multisampled: false,
                },
            });
            types.push(pass::SAMPLER);
        }
        let layout = pass::layout(gpu, label, &types);
        // Warp passes have no colour texture, so a warp shader that reads the colour is drawn with the mesh.
        let has_images = kind == PassKind::Comp || !text.reads_diffuse;
        let coordinates = render_context.coordinates.as_ref().filter(|_| has_images);
        let mut module = Module::clone(&text.module);
        let hoisted = coordinates.is_some() && shading::hoist(&mut module, IMAGE_ENTRY);
        let entry = if coordinates.is_some() { IMAGE_ENTRY } else { lactea_abi::FRAGMENT_ENTRY };
        let entries = (hoisted.then_some(shading::VERTEX_ENTRY), entry);
        let (vertex, fragment) = pipelines::stages(device, gpu.software(), label, module, entries);
        let mesh_shader = &render_context.mesh_shader;
        let mesh = PipelineDesc {
            label,
            layouts: &[&render_context.frame_layout, &layout],
            vertex: (mesh_shader, "vs_mesh"),
            buffers: &[mesh::buffer_layout()],
            fragment: (&fragment, entry),
            constants: &[],
            format: match kind {
                PassKind::Warp => render_context.feedback_format(),
                PassKind::Comp => pass::FORMAT,
            },
            blend: None,
            topology: wgpu::PrimitiveTopology::TriangleList,
        };
        let pipeline = match coordinates {
            Some(coordinates) => pass::pipeline(
                device,
                &PipelineDesc {
                    layouts: &[&render_context.frame_layout, &layout, &coordinates.layout],
                    vertex: match &vertex {
                        Some(vertex) => (vertex, shading::VERTEX_ENTRY),
                        None => (mesh_shader, "vs_image"),
                    },
                    buffers: &[],
                    ..mesh
                },
            ),
            None => pass::pipeline(device, &mesh),
        };
        let discards = pipelines::discards(&text.module);
        PresetPipeline { pipeline, layout, reads_images: coordinates.is_some(), discards }
    }

    /// Creates a pass with new bind groups and the pipeline in `shared`.
    pub fn bind(
        render_context: &RenderContext,
        kind: PassKind,
        text: &ShaderText,
        sources: &Sources,
        images: &mut DeckImages,
        shared: PresetPipeline,
    ) -> Self {
        let (label, device) = (label(kind), &render_context.gpu.device);
        let bound: Vec<Bound> =
            text.interface.textures.iter().map(|t| Bound::find(render_context, t, sources, images)).collect();
        let mut sizes = PassUniforms::default();
        for (slot, source) in sizes.texsize.iter_mut().zip(&text.interface.texsize_slots) {
            *slot = texture_size(render_context, source, sources, images);
        }
        let uniforms = pass::uniform::<PassUniforms>(device, label);
        render_context.gpu.queue.write_buffer(&uniforms, 0, bytemuck::bytes_of(&sizes));
        // In the warp pass, the texture wrap setting overrides the address mode of one sampler: the linear sampler of
        // the main image whose name sorts first.
        let linear_main =
            |texture: &&TextureBinding| texture.source == TexSource::Main && texture.filter == Filter::Linear;
        let mains = text.interface.textures.iter().filter(linear_main);
        let first_main = mains.map(|texture| texture.hlsl_name.as_str()).min();
        let follows_wrap = first_main.filter(|_| kind == PassKind::Warp);
        let group = |image: usize, wrapped: bool| {
            let mut resources = vec![uniforms.as_entire_binding()];
            for (texture, bound) in text.interface.textures.iter().zip(&bound) {
                resources.push(wgpu::BindingResource::TextureView(match bound {
                    Bound::Main => sources.images[image],
                    Bound::View(view) => view,
                }));
                let first = follows_wrap == Some(texture.hlsl_name.as_str());
                let (filter, address) = match (first, wrapped) {
                    (true, true) => (Filter::Linear, Address::Wrap),
                    (true, false) => (Filter::Linear, Address::Clamp),
                    (false, _) => (texture.filter, texture.address),
                };
                resources.push(wgpu::BindingResource::Sampler(render_context.sampler(filter, address)));
            }
            pass::bind(device, label, &shared.layout, &resources)
        };
        let groups = [0, 1].map(|image| [false, true].map(|wrapped| group(image, wrapped)));
        Self { shared, groups }
    }

    /// Returns the bind group that reads the feedback image with index `image`, clamped or `wrapped`.
    pub fn group(&self, image: usize, wrapped: bool) -> &wgpu::BindGroup {
        &self.groups[image][usize::from(wrapped)]
    }
}

/// Returns the name of a pass for messages and labels.
pub(super) fn label(kind: PassKind) -> &'static str {
    match kind {
        PassKind::Warp => "warp",
        PassKind::Comp => "composite",
    }
}

/// The texture bound for one of a shader's samplers.
enum Bound {
    /// The feedback image that the pass reads in this frame.
    Main,
    View(wgpu::TextureView),
}

impl Bound {
    fn find(
        render_context: &RenderContext,
        texture: &TextureBinding,
        sources: &Sources,
        images: &mut DeckImages,
    ) -> Self {
        let textures = &render_context.textures;
        let placeholder = || Self::View(textures.placeholder(texture.dim).view.clone());
        match &texture.source {
            TexSource::Main => Self::Main,
            TexSource::Blur(level) => {
                sources.pyramid.level(*level).map_or_else(placeholder, |image| Self::View(pass::view(image)))
            }
            TexSource::Noise(which) => Self::View(textures.noise(*which).view.clone()),
            TexSource::User(name) if texture.dim == TexDim::D2 => {
                images.find(name).map_or_else(placeholder, |image| Self::View(image.view.clone()))
            }
            TexSource::User(_) | TexSource::Fft => placeholder(),
        }
    }
}

/// Returns the width and height of a texture in pixels, and their reciprocals.
fn texture_size(
    render_context: &RenderContext,
    source: &TexSource,
    sources: &Sources,
    images: &DeckImages,
) -> [f32; 4] {
    let of = |width: u32, height: u32| {
        let (w, h) = (width as f32, height as f32);
        [w, h, 1.0 / w, 1.0 / h]
    };
    let textures = &render_context.textures;
    match source {
        TexSource::Main => of(sources.image_size[0], sources.image_size[1]),
        TexSource::Blur(level) => {
            sources.pyramid.level(*level).map_or([1.0; 4], |image| of(image.width(), image.height()))
        }
        TexSource::Noise(which) => textures.noise(*which).size,
        TexSource::User(name) => images.size(name).unwrap_or(textures.placeholder(TexDim::D2).size),
        TexSource::Fft => of(lactea_abi::FFT_BINS as u32, 1),
    }
}
