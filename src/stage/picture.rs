//! Images and passes of one preset on a deck: draws a [`Frame`] to a picture.
//!
//! Two feedback images alternate: one contains the previous frame, the other is the render target.

use lactea_abi::{Address, Filter, MilkUniforms, PassKind};

use super::buffer::UniformBuffer;
use super::deck_images::{self, DeckImages, Images};
use super::error::StageError;
use super::layer_painter::LayerPainter;
use super::mesh_pass::{ImagesDesc, MeshPass};
use super::pass::blit::ResizePass;
use super::pass::blur::Pyramid;
use super::pass::clamp::Canvas;
use super::pass::composite::{CompositeParts, CompositeUniforms};
use super::pass::coordinates::{Attribute, Grid};
use super::pass::warp::WarpUniforms;
use super::pass::{self, mesh};
use super::preset_pass::{self, PresetPass, Sources};
use super::primitives::PrimitiveDraws;
use super::render_context::RenderContext;
use super::settings::DeckSettings;
use crate::milk::shader::ShaderText;
use crate::milk::{ExtraUniforms, Frame, Program};

/// GPU resources of a deck, or of one of the two presets of a double preset.
pub(super) struct DeckPicture {
    /// The feedback images.
    images: [wgpu::TextureView; 2],
    /// The image that a new frame is drawn to before its values are limited; `None` if feedback images have 8 bits per
    /// channel, which limit them.
    canvas: Option<Canvas>,
    output: wgpu::TextureView,
    /// Index of the feedback image that contains the last frame.
    last: usize,
    /// Whether no frame has been drawn yet.
    fresh: bool,
    size: [u32; 2],
    pyramid: Pyramid,
    warp: Option<PresetPass>,
    composite: Option<PresetPass>,
    /// Bind groups of the built-in warp, indexed by feedback image, then by address mode (clamp, wrap).
    warp_groups: [[wgpu::BindGroup; 2]; 2],
    composite_groups: [wgpu::BindGroup; 2],
    warp_uniforms: UniformBuffer<WarpUniforms>,
    composite_uniforms: UniformBuffer<CompositeUniforms>,
    composite_parts: CompositeParts,
    frame_uniforms: UniformBuffer<MilkUniforms>,
    extra_uniforms: UniformBuffer<ExtraUniforms>,
    frame_group: wgpu::BindGroup,
    warp_mesh: MeshPass,
    composite_mesh: MeshPass,
    composite_vertices: Vec<lactea_abi::MeshVertex>,
    /// Whether the composite shader reads the corner hues; the composite mesh then changes with them.
    hue_is_read: bool,
    primitives: PrimitiveDraws,
    /// The images that the shaders read, kept so that resizing loads nothing.
    files: Images,
    problems: Vec<String>,
}

impl DeckPicture {
    /// Creates the resources. A preset shader that the device rejects is replaced by the built-in pass and
    /// reported as a problem.
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

