//! A running preset: its variables and memory, and the step that turns audio and time into a [`Frame`].
//!
//! Never touches the GPU and never blocks. All code of a preset shares one instruction budget per frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::added::{Clock, ShaderSound};
use super::custom_shape::ShapeState;
use super::custom_wave::WaveState;
use super::engine::{Context, Engine, Namespace, Tick};
use super::mesh::MeshState;
use super::modulation::Modulation;
use super::names::{FRAME, Q_COUNT, READ_ONLY, frame};
use super::program::Program;
use super::{Frame, PresetAudio, constants, overlay, wave};
use crate::eel::{Budget, EelRandom, MAX_BLOCKS, Shared};

/// Maximum total number of instructions that a preset's code may execute per frame. The halves of a double
/// preset share it.
pub const FRAME_BUDGET: u64 = 40_000_000;

/// Columns and rows of the coarse warp mesh, which [`FRAME_BUDGET`] is meant for.
pub const COARSE_MESH: [u32; 2] = [48, 36];

/// Seconds until `progress` reaches 1. Independent of when the director changes the preset.
pub const DEFAULT_DURATION_SECS: f64 = 30.0;

/// Seed of `rand` in projectM.
const RAND_SEED: u32 = 0x4141_f00d;

/// Problems that occurred in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Whether code of the preset was stopped because the instruction budget was exhausted.
    pub over_budget: bool,
    /// Whether polygons were dropped because together they had more area or corners than allowed.
    pub overdrawn: bool,
    /// Whether every vertex of the warp mesh sampled a non-finite position, because the preset computed NaNs
    /// or infinities.
    pub not_finite: bool,
}

/// A running preset.
pub struct Player {
    program: Arc<Program>,
    engine: Engine,
    main: Namespace,
    init_q: [f64; Q_COUNT],
    mesh: MeshState,
    waves: Vec<WaveState>,
    shapes: Vec<ShapeState>,
    /// Scratch buffer of the main wave.
    wave_points: Vec<[f32; 2]>,
    randoms: constants::ShaderRandoms,
    sound: ShaderSound,
    clock: Clock,
    preset_clock: f64,
    last_time: Option<f64>,
    /// Whether the init code has run.
    initialized: bool,
}

impl Player {
    /// Creates a player for `program`; `seed` determines all random values. Seed 1 reproduces the `rand`
    /// stream, hues and `rand_preset` of projectM.
    pub fn new(program: Arc<Program>, seed: u64) -> Self {
        let code = &program.code;
        Self {
            main: Namespace::new(code.frame_names.len()),
            mesh: MeshState::new(code),
            waves: program.waves.iter().map(WaveState::new).collect(),
            shapes: program.shapes.iter().map(ShapeState::new).collect(),
            engine: Engine {
                shared: Shared::with_blocks(MAX_BLOCKS / program.sharers),
                random: EelRandom::new(
                    RAND_SEED ^ (seed.wrapping_sub(1) ^ (seed.wrapping_sub(1) >> 32)) as u32,
                ),
                budget: frame_budget(&program),
            },
            init_q: [0.0; Q_COUNT],
            wave_points: Vec::new(),
            randoms: constants::ShaderRandoms::new(seed, program.composite.is_some()),
            sound: ShaderSound::default(),
            clock: Clock::new(&code.frame_names),
            preset_clock: 0.0,
            last_time: None,
            initialized: false,
            program,
        }
    }

    /// Returns the program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Returns all per-frame variables after the last step, by name. For diagnostics and tests.
    pub fn variables(&self) -> BTreeMap<String, f64> {
        self.program.code.frame_names.iter().cloned().zip(self.main.vars.iter().copied()).collect()
    }

