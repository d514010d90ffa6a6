//! Scene model: multinomial logistic regression on a summary, with weights from `assets/scene.json`.

use serde::{Deserialize, Serialize};

use super::summary::SIZE;

/// Limit to which inputs are clamped, in standard deviations; keeps unusual audio within the training range.
const MAX_DEVIATIONS: f32 = 3.0;

/// Weights and input scaling. Labels are in the order of [`crate::analysis::Scene::ALL`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneModel {
    /// Description of how the weights were trained.
    #[serde(rename = "made")]
    pub provenance: String,
    /// Mean of each input.
    pub mean: Vec<f32>,
    /// Standard deviation of each input.
    pub deviation: Vec<f32>,
    /// Weights, one row per label.
    pub weights: Vec<Vec<f32>>,
    /// Bias of each label.
    pub bias: Vec<f32>,
}

impl SceneModel {
    /// Returns the built-in model, or `None` if it does not match this version's summaries.
    pub fn built_in() -> Option<Self> {
        let model: Self = serde_json::from_str(include_str!("../../../assets/scene.json")).ok()?;
        model.matches_summary().then_some(model)
    }

    /// Returns whether the dimensions match this version's summaries.
    pub fn matches_summary(&self) -> bool {
        self.mean.len() == SIZE
            && self.deviation.len() == SIZE
            && self.weights.len() == 4
            && self.bias.len() == 4
            && self.weights.iter().all(|row| row.len() == SIZE)
    }

    /// Returns input `index` of a summary after scaling and clamping.
    pub fn scaled(&self, index: usize, value: f32) -> f32 {
        ((value - self.mean[index]) / self.deviation[index]).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
    }

    /// Returns the probability of each label.
    pub fn probabilities(&self, summary: &[f32; SIZE]) -> [f32; 4] {
        let mut scores = [0.0_f32; 4];
        for (score, (row, bias)) in scores.iter_mut().zip(self.weights.iter().zip(&self.bias)) {
            *score = *bias;
            for (index, (weight, value)) in row.iter().zip(summary).enumerate() {
                *score += weight * self.scaled(index, *value);
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
    fn built_in_weights_fit_and_probabilities_sum_to_one() {
        let model = SceneModel::built_in().expect("assets/scene.json matches the summary size");
        for value in [0.0, 1.0, -50.0, 1e9] {
            let sum: f32 = model.probabilities(&[value; SIZE]).iter().sum();
            assert!((sum - 1.0).abs() < 1e-4, "{sum} from {value}");
        }
    }
}
