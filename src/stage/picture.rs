//! Images and passes of one deck: draws a [`Frame`] to a picture.
//!
//! Two feedback images alternate: one holds the previous frame, the other is the render target.

use lactea_abi::{Address, Filter, MilkExtUniforms, MilkUniforms, PassKind};

use super::buffer::GrowableBuffer;
use super::error::StageError;
use super::flat::FlatDraws;
use super::pass::blit::BlitPass;
use super::pass::blur::Pyramid;
use super::pass::composite::CompositeUniforms;
use super::pass::{self, mesh};
use super::preset_pass::{self, PresetPass, Sources};
use super::render_context::RenderContext;
use super::settings::DeckSettings;
use crate::milk::{Frame, Program};

/// GPU resources of one deck.
pub(super) struct DeckPicture {
    images: [wgpu::TextureView; 2],
    feedback: [wgpu::Texture; 2],
    output: wgpu::TextureView,
    /// Index of the feedback image that holds the last frame.
    last: usize,
    /// Whether no frame has been drawn yet.
    fresh: bool,
    size: [u32; 2],
    pyramid: Pyramid,
    warp: Option<PresetPass>,
    composite: Option<PresetPass>,
    /// Bind groups of the built-in warp: by feedback image, then clamped or wrapped.
    warp_groups: [[wgpu::BindGroup; 2]; 2],
    composite_groups: [wgpu::BindGroup; 2],
    composite_uniforms: wgpu::Buffer,
    frame_uniforms: wgpu::Buffer,
    extra_uniforms: wgpu::Buffer,
    frame_group: wgpu::BindGroup,
    mesh_vertices: GrowableBuffer,
    mesh_indices: wgpu::Buffer,
    mesh_index_count: u32,
    composite_vertices: GrowableBuffer,
    composite_scratch: Vec<lactea_abi::MeshVertex>,
    flat: FlatDraws,
    problems: Vec<String>,
}

