//! Custom waves: a waveform or spectrum passed through the preset's per-point code.

use lactea_preset::{BaseValues, CustomWave};

use super::engine::{Context, Engine, Namespace};
use super::frame::Weight;
use super::names::{POINT, Q_COUNT, T_COUNT, WAVE, point, wave};
use super::preset_audio::SPECTRUM_BINS;
use super::program::WaveProgram;
use super::stroke::{self, StrokePoint, StrokeStyle};
use super::wave::DRAWN_SAMPLES;
use super::{Blend, Frame};

/// Number of input columns of the per-point code, `sample` to `y`.
const INPUTS: usize = point::y - point::sample + 1;
/// Number of output columns of the per-point code, `x` to `a`.
const OUTPUTS: usize = point::a - point::x + 1;
const _: () = assert!(point::sample == 0);

/// State of one custom wave.
pub(super) struct WaveState {
    main: Namespace,
    point: Namespace,
    init_t: [f64; T_COUNT],
    /// Scratch buffers, reused to avoid per-frame allocations: the samples of each channel, the input and
    /// output rows of the per-point code, and the resulting points.
    channels: [Vec<f32>; 2],
    inputs: Vec<f64>,
    outputs: Vec<f64>,
    run: Vec<StrokePoint>,
}

impl WaveState {
    pub fn new(program: &WaveProgram) -> Self {
        Self {
            main: Namespace::new(program.frame_vars),
            point: Namespace::new(program.point_vars),
            init_t: [0.0; T_COUNT],
            channels: Default::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            run: Vec::new(),
        }
    }

    /// Runs the wave's init code once.
    pub fn init(&mut self, program: &WaveProgram, context: &Context, engine: &mut Engine) {
        self.main.set_read_only(WAVE, &context.read_only);
        self.main.set_q(WAVE, &context.q);
        load_values(&program.values, &mut self.main.vars);
        self.main.run(program.init.as_ref(), engine);
        self.init_t.copy_from_slice(&self.main.vars[WAVE.t..WAVE.t + T_COUNT]);
    }

    /// Runs the per-frame and per-point code and adds the wave to `out`.
    pub fn draw(
        &mut self,
        program: &WaveProgram,
        base: &BaseValues,
        context: &Context,
        engine: &mut Engine,
        out: &mut Frame,
    ) {
        self.run_frame_code(program, context, engine);
        let vars = &self.main.vars;
        let spectrum = vars[wave::spectrum] != 0.0;
        let dots = vars[wave::usedots] != 0.0;
        // A spectrum has more points than a waveform. `sep` reduces the number of points.
        let available = if spectrum { SPECTRUM_BINS } else { DRAWN_SAMPLES };
        let separation = vars[wave::sep].clamp(0.0, available as f64) as usize;
        let count = (vars[wave::samples].clamp(0.0, available as f64) as usize).saturating_sub(separation);
        if count < if dots { 1 } else { 2 } {
            return;
        }
        let source = Source {
            spectrum,
            available,
            count,
            separation,
            smoothing: vars[wave::smoothing] as f32,
            scale: vars[wave::scaling] as f32 * base.wave_scale,
        };
        for channel in 0..2 {
            source.fill(context, channel, &mut self.channels[channel]);
        }
        self.run_point_code(program, context, engine);
        let style = StrokeStyle {
            dots,
            blend: if self.main.vars[wave::additive] != 0.0 { Blend::Additive } else { Blend::Alpha },
            weight: if self.main.vars[wave::thick] != 0.0 && !dots { Weight::Half } else { Weight::Thin },
        };
        let run = &self.run;
        stroke::draw(stroke::smoothed(run.len(), |i| run[i]), style, out);
    }

    fn run_frame_code(&mut self, program: &WaveProgram, context: &Context, engine: &mut Engine) {
        let main = &mut self.main;
        let values = &program.values;
        main.set_read_only(WAVE, &context.read_only);
        main.set_q(WAVE, &context.q);
        main.vars[WAVE.t..WAVE.t + T_COUNT].copy_from_slice(&self.init_t);
        load_values(values, &mut main.vars);
        main.run(program.per_frame.as_ref(), engine);
    }

