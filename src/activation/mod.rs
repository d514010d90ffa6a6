//! Beat activations: the probability of a beat at each moment, estimated by a network trained on composed music and
//! MIDI files with simulated rooms and crowds (`tests/tools/train_beats.py`); and inference of tempo and phase from them.

mod inputs;
mod network;
mod pointer;
#[cfg(test)]
mod tests;

use inputs::Inputs;
use network::{Network, weight_count};
pub use pointer::{BarPointer, Hypothesis};

/// Number of bands of the analyser's long transform.
const BANDS: usize = 33;
const INPUTS: usize = 2 * BANDS;
const WEIGHTS: &[u8] = include_bytes!("../../assets/beats.bin");
const _: () =
    assert!(WEIGHTS.len() == size_of::<f32>() * weight_count(INPUTS), "the weights do not fit the network");

/// Output of the network; lags the sound by about 50 ms. All values are probabilities, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activation {
    /// Probability of a beat.
    pub beat: f32,
    /// Probability of the first beat of a bar.
    pub downbeat: f32,
    /// Probability that the music has a beat at all.
    pub presence: f32,
}

/// Detector that computes a new activation from the band powers every second hop.
pub struct ActivationDetector {
    inputs: Inputs<BANDS>,
    frame: [f32; INPUTS],
    network: Network<INPUTS>,
    latest: Activation,
}

impl Default for ActivationDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl ActivationDetector {
    /// Builds a detector with the built-in weights.
    pub fn new() -> Self {
        Self {
            inputs: Inputs::new(),
            frame: [0.0; INPUTS],
            network: Network::new(WEIGHTS),
            latest: Activation::default(),
        }
    }

    /// Processes the band powers of a hop, given the reference power and the gate, and returns the latest activation.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> Activation {
        if self.inputs.push(bands, reference, gate, &mut self.frame) {
            let [beat, downbeat, presence] =
                self.network.step(&self.frame).map(|logit| 1.0 / (1.0 + (-logit).exp()));
            self.latest = Activation { beat, downbeat, presence };
        }
        self.latest
    }
}
