//! A deck: one preset in motion with everything it needs on the device. Made ready off the render thread.

use std::sync::Arc;

use lactea_abi::{Address, Filter};

use super::cue::FadeStyle;
use super::pass;
use super::pass::mix::{self, MixUniforms};
use super::pass::post::ScreenPass;
use super::picture::DeckPicture;
use super::render_context::RenderContext;
use crate::milk::{DoubleBlend, Frame, Hooks, Pattern, Player, PresetAudio, Program, StepReport, Tick};

/// How decks are built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeckSettings {
    /// Width and height of the picture, pixels.
    pub size: [u32; 2],
    /// Cells of the warp mesh.
    pub mesh: [u32; 2],
    /// Frames a second the show aims at.
    pub fps: f64,
}

/// One preset in motion, or the two of a double preset.
pub struct Deck {
    first: Voice,
    second: Option<Second>,
    settings: DeckSettings,
    time: f64,
    drawn: u64,
}

impl Deck {
    /// Builds everything the preset needs; slow, never called on the render thread.
    ///
    /// A shader the device does not take is replaced by the fixed pass and named among the [`Deck::problems`].
    pub fn prepare(
        render_context: &RenderContext,
        program: Arc<Program>,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, String> {
        if settings.size.contains(&0) || settings.mesh.contains(&0) {
            return Err(format!("a picture of {:?} pixels cannot be drawn", settings.size));
        }
        let second = match &program.second {
            Some((program, together)) => {
                let voice = Voice::prepare(render_context, program.clone(), settings, seed)?;
                Some(Second::new(render_context, voice, *together, settings.size))
            }
            None => None,
        };
        let first = Voice::prepare(render_context, program, settings, seed)?;
        Ok(Self { first, second, settings, time: 0.0, drawn: 0 })
    }

    /// Draws `frames` frames off screen at the show's rate and waits until the device has done them; what the device
    /// said when it could not.
    pub fn warm_up(
        &mut self,
        render_context: &RenderContext,
        heard: &PresetAudio,
        frames: u32,
    ) -> Result<(), String> {
        let gpu = &render_context.gpu;
        gpu.checked(|| {
            for _ in 0..frames {
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                let dt = if self.drawn == 0 { 0.0 } else { 1.0 / self.settings.fps };
                self.encode(render_context, &mut encoder, heard, &Hooks::default(), dt);
                gpu.queue.submit([encoder.finish()]);
            }
            if frames > 0 {
                gpu.device.poll(wgpu::PollType::wait_indefinitely()).ok(); // Its errors are told by the callback.
            }
        })
    }

    /// One frame: runs the preset's code and records its passes.
    pub(super) fn encode(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        heard: &PresetAudio,
        hooks: &Hooks,
        dt: f64,
    ) {
        self.time += dt;
        let DeckSettings { size, mesh, fps } = self.settings;
        let tick = Tick { time: self.time, fps, frame: self.drawn, size, mesh };
        let louder;
        let heard = if hooks.audio_gain == 1.0 {
            heard
        } else {
            louder = heard.amplified(hooks.audio_gain);
            &louder
        };
        self.first.encode(render_context, encoder, heard, tick, hooks);
        if let Some(second) = &mut self.second {
            second.voice.encode(render_context, encoder, heard, tick, hooks);
            second.mix(render_context, encoder, self.first.picture.output());
        }
        self.drawn += 1;
    }

    /// The picture after the last frame.
    pub(super) fn output(&self) -> &wgpu::TextureView {
        self.second.as_ref().map_or(self.first.picture.output(), |second| &second.picture)
    }

    /// The feedback image (of a double preset's first half) in memory, before the composite; waits for the device, so headless tools only.
    pub fn feedback(&self, render_context: &RenderContext) -> Result<image::RgbaImage, String> {
        super::readback::read(&render_context.gpu, self.first.picture.feedback())
    }

    /// Frames drawn so far.
    pub fn drawn(&self) -> u64 {
        self.drawn
    }

    /// What the last frame's code did.
    pub fn report(&self) -> StepReport {
        StepReport {
            over_budget: self.voices().any(|voice| voice.report.over_budget),
            overdrawn: self.voices().any(|voice| voice.report.overdrawn),
        }
    }

    /// Every per-frame variable (of a double preset's first half) after the last frame, by name.
    pub fn variables(&self) -> std::collections::BTreeMap<String, f64> {
        self.first.player.variables()
    }

    /// Parts of the preset that do not work, and images that are not there, in words.
    pub fn problems(&self) -> Vec<String> {
        self.voices().flat_map(Voice::problems).collect()
    }

    fn voices(&self) -> impl Iterator<Item = &Voice> {
        std::iter::once(&self.first).chain(self.second.as_ref().map(|second| &second.voice))
    }
}

/// One program and its picture.
struct Voice {
    player: Player,
    picture: DeckPicture,
    frame: Frame,
    report: StepReport,
}

impl Voice {
    fn prepare(
        render_context: &RenderContext,
        program: Arc<Program>,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, String> {
        let picture = DeckPicture::prepare(render_context, &program, settings, seed)?;
        let player = Player::new(program, seed);
        Ok(Self { player, picture, frame: Frame::default(), report: StepReport::default() })
    }

    fn encode(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        heard: &PresetAudio,
        tick: Tick,
        hooks: &Hooks,
    ) {
        self.report = self.player.step(heard, tick, hooks, &mut self.frame);
        self.picture.encode(render_context, encoder, &self.frame);
    }

    fn problems(&self) -> Vec<String> {
        let program = self.player.program();
        let parts = program.problems.iter().map(|problem| format!("{}: {}", problem.part, problem.what));
        let crowded =
            self.report.overdrawn.then(|| "shapes: they cover too much; some are left out".to_owned());
        parts.chain(self.picture.problems().iter().cloned()).chain(crowded).collect()
    }
}

/// The other half of a double preset, and the picture of both.
struct Second {
    voice: Voice,
    mixer: ScreenPass<MixUniforms>,
    uniforms: MixUniforms,
    picture: wgpu::TextureView,
}

impl Second {
    fn new(render_context: &RenderContext, voice: Voice, together: DoubleBlend, size: [u32; 2]) -> Self {
        let style = match together.pattern {
            Pattern::Even => FadeStyle::Mix,
            Pattern::Bright => FadeStyle::Luma,
            Pattern::Round => FadeStyle::Radial,
        };
        let uniforms = MixUniforms {
            progress: together.share,
            style: MixUniforms::style(style),
            aspect: size[1] as f32 / size[0] as f32,
            light: 1.0,
        };
        Self {
            voice,
            mixer: mix::pass(&render_context.gpu, pass::FORMAT),
            uniforms,
            picture: pass::view(&pass::image(&render_context.gpu.device, "double preset", size)),
        }
    }

    /// Lays the second picture over `first`.
    fn mix(
        &mut self,
        render_context: &RenderContext,
        encoder: &mut wgpu::CommandEncoder,
        first: &wgpu::TextureView,
    ) {
        let sampler = render_context.sampler(Filter::Linear, Address::Clamp);
        let pictures = [first, self.voice.picture.output()];
        self.mixer.draw(&render_context.gpu, encoder, sampler, &pictures, &self.picture, &self.uniforms);
    }
}

/// An empty picture, for when nothing is on air.
pub(super) fn black(render_context: &RenderContext) -> wgpu::TextureView {
    pass::view(&pass::image(&render_context.gpu.device, "black", [1, 1]))
}
