//! Fits the scene model: multinomial logistic regression (linfa) on summaries, balanced by scene, origin and clip.
//!
//! What differs between origins within one scene is timbre, not scene: numbers that do are made small before the
//! fit, so that the penalty falls on them (as within-class covariance normalisation does for speakers; Hatch, Kajarekar and
//! Stolcke, Interspeech 2006).

use linfa::prelude::*;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};

use crate::analysis::{SUMMARY_SIZE, Scene, SceneModel};
use crate::units::Rng;

/// Examples drawn for each scene.
const PER_SCENE: usize = 3_000;
/// Share of them that is drawn from what was composed, when there is any.
const COMPOSED: f32 = 0.85;
/// Weight of the penalty on large weights; strong, because clips are few and their windows alike.
const PENALTY: f64 = 45.0;
/// How much the difference between origins counts against that within them.
const ORIGINS: f32 = 3.0;
/// Steps of the optimiser at most.
const STEPS: u64 = 200;

/// One labelled stretch of some seconds.
#[derive(Clone, Debug)]
pub struct Window {
    /// What was heard.
    pub summary: [f32; SUMMARY_SIZE],
    /// What it is.
    pub scene: Scene,
    /// Which clip it comes from.
    pub clip: usize,
    /// Which clips have the same origin; 0 for what was composed.
    pub origin: usize,
}

/// Fits a model to `windows`; equal windows and seeds give equal models.
pub fn fit(windows: &[&Window], made: String, seed: u64) -> anyhow::Result<SceneModel> {
    fit_across(windows, ORIGINS, made, seed)
}

/// The same, with the difference between origins counted so many times.
fn fit_across(windows: &[&Window], origins: f32, made: String, seed: u64) -> anyhow::Result<SceneModel> {
    let mut rng = Rng::new(seed);
    let mut drawn: Vec<&Window> = Vec::new();
    for scene in Scene::ALL {
        draw(windows, scene, &mut drawn, &mut rng)?;
    }
    let count = drawn.len() as f32;
    let column = |place: usize| drawn.iter().map(move |w| w.summary[place]);
    let mean: Vec<f32> = (0..SUMMARY_SIZE).map(|place| column(place).sum::<f32>() / count).collect();
    let deviation: Vec<f32> = (0..SUMMARY_SIZE)
        .map(|place| (column(place).map(|v| (v - mean[place]).powi(2)).sum::<f32>() / count).sqrt() + 1e-3)
        .collect();
    let shrink: Vec<f32> = between_origins(&drawn)
        .iter()
        .zip(&deviation)
        .map(|(between, own)| 1.0 / (1.0 + origins * between / (own * own)).sqrt())
        .collect();
    let mut model = SceneModel { made, mean, deviation, weights: Vec::new(), bias: Vec::new() };
    let inputs = Array2::from_shape_fn((drawn.len(), SUMMARY_SIZE), |(row, place)| {
        f64::from(shrink[place] * model.scaled(place, drawn[row].summary[place]))
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
        let params = fitted.params();
        let row = params.column(at);
        let weights = row.iter().zip(&shrink).map(|(&weight, shrink)| weight as f32 * shrink);
        model.weights.push(weights.collect());
        model.bias.push(fitted.intercept()[at] as f32);
    }
    Ok(model)
}

/// Draws examples of one scene: every clip of a kind as often, however long it is.
fn draw<'a>(
    windows: &[&'a Window],
    scene: Scene,
    drawn: &mut Vec<&'a Window>,
    rng: &mut Rng,
) -> anyhow::Result<()> {
    let clips = |composed: bool| -> Vec<Vec<&'a Window>> {
        let mut of_clip: std::collections::BTreeMap<usize, Vec<&Window>> = std::collections::BTreeMap::new();
        for &window in windows.iter().filter(|w| w.scene == scene && (w.origin == 0) == composed) {
            of_clip.entry(window.clip).or_default().push(window);
        }
        of_clip.into_values().collect()
    };
    let (composed, found) = (clips(true), clips(false));
    anyhow::ensure!(
        !composed.is_empty() || !found.is_empty(),
        "no clip is labelled {}; the model needs all four",
        scene.label()
    );
    for _ in 0..PER_SCENE {
        let from_composed = found.is_empty() || (!composed.is_empty() && rng.unit_f32() < COMPOSED);
        let clips = if from_composed { &composed } else { &found };
        let clip = &clips[rng.below(clips.len())];
        drawn.push(clip[rng.below(clip.len())]);
    }
    Ok(())
}