    /// Runs the preset's code for one frame and fills `out`.
    pub fn step(
        &mut self,
        audio: &PresetAudio,
        tick: Tick,
        modulation: &Modulation,
        out: &mut Frame,
    ) -> StepReport {
        let tick = self.advance_clock(tick, modulation);
        self.engine.budget = frame_budget(&self.program);
        let [width, height] = tick.size.map(|side| side.max(1) as f32);
        let mut context = Context {
            tick,
            audio,
            read_only: read_only(audio, tick),
            q: [0.0; Q_COUNT],
            aspect: [(width / height).min(1.0), (height / width).min(1.0)],
        };
        out.clear();
        self.run_frame_code(&mut context, modulation);
        overlay::motion_vectors(&self.main.vars, self.mesh.previous(), tick, out);
        self.mesh.compute(&self.program, &self.main.vars, &context, &mut self.engine, out);
        for (state, program) in self.shapes.iter_mut().zip(&self.program.shapes) {
            state.draw(program, &context, &mut self.engine, out);
        }
        let overdrawn = out.limit_polygons(self.program.sharers);
        for (state, program) in self.waves.iter_mut().zip(&self.program.waves) {
            state.draw(program, &self.program.base, &context, &mut self.engine, out);
        }
        wave::draw(&self.program.base, &self.main.vars, &context, &mut self.wave_points, out);
        overlay::darken_center(&self.main.vars, &context, out);
        overlay::borders(&self.main.vars, out);
        self.sound.update(audio, tick.fps, self.program.spectrum);
        constants::fill(&mut self.randoms, &self.sound, &self.program.base, &self.main.vars, &context, out);
        StepReport {
            over_budget: self.engine.budget.exhausted(),
            overdrawn,
            not_finite: self.mesh.all_non_finite(),
        }
    }

    /// Advances the preset's clock at the modulated speed; a speed change causes no jump. `fps` is divided by
    /// the speed, for presets that derive time from the frame count.
    fn advance_clock(&mut self, tick: Tick, modulation: &Modulation) -> Tick {
        match self.last_time {
            Some(last) => self.preset_clock += (tick.time - last).max(0.0) * modulation.time_speed,
            None => self.preset_clock = tick.time,
        }
        self.last_time = Some(tick.time);
        Tick { time: self.preset_clock, fps: tick.fps / modulation.time_speed, ..tick }
    }

    fn run_frame_code(&mut self, context: &mut Context, modulation: &Modulation) {
        let program = self.program.clone();
        load_base(&program, &mut self.main.vars);
        self.clock.set(&mut self.main.vars, context.tick.time);
        if !self.initialized {
            self.initialized = true;
            // Init code reads all band levels as 0.
            let read_only = context.read_only;
            context.read_only[BANDS].fill(0.0);
            self.main.set_read_only(FRAME, &context.read_only);
            self.main.run(program.code.init.as_ref(), &mut self.engine);
            self.init_q = self.main.q(FRAME);
            context.q = self.init_q;
            for (state, wave) in self.waves.iter_mut().zip(&program.waves) {
                state.init(wave, context, &mut self.engine);
            }
            for (state, shape) in self.shapes.iter_mut().zip(&program.shapes) {
                state.init(shape, context, &mut self.engine);
            }
            context.read_only = read_only;
            load_base(&program, &mut self.main.vars);
        }
        self.main.set_read_only(FRAME, &context.read_only);
        self.main.set_q(FRAME, &self.init_q);
        self.main.run(program.code.per_frame.as_ref(), &mut self.engine);
        modulation.apply(&mut self.main.vars);
        context.q = self.main.q(FRAME);
    }
}

/// Returns the budget of a program for one frame.
fn frame_budget(program: &Program) -> Budget {
    Budget::new(FRAME_BUDGET / u64::from(program.sharers))
}

/// Indices of `bass` to `treb_att` among the read-only variables.
const BANDS: std::ops::Range<usize> = 4..10;

/// Returns the read-only variables `time` to `aspecty`.
fn read_only(audio: &PresetAudio, tick: Tick) -> [f64; READ_ONLY] {
    let [width, height] = tick.size.map(|side| f64::from(side.max(1)));
    let [bass, mid, treb] = audio.bands.map(f64::from);
    let [bass_att, mid_att, treb_att] = audio.bands_att.map(f64::from);
    let (across, down) = (f64::from(tick.mesh[0]), f64::from(tick.mesh[1]));
    let progress = (tick.time / DEFAULT_DURATION_SECS).clamp(0.0, 1.0);
    [
        // Rounded to `f32` as in projectM: presets compare it with sums such as `t0 + 0.2`.
        f64::from(tick.time as f32),
        tick.fps,
        tick.frame as f64,
        progress,
        bass,
        mid,
        treb,
        bass_att,
        mid_att,
        treb_att,
        across,
        down,
        width,
        height,
        // `aspectx` and `aspecty` of per-frame code are the inverses of the correction factors.
        (height / width).max(1.0),
        (width / height).max(1.0),
    ]
}

