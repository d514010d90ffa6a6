//! The three linear scores of aivj's browser-based predecessor: the fallback if there is no model, and the
//! baseline that `aivj train-scene` reports next to the model's accuracy.

use super::super::features::Features;

/// Inputs of the linear scores, each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScoreInput {
    /// Fast energy of the music.
    pub energy: f32,
    /// Level of the bass band.
    pub kick: f32,
    /// Level of the mid band.
    pub mid: f32,
    /// Level of the high band.
    pub high: f32,
    /// Rate of spectral change.
    pub flux: f32,
    /// Confidence in the beat.
    pub confidence: f32,
}

impl ScoreInput {
    /// Returns the probabilities in the order of [`crate::analysis::Scene::ALL`]; they sum to 1 and `none` is always 0.
    pub fn probabilities(self) -> [f32; 4] {
        let Self { energy, kick, mid, high, flux, confidence } = self;
        let ambient = 0.55 * (1.0 - energy) + 0.25 * (1.0 - flux) + 0.20 * (1.0 - confidence);
        let techno = 0.45 * energy + 0.35 * kick + 0.20 * confidence;
        let rock = 0.40 * energy + 0.35 * mid + 0.25 * high;
        let sum = (ambient + techno + rock).max(1e-6);
        [ambient / sum, techno / sum, rock / sum, 0.0]
    }
}

impl Features {
    /// Returns the inputs of the linear scene scores.
    pub fn scene_scores(&self) -> ScoreInput {
        ScoreInput {
            energy: self.energy_fast.get(),
            kick: self.bands.bass.get(),
            mid: self.bands.mid.get(),
            high: self.bands.high.get(),
            flux: self.flux.get(),
            confidence: self.beat.confidence.get(),
        }
    }
}