/// Variance of each number between the means of the origins within a scene, the mean over the scenes.
fn between_origins(drawn: &[&Window]) -> Vec<f32> {
    let mut between = vec![0.0_f32; SUMMARY_SIZE];
    let mut scenes = 0.0;
    for scene in Scene::ALL {
        let mut sums: std::collections::BTreeMap<usize, (Vec<f32>, f32)> = std::collections::BTreeMap::new();
        for window in drawn.iter().filter(|w| w.scene == scene) {
            let (sum, count) = sums.entry(window.origin).or_insert_with(|| (vec![0.0; SUMMARY_SIZE], 0.0));
            sum.iter_mut().zip(&window.summary).for_each(|(sum, value)| *sum += value);
            *count += 1.0;
        }
        if sums.len() < 2 {
            continue;
        }
        scenes += 1.0;
        for (place, between) in between.iter_mut().enumerate() {
            let means: Vec<f32> = sums.values().map(|(sum, count)| sum[place] / count).collect();
            let middle = means.iter().sum::<f32>() / means.len() as f32;
            *between += means.iter().map(|mean| (mean - middle).powi(2)).sum::<f32>() / means.len() as f32;
        }
    }
    between.iter_mut().for_each(|between| *between /= f32::max(scenes, 1.0));
    between
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(model: &SceneModel, windows: &[&Window]) -> f64 {
        let known = windows.iter().filter(|window| {
            let seen = model.probabilities(&window.summary);
            (0..4).all(|scene| seen[scene] <= seen[window.scene as usize])
        });
        known.count() as f64 / windows.len() as f64
    }

    /// Clips whose scene shows in one number each, and whose origin shows in another, louder one.
    fn windows() -> Vec<Window> {
        let mut rng = Rng::new(1);
        let mut windows = Vec::new();
        for clip in 0..24 {
            for _ in 0..20 {
                let mut summary = [0.0; SUMMARY_SIZE];
                summary.iter_mut().for_each(|value| *value = rng.normal() as f32);
                let (scene, origin) = (clip % 4, clip / 8);
                summary[scene] += 4.0;
                // In the first two origins this follows the scene, in the last it does not.
                summary[10] += if origin == 2 { -4.0 } else { 8.0 * origin as f32 + 2.0 * scene as f32 };
                windows.push(Window { summary, scene: Scene::ALL[scene], clip, origin });
            }
        }
        windows
    }

    #[test]
    fn what_tells_the_scene_everywhere_is_learnt_and_what_tells_the_origin_is_not() {
        let windows = windows();
        let (seen, unseen): (Vec<&Window>, Vec<&Window>) = windows.iter().partition(|w| w.origin < 2);
        let model = fit(&seen, "test".into(), 5).unwrap();
        assert!(model.fits());
        let blind = fit_across(&seen, 0.0, "test".into(), 5).unwrap();
        let (knows, blind_knows) = (right(&model, &unseen), right(&blind, &unseen));
        assert!(knows > 0.85 && knows > blind_knows + 0.03, "{knows}, blind to origins {blind_knows}");
        // How much the number that follows the origin counts beside one that follows the scene.
        let share = |model: &SceneModel| {
            let weight = |place: usize| model.weights.iter().map(|row| row[place].abs()).sum::<f32>();
            weight(10) / weight(0)
        };
        assert!(share(&model) < 0.7 * share(&blind), "{} {}", share(&model), share(&blind));
    }

    #[test]
    fn equal_seeds_give_equal_models_and_a_scene_that_is_missing_is_told() {
        let windows = windows();
        let all: Vec<&Window> = windows.iter().collect();
        assert_eq!(fit(&all, "test".into(), 5).unwrap(), fit(&all, "test".into(), 5).unwrap());
        let only_ambient: Vec<&Window> = all.into_iter().filter(|w| w.scene == Scene::Ambient).collect();
        assert!(fit(&only_ambient, String::new(), 5).is_err());
    }
}
