//! Streaming sample-rate conversion with a windowed-sinc kernel, both channels at once.
//!
//! The table holds the kernel at [`PHASES`] fractions of a sample and is interpolated linearly between them, so a table
//! of fixed resolution serves any ratio of rates. The position is an exact integer, in units of 1 / `to_hz` of an input
//! sample, and never drifts. Allocates only in `new` and when the caller's `Vec` grows.

use super::frame::Frame;

/// Number of fractions of a sample in the table; with linear interpolation the error stays below -100 dB.
const PHASES: usize = 512;
/// Half width of the kernel in input samples, unless downsampling widens it: 0.5 ms of delay at 48 kHz.
const REACH: usize = 24;
/// End of the pass band, as a fraction of the lower of the two Nyquist frequencies.
const PASS: f64 = 0.92;
/// Kaiser window parameter: about 80 dB of stop-band attenuation.
const KAISER_BETA: f64 = 8.0;
/// Number of input frames processed at once, which bounds the history.
const CHUNK: usize = 1024;

/// A streaming converter between two sample rates.
#[derive(Debug)]
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    /// Half width of the kernel, in input samples.
    reach: usize,
    /// `PHASES + 1` kernels of `2 * reach` taps.
    table: Vec<f32>,
    /// Kernel of the current output frame.
    kernel: Vec<f32>,
    /// Input still needed; starts with `reach` frames of silence to preserve timing.
    history: Vec<Frame>,
    /// Distance from `history[reach]` to the next output frame, in units of 1 / `to_hz` of an input sample.
    ahead: u64,
}

impl Resampler {
    /// Builds a resampler between two rates in Hz; a rate of 0 counts as 1.
    pub fn new(from_hz: u32, to_hz: u32) -> Self {
        let (from_hz, to_hz) = (from_hz.max(1), to_hz.max(1));
        // When downsampling, widen the kernel so that the stop band starts at the new Nyquist frequency.
        let narrowing = (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
        let reach = (REACH as f64 / narrowing).ceil() as usize;
        let passes_through = from_hz == to_hz;
        let table = if passes_through { Vec::new() } else { kernel_table(reach, narrowing * PASS) };
        let mut history = Vec::with_capacity(if passes_through { 0 } else { 2 * reach + CHUNK + 1 });
        if !passes_through {
            history.resize(reach, [0.0; 2]);
        }
        Self { from_hz, to_hz, reach, table, kernel: vec![0.0; 2 * reach], history, ahead: 0 }
    }

    /// Returns the maximum number of output frames for `frames_in` input frames, including those of
    /// [`Self::finish`].
    pub fn frames_out(&self, frames_in: usize) -> usize {
        (frames_in as u64 * u64::from(self.to_hz) / u64::from(self.from_hz)) as usize + 2
    }

    /// Returns the delay of the output, in input frames.
    pub fn delay_frames(&self) -> usize {
        if self.from_hz == self.to_hz { 0 } else { self.reach }
    }

    /// Processes `input` and appends the available output to `out`.
    pub fn push(&mut self, input: &[Frame], out: &mut Vec<Frame>) {
        if self.from_hz == self.to_hz {
            out.extend_from_slice(input);
            return;
        }
        for chunk in input.chunks(CHUNK) {
            self.history.extend_from_slice(chunk);
            self.drain(out);
        }
    }

    /// Appends the last frames, whose kernel extends past the end of the input.
    pub fn finish(&mut self, out: &mut Vec<Frame>) {
        if self.from_hz == self.to_hz {
            return;
        }
        let silence = [[0.0; 2]; 64];
        let mut left = self.reach;
        while left > 0 {
            let part = left.min(silence.len());
            self.push(&silence[..part], out);
            left -= part;
        }
    }

    fn drain(&mut self, out: &mut Vec<Frame>) {
        let to = u64::from(self.to_hz);
        let taps = 2 * self.reach;
        let mut first = 0;
        loop {
            // The output frame is `ahead / to` frames after `history[first + reach]`; its kernel covers
            // `taps` frames from `first + whole + 1`.
            let whole = (self.ahead / to) as usize;
            if first + whole + 1 + taps > self.history.len() {
                break;
            }
            first += whole;
            self.ahead %= to;
            let exact = self.ahead as f64 * PHASES as f64 / to as f64;
            let phase = exact as usize;
            self.mix_kernel(phase, (exact - phase as f64) as f32);
            let window = &self.history[first + 1..first + 1 + taps];
            let mut sum = [0.0f32; 2];
            for (frame, tap) in window.iter().zip(&self.kernel) {
                sum[0] += frame[0] * tap;
                sum[1] += frame[1] * tap;
            }
            out.push(sum);
            self.ahead += u64::from(self.from_hz);
        }
        self.history.drain(..first);
    }

    fn mix_kernel(&mut self, phase: usize, part: f32) {
        let taps = self.kernel.len();
        let (low, high) = self.table[phase * taps..(phase + 2) * taps].split_at(taps);
        for ((tap, low), high) in self.kernel.iter_mut().zip(low).zip(high) {
            *tap = low + (high - low) * part;
        }
    }
}

/// Builds the kernels for the fractions 0, 1/PHASES, ..., 1, each with a DC gain of exactly one.
fn kernel_table(reach: usize, cutoff: f64) -> Vec<f32> {
    let taps = 2 * reach;
    let mut table = Vec::with_capacity((PHASES + 1) * taps);
    let mut kernel = vec![0.0f64; taps];
    for phase in 0..=PHASES {
        let fraction = phase as f64 / PHASES as f64;
        for (index, tap) in kernel.iter_mut().enumerate() {
            // Distance of frame `index` from the output time, in input samples.
            let away = index as f64 - (reach as f64 - 1.0) - fraction;
            *tap = sinc(away * cutoff) * kaiser(away / reach as f64);
        }
        let gain: f64 = kernel.iter().sum();
        table.extend(kernel.iter().map(|tap| (tap / gain) as f32));
    }
    table
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// Returns the Kaiser window at `x` from -1 to 1 (Kaiser, 1974).
fn kaiser(x: f64) -> f64 {
    let inside = (1.0 - x * x).max(0.0);
    bessel_i0(KAISER_BETA * inside.sqrt()) / bessel_i0(KAISER_BETA)
}

fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..40 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Level, SAMPLE_RATE_HZ, dbfs};

