//! A preset running: its variables, and one step from sound and time to a [`Frame`].
//!
//! Never touches the GPU and never waits; every piece of preset code runs under one instruction budget a frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::custom_shape::ShapeState;
use super::custom_wave::WaveState;
use super::eel::{Budget, Code, EelRandom, Machine, Memory, Shared};
use super::hooks::Hooks;
use super::mesh::MeshState;
use super::names::{FRAME, Layout, Q_COUNT, READ_ONLY, frame};
use super::program::Program;
use super::{Frame, PresetAudio, constants, overlay, wave};
use crate::units::Rng;

/// Instructions one frame of one preset may spend in all its code.
pub const FRAME_BUDGET: u64 = 40_000_000;

/// Seconds after which `progress` reaches 1: how long presets are made to last, whatever the director does.
pub const DEFAULT_DURATION_SECS: f64 = 30.0;

/// Seed of `rand` in the reference.
const RAND_SEED: u32 = 0x4141_f00d;

/// When and where a frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tick {
    /// Seconds since the preset began.
    pub time: f64,
    /// Frames a second the show aims at.
    pub fps: f64,
    /// Number of this frame, from 0.
    pub frame: u64,
    /// Width and height of the feedback image, pixels.
    pub size: [u32; 2],
    /// Cells of the warp mesh, across and down.
    pub mesh: [u32; 2],
}

/// What one step did, besides filling the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Some code of the preset ran out of budget and was cut short.
    pub over_budget: bool,
    /// Polygons were left out because they cover more than a frame may.
    pub overdrawn: bool,
}

/// The machinery every piece of a preset's code shares.
pub(super) struct Engine {
    pub shared: Shared,
    pub random: EelRandom,
    pub budget: Budget,
}

/// Variables and memory of one namespace.
pub(super) struct Namespace {
    pub vars: Vec<f64>,
    pub memory: Memory,
}

impl Namespace {
    pub fn new(vars: usize) -> Self {
        Self { vars: vec![0.0; vars], memory: Memory::new() }
    }

    /// Runs `code`, if there is any, on these variables.
    pub fn run(&mut self, code: Option<&Code>, engine: &mut Engine) {
        let Some(code) = code else { return };
        code.run(&mut Machine {
            vars: &mut self.vars,
            megabuf: &mut self.memory,
            shared: &mut engine.shared,
            rng: &mut engine.random,
            budget: &mut engine.budget,
        });
    }

    pub fn set_read_only(&mut self, layout: Layout, values: &[f64; READ_ONLY]) {
        self.vars[layout.time..layout.time + layout.read_only].copy_from_slice(&values[..layout.read_only]);
    }

    pub fn q(&self, layout: Layout) -> [f64; Q_COUNT] {
        self.vars[layout.q..layout.q + Q_COUNT].try_into().expect("every namespace holds all q")
    }

    pub fn set_q(&mut self, layout: Layout, q: &[f64; Q_COUNT]) {
        self.vars[layout.q..layout.q + Q_COUNT].copy_from_slice(q);
    }
}

/// Everything a part of the preset needs to know about this frame.
pub(super) struct Context<'a> {
    pub tick: Tick,
    pub heard: &'a PresetAudio,
    /// Values presets only read, in the order every namespace holds them.
    pub read_only: [f64; READ_ONLY],
    /// `q1..q64` after per-frame code.
    pub q: [f64; Q_COUNT],
    /// Factors that make circles round: `(aspect_x, aspect_y)`, one of them 1, the other below.
    pub aspect: [f32; 2],
}

/// A preset in motion.
pub struct Player {
    program: Arc<Program>,
    engine: Engine,
    main: Namespace,
    init_q: [f64; Q_COUNT],
    mesh: MeshState,
    waves: Vec<WaveState>,
    shapes: Vec<ShapeState>,
    /// Room for the points of the main wave.
    wave_points: Vec<[f32; 2]>,
    constants: constants::Randoms,
    preset_clock: f64,
    last_time: Option<f64>,
    /// The preset's init code has run.
    started: bool,
}

impl Player {
    /// Starts `program`; `seed` decides everything random. With seed 1 `rand` gives the reference's own stream.
    pub fn new(program: Arc<Program>, seed: u64) -> Self {
        let code = &program.code;
        Self {
            main: Namespace::new(code.frame_names.len()),
            mesh: MeshState::new(code),
            waves: program.waves.iter().map(WaveState::new).collect(),
            shapes: program.shapes.iter().map(ShapeState::new).collect(),
            engine: Engine {
                shared: Shared::new(),
                random: EelRandom::new(
                    RAND_SEED ^ (seed.wrapping_sub(1) ^ (seed.wrapping_sub(1) >> 32)) as u32,
                ),
                budget: Budget::new(FRAME_BUDGET),
            },
            init_q: [0.0; Q_COUNT],
            wave_points: Vec::new(),
            constants: constants::Randoms::new(Rng::new(seed)),
            preset_clock: 0.0,
            last_time: None,
            started: false,
            program,
        }
    }

