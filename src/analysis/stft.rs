//! Short-time Fourier transform over a sliding window; allocates nothing after construction.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Power spectrum of the latest samples.
pub(super) struct Stft {
    plan: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// Ring of the latest samples; the oldest is at `head`.
    ring: Vec<f32>,
    head: usize,
    time: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Stft {
    /// Builds a transform over the last `size` samples with a Hann window (Harris, 1978).
    pub fn new(size: usize) -> Self {
        let plan = RealFftPlanner::new().plan_fft_forward(size);
        let hann = |n: usize| 0.5 - 0.5 * (std::f32::consts::TAU * (n as f32 + 0.5) / size as f32).cos();
        Self {
            window: (0..size).map(hann).collect(),
            ring: vec![0.0; size],
            head: 0,
            time: vec![0.0; size],
            spectrum: plan.make_output_vec(),
            scratch: plan.make_scratch_vec(),
            power: vec![0.0; size / 2 + 1],
            plan,
        }
    }

    /// Adds the next sample.
    pub fn push(&mut self, sample: f32) {
        self.ring[self.head] = sample;
        self.head = (self.head + 1) % self.ring.len();
    }

    /// Returns the power per bin of the latest window; the bins of a sine of amplitude `a` sum to about `a * a / 2`.
    pub fn power(&mut self) -> &[f32] {
        let (newer, older) = self.ring.split_at(self.head);
        for ((out, sample), gain) in self.time.iter_mut().zip(older.iter().chain(newer)).zip(&self.window) {
            *out = sample * gain;
        }
        let done = self.plan.process_with_scratch(&mut self.time, &mut self.spectrum, &mut self.scratch);
        debug_assert!(done.is_ok(), "buffers come from the plan itself");
        // Accounts for the one-sided spectrum, the Hann window's mean power of 3/8 and the squared length.
        let size = self.ring.len() as f32;
        let scale = 2.0 / (size * size * 0.375);
        for (power, bin) in self.power.iter_mut().zip(&self.spectrum) {
            *power = bin.norm_sqr() * scale;
        }
        &self.power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_has_half_its_squared_amplitude_at_its_own_bin() {
        let mut stft = Stft::new(2048);
        for n in 0..3000 {
            stft.push(0.5 * (std::f32::consts::TAU * 1000.0 * n as f32 / 44_100.0).sin());
        }
        let power = stft.power();
        let total: f32 = power.iter().sum();
        assert!((total - 0.125).abs() < 0.01, "{total}");
        let loudest = (0..power.len()).max_by(|&a, &b| power[a].total_cmp(&power[b])).unwrap();
        assert_eq!(loudest, (1000.0_f32 * 2048.0 / 44_100.0).round() as usize);
    }
}
