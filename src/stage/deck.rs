//! A deck: a running preset with its GPU resources. Built and warmed up off the render thread.

use std::sync::Arc;

use lactea_abi::{Address, Filter};

use super::error::StageError;
use super::layer_painter::LayerPainter;
use super::pass;
use super::pass::blit::{BlitPass, ResizePass};
use super::pass::double::{self, DoubleUniforms};
use super::pass::post::ScreenPass;
use super::picture::DeckPicture;
use super::readback;
use super::render_context::RenderContext;
use super::settings::DeckSettings;
use crate::media::DeckLook;
use crate::milk::{DoubleBlend, Frame, Modulation, Player, PresetAudio, Program, StepReport, Tick};

/// A running preset, or the two presets of a double preset.
pub struct Deck {
    first: Layer,
    second: Option<SecondLayer>,
    /// Settings with the current sizes of the picture and the mesh.
    settings: DeckSettings,
    /// Settings with the full sizes of the picture and the mesh.
    full: DeckSettings,
    seed: u64,
    time: f64,
    drawn: u64,
}

impl Deck {
    /// Builds the deck. Slow; not for the render thread.
    ///
    /// A shader that the device rejects is replaced by the built-in pass and reported in [`Deck::problems`].
    ///
    /// # Errors
    /// Returns an error if the picture or the mesh is empty or too large, or if the device reports an error.
    pub fn prepare(
        render_context: &RenderContext,
        program: Arc<Program>,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, StageError> {
        Self::prepare_scaled(render_context, program, (settings, 1.0), seed)
    }

    /// Like [`Self::prepare`], but with the picture and the mesh initially at `scale` times their sizes in `full`. A
    /// stage at the same scale does not have to resize the deck.
    ///
    /// # Errors
    /// Same as [`Self::prepare`].
    pub fn prepare_scaled(
        render_context: &RenderContext,
        program: Arc<Program>,
        (full, scale): (DeckSettings, f64),
        seed: u64,
    ) -> Result<Self, StageError> {
        let settings = full.scaled(scale);
        if settings.size.contains(&0) || settings.mesh.contains(&0) {
            return Err(StageError::EmptyPicture { size: settings.size, mesh: settings.mesh });
        }
        render_context.gpu.check_size(settings.size, settings.mesh)?;
        let second = match &program.second {
            Some((program, blend)) => {
                let layer = Layer::prepare(render_context, program.clone(), settings, seed)?;
                Some(SecondLayer::new(render_context, layer, *blend, settings.size)?)
            }
            None => None,
        };
        let first = Layer::prepare(render_context, program, settings, seed)?;
        Ok(Self { first, second, settings, full, seed, time: 0.0, drawn: 0 })
    }

    /// Draws `frames` frames off screen, with the time steps of the target frame rate, and blocks until the
    /// device is done with them.
    ///
    /// # Errors
    /// Returns an error if the device reports one or does not finish in time.
    pub fn warm_up(
        &mut self,
        render_context: &RenderContext,
        audio: &PresetAudio,
        frames: u32,
    ) -> Result<(), StageError> {
        let gpu = &render_context.gpu;
        gpu.checked(|| {
            for _ in 0..frames {
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                let dt = if self.drawn == 0 { 0.0 } else { 1.0 / self.settings.fps };
                let time = FrameTiming { dt, fps: self.settings.fps };
                self.encode(render_context, &mut encoder, (audio, &Modulation::default()), time, None);
                gpu.submit([encoder.finish()]);
            }
            gpu.wait()
        })?
    }

    /// Runs the preset's code for one frame and records the passes that draw the picture, including the
    /// burned layers.
    pub(super) fn encode(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        (audio, modulation): (&PresetAudio, &Modulation),
        FrameTiming { dt, fps }: FrameTiming,
        layers: Option<&LayerPainter>,
    ) {
        self.time += dt;
        let DeckSettings { size, mesh, .. } = self.settings;
        let tick = Tick { time: self.time, fps, frame: self.drawn, size, mesh };
        let louder;
        let audio = if modulation.audio_gain == 1.0 {
            audio
        } else {
            louder = audio.with_gain(modulation.audio_gain);
            &louder
        };
        self.first.encode(render_context, encoder, (audio, modulation), tick, layers);
        if let Some(second) = &mut self.second {
            second.layer.encode(render_context, encoder, (audio, modulation), tick, layers);
            second.mix(render_context, encoder, self.first.picture.output());
        }
        self.drawn += 1;
    }

    /// Resizes the picture and the mesh to `scale` times their full size, keeping the picture's content. Cheap:
    /// no shader is compiled.
    ///
    /// # Errors
    /// Returns an error if the device reports one; the deck then keeps its size.
    pub(super) fn rescale(
        &mut self,
        render_context: &RenderContext,
        resize: &mut ResizePass,
        scale: f64,
    ) -> Result<(), StageError> {
        let settings = self.full.scaled(scale);
        if (settings.size, settings.mesh) == (self.settings.size, self.settings.mesh) {
            return Ok(());
        }
        let gpu = &render_context.gpu;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut resized = |layer: &Layer| {
            let (work, program) = ((&mut encoder, &mut *resize), layer.player.program());
            layer.picture.resized(render_context, work, program, settings, self.seed)
        };
        let first = resized(&self.first)?;
        let second = self.second.as_ref().map(|second| resized(&second.layer)).transpose()?;
        gpu.submit([encoder.finish()]);
        self.first.picture = first;
        if let (Some(second), Some(picture)) = (&mut self.second, second) {
            second.layer.picture = picture;
            second.picture = pass::view(&pass::image(&gpu.device, "double preset", settings.size));
        }
        self.settings = settings;
        Ok(())
    }

    /// Returns the width and height of the picture, in pixels.
    pub fn size(&self) -> [u32; 2] {
        self.settings.size
    }

    /// Returns the picture of the last frame.
    pub(super) fn output(&self) -> &wgpu::TextureView {
        self.second.as_ref().map_or(self.first.picture.output(), |second| &second.picture)
    }

    /// Reads back the feedback image, which is the input of the composite pass; for a double preset, that of its first
    /// preset. Blocks until the device is done; not for the render thread.
    ///
    /// # Errors
    /// Returns an error if the picture cannot be read back.
    pub fn feedback(&self, render_context: &RenderContext) -> Result<image::RgbaImage, StageError> {
        let gpu = &render_context.gpu;
        let feedback = self.first.picture.feedback();
        if feedback.texture().format() == pass::FORMAT {
            return readback::read_texture(gpu, feedback.texture());
        }
        let image = pass::image(&gpu.device, "feedback", self.settings.size);
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut render = pass::begin(&mut encoder, "feedback", &pass::view(&image), true);
        let sampler = render_context.sampler(Filter::Point, Address::Clamp);
        BlitPass::copy(gpu, pass::FORMAT).fill(gpu, &mut render, sampler, feedback);
        drop(render);
        gpu.submit([encoder.finish()]);
        readback::read_texture(gpu, &image)
    }

    /// Measures the picture of the last frame. Blocks until the device is done; not for the render thread.
    ///
    /// # Errors
    /// Returns an error if the picture cannot be read back.
    pub fn look(&self, render_context: &RenderContext) -> Result<DeckLook, StageError> {
        render_context.downsample.measure_once(&render_context.gpu, self.output())
    }

    /// Returns the number of frames drawn so far.
    pub fn drawn(&self) -> u64 {
        self.drawn
    }

    /// Returns the report on the last frame. A double preset is over budget or overdrawn if either of its presets
    /// is, and not finite if both are.
    pub fn report(&self) -> StepReport {
        StepReport {
            over_budget: self.layers().any(|layer| layer.report.over_budget),
            overdrawn: self.layers().any(|layer| layer.report.overdrawn),
            not_finite: self.layers().all(|layer| layer.report.not_finite),
        }
    }

    /// Returns the per-frame variables after the last frame, by name; for a double preset, those of its first preset.
    pub fn variables(&self) -> std::collections::BTreeMap<String, f64> {
        self.first.player.variables()
    }

    /// Returns descriptions of the problems: parts of the preset that failed to compile or were dropped, and
    /// missing textures.
    pub fn problems(&self) -> Vec<String> {
        self.layers().flat_map(Layer::problems).collect()
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.first).chain(self.second.as_ref().map(|second| &second.layer))
    }
}

