//! Fits the scene model: multinomial logistic regression (linfa) on summaries, balanced by scene and clip.

use linfa::prelude::*;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};

use crate::analysis::{SUMMARY_SIZE, Scene, SceneModel};
use crate::units::Rng;

/// Examples drawn for each scene.
const PER_SCENE: usize = 1_500;
/// Weight of the penalty on large weights; strong, because clips are few and their windows alike.
const PENALTY: f64 = 20.0;
/// Steps of the optimiser at most.
const STEPS: u64 = 200;

/// One labelled stretch of six seconds.
#[derive(Clone, Debug)]
pub struct Window {
    /// What was heard.
    pub summary: [f32; SUMMARY_SIZE],
    /// What it is.
    pub scene: Scene,
    /// Which clip it comes from.
    pub clip: usize,
}

/// Fits a model to `windows`; equal windows and seeds give equal models.
pub fn fit(windows: &[&Window], made: String, seed: u64) -> anyhow::Result<SceneModel> {
    let mut rng = Rng::new(seed);
    let mut drawn: Vec<&Window> = Vec::new();
    for scene in Scene::ALL {
        let of_scene: Vec<&Window> = windows.iter().copied().filter(|w| w.scene == scene).collect();
        let mut clips: Vec<usize> = of_scene.iter().map(|w| w.clip).collect();
        clips.dedup();
        anyhow::ensure!(!clips.is_empty(), "no clip is labelled {}; the model needs all four", scene.label());
        let of_clip: Vec<Vec<&Window>> =
            clips.iter().map(|&clip| of_scene.iter().copied().filter(|w| w.clip == clip).collect()).collect();
        for _ in 0..PER_SCENE {
            let clip = &of_clip[rng.below(of_clip.len())];
            drawn.push(clip[rng.below(clip.len())]);
        }
    }
    let count = drawn.len() as f32;
    let column = |place: usize| drawn.iter().map(move |w| w.summary[place]);
    let mean: Vec<f32> = (0..SUMMARY_SIZE).map(|place| column(place).sum::<f32>() / count).collect();
    let deviation = (0..SUMMARY_SIZE)
        .map(|place| (column(place).map(|v| (v - mean[place]).powi(2)).sum::<f32>() / count).sqrt() + 1e-3)
        .collect();
    let mut model = SceneModel { made, mean, deviation, weights: Vec::new(), bias: Vec::new() };
    let inputs = Array2::from_shape_fn((drawn.len(), SUMMARY_SIZE), |(row, place)| {
        f64::from(model.scaled(place, drawn[row].summary[place]))
    });
    let labels: Array1<usize> = drawn.iter().map(|w| w.scene as usize).collect();
    let fitted = MultiLogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(STEPS)
        .fit(&Dataset::new(inputs, labels))
        .map_err(|error| anyhow::anyhow!("the model could not be fitted: {error}"))?;
    for scene in Scene::ALL {
        let at = fitted.classes().iter().position(|&class| class == scene as usize);
        let at = at.ok_or_else(|| anyhow::anyhow!("the fit lost a scene"))?;
        model.weights.push(fitted.params().column(at).iter().map(|&weight| weight as f32).collect());
        model.bias.push(fitted.intercept()[at] as f32);
    }
    Ok(model)
}

/// Share of windows that a model labels rightly.
pub fn accuracy(windows: &[&Window], label: impl Fn(&Window) -> Scene) -> f64 {
    windows.iter().filter(|window| label(window) == window.scene).count() as f64 / windows.len().max(1) as f64
}

/// The most probable scene.
pub fn most_probable(probabilities: [f32; 4]) -> Scene {
    Scene::ALL.into_iter().fold(Scene::Ambient, |best, scene| {
        if probabilities[scene as usize] > probabilities[best as usize] { scene } else { best }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_one_number_is_learnt_and_equal_seeds_give_equal_models() {
        let mut rng = Rng::new(1);
        let mut windows = Vec::new();
        for clip in 0..16 {
            for _ in 0..20 {
                let mut summary = [0.0; SUMMARY_SIZE];
                summary.iter_mut().for_each(|value| *value = rng.normal() as f32);
                summary[clip % 4] += 6.0;
                windows.push(Window { summary, scene: Scene::ALL[clip % 4], clip });
            }
        }
        let (seen, unseen): (Vec<&Window>, Vec<&Window>) = windows.iter().partition(|w| w.clip < 8);
        let model = fit(&seen, "test".into(), 5).unwrap();
        assert!(model.fits());
        let right = accuracy(&unseen, |window| most_probable(model.probabilities(&window.summary)));
        assert!(right > 0.95, "{right}");
        assert_eq!(model, fit(&seen, "test".into(), 5).unwrap());
        let only_ambient: Vec<&Window> = seen.into_iter().filter(|w| w.scene == Scene::Ambient).collect();
        assert!(fit(&only_ambient, String::new(), 5).is_err());
    }
}
