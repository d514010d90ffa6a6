//! State shared by all code of a running preset: namespaces, memory, budget, and the inputs of the current frame.

use super::PresetAudio;
use super::names::{Layout, Q_COUNT, READ_ONLY};
use crate::eel::{BatchCode, Budget, Code, EelRandom, Machine, Memory, Shared};

/// Timing and dimensions of one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tick {
    /// Seconds since the preset started.
    pub time: f64,
    /// Frame rate reported to the preset, in Hz.
    pub fps: f64,
    /// Frame number, from 0.
    pub frame: u64,
    /// Width and height of the feedback image, in pixels.
    pub size: [u32; 2],
    /// Columns and rows of the warp mesh.
    pub mesh: [u32; 2],
}

/// State shared by all code of a preset.
pub(super) struct Engine {
    pub shared: Shared,
    pub random: EelRandom,
    pub budget: Budget,
}

/// Variables and `megabuf` of one namespace.
pub(super) struct Namespace {
    pub vars: Vec<f64>,
    pub memory: Memory,
}

impl Namespace {
    pub fn new(vars: usize) -> Self {
        Self { vars: vec![0.0; vars], memory: Memory::new() }
    }

    /// Runs `code` on the variables of this namespace; does nothing for `None`.
    pub fn run(&mut self, code: Option<&Code>, engine: &mut Engine) {
        if let Some(code) = code {
            code.run(&mut self.machine(engine));
        }
    }

    /// Runs `code` on `items` items; see [`BatchCode::run`].
    pub fn run_batch(
        &mut self,
        code: &BatchCode,
        engine: &mut Engine,
        items: usize,
        inputs: &[f64],
        outputs: &mut [f64],
    ) -> usize {
        code.run(&mut self.machine(engine), items, inputs, outputs)
    }

    fn machine<'a>(&'a mut self, engine: &'a mut Engine) -> Machine<'a> {
        Machine {
            vars: &mut self.vars,
            megabuf: &mut self.memory,
            shared: &mut engine.shared,
            rng: &mut engine.random,
            budget: &mut engine.budget,
        }
    }

    /// Sets the read-only variables.
    pub fn set_read_only(&mut self, layout: Layout, values: &[f64; READ_ONLY]) {
        self.vars[layout.time..layout.time + layout.read_only].copy_from_slice(&values[..layout.read_only]);
    }

    /// Returns `q1` to `q64`.
    pub fn q(&self, layout: Layout) -> [f64; Q_COUNT] {
        self.vars[layout.q..layout.q + Q_COUNT].try_into().expect("every namespace has all q variables")
    }

    /// Sets `q1` to `q64`.
    pub fn set_q(&mut self, layout: Layout, q: &[f64; Q_COUNT]) {
        self.vars[layout.q..layout.q + Q_COUNT].copy_from_slice(q);
    }
}

/// Inputs of the current frame.
pub(super) struct Context<'a> {
    pub tick: Tick,
    pub audio: &'a PresetAudio,
    /// Read-only variables, in the order that all namespaces use.
    pub read_only: [f64; READ_ONLY],
    /// `q1` to `q64` as the per-frame code left them; during the init code of waves and shapes, as
    /// `per_frame_init` left them.
    pub q: [f64; Q_COUNT],
    /// Aspect correction `[x, y]`; the larger factor is 1.
    pub aspect: [f32; 2],
}
