//! The mesh of one deck's warp or composite pass: drawn as it is, or on a software rasteriser as one triangle that reads
//! what the mesh interpolates from images.

use lactea_abi::MeshVertex;

use super::buffer::GrowableBuffer;
use super::pass;
use super::pass::coordinates::{Attribute, Grid};
use super::render_context::RenderContext;

/// Buffers of a mesh, and the images drawn from it.
pub(super) struct MeshPass {
    vertices: GrowableBuffer,
    indices: wgpu::Buffer,
    index_count: u32,
    /// The vertices on the device.
    uploaded: Vec<MeshVertex>,
    images: Option<Images>,
}

/// What the images of a mesh hold.
pub(super) struct ImagesDesc {
    /// Size of the picture, pixels.
    pub size: [u32; 2],
    /// The mesh.
    pub grid: Grid,
    /// Attribute that changes with the vertices, if the shader reads one.
    pub moving: Option<Attribute>,
    /// Attribute that holds the position.
    pub position: Attribute,
    /// Whether the shader reads radius and angle.
    pub polar: bool,
}

struct Images {
    desc: ImagesDesc,
    /// The bind group of the images, and the one that changes; made with the first vertices.
    drawn: Option<(wgpu::BindGroup, Option<wgpu::TextureView>)>,
    /// Whether the vertices changed since the moving image was drawn.
    stale: bool,
}

impl MeshPass {
    /// Creates the buffers of a mesh; `images` says what its pass reads if it is drawn as one triangle.
    pub fn new(render_context: &RenderContext, indices: &[u32], images: Option<ImagesDesc>) -> Self {
        let device = &render_context.gpu.device;
        let images = images.filter(|_| render_context.coordinates.is_some());
        Self {
            vertices: GrowableBuffer::new(device, "mesh/vertices", wgpu::BufferUsages::VERTEX),
            indices: render_context.gpu.buffer(
                "mesh/indices",
                bytemuck::cast_slice(indices),
                wgpu::BufferUsages::INDEX,
            ),
            index_count: indices.len() as u32,
            uploaded: Vec::new(),
            images: images.map(|desc| Images { desc, drawn: None, stale: true }),
        }
    }

    /// Uploads the vertices if they changed.
    pub fn upload(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, vertices: &[MeshVertex]) {
        if bytemuck::cast_slice::<_, u8>(&self.uploaded) == bytemuck::cast_slice::<_, u8>(vertices) {
            return;
        }
        self.vertices.fill(device, queue, vertices);
        self.uploaded.clear();
        self.uploaded.extend_from_slice(vertices);
        if let Some(images) = &mut self.images {
            images.stale = true;
        }
    }

    /// Records what draws the images, if there are any and the vertices changed. Comes before [`Self::draw`].
    pub fn encode_images(&mut self, render_context: &RenderContext, encoder: &mut wgpu::CommandEncoder) {
        let Self { vertices, indices, index_count, images, .. } = self;
        let (Some(images), Some(coordinates)) = (images, &render_context.coordinates) else { return };
        let draw = |render: &mut wgpu::RenderPass| {
            render.set_vertex_buffer(0, vertices.slice());
            render.set_index_buffer(indices.slice(..), wgpu::IndexFormat::Uint32);
            render.draw_indexed(0..*index_count, 0, 0..1);
        };
        let Images { desc, drawn, stale } = images;
        let (_, moving) = drawn.get_or_insert_with(|| {
            let gpu = &render_context.gpu;
            let place = |attribute| coordinates.place(gpu, (attribute, desc.size, desc.grid), draw);
            let position = place(desc.position);
            let moving = desc.moving.map(|attribute| coordinates.image(&gpu.device, attribute, desc.size));
            let polar = desc.polar.then(|| place(Attribute::Polar));
            // What a shader does not read may be any image.
            let views = [moving.as_ref(), Some(&position), polar.as_ref()];
            let views = views.map(|view| wgpu::BindingResource::TextureView(view.unwrap_or(&position)));
            (pass::bind(&gpu.device, "coordinates", &coordinates.layout, &views), moving)
        });
        if let (Some(attribute), Some(target), true) = (desc.moving, moving, *stale) {
            coordinates.encode(encoder, attribute, target, draw);
        }
        *stale = false;
    }

    /// Draws the pass; the images, if there are any, are bind group `group`.
    pub fn draw(&self, render: &mut wgpu::RenderPass, group: u32) {
        if let Some((images, _)) = self.images.as_ref().and_then(|images| images.drawn.as_ref()) {
            render.set_bind_group(group, images, &[]);
            render.draw(0..3, 0..1);
        } else {
            render.set_vertex_buffer(0, self.vertices.slice());
            render.set_index_buffer(self.indices.slice(..), wgpu::IndexFormat::Uint32);
            render.draw_indexed(0..self.index_count, 0, 0..1);
        }
    }
}
