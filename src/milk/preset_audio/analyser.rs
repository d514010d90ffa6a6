//! Computes [`PresetAudio`] from the stereo input, frame by frame.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::align::Aligner;
use super::loudness::Loudness;
use super::sound::{ALIGNED_SAMPLES, PresetAudio, SPECTRUM_BINS, WAVE_SAMPLES};

/// Length of the Fourier transform, in samples.
const FFT_SIZE: usize = SPECTRUM_BINS * 2;

/// Computes waveform, spectrum and band levels frame by frame.
pub struct PresetAudioAnalyser {
    newest: [[f32; WAVE_SAMPLES]; 2],
    fft: Arc<dyn Fft<f32>>,
    window: [f32; ALIGNED_SAMPLES],
    equalizer: [f32; SPECTRUM_BINS],
    aligner: Aligner,
    loudness: Loudness,
    buffer: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    audio: PresetAudio,
}

impl Default for PresetAudioAnalyser {
    fn default() -> Self {
        Self::new()
    }
}

impl PresetAudioAnalyser {
    /// Creates an analyser that starts from silence.
    pub fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(FFT_SIZE);
        let turn = |i: usize| i as f32 / ALIGNED_SAMPLES as f32 * std::f32::consts::TAU;
        Self {
            newest: [[0.0; WAVE_SAMPLES]; 2],
            window: std::array::from_fn(|i| 0.5 - 0.5 * turn(i).cos()),
            // Boosts the upper bins, where music has little energy.
            equalizer: std::array::from_fn(|i| -0.02 * (1.0 - i as f32 / SPECTRUM_BINS as f32).ln()),
            aligner: Aligner::new(),
            loudness: Loudness::default(),
            buffer: vec![Complex::default(); FFT_SIZE],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            audio: PresetAudio::default(),
            fft,
        }
    }

    /// Adds the stereo frames that arrived since the last call, which was `elapsed` seconds ago, and returns
    /// the new analysis. Non-finite samples count as silence.
    pub fn update(&mut self, frames: &[[f32; 2]], elapsed: f64) -> &PresetAudio {
        let fresh = &frames[frames.len().saturating_sub(WAVE_SAMPLES)..];
        for channel in 0..2 {
            let kept = &mut self.newest[channel];
            kept.rotate_left(fresh.len());
            let start = WAVE_SAMPLES - fresh.len();
            for (slot, frame) in kept[start..].iter_mut().zip(fresh) {
                *slot = if frame[channel].is_finite() { frame[channel].clamp(-8.0, 8.0) } else { 0.0 };
            }
            self.transform(channel);
        }
        self.aligner.align(&self.newest, &mut self.audio.wave);
        let (now, smoothed) = self.loudness.update(&self.audio.spectrum, elapsed);
        self.audio.bands = now;
        self.audio.bands_att = smoothed;
        &self.audio
    }

    fn transform(&mut self, channel: usize) {
        let wave = &self.newest[channel];
        self.buffer.fill(Complex::default());
        for i in 0..ALIGNED_SAMPLES {
            let averaged = 0.5 * (wave[i] + wave[i.saturating_sub(1)]) * 128.0;
            self.buffer[i].re = averaged * self.window[i];
        }
        self.fft.process_with_scratch(&mut self.buffer, &mut self.scratch);
        for (bin, (value, gain)) in
            self.audio.spectrum[channel].iter_mut().zip(self.buffer.iter().zip(&self.equalizer))
        {
            *bin = value.norm() * gain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, from: usize, count: usize) -> Vec<[f32; 2]> {
        (from..from + count)
            .map(|i| [(i as f32 / 44_100.0 * hz * std::f32::consts::TAU).sin() * 0.5; 2])
            .collect()
    }

    #[test]
    fn band_levels_of_steady_sound_settle_at_one() {
        let mut analyser = PresetAudioAnalyser::new();
        for frame in 0..600 {
            analyser.update(&tone(100.0, frame * 735, 735), 1.0 / 60.0);
        }
        let audio = analyser.update(&tone(100.0, 600 * 735, 735), 1.0 / 60.0);
        assert!((audio.bands[0] - 1.0).abs() < 0.2, "{:?}", audio.bands);
    }

    #[test]
    fn non_finite_samples_count_as_silence() {
        let mut analyser = PresetAudioAnalyser::new();
        let audio = analyser.update(&[[f32::NAN, f32::INFINITY]; 735], 1.0 / 60.0);
        assert!(audio.wave.as_flattened().iter().chain(audio.spectrum.as_flattened()).all(|v| v.is_finite()));
    }

    #[test]
    fn the_waveform_of_a_steady_tone_stands_still() {
        let mut analyser = PresetAudioAnalyser::new();
        let mut last = [0.0; WAVE_SAMPLES];
        let mut worst: f32 = 0.0;
        for frame in 0..30 {
            let wave = analyser.update(&tone(1000.0, frame * 735, 735), 1.0 / 60.0).wave[0];
            if frame > 5 {
                let moved = wave[40..400].iter().zip(&last[40..400]).map(|(a, b)| (a - b).abs());
                worst = worst.max(moved.fold(0.0, f32::max));
            }
            last = wave;
        }
        assert!(worst < 0.08, "a sample changed by {worst} between two frames");
    }
}