impl DeckPicture {
    /// Creates the resources; a preset shader that the device rejects becomes a problem.
    pub fn prepare(
        render_context: &RenderContext,
        program: &Program,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, StageError> {
        let mut problems = Vec::new();
        let picture = render_context
            .gpu
            .checked(|| Self::build(render_context, program, settings, seed, &mut problems, None))??;
        Ok(Self { problems, ..picture })
    }

    /// Creates the same picture in another size, and records copying what it shows; pipelines stay.
    pub fn resized(
        &self,
        render_context: &RenderContext,
        (encoder, blit): (&mut wgpu::CommandEncoder, &mut BlitPass),
        program: &Program,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, StageError> {
        let resized = render_context.gpu.checked(|| {
            Self::build(render_context, program, settings, seed, &mut Vec::new(), Some(self))
        })??;
        let sampler = render_context.sampler(Filter::Linear, Address::Clamp);
        for (from, to) in
            [(&self.images[self.last], &resized.images[resized.last]), (&self.output, &resized.output)]
        {
            let mut render = pass::begin(encoder, "resize", to, true);
            blit.fill(&render_context.gpu, &mut render, sampler, from);
        }
        Ok(Self { fresh: self.fresh, problems: self.problems.clone(), ..resized })
    }

    fn build(
        render_context: &RenderContext,
        program: &Program,
        settings: DeckSettings,
        seed: u64,
        problems: &mut Vec<String>,
        before: Option<&Self>,
    ) -> Result<Self, StageError> {
        let device = &render_context.gpu.device;
        let size = settings.size;
        let feedback = ["feedback/a", "feedback/b"].map(|label| pass::image(device, label, size));
        let images = [0, 1].map(|image: usize| pass::view(&feedback[image]));
        let levels = [&program.warp, &program.composite];
        let levels = levels.into_iter().flatten().map(|text| text.interface.max_blur_level).max();
        let clamped = render_context.sampler(Filter::Linear, Address::Clamp);
        let both = [&images[0], &images[1]];
        let pyramid = Pyramid::new(device, &render_context.blur, both, clamped, size, levels.unwrap_or(0));
        let sources = Sources { images: [&images[0], &images[1]], image_size: size, pyramid: &pyramid, seed };
        let mut missing = Vec::new();
        let mut preset_pass = |kind: PassKind, text: Option<&_>| {
            let Some(text) = text else { return Ok(None) };
            match PresetPass::new(render_context, kind, text, &sources, &mut missing) {
                Err(error) if !error.of_device() => {
                    problems.push(format!("{} shader: {error}", preset_pass::label(kind)));
                    Ok(None)
                }
                built => built.map(Some),
            }
        };
        let rebound = |kind: PassKind, pass: &Option<PresetPass>, text: Option<&_>| {
            Some(pass.as_ref()?.rebound(render_context, kind, text?, &sources))
        };
        let (warp_text, composite_text) = (program.warp.as_ref(), program.composite.as_ref());
        let (warp, composite) = match before {
            Some(before) => (
                rebound(PassKind::Warp, &before.warp, warp_text),
                rebound(PassKind::Comp, &before.composite, composite_text),
            ),
            None => (preset_pass(PassKind::Warp, warp_text)?, preset_pass(PassKind::Comp, composite_text)?),
        };
        problems.extend(missing.iter().map(|name| format!("missing texture: {name}")));
        let frame_uniforms = pass::uniform::<MilkUniforms>(device, "frame/uniforms");
        let extra_uniforms = pass::uniform::<MilkExtUniforms>(device, "frame/extra");
        let frame_group = pass::bind(
            device,
            "frame",
            &render_context.frame_layout,
            &[frame_uniforms.as_entire_binding(), extra_uniforms.as_entire_binding()],
        );
        let texture = |view| wgpu::BindingResource::TextureView(view);
        let sampler =
            |address| wgpu::BindingResource::Sampler(render_context.sampler(Filter::Linear, address));
        let composite_uniforms = pass::uniform::<CompositeUniforms>(device, "composite/uniforms");
        let warp_groups = [0, 1].map(|image: usize| {
            [Address::Clamp, Address::Wrap].map(|address| {
                let resources = [texture(&images[image]), sampler(address)];
                pass::bind(device, "warp", &render_context.warp.layout, &resources)
            })
        });
        let composite_groups = [0, 1].map(|image: usize| {
            let resources =
                [texture(&images[image]), sampler(Address::Clamp), composite_uniforms.as_entire_binding()];
            pass::bind(device, "composite", &render_context.composite.layout, &resources)
        });
        let indices = mesh::grid_indices(settings.mesh);
        let index = wgpu::BufferUsages::INDEX;
        let mesh_indices = render_context.gpu.buffer("mesh/indices", bytemuck::cast_slice(&indices), index);
        let vertices = wgpu::BufferUsages::VERTEX;
        Ok(Self {
            output: pass::view(&pass::image(device, "deck output", size)),
            flat: FlatDraws::new(render_context, [&images[0], &images[1]], size),
            images,
            feedback,
            last: 0,
            fresh: true,
            size,
            pyramid,
            warp,
            composite,
            warp_groups,
            composite_groups,
            composite_uniforms,
            frame_uniforms,
            extra_uniforms,
            frame_group,
            mesh_vertices: GrowableBuffer::new(device, "mesh/vertices", vertices),
            mesh_indices,
            mesh_index_count: indices.len() as u32,
            composite_vertices: GrowableBuffer::new(device, "composite/vertices", vertices),
            composite_scratch: Vec::new(),
            problems: Vec::new(),
        })
    }

    /// Returns the picture of the last frame.
    pub fn output(&self) -> &wgpu::TextureView {
        &self.output
    }

    /// Returns the feedback image of the last frame, which is the input of the composite pass.
    pub fn feedback(&self) -> &wgpu::Texture {
        &self.feedback[self.last]
    }

    /// Returns rejected shaders and missing textures.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Records one frame: `below`, warp, `above`, blur, composite.
    pub fn encode(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        frame: &Frame,
    ) {
        self.upload(render_context, frame);
        let (last, next) = (self.last, 1 - self.last);
        if !frame.below.is_empty() {
            let mut render = pass::begin(encoder, "below", &self.images[last], false);
            self.flat.draw(render_context, &mut render, &frame.below, next);
        }
        {
            let mut render = pass::begin(encoder, "warp", &self.images[next], true);
            self.draw_warp(render_context, &mut render, last, frame.texture_wrap);
            // projectM loses the drawing of the first frame when it creates its blur images, which changes the
            // feedback.
            if !self.fresh || self.pyramid.is_empty() {
                self.flat.draw(render_context, &mut render, &frame.above, last);
            }
        }
        self.pyramid.encode(&render_context.blur, &render_context.gpu.queue, encoder, last, &frame.blur);
        let mut render = pass::begin(encoder, "composite", &self.output, true);
        self.draw_composite(render_context, &mut render, next);
        drop(render);
        self.last = next;
        self.fresh = false;
    }

    fn upload(&mut self, render_context: &RenderContext, frame: &Frame) {
        let (device, queue) = (&render_context.gpu.device, &render_context.gpu.queue);
        queue.write_buffer(&self.frame_uniforms, 0, bytemuck::bytes_of(&frame.uniforms));
        queue.write_buffer(&self.extra_uniforms, 0, bytemuck::bytes_of(&frame.extra));
        let uniforms = CompositeUniforms::new(&frame.legacy, frame.hue);
        queue.write_buffer(&self.composite_uniforms, 0, bytemuck::bytes_of(&uniforms));
        self.mesh_vertices.fill(device, queue, &frame.mesh);
        mesh::composite_vertices(&frame.hue, self.size, &mut self.composite_scratch);
        self.composite_vertices.fill(device, queue, &self.composite_scratch);
        self.flat.upload(render_context, frame, self.size);
    }

    fn draw_warp(
        &self,
        render_context: &RenderContext,
        render: &mut wgpu::RenderPass,
        last: usize,
        wrapped: bool,
    ) {
        match &self.warp {
            Some(warp) => {
                render.set_pipeline(&warp.pipeline);
                render.set_bind_group(0, &self.frame_group, &[]);
                render.set_bind_group(1, warp.group(last, wrapped), &[]);
            }
            None => {
                render.set_pipeline(&render_context.warp.pipeline);
                render.set_bind_group(0, &self.warp_groups[last][usize::from(wrapped)], &[]);
            }
        }
        render.set_vertex_buffer(0, self.mesh_vertices.slice());
        render.set_index_buffer(self.mesh_indices.slice(..), wgpu::IndexFormat::Uint32);
        render.draw_indexed(0..self.mesh_index_count, 0, 0..1);
    }

    fn draw_composite(&self, render_context: &RenderContext, render: &mut wgpu::RenderPass, image: usize) {
        match &self.composite {
            Some(composite) => {
                render.set_pipeline(&composite.pipeline);
                render.set_bind_group(0, &self.frame_group, &[]);
                render.set_bind_group(1, composite.group(image, true), &[]);
            }
            None => {
                render.set_pipeline(&render_context.composite.pipeline);
                render.set_bind_group(0, &self.composite_groups[image], &[]);
            }
        }
        render.set_vertex_buffer(0, self.composite_vertices.slice());
        render.set_index_buffer(render_context.composite_indices.slice(..), wgpu::IndexFormat::Uint32);
        render.draw_indexed(0..render_context.composite_index_count, 0, 0..1);
    }
}