    /// Runs the per-point code on `channels` and fills `run`.
    fn run_point_code(&mut self, program: &WaveProgram, context: &Context, engine: &mut Engine) {
        let main = &self.main.vars;
        let color = [wave::r, wave::g, wave::b, wave::a].map(|slot| main[slot]);
        let q: [f64; Q_COUNT] = self.main.q(WAVE);
        self.point.set_read_only(POINT, &context.read_only);
        self.point.set_q(POINT, &q);
        self.point.vars[POINT.t..POINT.t + T_COUNT].copy_from_slice(&main[WAVE.t..WAVE.t + T_COUNT]);
        let [aspect_x, aspect_y] = context.aspect;
        let [left, right] = &self.channels;
        let last = (left.len().max(2) - 1) as f64;
        self.inputs.clear();
        self.inputs.extend(left.iter().zip(right).enumerate().flat_map(|(i, (&value1, &value2))| {
            let (value1, value2) = (f64::from(value1), f64::from(value2));
            [i as f64 / last, value1, value2, 0.5 + value1, 0.5 + value2]
        }));
        self.point.vars[point::r..=point::a].copy_from_slice(&color);
        let mut finished = 0;
        // Output columns of `x`, `y`, `r`, `g`, `b` and `a`; `None` for those that the code does not assign.
        let mut columns = [None; OUTPUTS];
        let mut width = 0;
        if let Some(code) = &program.per_point {
            width = code.output_columns();
            columns = std::array::from_fn(|output| code.output(output));
            self.outputs.resize(left.len() * width, 0.0);
            finished = self.point.run_batch(code, engine, left.len(), &self.inputs, &mut self.outputs);
        }
        self.run.clear();
        for (i, input) in self.inputs.chunks_exact(INPUTS).enumerate() {
            let mut values = [input[point::x], input[point::y], color[0], color[1], color[2], color[3]];
            if i < finished {
                let row = &self.outputs[i * width..][..width];
                for (value, column) in values.iter_mut().zip(columns) {
                    if let Some(column) = column {
                        *value = row[column];
                    }
                }
            }
            let [x, y, color @ ..] = values;
            self.run.push(StrokePoint {
                at: [(x * 2.0 - 1.0) as f32 / aspect_x, (y * 2.0 - 1.0) as f32 / aspect_y],
                color: color.map(super::color_byte),
            });
        }
    }
}

/// Copies the values of the preset file into the wave's variables.
fn load_values(values: &CustomWave, vars: &mut [f64]) {
    for (slot, value) in [
        (wave::r, f64::from(values.r)),
        (wave::g, f64::from(values.g)),
        (wave::b, f64::from(values.b)),
        (wave::a, f64::from(values.a)),
        (wave::samples, f64::from(values.samples)),
        (wave::sep, f64::from(values.sep)),
        (wave::scaling, f64::from(values.scaling)),
        (wave::spectrum, f64::from(values.b_spectrum)),
        (wave::smoothing, f64::from(values.smoothing)),
        (wave::usedots, f64::from(values.b_use_dots)),
        (wave::thick, f64::from(values.b_draw_thick)),
        (wave::additive, f64::from(values.b_additive)),
    ] {
        vars[slot] = value;
    }
}

/// Parameters for deriving `value1` and `value2` from the audio.
struct Source {
    spectrum: bool,
    /// Number of bins or samples in each channel.
    available: usize,
    /// Number of points in the wave.
    count: usize,
    /// From `sep`: the offset between the channels of a waveform, in samples, or the number of upper bins to omit
    /// from a spectrum.
    separation: usize,
    smoothing: f32,
    scale: f32,
}

impl Source {
    /// Fills `out` with one channel, smoothed forwards and backwards, and scaled.
    fn fill(&self, context: &Context, channel: usize, out: &mut Vec<f32>) {
        let count = self.count;
        // A spectrum is spread over all points. A waveform is cut from the middle; the two channels start `sep` samples
        // apart.
        let (start, stride) = if self.spectrum {
            (0, (self.available - self.separation) as f32 / count as f32)
        } else {
            let (margin, half) = ((self.available - count) / 2, self.separation / 2);
            (if channel == 0 { margin - half } else { margin + half }, 1.0)
        };
        let input: &[f32] =
            if self.spectrum { &context.audio.spectrum[channel] } else { &context.audio.wave[channel] };
        // projectM's samples range from -128 to 127, those here from -1 to 1.
        let scale = self.scale * if self.spectrum { 0.15 } else { 0.004 * 128.0 };
        let sample = |i: usize| input.get(start + (i as f32 * stride) as usize).copied().unwrap_or(0.0);
        let keep = (self.smoothing * 0.98).max(0.0).sqrt().min(1.0);
        out.clear();
        out.extend((0..count).map(sample));
        for i in 1..count {
            out[i] = out[i] * (1.0 - keep) + out[i - 1] * keep;
        }
        for i in (0..count.saturating_sub(1)).rev() {
            out[i] = out[i] * (1.0 - keep) + out[i + 1] * keep;
        }
        out.iter_mut().for_each(|value| *value *= scale);
    }
}