/// Sets the per-frame variables to the values of the preset file.
fn load_base(program: &Program, vars: &mut [f64]) {
    let base = &program.base;
    let flag = |on: bool| f64::from(u8::from(on));
    let float = |value: f32| f64::from(value);
    for (slot, value) in [
        (frame::zoom, float(base.zoom)),
        (frame::zoomexp, float(base.zoom_exponent)),
        (frame::rot, float(base.rot)),
        (frame::warp, float(base.warp)),
        (frame::cx, float(base.cx)),
        (frame::cy, float(base.cy)),
        (frame::dx, float(base.dx)),
        (frame::dy, float(base.dy)),
        (frame::sx, float(base.sx)),
        (frame::sy, float(base.sy)),
        (frame::decay, float(base.decay)),
        (frame::gamma, float(base.gamma_adj)),
        (frame::echo_zoom, float(base.video_echo_zoom)),
        (frame::echo_alpha, float(base.video_echo_alpha)),
        (frame::echo_orient, f64::from(base.video_echo_orientation)),
        (frame::wave_mode, f64::from(base.wave_mode)),
        (frame::wave_a, float(base.wave_alpha)),
        (frame::wave_r, float(base.wave_r)),
        (frame::wave_g, float(base.wave_g)),
        (frame::wave_b, float(base.wave_b)),
        (frame::wave_x, float(base.wave_x)),
        (frame::wave_y, float(base.wave_y)),
        (frame::wave_mystery, float(base.wave_param)),
        (frame::wave_usedots, flag(base.wave_dots)),
        (frame::wave_thick, flag(base.wave_thick)),
        (frame::wave_additive, flag(base.additive_waves)),
        (frame::wave_brighten, flag(base.maximize_wave_color)),
        (frame::ob_size, float(base.ob_size)),
        (frame::ob_r, float(base.ob_r)),
        (frame::ob_g, float(base.ob_g)),
        (frame::ob_b, float(base.ob_b)),
        (frame::ob_a, float(base.ob_a)),
        (frame::ib_size, float(base.ib_size)),
        (frame::ib_r, float(base.ib_r)),
        (frame::ib_g, float(base.ib_g)),
        (frame::ib_b, float(base.ib_b)),
        (frame::ib_a, float(base.ib_a)),
        (frame::mv_x, float(base.mv_x)),
        (frame::mv_y, float(base.mv_y)),
        (frame::mv_dx, float(base.mv_dx)),
        (frame::mv_dy, float(base.mv_dy)),
        (frame::mv_l, float(base.mv_l)),
        (frame::mv_r, float(base.mv_r)),
        (frame::mv_g, float(base.mv_g)),
        (frame::mv_b, float(base.mv_b)),
        (frame::mv_a, float(base.mv_a)),
        (frame::darken_center, flag(base.darken_center)),
        (frame::wrap, flag(base.tex_wrap)),
        (frame::invert, flag(base.invert)),
        (frame::brighten, flag(base.brighten)),
        (frame::darken, flag(base.darken)),
        (frame::solarize, flag(base.solarize)),
        (frame::blur1_min, float(base.blur1_min)),
        (frame::blur2_min, float(base.blur2_min)),
        (frame::blur3_min, float(base.blur3_min)),
        (frame::blur1_max, float(base.blur1_max)),
        (frame::blur2_max, float(base.blur2_max)),
        (frame::blur3_max, float(base.blur3_max)),
        (frame::blur1_edge_darken, float(base.blur1_edge_darken)),
    ] {
        vars[slot] = value;
    }
}
