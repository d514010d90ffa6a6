//! Hears sound for the scene alone: what a model is trained on, by the path that the analyser takes.

use super::super::filterbank::{Filterbank, MOST_BANDS};
use super::super::gain::Gain;
use super::super::stft::Stft;
use super::summary::{SIZE, Summary};

/// Samples of the transform.
pub(in super::super) const SIZE_SAMPLES: usize = 2048;
/// Samples between two hops, 10 ms.
const HOP_SAMPLES: usize = 441;

/// Mono sound at 44.1 kHz in, summaries out.
pub struct SceneEar {
    transform: Stft,
    bank: Filterbank,
    gain: Gain,
    summary: Summary,
    left: usize,
    power: f32,
}

impl Default for SceneEar {
    fn default() -> Self {
        Self::new()
    }
}

impl SceneEar {
    /// An ear that has heard nothing.
    pub fn new() -> Self {
        let bank = Filterbank::new(SIZE_SAMPLES);
        Self {
            transform: Stft::new(SIZE_SAMPLES),
            gain: Gain::new(0.01),
            summary: Summary::new(SIZE_SAMPLES, &bank),
            bank,
            left: HOP_SAMPLES,
            power: 0.0,
        }
    }

    /// Hears samples, any number of them.
    pub fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.transform.push(sample);
            self.power += sample * sample;
            self.left -= 1;
            if self.left == 0 {
                self.left = HOP_SAMPLES;
                self.gain.step(self.power / HOP_SAMPLES as f32);
                self.power = 0.0;
                let mut levels = [0.0; MOST_BANDS];
                let power = self.transform.power();
                self.summary.push(power, self.bank.apply(power, &mut levels));
            }
        }
    }

    /// Whether nothing but silence is heard.
    pub fn silent(&self) -> bool {
        self.gain.gate() <= 0.0
    }

    /// Whether the music just turned; to be asked once before each summary, as the analyser does.
    pub fn turned(&mut self) -> bool {
        self.summary.turned()
    }

    /// The last seconds in numbers; `None` before enough was heard.
    pub fn summary(&mut self) -> Option<[f32; SIZE]> {
        self.summary.ready().then(|| self.summary.read())
    }
}
