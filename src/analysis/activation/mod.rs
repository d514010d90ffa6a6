//! Beat activations: how likely the music has a beat now, according to a network trained on composed and MIDI music in
//! rooms and crowds (`tests/tools/train_beats.py`).

mod inputs;
mod network;
#[cfg(test)]
mod tests;

use inputs::Inputs;
use network::{Network, weight_count};

/// Bands of the analyser.
const BANDS: usize = 33;
const INPUTS: usize = 2 * BANDS;
const WEIGHTS: &[u8] = include_bytes!("../../../assets/beats.bin");
const _: () =
    assert!(WEIGHTS.len() == size_of::<f32>() * weight_count(INPUTS), "the weights do not fit the network");

/// Output of the network, 0 to 1 each, about 50 ms after the sound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Activation {
    /// A beat.
    pub beat: f32,
    /// The first beat of a bar.
    pub downbeat: f32,
    /// Music with a beat.
    pub presence: f32,
}

/// Computes activations from band powers; a new one every second hop.
pub(super) struct ActivationDetector {
    inputs: Inputs<BANDS>,
    frame: [f32; INPUTS],
    network: Network<INPUTS>,
    latest: Activation,
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

    /// Returns the latest activation after the band powers of a hop, the reference power and the gate.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> Activation {
        if self.inputs.push(bands, reference, gate, &mut self.frame) {
            let [beat, downbeat, presence] =
                self.network.step(&self.frame).map(|logit| 1.0 / (1.0 + (-logit).exp()));
            self.latest = Activation { beat, downbeat, presence };
        }
        self.latest
    }
}
