//! Scene model: multinomial logistic regression on a summary, with weights from `assets/scene.json`.

use serde::{Deserialize, Serialize};

use super::super::features::Scene;
use super::summary::SIZE;

/// Limit to which inputs are clamped, in standard deviations; keeps unusual audio within the training range.
const MAX_DEVIATIONS: f32 = 3.0;

/// Weights and input scaling. A scene may have several rows of weights, one for each kind of sound in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneModel {
    /// Description of how the weights were trained.
    #[serde(rename = "made")]
    pub provenance: String,
    /// Mean of each input.
    pub mean: Vec<f32>,
    /// Standard deviation of each input.
    pub deviation: Vec<f32>,
    /// Scene of each row; by default, one row per scene in the order of [`Scene::ALL`].
    #[serde(default = "one_row_per_scene")]
    pub scenes: Vec<Scene>,
    /// Weights, one row per kind of sound.
    pub weights: Vec<Vec<f32>>,
    /// Bias of each row.
    pub bias: Vec<f32>,
}

fn one_row_per_scene() -> Vec<Scene> {
    Scene::ALL.to_vec()
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
            && self.weights.len() == self.scenes.len()
            && self.bias.len() == self.scenes.len()
            && Scene::ALL.iter().all(|scene| self.scenes.contains(scene))
            && self.weights.iter().all(|row| row.len() == SIZE)
    }

    /// Returns input `index` of a summary after scaling and clamping.
    pub fn scaled(&self, index: usize, value: f32) -> f32 {
        ((value - self.mean[index]) / self.deviation[index]).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
    }

    /// Returns the probability of each scene, in the order of [`Scene::ALL`].
    pub fn probabilities(&self, summary: &[f32; SIZE]) -> [f32; 4] {
        let inputs: [f32; SIZE] = std::array::from_fn(|index| self.scaled(index, summary[index]));
        let mut odds = [0.0_f32; 4];
        let mut top = f32::MIN;
        for ((row, bias), scene) in self.weights.iter().zip(&self.bias).zip(&self.scenes) {
            let score = bias + row.iter().zip(&inputs).map(|(weight, input)| weight * input).sum::<f32>();
            // Odds are relative to the highest score so far, so that they stay finite.
            if score > top {
                let fewer = (top - score).exp();
                odds.iter_mut().for_each(|odd| *odd *= fewer);
                top = score;
            }
            odds[*scene as usize] += (score - top).exp();
        }
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

    #[test]
    fn a_scene_is_as_probable_as_all_its_rows_together() {
        let row = |input: usize, weight: f32| {
            let mut row = vec![0.0; SIZE];
            row[input] = weight;
            row
        };
        let mut scenes = Scene::ALL.to_vec();
        scenes.push(Scene::None);
        let model = SceneModel {
            provenance: "test".into(),
            mean: vec![0.0; SIZE],
            deviation: vec![1.0; SIZE],
            scenes,
            weights: vec![row(0, 0.0), row(1, 9.0), row(2, 9.0), row(0, 4.0), row(0, -4.0)],
            bias: vec![0.0, -5.0, -5.0, -5.0, -5.0],
        };
        assert!(model.matches_summary());
        let at = |value: f32| {
            let mut summary = [0.0; SIZE];
            summary[0] = value;
            model.probabilities(&summary)
        };
        // Neither extreme is music, and the middle is ambient.
        for (value, expected) in [(-2.5, Scene::None), (0.0, Scene::Ambient), (2.5, Scene::None)] {
            let seen = at(value);
            assert!(seen[expected as usize] > 0.9, "{value}: {seen:?}");
            assert!((seen.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{seen:?}");
        }
        assert!((at(0.0)[3] / at(0.0)[1] - 2.0).abs() < 1e-3, "{:?}", at(0.0));
    }

    #[test]
    fn a_file_without_scenes_has_one_row_per_scene() {
        let text = r#"{"made":"test","mean":[],"deviation":[],"weights":[],"bias":[]}"#;
        assert_eq!(serde_json::from_str::<SceneModel>(text).unwrap().scenes, Scene::ALL);
    }
}
