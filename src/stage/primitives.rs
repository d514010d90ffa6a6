//! Buffers and draw calls for the lines, dots, polygons, borders and triangles of one deck.

use lactea_abi::{Address, Filter};

use super::buffer::GrowableBuffer;
use super::pass;
use super::pass::draw::{DrawUniforms, reference_pixel};
use super::pass::shape::{ShapeUniforms, UNIFORM_STRIDE};
use super::render_context::RenderContext;
use crate::milk::{Blend, Draw, Frame, ShapeInstance, Weight};

/// Maximum number of polygon draws per frame: a preset has at most 16 shapes with 1,024 instances each.
const MAX_SHAPE_DRAWS: usize = 16_384;

/// Number of vertices of a border: four quads.
const BORDER_VERTICES: u32 = 24;

/// Buffers and bind groups for the primitives of one deck.
pub(super) struct PrimitiveDraws {
    segments: GrowableBuffer,
    dots: GrowableBuffer,
    shapes: GrowableBuffer,
    borders: GrowableBuffer,
    triangles: GrowableBuffer,
    draw_group: wgpu::BindGroup,
    shape_uniforms: GrowableBuffer,
    /// One bind group per feedback image that polygons can sample; rebuilt when the uniform buffer grows.
    /// `None` before the first polygon.
    shape_groups: Option<[wgpu::BindGroup; 2]>,
    shape_capacity: usize,
    images: [wgpu::TextureView; 2],
    /// Address mode with which polygons sample the feedback image beyond its edges.
    address: Address,
    packed: Vec<PackedUniforms>,
    /// The polygon draws, in the order of the frame's `above`.
    calls: Vec<ShapeCall>,
}

/// A draw call for instances of a polygon.
struct ShapeCall {
    vertices: u32,
    outlined: bool,
}

/// Uniforms of one draw call, padded to the alignment of dynamic offsets.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct PackedUniforms {
    uniforms: ShapeUniforms,
    pad: [[f32; 4]; 14],
}

const _: () = assert!(std::mem::size_of::<PackedUniforms>() as u64 == UNIFORM_STRIDE);

