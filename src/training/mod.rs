//! Training the scene model from a folder of labelled clips and from music that is made up.
//!
//! The folder holds `manifest.json`: `{"items": [{"file", "scene", "kind", "source"}, ..]}`. `scene` is one of
//! ambient, techno, rock, none; items with another one are left out. `kind` and `source` say which clips belong
//! together when the model is checked on what it has not heard.

mod augment;
mod check;
mod compose;
mod features;
mod fit;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::analysis::{Scene, SceneModel};
use fit::{Window, fit};

pub use check::Check;
pub use compose::{Piece, compose};

/// How to train.
#[derive(Clone, Debug)]
pub struct TrainSettings {
    /// Where `manifest.json` and the clips are.
    pub folder: PathBuf,
    /// Where the weights go.
    pub out: PathBuf,
    /// Variants of each clip and piece beside itself.
    pub variants: usize,
    /// Pieces that are composed for each scene.
    pub pieces: usize,
    /// Decides everything random.
    pub seed: u64,
    /// Clips worked on at a time.
    pub workers: usize,
    /// Also fit without each group in turn and tell how well the rest knows it.
    pub check: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Manifest {
    items: Vec<Item>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Item {
    file: String,
    #[serde(default)]
    scene: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    source: String,
}

/// Trains, writes the weights and returns the checks that were asked for.
pub fn train(settings: &TrainSettings) -> anyhow::Result<Vec<Check>> {
    let path = settings.folder.join("manifest.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let manifest: Manifest =
        serde_json::from_str(&text).with_context(|| format!("understanding {}", path.display()))?;
    let items: Vec<(Item, Scene)> = manifest
        .items
        .into_iter()
        .filter_map(|item| {
            Scene::ALL.into_iter().find(|scene| scene.label() == item.scene).map(|scene| (item, scene))
        })
        .collect();
    let groups: Vec<String> =
        items.iter().map(|(item, _)| group(item)).collect::<BTreeSet<_>>().into_iter().collect();
    let (heard, windows) = features::all(settings, &items, &groups)?;
    let made = format!(
        "aivj train-scene: {} labelled clips and {} composed pieces of each scene, {} variants of each, seed {}",
        items.len(),
        settings.pieces,
        settings.variants,
        settings.seed
    );
    let without = |origin: usize| -> Vec<&Window> { windows.iter().filter(|w| w.origin != origin).collect() };
    let model = fit(&without(usize::MAX), made.clone(), settings.seed)?;
    write(&settings.out, &model)?;
    if !settings.check {
        return Ok(Vec::new());
    }
    let mut checks = Vec::new();
    for (origin, name) in groups.iter().enumerate() {
        let model = fit(&without(origin + 1), made.clone(), settings.seed)?;
        let held: Vec<_> = heard.iter().zip(&items).filter(|(heard, _)| heard.group == *name).collect();
        checks.push(Check::of(name, &model, held.iter().map(|(heard, (_, scene))| (*heard, *scene))));
    }
    Ok(checks)
}

/// Clips of one origin: real ones by source, others by how they were made.
fn group(item: &Item) -> String {
    match item.kind.as_str() {
        // The part of the source before the title names the collection.
        "real" | "nonmusic" => {
            format!("real: {}", item.source.split(['/', ':']).take(2).collect::<Vec<_>>().join("/"))
        }
        "sampled" => "sampled".into(),
        _ => "generated".into(),
    }
}

fn write(path: &Path, model: &SceneModel) -> anyhow::Result<()> {
    let part = path.with_extension("part");
    let text = serde_json::to_string(model)?;
    std::fs::write(&part, text + "\n").with_context(|| format!("writing {}", part.display()))?;
    std::fs::rename(&part, path).with_context(|| format!("naming {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Pcm, wav};

    #[test]
    fn a_folder_of_labelled_clips_becomes_weights_that_know_them() {
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
                .map(|(file, scene)| format!(r#"{{"file":"{file}.wav","scene":"{scene}","kind":"test"}}"#))
                .collect();
        std::fs::write(folder.path().join("manifest.json"), format!(r#"{{"items":[{}]}}"#, items.join(",")))
            .unwrap();
        let out = folder.path().join("scene.json");
        let settings = TrainSettings {
            folder: folder.path().into(),
            out: out.clone(),
            variants: 1,
            pieces: 3,
            seed: 3,
            workers: 2,
            check: false,
        };
        train(&settings).unwrap();
        let model: SceneModel = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        let told = |name: &str| {
            let item = Item { file: name.into(), ..Item::default() };
            let sound = features::mono(&folder.path().join(&item.file)).unwrap();
            let heard = features::ClipFeatures {
                group: String::new(),
                looks: features::looks(&sound),
                scored: Vec::new(),
            };
            check::right(&model, &heard, Scene::Techno)
        };
        assert_eq!(told("t.wav"), (4, 4));
        assert_eq!(told("a.wav"), (0, 4));
    }
}
