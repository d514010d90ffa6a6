//! Training the scene model from a folder of labelled clips.
//!
//! The folder holds `manifest.json`: `{"items": [{"file", "scene", "kind", "source"}, ..]}`. `scene` is one of
//! ambient, techno, rock, none; items with another one are left out. `kind` and `source` say which clips belong
//! together when the model is checked on what it has not seen.

mod augment;
mod fit;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use serde::Deserialize;

use crate::analysis::{Analyser, Scene, SceneModel};
use crate::audio::{self, HOUSE_RATE_HZ};
use crate::units::Rng;
use fit::{Window, accuracy, fit, most_probable};

/// Clips of noise that are made up for the label `none`, and how long each is, seconds.
const NOISES: usize = 24;
const NOISE_SECS: f32 = 16.0;

/// How to train.
#[derive(Clone, Debug)]
pub struct TrainSettings {
    /// Where `manifest.json` and the clips are.
    pub folder: PathBuf,
    /// Where the weights go.
    pub out: PathBuf,
    /// Variants of each clip beside the clip itself.
    pub variants: usize,
    /// Decides everything random.
    pub seed: u64,
    /// Clips worked on at a time.
    pub workers: usize,
    /// Also fit without each group in turn and tell how well the rest knows it.
    pub check: bool,
}

/// How well a model knew clips it was not trained on.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was held out.
    pub group: String,
    /// How many clips those were.
    pub clips: usize,
    /// Share of windows labelled rightly.
    pub accuracy: f64,
    /// The same for the three linear scores, which need no training.
    pub baseline: f64,
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

/// A clip's windows: those of the clip itself with what the linear scores said, and those of its variants.
struct Heard {
    group: String,
    own: Vec<(Window, Scene)>,
    varied: Vec<Window>,
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
    let clips = hear_all(settings, &items)?;
    let made = format!(
        "aivj train-scene: {} labelled clips, {} variants each, {NOISES} made-up noises, seed {}",
        items.len(),
        settings.variants,
        settings.seed
    );
    let of = |may: &dyn Fn(&Heard) -> bool| -> Vec<&Window> {
        let chosen = clips.iter().filter(|clip| may(clip));
        chosen.flat_map(|clip| clip.own.iter().map(|(window, _)| window).chain(&clip.varied)).collect()
    };
    let model = fit(&of(&|_| true), made.clone(), settings.seed)?;
    write(&settings.out, &model)?;
    let mut checks = Vec::new();
    if settings.check {
        let groups: BTreeSet<&str> = clips.iter().map(|clip| clip.group.as_str()).collect();
        for group in groups.into_iter().filter(|group| *group != NOISE) {
            let model = fit(&of(&|clip| clip.group != group), made.clone(), settings.seed)?;
            let held: Vec<&Heard> = clips.iter().filter(|clip| clip.group == group).collect();
            let windows: Vec<&Window> =
                held.iter().flat_map(|clip| clip.own.iter().map(|(w, _)| w)).collect();
            let known = held.iter().flat_map(|clip| &clip.own);
            let (right, all) = known.fold((0_usize, 0_u32), |(right, all), (window, scored)| {
                (right + usize::from(*scored == window.scene), all + 1)
            });
            checks.push(Check {
                group: group.to_owned(),
                clips: held.len(),
                accuracy: accuracy(&windows, |w| most_probable(model.probabilities(&w.summary))),
                baseline: right as f64 / f64::from(all.max(1)),
            });
        }
    }
    Ok(checks)
}

/// Group of the noises that are made up.
const NOISE: &str = "made-up noise";

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

fn hear_all(settings: &TrainSettings, items: &[(Item, Scene)]) -> anyhow::Result<Vec<Heard>> {
    let next = AtomicUsize::new(0);
    let rng = Rng::new(settings.seed);
    let work = || -> anyhow::Result<Vec<(usize, Heard)>> {
        let mut done = Vec::new();
        loop {
            let clip = next.fetch_add(1, Ordering::Relaxed);
            let mut rng = rng.fork(clip as u64);
            if let Some((item, scene)) = items.get(clip) {
                let sound = mono(&settings.folder.join(&item.file))?;
                let varied = (0..settings.variants)
                    .flat_map(|_| hear(&augment::vary(&sound, &mut rng), *scene, clip))
                    .map(|(window, _)| window)
                    .collect();
                done.push((clip, Heard { group: group(item), own: hear(&sound, *scene, clip), varied }));
            } else if clip < items.len() + NOISES {
                let own = hear(&augment::noise(NOISE_SECS, &mut rng), Scene::None, clip);
                done.push((clip, Heard { group: NOISE.into(), own, varied: Vec::new() }));
            } else {
                return Ok(done);
            }
        }
    };
    let mut heard: Vec<(usize, Heard)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..settings.workers.max(1)).map(|_| scope.spawn(&work)).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow::anyhow!("a worker fell over"))??);
        }
        anyhow::Ok(all)
    })?;
    heard.sort_by_key(|(clip, _)| *clip);
    Ok(heard.into_iter().map(|(_, heard)| heard).collect())
}

fn mono(path: &Path) -> anyhow::Result<Vec<f32>> {
    let pcm = audio::decode(path).with_context(|| format!("opening the clip {}", path.display()))?;
    Ok(pcm.at_rate(HOUSE_RATE_HZ).frames.iter().map(|[left, right]| 0.5 * (left + right)).collect())
}

/// One window a second, from the sixth on, as the program itself would hear it; silence teaches nothing.
fn hear(sound: &[f32], scene: Scene, clip: usize) -> Vec<(Window, Scene)> {
    let mut analyser = Analyser::new();
    let mut windows = Vec::new();
    for (second, part) in sound.chunks_exact(HOUSE_RATE_HZ as usize).enumerate() {
        let frames: Vec<[f32; 2]> = part.iter().map(|&sample| [sample; 2]).collect();
        analyser.push(&frames);
        let features = analyser.features();
        let Some(summary) = analyser.summary().filter(|_| second >= 5 && !features.silent) else { continue };
        let scored = most_probable(features.scene_scores().probabilities());
        windows.push((Window { summary, scene, clip }, scored));
    }
    windows
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
            seed: 3,
            workers: 2,
            check: false,
        };
        train(&settings).unwrap();
        let model: SceneModel = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        let sound = mono(&folder.path().join("t.wav")).unwrap();
        let windows = hear(&sound, Scene::Techno, 0);
        let windows: Vec<&Window> = windows.iter().map(|(window, _)| window).collect();
        assert_eq!(accuracy(&windows, |w| most_probable(model.probabilities(&w.summary))), 1.0);
    }
}
