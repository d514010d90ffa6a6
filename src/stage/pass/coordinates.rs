//! Images of what a mesh interpolates, so that one triangle can draw the pass itself.
//!
//! A software rasteriser shades blocks of 4 x 4 pixels once for every triangle that touches them. These passes are cheap
//! to shade repeatedly; the shaders of presets are not. The values are those that the mesh gives, to the last bit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{PipelineDesc, begin, layout, mesh, module, pipeline, view};
use crate::stage::gpu::Gpu;

/// What an image holds for each pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::stage) enum Attribute {
    /// Where the warp samples the previous image.
    Source,
    /// Colour of the corner hues.
    Diffuse,
    /// Position in the picture, radius and angle, as warp shaders read them.
    WarpPlace,
    /// The same as composite shaders read them.
    CompositePlace,
    /// Position in the picture, as the built-in composite reads it.
    PlainPlace,
}

impl Attribute {
    const ALL: [Self; 5] =
        [Self::Source, Self::Diffuse, Self::WarpPlace, Self::CompositePlace, Self::PlainPlace];

    fn entry(self) -> &'static str {
        match self {
            Self::Source => "fs_source",
            Self::Diffuse => "fs_diffuse",
            Self::WarpPlace => "fs_warp_place",
            Self::CompositePlace => "fs_composite_place",
            Self::PlainPlace => "fs_plain_place",
        }
    }

    fn format(self) -> wgpu::TextureFormat {
        match self {
            Self::Source | Self::PlainPlace => wgpu::TextureFormat::Rg32Float,
            _ => wgpu::TextureFormat::Rgba32Float,
        }
    }
}

/// An image that shaders read pixel by pixel.
const UNFILTERED: wgpu::BindingType = wgpu::BindingType::Texture {
    sample_type: wgpu::TextureSampleType::Float { filterable: false },
    view_dimension: wgpu::TextureViewDimension::D2,
    multisampled: false,
};

/// Attribute, picture size and cells of the mesh: all that an image of positions depends on.
type PlaceKey = (Attribute, [u32; 2], [u32; 2]);

/// Pipelines, layout and the images that decks share.
pub(in crate::stage) struct CoordinatesPass {
    /// Layout of the two images of a pass: what changes from frame to frame, and the place.
    pub layout: wgpu::BindGroupLayout,
    pipelines: Vec<wgpu::RenderPipeline>,
    places: Mutex<HashMap<PlaceKey, Weak<wgpu::TextureView>>>,
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
                format: attribute.format(),
                blend: None,
                topology: wgpu::PrimitiveTopology::TriangleList,
            };
            pipeline(&gpu.device, &desc)
        });
        Self {
            layout: layout(gpu, "coordinates", &[UNFILTERED, UNFILTERED]),
            pipelines: pipelines.into(),
            places: Mutex::default(),
        }
    }

    /// Creates an image of `size` pixels for an attribute.
    pub fn image(&self, device: &wgpu::Device, attribute: Attribute, [width, height]: [u32; 2]) -> wgpu::TextureView {
        view(&device.create_texture(&wgpu::TextureDescriptor {
            label: Some("coordinates"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: attribute.format(),
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
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

    /// Returns the image of an attribute that depends only on the sizes of picture and mesh. Decks share it; the first
    /// one draws it with `draw` in a submission of its own, before any that reads it.
    pub fn place(
        &self,
        gpu: &Gpu,
        key: PlaceKey,
        draw: impl FnOnce(&mut wgpu::RenderPass),
    ) -> Arc<wgpu::TextureView> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = places.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        let (attribute, size, _) = key;
        let place = Arc::new(self.image(&gpu.device, attribute, size));
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        self.encode(&mut encoder, attribute, &place, draw);
        gpu.queue.submit([encoder.finish()]);
        places.retain(|_, place| place.strong_count() > 0);
        places.insert(key, Arc::downgrade(&place));
        place
    }
}
