//! Fits the scene model: multinomial logistic regression (linfa) on summaries, with equally many
//! examples per scene, a fixed share of them from composed pieces, and every clip within a scene equally likely.
//!
//! The regression distinguishes the kinds of composed pieces, and the probability of a scene is the sum of the
//! probabilities of its kinds. Speech, rain and a train have no feature in common that music does not have, so no
//! single row of weights fits all of them. Recordings form one more kind per scene.
//!
//! Differences between origins within one scene are timbre, not scene. Features that differ in this way are scaled down
//! before the fit, so that the penalty discourages their use (as within-class covariance normalisation does for
//! speakers; Hatch, Kajarekar and Stolcke, Interspeech 2006).

use linfa::prelude::*;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};

use super::compose::Kind;
use crate::analysis::{SUMMARY_SIZE, Scene, SceneModel};
use crate::units::Rng;

/// Number of examples drawn per scene.
const PER_SCENE: usize = 3_000;
/// Share of the examples drawn from composed pieces, if there are any.
const COMPOSED: f32 = 0.85;
/// L2 penalty, which is strong because clips are few and their windows similar.
const PENALTY: f64 = 45.0;
/// Weight of the variance between origins relative to the total variance.
const ORIGINS: f32 = 3.0;
/// Maximum number of optimiser steps.
const STEPS: u64 = 200;

/// A labelled summary of a few seconds.
#[derive(Clone, Debug)]
pub struct Window {
    /// Summary of the audio.
    pub summary: [f32; SUMMARY_SIZE],
    /// Label of the clip.
    pub label: Label,
}

/// What is known about a clip.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Scene of the clip.
    pub scene: Scene,
    /// Kind of a composed piece; `None` for recordings.
    pub kind: Option<Kind>,
    /// Index of the clip.
    pub clip: usize,
    /// Index of the clip's origin; 0 for composed pieces.
    pub origin: usize,
}

impl Label {
    /// Returns the class of the regression.
    fn class(&self) -> usize {
        self.kind.map_or(Kind::ALL.len() + self.scene as usize, |kind| kind as usize)
    }

    /// Returns the scene of a class.
    fn scene_of(class: usize) -> Scene {
        Kind::ALL.get(class).map_or_else(|| Scene::ALL[class - Kind::ALL.len()], |kind| kind.scene())
    }
}

/// Fits a model to `windows`; deterministic for a given seed. Fails if a scene has no windows.
pub fn fit(windows: &[&Window], provenance: String, seed: u64) -> anyhow::Result<SceneModel> {
    fit_across(windows, ORIGINS, provenance, seed)
}

/// Fits a model as [`fit`] does, with a given weight of the variance between origins.
fn fit_across(
    windows: &[&Window],
    origins: f32,
    provenance: String,
    seed: u64,
) -> anyhow::Result<SceneModel> {
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
    let mut model =
        SceneModel { provenance, mean, deviation, scenes: Vec::new(), weights: Vec::new(), bias: Vec::new() };
    let inputs = Array2::from_shape_fn((drawn.len(), SUMMARY_SIZE), |(row, place)| {
        f64::from(shrink[place] * model.scaled(place, drawn[row].summary[place]))
    });
    let labels: Array1<usize> = drawn.iter().map(|w| w.label.class()).collect();
    let fitted = MultiLogisticRegression::default()
        .alpha(PENALTY)
        .max_iterations(STEPS)
        .fit(&Dataset::new(inputs, labels))
        .map_err(|error| anyhow::anyhow!("could not fit the model: {error}"))?;
    for (at, &class) in fitted.classes().iter().enumerate() {
        let params = fitted.params();
        let row = params.column(at);
        let weights = row.iter().zip(&shrink).map(|(&weight, shrink)| weight as f32 * shrink);
        model.scenes.push(Label::scene_of(class));
        model.weights.push(weights.collect());
        model.bias.push(fitted.intercept()[at] as f32);
    }
    Ok(model)
}

/// Draws [`PER_SCENE`] examples of one scene: the share [`COMPOSED`] from composed pieces, the rest from
/// recordings, and within each of these with equal probability per clip, whatever its length.
fn draw<'a>(
    windows: &[&'a Window],
    scene: Scene,
    drawn: &mut Vec<&'a Window>,
    rng: &mut Rng,
) -> anyhow::Result<()> {
    let clips = |composed: bool| -> Vec<Vec<&'a Window>> {
        let mut of_clip: std::collections::BTreeMap<usize, Vec<&Window>> = std::collections::BTreeMap::new();
        let wanted = |label: &Label| label.scene == scene && (label.origin == 0) == composed;
        for &window in windows.iter().filter(|w| wanted(&w.label)) {
            of_clip.entry(window.label.clip).or_default().push(window);
        }
        of_clip.into_values().collect()
    };
    let (composed, recorded) = (clips(true), clips(false));
    anyhow::ensure!(
        !composed.is_empty() || !recorded.is_empty(),
        "no clip is labelled {}; all four scenes are required",
        scene.label()
    );
    for _ in 0..PER_SCENE {
        let from_composed = recorded.is_empty() || (!composed.is_empty() && rng.unit_f32() < COMPOSED);
        let clips = if from_composed { &composed } else { &recorded };
        let clip = &clips[rng.below(clips.len())];
        drawn.push(clip[rng.below(clip.len())]);
    }
    Ok(())
}

