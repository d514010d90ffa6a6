//! Textures that contain the attributes a mesh would interpolate, so that the pass itself can be drawn as a
//! single triangle.
//!
//! A software rasteriser shades blocks of 4 x 4 pixels once per triangle that touches them. The passes that
//! draw these textures are cheap to shade repeatedly; preset shaders are not. The values match those of the
//! mesh bit for bit.

use super::{PipelineDesc, begin, layout, mesh, module, pipeline, view};
use crate::handoff::Recent;
use crate::stage::gpu::Gpu;

/// The attribute that a texture contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::stage) enum Attribute {
    /// Position at which the warp samples the previous image; in a composite, position in the picture, moved right
    /// and down by half a pixel.
    Source,
    /// Colour interpolated from the corner hues.
    Diffuse,
    /// Position in the picture, as warp shaders and the built-in composite read it.
    Position,
    /// Radius and angle around the centre of the picture.
    Polar,
}

impl Attribute {
    const ALL: [Self; 4] = [Self::Source, Self::Diffuse, Self::Position, Self::Polar];

    fn entry(self) -> &'static str {
        match self {
            Self::Source => "fs_source",
            Self::Diffuse => "fs_diffuse",
            Self::Position => "fs_position",
            Self::Polar => "fs_polar",
        }
    }

    fn format(self) -> wgpu::TextureFormat {
        match self {
            Self::Diffuse => wgpu::TextureFormat::Rgba32Float,
            _ => wgpu::TextureFormat::Rg32Float,
        }
    }
}

/// An unfilterable 2D texture.
const UNFILTERED: wgpu::BindingType = wgpu::BindingType::Texture {
    sample_type: wgpu::TextureSampleType::Float { filterable: false },
    view_dimension: wgpu::TextureViewDimension::D2,
    multisampled: false,
};

/// What a shared texture depends on: the attribute, the size of the picture, and the mesh.
type SharedTextureKey = (Attribute, [u32; 2], Grid);

/// The mesh of a pass, described by what determines its vertex positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::stage) enum Grid {
    /// A warp mesh with this many columns and rows.
    Warp([u32; 2]),
    /// The composite mesh.
    Composite,
}

/// Maximum number of shared textures kept for later decks. Rendering a list of presets uses up to five.
const KEPT: usize = 6;

/// Pipelines, bind group layout, and the textures shared by decks.
pub(in crate::stage) struct CoordinatesPass {
    /// Layout of the three textures of a pass: the attribute that can change every frame, the position, and
    /// the polar coordinates.
    pub layout: wgpu::BindGroupLayout,
    pipelines: Vec<wgpu::RenderPipeline>,
    shared_textures: Recent<SharedTextureKey, wgpu::TextureView>,
}

impl CoordinatesPass {
    pub fn new(gpu: &Gpu, mesh_shader: &wgpu::ShaderModule) -> Self {
        let shader = module(gpu, "coordinates", include_str!("../../../shaders/coordinates.wgsl"));
        let pipelines = Attribute::ALL.map(|attribute| {
            let desc = PipelineDesc {
                label: "coordinates",
                layouts: &[],
                vertex: (mesh_shader, "vs_mesh"),
                buffers: &[mesh::buffer_layout()],
                fragment: (&shader, attribute.entry()),
                constants: &[],
                format: attribute.format(),
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            };
            pipeline(&gpu.device, &desc)
        });
        Self {
            layout: layout(gpu, "coordinates", &[UNFILTERED, UNFILTERED, UNFILTERED]),
            pipelines: pipelines.into(),
            shared_textures: Recent::new(KEPT),
        }
    }

    /// Creates a texture of `width` x `height` pixels for `attribute`.
    pub fn image(
        &self,
        device: &wgpu::Device,
        attribute: Attribute,
        [width, height]: [u32; 2],
    ) -> wgpu::TextureView {
        view(&device.create_texture(&wgpu::TextureDescriptor {
            label: Some("coordinates"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: attribute.format(),
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT
                | wgpu::TextureUsages::TEXTURE_BINDING
                | wgpu::TextureUsages::COPY_DST
                | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        }))
    }

    /// Records the pass that writes an attribute to `target`; `draw` draws the mesh.
    pub fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        attribute: Attribute,
        target: &wgpu::TextureView,
        draw: impl FnOnce(&mut wgpu::RenderPass),
    ) {
        let mut render = begin(encoder, "coordinates", target, true);
        render.set_pipeline(&self.pipelines[attribute as usize]);
        draw(&mut render);
    }

    /// Returns the shared texture of an attribute that depends only on the sizes of the picture and the mesh. If it
    /// does not exist yet, it is created and drawn with `draw` in a separate submission, before any submission that
    /// reads it.
    pub fn shared_texture(
        &self,
        gpu: &Gpu,
        key: SharedTextureKey,
        draw: impl FnOnce(&mut wgpu::RenderPass),
    ) -> wgpu::TextureView {
        if let Some(known) = self.shared_textures.get(&key) {
            return known;
        }
        let (attribute, size, _) = key;
        let texture = self.image(&gpu.device, attribute, size);
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        self.encode(&mut encoder, attribute, &texture, draw);
        gpu.submit([encoder.finish()]);
        self.shared_textures.insert(key, texture.clone());
        texture
    }
}
