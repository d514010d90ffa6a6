//! A deck: one preset in motion with everything it needs on the device. Made ready off the render thread.

use std::sync::Arc;

use super::cue::Cue;
use super::pass;
use super::picture::DeckPicture;
use super::workshop::Workshop;
use crate::milk::{Frame, Heard, Hooks, Player, Program, StepReport, Tick};

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

/// One preset in motion.
pub struct Deck {
    player: Player,
    picture: DeckPicture,
    frame: Frame,
    settings: DeckSettings,
    time: f64,
    drawn: u64,
    report: StepReport,
}

impl Deck {
    /// Builds everything the preset needs; slow, never called on the render thread.
    ///
    /// A shader the device does not take is replaced by the fixed pass and named among the [`Deck::problems`].
    pub fn prepare(
        workshop: &Workshop,
        program: Arc<Program>,
        settings: DeckSettings,
        seed: u64,
    ) -> Result<Self, String> {
        if settings.size.contains(&0) || settings.mesh.contains(&0) {
            return Err(format!("a picture of {:?} pixels cannot be drawn", settings.size));
        }
        let picture = DeckPicture::prepare(workshop, &program, settings, seed)?;
        Ok(Self {
            player: Player::new(program, seed),
            picture,
            frame: Frame::default(),
            settings,
            time: 0.0,
            drawn: 0,
            report: StepReport::default(),
        })
    }

    /// Draws `frames` frames off screen at the show's rate and waits until the device has done them.
    pub fn warm_up(&mut self, workshop: &Workshop, heard: &Heard, frames: u32) {
        for _ in 0..frames {
            let mut encoder = workshop.gpu.device.create_command_encoder(&Default::default());
            let dt = if self.drawn == 0 { 0.0 } else { 1.0 / self.settings.fps };
            self.encode(workshop, &mut encoder, heard, &Hooks::default(), dt);
            workshop.gpu.queue.submit([encoder.finish()]);
        }
        if frames > 0 {
            // Device errors are noted by their own callback.
            workshop.gpu.device.poll(wgpu::PollType::wait_indefinitely()).ok();
        }
    }

    /// One frame: runs the preset's code and records its passes.
    pub(super) fn encode(
        &mut self,
        workshop: &Workshop,
        encoder: &mut wgpu::CommandEncoder,
        heard: &Heard,
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
        self.report = self.player.step(heard, tick, hooks, &mut self.frame);
        self.picture.encode(workshop, encoder, &self.frame);
        self.drawn += 1;
    }

    /// The picture after the last frame.
    pub(super) fn output(&self) -> &wgpu::TextureView {
        self.picture.output()
    }

    /// The feedback image in memory, before the composite; waits for the device, so headless tools only.
    pub fn feedback(&self, workshop: &Workshop) -> Result<image::RgbaImage, String> {
        super::readback::read(&workshop.gpu, self.picture.feedback())
    }

    /// Frames drawn so far.
    pub fn drawn(&self) -> u64 {
        self.drawn
    }

    /// Whether the last frame's code ran out of budget.
    pub fn report(&self) -> StepReport {
        self.report
    }

    /// Every per-frame variable after the last frame, by name.
    pub fn variables(&self) -> std::collections::BTreeMap<String, f64> {
        self.player.variables()
    }

    /// Parts of the preset that do not work, and images that are not there, in words.
    pub fn problems(&self) -> Vec<String> {
        let program = self.player.program();
        let parts = program.problems.iter().map(|problem| format!("{}: {}", problem.part, problem.what));
        parts.chain(self.picture.problems().iter().cloned()).collect()
    }
}

/// One step of a deck by a cue.
pub(super) fn air(
    deck: &mut Deck,
    workshop: &Workshop,
    encoder: &mut wgpu::CommandEncoder,
    cue: &Cue,
    hooks: &Hooks,
) {
    deck.encode(workshop, encoder, &cue.heard, hooks, cue.dt);
}

/// An empty picture, for when nothing is on air.
pub(super) fn black(workshop: &Workshop) -> wgpu::TextureView {
    pass::view(&pass::image(&workshop.gpu.device, "black", [1, 1]))
}