impl PrimitiveDraws {
    /// Creates the buffers for a picture of `size` pixels. Textured polygons sample `images`, with address mode
    /// `address`.
    pub fn new(
        render_context: &RenderContext,
        images: [&wgpu::TextureView; 2],
        address: Address,
        size: [u32; 2],
    ) -> Self {
        let device = &render_context.gpu.device;
        let vertices = |label| GrowableBuffer::new(device, label, wgpu::BufferUsages::VERTEX);
        let draw_uniforms = pass::uniform::<DrawUniforms>(device, "draw/uniforms");
        let uniforms =
            DrawUniforms { size: size.map(|side| side as f32), pixel: reference_pixel(size[1]), pad: 0.0 };
        render_context.gpu.queue.write_buffer(&draw_uniforms, 0, bytemuck::bytes_of(&uniforms));
        let draw_group =
            pass::bind(device, "draw", &render_context.draw.layout, &[draw_uniforms.as_entire_binding()]);
        Self {
            segments: vertices("segments"),
            dots: vertices("dots"),
            shapes: vertices("shapes"),
            borders: vertices("borders"),
            triangles: vertices("triangles"),
            draw_group,
            shape_uniforms: GrowableBuffer::new(device, "shape/uniforms", wgpu::BufferUsages::UNIFORM),
            shape_groups: None,
            shape_capacity: 0,
            images: images.map(Clone::clone),
            address,
            packed: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Uploads the primitives of `frame` and prepares its polygon draws.
    pub fn upload(&mut self, render_context: &RenderContext, frame: &Frame, size: [u32; 2]) {
        let (device, queue) = (&render_context.gpu.device, &render_context.gpu.queue);
        self.segments.fill(device, queue, &frame.segments);
        self.dots.fill(device, queue, &frame.dots);
        self.shapes.fill(device, queue, &frame.shapes);
        self.borders.fill(device, queue, &frame.borders);
        self.triangles.fill(device, queue, &frame.triangles);
        self.packed.clear();
        self.calls.clear();
        let pixel = reference_pixel(size[1]);
        for draw in frame.above.iter().take(MAX_SHAPE_DRAWS) {
            let Draw::Shapes { range, textured, thick, .. } = draw else { continue };
            let instances = &frame.shapes[range.start as usize..range.end as usize];
            let sides = max_sides(instances);
            let outlined = instances.iter().any(|shape| shape.outline[3] > 0.0);
            let outlines = match (outlined, *thick) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => 4,
            };
            self.calls.push(ShapeCall { vertices: sides * (3 + 6 * outlines), outlined });
            self.packed.push(PackedUniforms {
                uniforms: ShapeUniforms {
                    size: size.map(|side| side as f32),
                    pixel,
                    sides: sides as f32,
                    textured: f32::from(u8::from(*textured)),
                    thick: f32::from(u8::from(*thick)),
                    pad: [0.0; 2],
                },
                pad: [[0.0; 4]; 14],
            });
        }
        if self.packed.len() > self.shape_capacity || (self.shape_groups.is_none() && !self.packed.is_empty())
        {
            self.grow_shapes(render_context);
        }
        self.shape_uniforms.fill(device, queue, &self.packed);
    }

    /// Grows the uniform buffer of the polygon draws and rebuilds its bind groups.
    fn grow_shapes(&mut self, render_context: &RenderContext) {
        let device = &render_context.gpu.device;
        self.shape_capacity = self.packed.len().next_power_of_two().max(64);
        let zeroed = vec![PackedUniforms { ..bytemuck::Zeroable::zeroed() }; self.shape_capacity];
        self.shape_uniforms.fill(device, &render_context.gpu.queue, &zeroed);
        let sampler = render_context.sampler(Filter::Linear, self.address);
        self.shape_groups = Some([0, 1].map(|image: usize| {
            let resources = [
                wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: self.shape_uniforms.buffer(),
                    offset: 0,
                    size: wgpu::BufferSize::new(std::mem::size_of::<ShapeUniforms>() as u64),
                }),
                wgpu::BindingResource::TextureView(&self.images[image]),
                wgpu::BindingResource::Sampler(sampler),
            ];
            pass::bind(device, "shape", &render_context.shape.layout, &resources)
        }));
    }

    /// Records `draws` into the open pass; textured polygons read the feedback image with index `source`.
    pub fn draw(
        &self,
        render_context: &RenderContext,
        render: &mut wgpu::RenderPass,
        draws: &[Draw],
        source: usize,
    ) {
        let mut shape_draw = 0;
        for draw in draws {
            match draw {
                Draw::Lines { range, blend, weight } => {
                    render.set_pipeline(render_context.draw.lines.get(*blend));
                    render.set_bind_group(0, &self.draw_group, &[]);
                    render.set_vertex_buffer(0, self.segments.slice());
                    render.draw(stroke_vertices(*weight), range.clone());
                }
                Draw::Dots { range, blend, weight } => {
                    render.set_pipeline(render_context.draw.dots(*weight).get(*blend));
                    render.set_bind_group(0, &self.draw_group, &[]);
                    render.set_vertex_buffer(0, self.dots.slice());
                    render.draw(0..4, range.clone());
                }
                Draw::Borders { range } => {
                    render.set_pipeline(render_context.draw.borders.get(Blend::Alpha));
                    render.set_bind_group(0, &self.draw_group, &[]);
                    render.set_vertex_buffer(0, self.borders.slice());
                    render.draw(0..BORDER_VERTICES, range.clone());
                }
                Draw::Triangles { range, blend } => {
                    render.set_pipeline(render_context.draw.triangles.get(*blend));
                    render.set_bind_group(0, &self.draw_group, &[]);
                    render.set_vertex_buffer(0, self.triangles.slice());
                    render.draw(range.clone(), 0..1);
                }
                Draw::Shapes { range, blend, textured, .. } => {
                    let (Some(groups), Some(&ShapeCall { vertices, outlined })) =
                        (&self.shape_groups, self.calls.get(shape_draw))
                    else {
                        continue;
                    };
                    let offset = (shape_draw as u64 * UNIFORM_STRIDE) as u32;
                    shape_draw += 1;
                    let pipelines = render_context.shape.pipelines(*textured, outlined);
                    render.set_pipeline(pipelines.get(*blend));
                    render.set_bind_group(0, &groups[source], &[offset]);
                    render.set_vertex_buffer(0, self.shapes.slice());
                    render.draw(0..vertices, range.clone());
                }
            }
        }
    }
}

/// Returns the vertex range of one segment; see `shaders/stroke.wgsl`.
fn stroke_vertices(weight: Weight) -> std::ops::Range<u32> {
    match weight {
        Weight::Thin => 0..6,
        Weight::Double => 0..24,
        Weight::Half => 24..48,
    }
}

fn max_sides(instances: &[ShapeInstance]) -> u32 {
    instances.iter().map(|shape| shape.sides as u32).max().unwrap_or(3)
}