    /// Creates a copy of the picture at the size in `settings`, reusing the pipelines, and records commands that
    /// copy the content.
    pub fn resized(
        &self,
        render_context: &RenderContext,
        (encoder, resize): (&mut wgpu::CommandEncoder, &mut ResizePass),
        program: &Program,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, StageError> {
        let resized = render_context.gpu.checked(|| {
            Self::build(render_context, program, settings, seed, &mut Vec::new(), Some(self))
        })??;
        let sampler = render_context.sampler(Filter::Linear, Address::Clamp);
        let feedback = [&self.images[self.last], &resized.images[resized.last]];
        for images in [feedback, [&self.output, &resized.output]] {
            resize.draw(&render_context.gpu, encoder, sampler, images);
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
        let format = render_context.feedback_format();
        let images = ["feedback/a", "feedback/b"]
            .map(|label| pass::view(&pass::image_in(device, label, size, format)));
        let clamped = render_context.sampler(Filter::Linear, Address::Clamp);
        let both = [&images[0], &images[1]];
        let pyramid = Pyramid::new(device, &render_context.blur, both, clamped, size, program.blur_levels());
        let sources = Sources { images: [&images[0], &images[1]], image_size: size, pyramid: &pyramid };
        let limit = deck_images::MAX_BYTES / u64::from(program.sharers);
        let known = before.map(|before| before.files.clone()).unwrap_or_default();
        let mut files = DeckImages::new(render_context, seed, limit, known);
        let mut preset_pass = |kind: PassKind, text: Option<&_>, files: &mut DeckImages| {
            let Some(text) = text else { return Ok(None) };
            match PresetPass::new(render_context, kind, text, &sources, files) {
                Err(error) if !error.is_device_failure() => {
                    problems.push(format!("{} shader: {error}", preset_pass::label(kind)));
                    Ok(None)
                }
                built => built.map(Some),
            }
        };
        let rebound =
            |kind: PassKind, pass: &Option<PresetPass>, text: Option<&_>, files: &mut DeckImages| {
                let shared = pass.as_ref()?.shared.clone();
                Some(PresetPass::bind(render_context, kind, text?, &sources, files, shared))
            };
        let (warp_text, composite_text) = (program.warp.as_ref(), program.composite.as_ref());
        let (warp, composite) = match before {
            Some(before) => (
                rebound(PassKind::Warp, &before.warp, warp_text, &mut files),
                rebound(PassKind::Comp, &before.composite, composite_text, &mut files),
            ),
            None => (
                preset_pass(PassKind::Warp, warp_text, &mut files)?,
                preset_pass(PassKind::Comp, composite_text, &mut files)?,
            ),
        };
        problems.append(&mut files.problems);
        let frame_uniforms = UniformBuffer::new(device, "frame/uniforms");
        let extra_uniforms = UniformBuffer::new(device, "frame/extra");
        let frame_group = pass::bind(
            device,
            "frame",
            &render_context.frame_layout,
            &[frame_uniforms.binding(), extra_uniforms.binding()],
        );
        let texture = |view| wgpu::BindingResource::TextureView(view);
        let sampler =
            |address| wgpu::BindingResource::Sampler(render_context.sampler(Filter::Linear, address));
        let warp_uniforms = UniformBuffer::new(device, "warp/uniforms");
        let composite_uniforms = UniformBuffer::new(device, "composite/uniforms");
        let warp_groups = [0, 1].map(|image: usize| {
            [Address::Clamp, Address::Wrap].map(|address| {
                let resources = [texture(&images[image]), sampler(address), warp_uniforms.binding()];
                pass::bind(device, "warp", &render_context.warp.layout, &resources)
            })
        });
        let composite_groups = [0, 1].map(|image: usize| {
            let resources = [texture(&images[image]), sampler(Address::Clamp), composite_uniforms.binding()];
            pass::bind(device, "composite", &render_context.composite.layout, &resources)
        });
        let hue_is_read = composite.is_some() && program.composite.as_ref().is_some_and(|c| c.reads_diffuse);
        let reads_polar = |text: &Option<ShaderText>| text.as_ref().is_some_and(|text| text.reads_polar);
        let warp_images = warp.as_ref().is_none_or(|warp| warp.shared.reads_images);
        let warp_images = warp_images.then(|| ImagesDesc {
            size,
            grid: Grid::Warp(settings.mesh),
            moving: warp.is_none() || warp_text.is_some_and(|text| text.reads_source),
            position: Attribute::Position,
            polar: warp.is_some() && reads_polar(&program.warp),
        });
        let composite_images = ImagesDesc {
            size,
            grid: Grid::Composite,
            moving: hue_is_read,
            position: if composite.is_some() { Attribute::Source } else { Attribute::Position },
            polar: composite.is_some() && reads_polar(&program.composite),
        };
        // In MilkDrop, the address mode set by the blur stays in effect for the polygons drawn after it.
        let address = if pyramid.is_empty() { Address::Wrap } else { Address::Clamp };
        Ok(Self {
            output: pass::view(&pass::image(device, "deck output", size)),
            primitives: PrimitiveDraws::new(render_context, [&images[0], &images[1]], address, size),
            images,
            canvas: render_context.clamp.as_ref().map(|clamp| clamp.canvas(device, size)),
            last: 0,
            fresh: true,
            size,
            pyramid,
            warp,
            composite,
            warp_groups,
            composite_groups,
            warp_uniforms,
            composite_uniforms,
            composite_parts: CompositeParts::default(),
            frame_uniforms,
            extra_uniforms,
            frame_group,
            warp_mesh: MeshPass::warp(render_context, size, settings.mesh, warp_images),
            composite_mesh: MeshPass::composite(render_context, size, Some(composite_images)),
            composite_vertices: Vec::new(),
            hue_is_read,
            files: files.images,
            problems: Vec::new(),
        })
    }

    /// Returns the picture of the last frame.
    pub fn output(&self) -> &wgpu::TextureView {
        &self.output
    }

    /// Returns the feedback image of the last frame, which is the input of the composite pass.
    pub fn feedback(&self) -> &wgpu::TextureView {
        &self.images[self.last]
    }

    /// Returns descriptions of the shaders that the device rejected and of missing textures.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Records one frame: `below`, warp, `above`, burned layers, blur, composite.
    pub fn encode(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        frame: &Frame,
        layers: Option<&LayerPainter>,
    ) {
        self.upload(render_context, frame);
        let (last, next) = (self.last, 1 - self.last);
        if !frame.below.is_empty() {
            let mut render = pass::begin(encoder, "below", &self.images[last], false);
            self.primitives.draw(render_context, &mut render, &frame.below, next);
        }
        self.composite_mesh.encode_images(render_context, encoder);
        {
            let discards = self.warp.as_ref().is_some_and(|warp| warp.shared.discards);
            let target = self.canvas.as_ref().map_or(&self.images[next], |canvas| &canvas.view);
            let mut render = pass::begin(encoder, "warp", target, discards);
            self.draw_warp(render_context, &mut render, last, frame.texture_wrap);
            // In the first frame, projectM discards what was drawn here when it creates its blur images. Later
            // frames depend on this through the feedback.
            if !self.fresh || self.pyramid.is_empty() {
                self.primitives.draw(render_context, &mut render, &frame.above, last);
            }
            if let Some(layers) = layers.filter(|layers| layers.has_burned()) {
                layers.draw(render_context, &mut render, true);
            }
        }
        if let (Some(clamp), Some(canvas)) = (&render_context.clamp, &self.canvas) {
            clamp.draw(encoder, canvas, &self.images[next]);
        }
        self.pyramid.encode(&render_context.blur, &render_context.gpu.queue, encoder, last, &frame.blur);
        let discards = self.composite.as_ref().is_some_and(|composite| composite.shared.discards);
        let mut render = pass::begin(encoder, "composite", &self.output, discards);
        self.draw_composite(render_context, &mut render, next);
        drop(render);
        self.last = next;
        self.fresh = false;
    }

    fn upload(&mut self, render_context: &RenderContext, frame: &Frame) {
        let gpu = &render_context.gpu;
        let queue = &gpu.queue;
        if self.warp.is_some() || self.composite.is_some() {
            self.frame_uniforms.set(queue, frame.uniforms);
            self.extra_uniforms.set(queue, frame.extra);
        }
        if self.warp.is_none() {
            self.warp_uniforms.set(queue, WarpUniforms::new(frame.decay));
        }
        if self.composite.is_none() {
            let uniforms = CompositeUniforms::new(&frame.legacy, frame.hue);
            self.composite_parts = uniforms.parts();
            self.composite_uniforms.set(queue, uniforms);
        }
        self.warp_mesh.set_sources(gpu, &frame.sources, frame.decay);
        if self.hue_is_read {
            mesh::composite_vertices(&frame.hue, self.size, &mut self.composite_vertices);
            self.composite_mesh.set_vertices(gpu, &self.composite_vertices);
        }
        self.primitives.upload(render_context, frame, self.size);
    }

    fn draw_warp(
        &self,
        render_context: &RenderContext,
        render: &mut wgpu::RenderPass,
        last: usize,
        wrapped: bool,
    ) {
        let group = match &self.warp {
            Some(warp) => {
                render.set_pipeline(&warp.shared.pipeline);
                render.set_bind_group(0, &self.frame_group, &[]);
                render.set_bind_group(1, warp.group(last, wrapped), &[]);
                2
            }
            None => {
                render.set_pipeline(&render_context.warp.pipeline);
                render.set_bind_group(0, &self.warp_groups[last][usize::from(wrapped)], &[]);
                1
            }
        };
        self.warp_mesh.draw(render, group);
    }

    fn draw_composite(&self, render_context: &RenderContext, render: &mut wgpu::RenderPass, image: usize) {
        let group = match &self.composite {
            Some(composite) => {
                render.set_pipeline(&composite.shared.pipeline);
                render.set_bind_group(0, &self.frame_group, &[]);
                render.set_bind_group(1, composite.group(image, true), &[]);
                2
            }
            None => {
                render.set_pipeline(render_context.composite.pipeline(self.composite_parts));
                render.set_bind_group(0, &self.composite_groups[image], &[]);
                1
            }
        };
        self.composite_mesh.draw(render, group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::gpu::Gpu;

    #[test]
    fn presets_with_the_same_shader_share_its_pipeline() {
        let Some(gpu) = Gpu::for_test() else { return };
        let render_context = RenderContext::new(gpu, &[]);
        let settings = DeckSettings { size: [64, 36], mesh: [8, 6], fps: 30.0 };
        let pipelines = |decay: f32, body: &str| {
            let [warp, composite] =
                ["warp", "comp"].map(|pass| format!("{pass}_1=`shader_body {{ {body} }}\n"));
            let text = format!(
                "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n\
                 fDecay={decay}\n{warp}{composite}"
            );
            let program = Program::compile(text.as_bytes()).expect("a preset");
            let picture = DeckPicture::prepare(&render_context, &program, settings, 1).expect("a picture");
            [picture.warp, picture.composite].map(|pass| pass.expect("a preset shader").shared.pipeline)
        };
        let [warp, composite] = pipelines(0.9, "ret = uv.xyx;");
        assert!(warp != composite, "passes of different kinds");
        assert!(pipelines(0.8, "ret = uv.xyx;") == [warp.clone(), composite.clone()], "the same shaders");
        let [other_warp, other_composite] = pipelines(0.9, "ret = uv.yxy;");
        assert!(other_warp != warp && other_composite != composite, "different shaders");
    }
}
