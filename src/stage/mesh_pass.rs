//! The mesh of a deck's warp or composite pass: drawn directly or, on a software rasteriser, as one triangle
//! whose shader reads the interpolated attributes from textures.

use std::cell::OnceCell;

use lactea_abi::MeshVertex;

use super::gpu::Gpu;
use super::pass;
use super::pass::coordinates::{Attribute, CoordinatesPass, Grid};
use super::pass::mesh;
use super::render_context::RenderContext;
use crate::interpolation::Interpolator;

/// A mesh, and the textures of its interpolated attributes.
pub(super) struct MeshPass {
    /// The mesh; `None` if textures replace it and are never redrawn from it.
    mesh: Option<Mesh>,
    /// Source positions of the latest frame; like `decay`, used only by warp meshes.
    sources: Vec<[f32; 2]>,
    decay: f32,
    images: Option<Images>,
}

struct Mesh {
    /// CPU-side copy of the vertices in the GPU buffer.
    vertices: Vec<MeshVertex>,
    buffer: wgpu::Buffer,
    indices: wgpu::Buffer,
    index_count: u32,
}

/// Describes the attributes of a mesh that are provided as textures.
pub(super) struct ImagesDesc {
    /// Size of the picture, in pixels.
    pub size: [u32; 2],
    /// The mesh that provides the attributes.
    pub grid: Grid,
    /// Whether the shader reads the attribute that can change every frame: the source positions of a warp
    /// mesh, or the colours of a composite mesh.
    pub moving: bool,
    /// The attribute that the shader reads as the position.
    pub position: Attribute,
    /// Whether the shader reads the polar coordinates.
    pub polar: bool,
}

struct Images {
    group: wgpu::BindGroup,
    moving: Option<Moving>,
}

/// The texture of the attribute that can change every frame.
enum Moving {
    /// The colours of a composite mesh, redrawn when its vertices change.
    Colors { image: wgpu::TextureView, stale: bool },
    /// The source positions of a warp mesh.
    Sources { image: wgpu::TextureView, interpolator: Interpolator },
}

impl MeshPass {
    /// Creates a mesh pass for the warp.
    pub fn warp(
        render_context: &RenderContext,
        size: [u32; 2],
        cells: [u32; 2],
        images: Option<ImagesDesc>,
    ) -> Self {
        let build = |gpu: &Gpu| Mesh::new(gpu, mesh::warp_vertices(cells, size), &mesh::grid_indices(cells));
        Self::new(render_context, build, images)
    }

    /// Creates a mesh pass for the composite.
    pub fn composite(render_context: &RenderContext, size: [u32; 2], images: Option<ImagesDesc>) -> Self {
        let build = |gpu: &Gpu| {
            let mut vertices = Vec::new();
            mesh::composite_vertices(&[[1.0; 4]; 4], size, &mut vertices);
            Mesh::new(gpu, vertices, &mesh::composite_indices())
        };
        Self::new(render_context, build, images)
    }

    /// Creates a mesh pass; `build` builds the mesh, if it is needed, and `images` describes the textures that the pass
    /// reads if it is drawn as one triangle.
    fn new(render_context: &RenderContext, build: impl Fn(&Gpu) -> Mesh, images: Option<ImagesDesc>) -> Self {
        let gpu = &render_context.gpu;
        let built = OnceCell::new();
        let mesh = || built.get_or_init(|| build(gpu));
        let images = render_context.coordinates.as_ref().zip(images);
        let images = images.map(|(coordinates, desc)| Images::new(gpu, coordinates, &desc, mesh));
        let draws_mesh =
            images.as_ref().is_none_or(|images| matches!(images.moving, Some(Moving::Colors { .. })));
        if draws_mesh {
            mesh();
        }
        let mesh = built.into_inner().filter(|_| draws_mesh);
        Self { mesh, sources: Vec::new(), decay: 1.0, images }
    }

    /// Uploads the vertices of a composite mesh if they changed.
    pub fn set_vertices(&mut self, gpu: &Gpu, vertices: &[MeshVertex]) {
        let Some(mesh) = self.mesh.as_mut().filter(|mesh| !same_bits(&mesh.vertices, vertices)) else {
            return;
        };
        mesh.vertices.clear();
        mesh.vertices.extend_from_slice(vertices);
        mesh.upload(gpu);
        if let Some(Images { moving: Some(Moving::Colors { stale, .. }), .. }) = &mut self.images {
            *stale = true;
        }
    }

    /// Sets the source positions at which the vertices of a warp mesh sample the previous image, and the decay. Does
    /// nothing if both are unchanged, or if the shader does not read them.
    pub fn set_sources(&mut self, gpu: &Gpu, sources: &[[f32; 2]], decay: f32) {
        if self.images.as_ref().is_some_and(|images| images.moving.is_none()) {
            return;
        }
        if same_bits(&self.sources, sources) && self.decay.to_bits() == decay.to_bits() {
            return;
        }
        self.sources.clear();
        self.sources.extend_from_slice(sources);
        self.decay = decay;
        if let Some(Images { moving: Some(Moving::Sources { image, interpolator }), .. }) = &mut self.images {
            write(gpu, image.texture(), interpolator.interpolate(sources));
        } else if let Some(mesh) = &mut self.mesh {
            mesh::set_sources(&mut mesh.vertices, sources, decay);
            mesh.upload(gpu);
        }
    }

