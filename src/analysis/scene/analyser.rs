//! Computes scene summaries without the rest of the analysis, for training the scene model.

use super::super::filterbank::{Filterbank, MAX_BANDS};
use super::super::gain::Gain;
use super::super::stft::Stft;
use super::summary::{SIZE, Summary};
use crate::activation::ActivationDetector;

/// Number of samples per transform.
pub(in super::super) const SIZE_SAMPLES: usize = 2048;
/// Number of samples per hop (10 ms).
const HOP_SAMPLES: usize = 441;

/// Analyser of mono audio at 44.1 kHz that computes scene summaries only.
pub struct SceneAnalyser {
    transform: Stft,
    bank: Filterbank,
    gain: Gain,
    activations: ActivationDetector,
    summary: Summary,
    left: usize,
    power: f32,
}

impl Default for SceneAnalyser {
    fn default() -> Self {
        Self::new()
    }
}

impl SceneAnalyser {
    /// Builds an analyser with no history.
    pub fn new() -> Self {
        let bank = Filterbank::new(SIZE_SAMPLES);
        Self {
            transform: Stft::new(SIZE_SAMPLES),
            gain: Gain::new(0.01),
            activations: ActivationDetector::new(),
            summary: Summary::new(SIZE_SAMPLES, &bank),
            bank,
            left: HOP_SAMPLES,
            power: 0.0,
        }
    }

    /// Processes any number of samples.
    pub fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.transform.push(sample);
            self.power += sample * sample;
            self.left -= 1;
            if self.left == 0 {
                self.left = HOP_SAMPLES;
                self.gain.step(self.power / HOP_SAMPLES as f32);
                self.power = 0.0;
                let mut levels = [0.0; MAX_BANDS];
                let power = self.transform.power();
                let bands = self.bank.apply(power, &mut levels);
                let activation = self.activations.step(bands, self.gain.reference(), self.gain.gate());
                self.summary.push(power, bands, activation);
            }
        }
    }

    /// Returns whether the input is silent.
    pub fn silent(&self) -> bool {
        self.gain.gate() <= 0.0
    }

    /// Returns whether the music has just changed; call once before each summary, as [`super::super::Analyser`] does.
    pub fn take_change(&mut self) -> bool {
        self.summary.take_change()
    }

    /// Returns the summary of the last few seconds, or `None` until 1.5 s of audio has been received.
    pub fn summary(&mut self) -> Option<[f32; SIZE]> {
        self.summary.ready().then(|| self.summary.read())
    }
}