/// Timing of one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameTiming {
    /// Seconds since the previous frame.
    pub dt: f64,
    /// Frame rate reported to the preset, in Hz.
    pub fps: f64,
}

/// The player and the picture of one preset.
struct Layer {
    player: Player,
    picture: DeckPicture,
    frame: Frame,
    report: StepReport,
}

impl Layer {
    fn prepare(
        render_context: &RenderContext,
        program: Arc<Program>,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, StageError> {
        let picture = DeckPicture::prepare(render_context, &program, settings, seed)?;
        let player = Player::new(program, seed);
        Ok(Self { player, picture, frame: Frame::default(), report: StepReport::default() })
    }

    fn encode(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        (audio, modulation): (&PresetAudio, &Modulation),
        tick: Tick,
        layers: Option<&LayerPainter>,
    ) {
        self.report = self.player.step(audio, tick, modulation, &mut self.frame);
        self.picture.encode(render_context, encoder, &self.frame, layers);
    }

    fn problems(&self) -> Vec<String> {
        let program = self.player.program();
        let parts = program.problems.iter().map(|problem| format!("{}: {}", problem.part, problem.message));
        let overdrawn = self
            .report
            .overdrawn
            .then(|| "shapes: total area or corner count exceeds the limit; some were dropped".to_owned());
        parts.chain(self.picture.problems().iter().cloned()).chain(overdrawn).collect()
    }
}

/// The second preset of a double preset, and the blended picture.
struct SecondLayer {
    layer: Layer,
    mixer: ScreenPass<DoubleUniforms>,
    uniforms: DoubleUniforms,
    picture: wgpu::TextureView,
}

impl SecondLayer {
    fn new(
        render_context: &RenderContext,
        layer: Layer,
        blend: DoubleBlend,
        size: [u32; 2],
    ) -> Result<Self, StageError> {
        let RenderContext { gpu, double, .. } = render_context;
        let shared = match double.get() {
            Some(shared) => shared,
            None => {
                let built = gpu.checked(|| double::pass(gpu))?;
                double.get_or_init(|| built)
            }
        };
        gpu.checked(|| Self {
            layer,
            mixer: shared.another(gpu),
            uniforms: DoubleUniforms::new(&blend, size),
            picture: pass::view(&pass::image(&gpu.device, "double preset", size)),
        })
    }

    /// Records the pass that blends `first` and the second picture.
    fn mix(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        first: &wgpu::TextureView,
    ) {
        let sampler = render_context.sampler(Filter::Linear, Address::Clamp);
        let pictures = [first, self.layer.picture.output()];
        self.mixer.draw(&render_context.gpu, encoder, sampler, &pictures, &self.picture, &self.uniforms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::gpu::Gpu;

    #[test]
    fn double_presets_share_the_pipeline_that_blends_them() {
        let Some(gpu) = Gpu::for_test() else { return };
        let render_context = RenderContext::new(gpu, &[]);
        let settings = DeckSettings { size: [64, 36], mesh: [8, 6], fps: 30.0 };
        let half = |number: u32| {
            format!("[PRESET{number}_BEGIN]\nNAME=half\n[preset00]\nzoom=1\n[PRESET{number}_END]\n")
        };
        let program = Program::compile([half(1), half(2)].concat().as_bytes()).expect("a preset");
        let blend = || {
            let deck = Deck::prepare(&render_context, program.clone(), settings, 1).expect("a deck");
            deck.second.expect("a double preset").mixer.pipeline
        };
        let first = blend();
        assert!(blend() == first);
    }
}