    /// Records the pass that redraws the colours of a composite mesh, if they changed. Call before [`Self::draw`].
    pub fn encode_images(&mut self, render_context: &RenderContext, encoder: &mut wgpu::CommandEncoder) {
        let Self { mesh: Some(mesh), images: Some(images), .. } = self else { return };
        let Some(coordinates) = &render_context.coordinates else { return };
        if let Some(Moving::Colors { image, stale: stale @ true }) = &mut images.moving {
            coordinates.encode(encoder, Attribute::Diffuse, image, |render| mesh.draw(render));
            *stale = false;
        }
    }

    /// Records the draw call of the pass; its textures, if any, are bound as group `group`.
    pub fn draw(&self, render: &mut wgpu::RenderPass, group: u32) {
        if let Some(images) = &self.images {
            render.set_bind_group(group, &images.group, &[]);
            render.draw(0..3, 0..1);
        } else if let Some(mesh) = &self.mesh {
            mesh.draw(render);
        }
    }
}

impl Mesh {
    fn new(gpu: &Gpu, vertices: Vec<MeshVertex>, indices: &[u32]) -> Self {
        Self {
            buffer: gpu.buffer("mesh/vertices", bytemuck::cast_slice(&vertices), wgpu::BufferUsages::VERTEX),
            indices: gpu.buffer("mesh/indices", bytemuck::cast_slice(indices), wgpu::BufferUsages::INDEX),
            index_count: indices.len() as u32,
            vertices,
        }
    }

    /// Uploads the vertices, whose number never changes.
    fn upload(&self, gpu: &Gpu) {
        gpu.queue.write_buffer(&self.buffer, 0, bytemuck::cast_slice(&self.vertices));
    }

    fn draw(&self, render: &mut wgpu::RenderPass) {
        render.set_vertex_buffer(0, self.buffer.slice(..));
        render.set_index_buffer(self.indices.slice(..), wgpu::IndexFormat::Uint32);
        render.draw_indexed(0..self.index_count, 0, 0..1);
    }
}

impl Images {
    /// Creates the textures; `mesh` returns the mesh, and is called only if a texture must be drawn.
    fn new<'m>(
        gpu: &Gpu,
        coordinates: &CoordinatesPass,
        desc: &ImagesDesc,
        mesh: impl Fn() -> &'m Mesh,
    ) -> Self {
        let moving = desc.moving.then(|| match desc.grid {
            Grid::Warp(cells) => Moving::Sources {
                image: coordinates.image(&gpu.device, Attribute::Source, desc.size),
                interpolator: Interpolator::new(desc.size, cells),
            },
            Grid::Composite => Moving::Colors {
                image: coordinates.image(&gpu.device, Attribute::Diffuse, desc.size),
                stale: true,
            },
        });
        let shared = |attribute| {
            coordinates.shared_texture(gpu, (attribute, desc.size, desc.grid), |render| mesh().draw(render))
        };
        let position = shared(desc.position);
        let polar = desc.polar.then(|| shared(Attribute::Polar));
        let moves = moving.as_ref().map(|moving| match moving {
            Moving::Colors { image, .. } | Moving::Sources { image, .. } => image,
        });
        // The shader does not read the textures that are `None` here, so any view can be bound in their place.
        let views = [moves, Some(&position), polar.as_ref()];
        let views = views.map(|view| wgpu::BindingResource::TextureView(view.unwrap_or(&position)));
        Self { group: pass::bind(&gpu.device, "coordinates", &coordinates.layout, &views), moving }
    }
}

fn same_bits<T: bytemuck::NoUninit>(a: &[T], b: &[T]) -> bool {
    bytemuck::cast_slice::<_, u8>(a) == bytemuck::cast_slice::<_, u8>(b)
}

/// Replaces the contents of a texture of source positions.
fn write(gpu: &Gpu, image: &wgpu::Texture, pixels: &[[f32; 2]]) {
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(image.width() * size_of::<[f32; 2]>() as u32),
        rows_per_image: None,
    };
    gpu.queue.write_texture(image.as_image_copy(), bytemuck::cast_slice(pixels), layout, image.size());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mesh_is_kept_only_if_it_is_drawn() {
        let Some(gpu) = Gpu::software_for_test() else { return };
        let render_context = RenderContext::new(gpu, &[]);
        let (size, cells) = ([64, 36], [8, 6]);
        let images = |grid: Grid, moving: bool| {
            Some(ImagesDesc { size, grid, moving, position: Attribute::Position, polar: true })
        };
        let warp = |images| MeshPass::warp(&render_context, size, cells, images).mesh.is_some();
        let composite = |images| MeshPass::composite(&render_context, size, images).mesh.is_some();
        let grid = Grid::Warp(cells);
        assert_eq!([None, images(grid, true), images(grid, false)].map(warp), [true, false, false]);
        let grid = Grid::Composite;
        assert_eq!([None, images(grid, true), images(grid, false)].map(composite), [true, true, false]);
    }
}
