//! Training of the scene model from composed music and, if there is one, a folder of labelled clips.
//!
//! The folder contains `manifest.json`: `{"items": [{"file", "scene", "licence", "kind", "source"}, ..]}`. `scene` is
//! ambient, techno, rock or none; items with any other value are skipped. `licence` must allow any use of the clip,
//! because the weights are distributed. `kind` and `source` group the clips for cross-validation.

mod augment;
mod check;
mod compose;
mod dataset;
mod features;
mod fit;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;

use crate::analysis::{Scene, SceneModel};
use crate::disk;
use dataset::LabelledClip;
use fit::{Window, fit};

pub use check::HeldOutScore;
pub use compose::{Piece, compose};
pub use dataset::TrainSettings;

/// Trains the model and writes its weights; returns the cross-validation scores if requested.
pub fn train(settings: &TrainSettings) -> anyhow::Result<Vec<HeldOutScore>> {
    let items: Vec<(LabelledClip, Scene)> = match &settings.folder {
        Some(folder) => LabelledClip::read_all(folder)?,
        None => Vec::new(),
    };
    let groups: Vec<String> =
        items.iter().map(|(item, _)| item.group()).collect::<BTreeSet<_>>().into_iter().collect();
    let (clips, windows) = features::all(settings, &items, &groups)?;
    let recordings = match items.len() {
        0 => String::new(),
        count => format!("{count} labelled clips and "),
    };
    let provenance = format!(
        "aivj train-scene: {recordings}{} composed pieces of each scene, {} variants of each, seed {}",
        settings.pieces, settings.variants, settings.seed
    );
    let without =
        |origin: usize| -> Vec<&Window> { windows.iter().filter(|w| w.label.origin != origin).collect() };
    let model = fit(&without(usize::MAX), provenance.clone(), settings.seed)?;
    write(&settings.out, &model)?;
    if !settings.check {
        return Ok(Vec::new());
    }
    let mut checks = Vec::new();
    for (origin, name) in groups.iter().enumerate() {
        let model = fit(&without(origin + 1), provenance.clone(), settings.seed)?;
        let held_out: Vec<_> = clips.iter().zip(&items).filter(|(clip, _)| clip.group == *name).collect();
        let labelled = held_out.iter().map(|(clip, (_, scene))| (*clip, *scene));
        checks.push(HeldOutScore::of(name, &model, labelled));
    }
    Ok(checks)
}

fn write(path: &Path, model: &SceneModel) -> anyhow::Result<()> {
    let text = serde_json::to_string(model)? + "\n";
    disk::write(path, text.as_bytes()).context("writing the model")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Pcm, wav};

    #[test]
    fn training_on_a_folder_gives_weights_that_classify_its_clips() {
        let folder = tempfile::tempdir().unwrap();
        let clip = |name: &str, sound: &dyn Fn(f32) -> f32| {
            let frames = (0..44_100 * 9).map(|n| [sound(n as f32 / 44_100.0); 2]).collect();
            wav::write(&folder.path().join(name), &Pcm { rate_hz: 44_100, frames }).unwrap();
        };
        let tone = |hz: f32, t: f32| (std::f32::consts::TAU * hz * t).sin();
        clip("a.wav", &|t| 0.2 * tone(220.0, t) * (0.6 + 0.4 * tone(0.1, t)));
        clip("t.wav", &|t| 0.7 * tone(55.0, t) * (-(t % 0.46) * 12.0).exp());
        clip("r.wav", &|t| 0.3 * (tone(110.0, t) * 3.0).clamp(-1.0, 1.0) * (-(t % 0.25) * 4.0).exp());
        clip("n.wav", &|t| 0.2 * tone(3_000.0, t) * tone(4.0, t).max(0.0));
        let items: Vec<String> =
            [("a", "ambient"), ("t", "techno"), ("r", "rock"), ("n", "none"), ("x", "other")]
                .iter()
                .map(|(file, scene)| {
                    format!(r#"{{"file":"{file}.wav","scene":"{scene}","kind":"test","licence":"own work"}}"#)
                })
                .collect();
        std::fs::write(folder.path().join("manifest.json"), format!(r#"{{"items":[{}]}}"#, items.join(",")))
            .unwrap();
        let out = folder.path().join("scene.json");
        let settings = TrainSettings {
            folder: Some(folder.path().into()),
            out: out.clone(),
            variants: 1,
            pieces: 3,
            seed: 3,
            workers: 2,
            check: false,
        };
        train(&settings).unwrap();
        let model: SceneModel = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        let decisions = |name: &str| {
            let sound = features::mono(&folder.path().join(name)).unwrap();
            let clip = features::ClipFeatures {
                group: String::new(),
                observations: features::observe(&sound),
                scores: Vec::new(),
            };
            check::correct_decisions(&model, &clip, Scene::Techno)
        };
        assert_eq!(decisions("t.wav"), (4, 4));
        assert_eq!(decisions("a.wav"), (0, 4));
    }

    #[test]
    fn composed_pieces_alone_are_enough_to_train() {
        let folder = tempfile::tempdir().unwrap();
        let settings = TrainSettings {
            folder: None,
            out: folder.path().join("scene.json"),
            variants: 1,
            pieces: 2,
            seed: 3,
            workers: 2,
            check: false,
        };
        train(&settings).unwrap();
        let model: SceneModel =
            serde_json::from_str(&std::fs::read_to_string(&settings.out).unwrap()).unwrap();
        assert!(model.matches_summary());
        assert!(model.provenance.starts_with("aivj train-scene: 2 composed pieces"), "{}", model.provenance);
    }
}