    /// The program this player runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Every per-frame variable after the last step, for measuring and tests.
    pub fn variables(&self) -> BTreeMap<String, f64> {
        self.program.code.frame_names.iter().cloned().zip(self.main.vars.iter().copied()).collect()
    }

    /// One frame: runs the preset's code on what is heard and fills `out`.
    pub fn step(&mut self, heard: &PresetAudio, tick: Tick, hooks: &Hooks, out: &mut Frame) -> StepReport {
        let tick = self.advance_clock(tick, hooks);
        self.engine.budget = Budget::new(FRAME_BUDGET);
        let [width, height] = tick.size.map(|side| side.max(1) as f32);
        let mut context = Context {
            tick,
            heard,
            read_only: read_only(heard, tick),
            q: [0.0; Q_COUNT],
            aspect: [(width / height).min(1.0), (height / width).min(1.0)],
        };
        out.clear();
        self.run_frame_code(&mut context, hooks);
        overlay::motion_vectors(&self.main.vars, self.mesh.previous(), tick, out);
        self.mesh.compute(&self.program, &self.main.vars, &context, &mut self.engine, out);
        for (state, program) in self.shapes.iter_mut().zip(&self.program.shapes) {
            state.draw(program, &context, &mut self.engine, out);
        }
        for (state, program) in self.waves.iter_mut().zip(&self.program.waves) {
            state.draw(program, &self.program.base, &context, &mut self.engine, out);
        }
        wave::draw(&self.program.base, &self.main.vars, &context, &mut self.wave_points, out);
        overlay::darken_center(&self.main.vars, &context, out);
        overlay::borders(&self.main.vars, out);
        constants::fill(&mut self.constants, &self.main.vars, &context, out);
        StepReport { over_budget: self.engine.budget.exhausted(), overdrawn: !out.has_room() }
    }

    /// The preset's own clock runs at the speed its hooks ask for, without a jump when that changes. Presets that count
    /// frames divide by the frames a second, so those change with it.
    fn advance_clock(&mut self, tick: Tick, hooks: &Hooks) -> Tick {
        match self.last_time {
            Some(last) => self.preset_clock += (tick.time - last).max(0.0) * hooks.time_speed,
            None => self.preset_clock = tick.time,
        }
        self.last_time = Some(tick.time);
        Tick { time: self.preset_clock, fps: tick.fps / hooks.time_speed, ..tick }
    }

    fn run_frame_code(&mut self, context: &mut Context, hooks: &Hooks) {
        let program = self.program.clone();
        load_base(&program, &mut self.main.vars);
        if !self.started {
            self.started = true;
            // Init code hears nothing yet.
            let heard = context.read_only;
            context.read_only[SOUND].fill(0.0);
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
            context.read_only = heard;
            load_base(&program, &mut self.main.vars);
        }
        self.main.set_read_only(FRAME, &context.read_only);
        self.main.set_q(FRAME, &self.init_q);
        self.main.run(program.code.per_frame.as_ref(), &mut self.engine);
        load_fixed(&program, &mut self.main.vars);
        hooks.apply(&mut self.main.vars);
        context.q = self.main.q(FRAME);
    }
}

/// Where `bass` to `treb_att` are among the read-only values.
const SOUND: std::ops::Range<usize> = 4..10;

/// The values every namespace only reads, in the order of its `time ..= aspecty` names.
fn read_only(heard: &PresetAudio, tick: Tick) -> [f64; READ_ONLY] {
    let [width, height] = tick.size.map(|side| f64::from(side.max(1)));
    let [bass, mid, treb] = heard.bands.map(f64::from);
    let [bass_att, mid_att, treb_att] = heard.bands_att.map(f64::from);
    let (across, down) = (f64::from(tick.mesh[0]), f64::from(tick.mesh[1]));
    let progress = (tick.time / DEFAULT_DURATION_SECS).clamp(0.0, 1.0);
    [
        // In single precision, as the reference counts: presets compare it with sums like `t0 + 0.2`.
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
        // What presets call aspectx is the inverse of the factor that makes circles round.
        (height / width).max(1.0),
        (width / height).max(1.0),
    ]
}

/// Puts the written values of the fixed composite into the per-frame variables: code may read them, but what it
/// writes there the reference does not use. Only hands do.
fn load_fixed(program: &Program, vars: &mut [f64]) {
    let base = &program.base;
    let flag = |on: bool| f64::from(u8::from(on));
    for (slot, value) in [
        (frame::gamma, f64::from(base.gamma_adj)),
        (frame::echo_zoom, f64::from(base.video_echo_zoom)),
        (frame::echo_alpha, f64::from(base.video_echo_alpha)),
        (frame::echo_orient, f64::from(base.video_echo_orientation)),
        (frame::invert, flag(base.invert)),
        (frame::brighten, flag(base.brighten)),
        (frame::darken, flag(base.darken)),
        (frame::solarize, flag(base.solarize)),
    ] {
        vars[slot] = value;
    }
}

/// Puts the preset's written values into the per-frame variables.
fn load_base(program: &Program, vars: &mut [f64]) {
    load_fixed(program, vars);
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
