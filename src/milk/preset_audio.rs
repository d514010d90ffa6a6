//! What a preset hears in one frame, and the ear that works it out.
//!
//! The numbers follow MilkDrop: 576 waveform samples lined up with the last frame's, a 512-bin spectrum, and bass,
//! middle and treble relative to the recent past. This is how presets were tuned; what the *music* does is found
//! out elsewhere (see analysis).

mod align;
mod loudness;

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use self::align::Aligner;
use self::loudness::Loudness;

/// Samples of waveform a preset sees per channel.
pub const WAVE_SAMPLES: usize = 576;
/// Bins of spectrum a preset sees per channel.
pub const SPECTRUM_BINS: usize = 512;
/// Samples of waveform that are lined up and shown; the spectrum is that of the oldest so many.
const SHOWN: usize = 480;
/// Length of the Fourier transform.
const FFT_SIZE: usize = SPECTRUM_BINS * 2;

/// The sound of one frame as presets see it: waveform, spectrum and loudness relative to the recent past.
#[derive(Clone, Debug)]
pub struct PresetAudio {
    /// Waveform, left and right, -1..1, oldest sample first.
    pub wave: [[f32; WAVE_SAMPLES]; 2],
    /// Magnitude spectrum, left and right, low to high, in units of samples that run from -128 to 127.
    pub spectrum: [[f32; SPECTRUM_BINS]; 2],
    /// Bass, mid and treble now, 1 = usual.
    pub bands: [f32; 3],
    /// The same, damped.
    pub bands_att: [f32; 3],
}

impl Default for PresetAudio {
    fn default() -> Self {
        Self {
            wave: [[0.0; WAVE_SAMPLES]; 2],
            spectrum: [[0.0; SPECTRUM_BINS]; 2],
            bands: [1.0; 3],
            bands_att: [1.0; 3],
        }
    }
}

impl PresetAudio {
    /// The same sound `gain` times as loud, as one deck's audio gain asks for.
    pub fn amplified(&self, gain: f32) -> Self {
        let mut louder = self.clone();
        louder.wave.as_flattened_mut().iter_mut().for_each(|sample| *sample *= gain);
        louder.spectrum.as_flattened_mut().iter_mut().for_each(|bin| *bin *= gain);
        louder.bands.iter_mut().chain(&mut louder.bands_att).for_each(|band| *band *= gain);
        louder
    }
}

/// Turns sound into what presets hear, frame by frame.
pub struct PresetAudioAnalyser {
    newest: [[f32; WAVE_SAMPLES]; 2],
    fft: Arc<dyn Fft<f32>>,
    window: [f32; SHOWN],
    equalizer: [f32; SPECTRUM_BINS],
    aligner: Aligner,
    loudness: Loudness,
    buffer: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    heard: PresetAudio,
}

impl Default for PresetAudioAnalyser {
    fn default() -> Self {
        Self::new()
    }
}

impl PresetAudioAnalyser {
    /// An ear that has heard nothing yet.
    pub fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(FFT_SIZE);
        let turn = |i: usize| i as f32 / SHOWN as f32 * std::f32::consts::TAU;
        Self {
            newest: [[0.0; WAVE_SAMPLES]; 2],
            window: std::array::from_fn(|i| 0.5 - 0.5 * turn(i).cos()),
            // Lifts the upper bins, where music is weak.
            equalizer: std::array::from_fn(|i| -0.02 * (1.0 - i as f32 / SPECTRUM_BINS as f32).ln()),
            aligner: Aligner::new(),
            loudness: Loudness::default(),
            buffer: vec![Complex::default(); FFT_SIZE],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            heard: PresetAudio::default(),
            fft,
        }
    }

    /// Hears the stereo frames that arrived since the last call, `elapsed` seconds ago; what was heard can be read
    /// until the next call. Samples that are no numbers count as silence.
    pub fn listen(&mut self, frames: &[[f32; 2]], elapsed: f64) -> &PresetAudio {
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
        self.aligner.align(&self.newest, &mut self.heard.wave);
        let (now, damped) = self.loudness.update(&self.heard.spectrum, elapsed);
        self.heard.bands = now;
        self.heard.bands_att = damped;
        &self.heard
    }

    fn transform(&mut self, channel: usize) {
        let wave = &self.newest[channel];
        self.buffer.fill(Complex::default());
        for i in 0..SHOWN {
            let damped = 0.5 * (wave[i] + wave[i.saturating_sub(1)]) * 128.0;
            self.buffer[i].re = damped * self.window[i];
        }
        self.fft.process_with_scratch(&mut self.buffer, &mut self.scratch);
        for (bin, (value, lift)) in
            self.heard.spectrum[channel].iter_mut().zip(self.buffer.iter().zip(&self.equalizer))
        {
            *bin = value.norm() * lift;
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
    fn steady_sound_settles_at_one() {
        let mut ear = PresetAudioAnalyser::new();
        for frame in 0..600 {
            ear.listen(&tone(100.0, frame * 735, 735), 1.0 / 60.0);
        }
        let heard = ear.listen(&tone(100.0, 600 * 735, 735), 1.0 / 60.0);
        assert!((heard.bands[0] - 1.0).abs() < 0.2, "{:?}", heard.bands);
    }

    #[test]
    fn samples_that_are_no_numbers_are_silence() {
        let mut ear = PresetAudioAnalyser::new();
        let heard = ear.listen(&[[f32::NAN, f32::INFINITY]; 735], 1.0 / 60.0);
        assert!(heard.wave.as_flattened().iter().chain(heard.spectrum.as_flattened()).all(|v| v.is_finite()));
    }

    #[test]
    fn a_steady_tone_stands_still() {
        let mut ear = PresetAudioAnalyser::new();
        let mut last = [0.0; WAVE_SAMPLES];
        let mut worst: f32 = 0.0;
        for frame in 0..30 {
            let wave = ear.listen(&tone(1000.0, frame * 735, 735), 1.0 / 60.0).wave[0];
            if frame > 5 {
                let moved = wave[40..400].iter().zip(&last[40..400]).map(|(a, b)| (a - b).abs());
                worst = worst.max(moved.fold(0.0, f32::max));
            }
            last = wave;
        }
        assert!(worst < 0.08, "largest movement of a sample from frame to frame: {worst}");
    }
}
