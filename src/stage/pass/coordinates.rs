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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpolation::Interpolator;

    /// Draws a mesh whose vertices have the source positions `sources`, and reads back the source position of
    /// each pixel.
    fn drawn(gpu: &Gpu, size: [u32; 2], cells: [u32; 2], sources: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let shader = module(gpu, "mesh", include_str!("../../../shaders/mesh.wgsl"));
        let coordinates = CoordinatesPass::new(gpu, &shader);
        let target = coordinates.image(&gpu.device, Attribute::Source, size);
        let mut vertices = mesh::warp_vertices(cells, size);
        mesh::set_sources(&mut vertices, sources, 1.0);
        let indices = mesh::grid_indices(cells);
        let vertices = gpu.buffer("vertices", bytemuck::cast_slice(&vertices), wgpu::BufferUsages::VERTEX);
        let index_buffer = gpu.buffer("indices", bytemuck::cast_slice(&indices), wgpu::BufferUsages::INDEX);
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        coordinates.encode(&mut encoder, Attribute::Source, &target, |render| {
            render.set_vertex_buffer(0, vertices.slice(..));
            render.set_index_buffer(index_buffer.slice(..), wgpu::IndexFormat::Uint32);
            render.draw_indexed(0..indices.len() as u32, 0, 0..1);
        });
        let bytes_per_row = (size[0] * 8).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let read = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(bytes_per_row * size[1]),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(bytes_per_row),
            rows_per_image: None,
        };
        encoder.copy_texture_to_buffer(
            target.texture().as_image_copy(),
            wgpu::TexelCopyBufferInfo { buffer: &read, layout },
            target.texture().size(),
        );
        gpu.submit([encoder.finish()]);
        let mapped = gpu.map(&read);
        gpu.wait_mapped(&mapped).expect("mapped");
        let bytes = read.get_mapped_range(..).expect("mapped");
        let lines = bytes.chunks_exact(bytes_per_row as usize);
        lines.flat_map(|line| bytemuck::cast_slice(&line[..size[0] as usize * 8]).to_vec()).collect()
    }

    #[test]
    fn interpolated_positions_equal_those_of_the_rasteriser_to_the_last_bit() {
        let Some(gpu) = Gpu::for_test() else { return };
        if !gpu.software() {
            return; // Only software rasterisers use the interpolator.
        }
        let meshes =
            [([320, 240], [48, 36]), ([320, 240], [192, 144]), ([333, 217], [31, 17]), ([40, 30], [64, 48])];
        for (size, cells) in meshes {
            let swirl = |point: crate::milk::GridPoint| {
                let [x, y] = point.at;
                [(x * 3.1 + y * 7.7).sin() * 0.3 + x * 0.5, (y * 5.3 - x * 2.9).cos() * 9.4 - y * 0.37]
            };
            let sources: Vec<_> = mesh::warp_points(cells, size).map(swirl).collect();
            let expected = drawn(&gpu, size, cells, &sources);
            let mut interpolator = Interpolator::new(size, cells);
            let computed = interpolator.interpolate(&sources);
            let wrong = computed.iter().zip(&expected).filter(|(a, b)| a != b).count();
            assert_eq!((computed.len(), wrong), (expected.len(), 0), "{size:?} pixels, {cells:?} cells");
        }
    }
}
