//! The scene model: multinomial logistic regression on a summary, with weights from `assets/scene.json`.

use serde::{Deserialize, Serialize};

use super::summary::SIZE;

/// Inputs are cut off this many deviations from their mean, so that strange sound stays within what was learnt.
const REACH: f32 = 3.0;

/// Weights and how inputs are scaled. Labels stand in the order of [`crate::analysis::Scene::ALL`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneModel {
    /// How these weights came about, in words.
    pub made: String,
    /// Mean of each input.
    pub mean: Vec<f32>,
    /// Deviation of each input.
    pub deviation: Vec<f32>,
    /// One row per label.
    pub weights: Vec<Vec<f32>>,
    /// One per label.
    pub bias: Vec<f32>,
}

impl SceneModel {
    /// The weights that ship with the program; `None` when they do not fit this program's summaries.
    pub fn shipped() -> Option<Self> {
        let model: Self = serde_json::from_str(include_str!("../../../assets/scene.json")).ok()?;
        model.fits().then_some(model)
    }

    /// Whether the sizes are those of this program.
    pub fn fits(&self) -> bool {
        self.mean.len() == SIZE
            && self.deviation.len() == SIZE
            && self.weights.len() == 4
            && self.bias.len() == 4
            && self.weights.iter().all(|row| row.len() == SIZE)
    }

    /// One input as the model sees it.
    pub fn scaled(&self, place: usize, value: f32) -> f32 {
        ((value - self.mean[place]) / self.deviation[place]).clamp(-REACH, REACH)
    }

    /// Probability of each label.
    pub fn probabilities(&self, summary: &[f32; SIZE]) -> [f32; 4] {
        let mut scores = [0.0_f32; 4];
        for (score, (row, bias)) in scores.iter_mut().zip(self.weights.iter().zip(&self.bias)) {
            *score = *bias;
            for (place, (weight, value)) in row.iter().zip(summary).enumerate() {
                *score += weight * self.scaled(place, *value);
            }
        }
        let top = scores.iter().copied().fold(f32::MIN, f32::max);
        let odds = scores.map(|score| (score - top).exp());
        let sum: f32 = odds.iter().sum();
        odds.map(|odd| odd / sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_weights_fit_and_probabilities_sum_to_one() {
        let model = SceneModel::shipped().expect("assets/scene.json fits");
        for value in [0.0, 1.0, -50.0, 1e9] {
            let sum: f32 = model.probabilities(&[value; SIZE]).iter().sum();
            assert!((sum - 1.0).abs() < 1e-4, "{sum} from {value}");
        }
    }
}