    fn sine(rate_hz: u32, hz: f64, seconds: f64) -> Vec<Frame> {
        (0..(f64::from(rate_hz) * seconds) as usize)
            .map(|n| {
                let s = (std::f64::consts::TAU * hz * n as f64 / f64::from(rate_hz)).sin() as f32 * 0.5;
                [s, -s]
            })
            .collect()
    }

    fn convert(from_hz: u32, input: &[Frame], step: usize) -> Vec<Frame> {
        let mut resampler = Resampler::new(from_hz, SAMPLE_RATE_HZ);
        let mut out = Vec::new();
        for part in input.chunks(step) {
            resampler.push(part, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    #[test]
    fn a_sine_keeps_pitch_level_and_timing_at_every_rate() {
        for from_hz in
            [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 47_999, 48_000, 88_200, 96_000, 192_000]
        {
            let out = convert(from_hz, &sine(from_hz, 1_000.0, 0.5), 500);
            let ideal = sine(SAMPLE_RATE_HZ, 1_000.0, 0.5);
            assert!(out.len().abs_diff(ideal.len()) <= 2, "{from_hz} Hz: {} frames", out.len());
            let worst = out.iter().zip(&ideal).skip(100).take(ideal.len() - 300);
            let worst = worst.map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs())).fold(0.0, f32::max);
            assert!(worst < 1e-3, "from {from_hz} Hz the worst sample is off by {worst}");
        }
    }

    #[test]
    fn frequencies_above_the_new_nyquist_are_removed() {
        for (from_hz, hz) in [(96_000, 30_000.0), (192_000, 60_000.0), (48_000, 23_500.0)] {
            let out = convert(from_hz, &sine(from_hz, hz, 0.3), 700);
            let left = Level::of(&out[200..out.len() - 200]).rms_dbfs;
            let limit = if hz < 24_000.0 { -35.0 } else { -75.0 };
            assert!(left < limit, "{hz} Hz at {from_hz} Hz left {left} dBFS");
        }
    }

    #[test]
    fn the_pass_band_is_flat() {
        for hz in [20.0, 100.0, 5_000.0, 12_000.0, 18_000.0] {
            let out = convert(48_000, &sine(48_000, hz, 0.5), 480);
            let level = Level::of(&out[2_000..out.len() - 2_000]).rms_dbfs;
            let off = level - dbfs(0.5 / std::f32::consts::SQRT_2);
            assert!(off.abs() < 0.1, "{hz} Hz is off by {off} dB");
        }
    }

    #[test]
    fn output_does_not_depend_on_block_size() {
        let input = sine(48_000, 440.0, 0.2);
        let whole = convert(48_000, &input, input.len());
        for step in [1, 37, 512] {
            assert_eq!(convert(48_000, &input, step), whole, "in steps of {step}");
        }
    }
}