/// Returns, for each feature, the variance between its per-origin means within a scene, averaged over the
/// scenes with more than one origin.
fn between_origins(drawn: &[&Window]) -> Vec<f32> {
    let mut between = vec![0.0_f32; SUMMARY_SIZE];
    let mut scenes = 0.0;
    for scene in Scene::ALL {
        let mut sums: std::collections::BTreeMap<usize, (Vec<f32>, f32)> = std::collections::BTreeMap::new();
        for window in drawn.iter().filter(|w| w.label.scene == scene) {
            let (sum, count) =
                sums.entry(window.label.origin).or_insert_with(|| (vec![0.0; SUMMARY_SIZE], 0.0));
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
            (0..4).all(|scene| seen[scene] <= seen[window.label.scene as usize])
        });
        known.count() as f64 / windows.len() as f64
    }

    /// Returns windows in which four features identify the scene, and a stronger one mainly follows the
    /// origin.
    fn windows() -> Vec<Window> {
        let mut rng = Rng::new(1);
        let mut windows = Vec::new();
        for clip in 0..24 {
            for _ in 0..20 {
                let mut summary = [0.0; SUMMARY_SIZE];
                summary.iter_mut().for_each(|value| *value = rng.normal() as f32);
                let (scene, origin) = (clip % 4, clip / 8);
                summary[scene] += 4.0;
                // In the first two origins, this feature also follows the scene; in the last one, it does
                // not.
                summary[10] += if origin == 2 { -4.0 } else { 8.0 * origin as f32 + 2.0 * scene as f32 };
                let label = Label { scene: Scene::ALL[scene], kind: None, clip, origin };
                windows.push(Window { summary, label });
            }
        }
        windows
    }

    #[test]
    fn features_of_the_scene_are_learnt_and_features_of_the_origin_are_not() {
        let windows = windows();
        let (seen, unseen): (Vec<&Window>, Vec<&Window>) = windows.iter().partition(|w| w.label.origin < 2);
        let model = fit(&seen, "test".into(), 5).unwrap();
        assert!(model.matches_summary());
        let blind = fit_across(&seen, 0.0, "test".into(), 5).unwrap();
        let (knows, blind_knows) = (right(&model, &unseen), right(&blind, &unseen));
        assert!(knows > 0.85 && knows > blind_knows + 0.03, "{knows}, blind to origins {blind_knows}");
        // Relative weight of the feature that follows the origin.
        let share = |model: &SceneModel| {
            let weight = |place: usize| model.weights.iter().map(|row| row[place].abs()).sum::<f32>();
            weight(10) / weight(0)
        };
        assert!(share(&model) < 0.7 * share(&blind), "{} {}", share(&model), share(&blind));
    }

    #[test]
    fn a_scene_of_opposite_kinds_is_learnt() {
        // Pads lie midway between speech and rain, so no single row of weights separates the scenes.
        let mut rng = Rng::new(2);
        let kinds = [Kind::Pads, Kind::Speech, Kind::Rain, Kind::Club, Kind::Band];
        let windows: Vec<Window> = (0..1_000)
            .map(|clip| {
                let kind = kinds[clip % kinds.len()];
                let mut summary = [0.0; SUMMARY_SIZE];
                summary.iter_mut().for_each(|value| *value = 0.3 * rng.normal() as f32);
                match kind {
                    Kind::Speech => summary[0] += 3.0,
                    Kind::Rain => summary[0] -= 3.0,
                    Kind::Club => summary[1] += 3.0,
                    Kind::Band => summary[2] += 3.0,
                    _ => {}
                }
                Window { summary, label: Label { scene: kind.scene(), kind: Some(kind), clip, origin: 0 } }
            })
            .collect();
        let (seen, unseen): (Vec<&Window>, Vec<&Window>) = windows.iter().partition(|w| w.label.clip < 700);
        let model = fit(&seen, "test".into(), 5).unwrap();
        assert!(model.matches_summary());
        assert_eq!(model.scenes.iter().filter(|scene| **scene == Scene::None).count(), 2);
        let known = right(&model, &unseen);
        assert!(known > 0.9, "{known}");
    }

    #[test]
    fn fitting_is_deterministic_and_a_missing_scene_is_an_error() {
        let windows = windows();
        let all: Vec<&Window> = windows.iter().collect();
        assert_eq!(fit(&all, "test".into(), 5).unwrap(), fit(&all, "test".into(), 5).unwrap());
        let only_ambient: Vec<&Window> =
            all.into_iter().filter(|w| w.label.scene == Scene::Ambient).collect();
        assert!(fit(&only_ambient, String::new(), 5).is_err());
    }
}
