//! Tests with a small transformer.

use super::train::State;
use super::*;
use crate::embed::onnx::tests::vit::transformer_folder;
use crate::frames::items_in;
use crate::jobs::progress::Progress;

fn settings() -> LoraSettings {
    LoraSettings {
        rank: 4,
        targets: Target::ALL.to_vec(),
        epochs: 40,
        batch: 12,
        rate: 0.01,
        ..LoraSettings::default()
    }
}

/// Opens the transformer in `folder`.
fn opened(folder: &Path) -> (Onnx, Graph, Tower) {
    let mut model = open(folder, &settings()).expect("opened");
    let graph = read_graph(model.path()).expect("a graph");
    let tower = open_tower(&graph, &mut model, &settings()).expect("a tower");
    (model, graph, tower)
}

/// Returns an adapter that changes every layer.
fn random_adapter(tower: &Tower) -> Adapter {
    let mut adapter = start(tower, None, &settings()).expect("fits");
    let mut rng = Rng::new(7);
    for values in adapter.parameters_mut() {
        values.mapv_inplace(|value| value + 0.1 * rng.normal() as f32);
    }
    adapter
}

fn noise(seed: u64, side: usize) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(seed);
    let mut picture = || (0..3 * side * side).map(|_| rng.normal() as f32).collect();
    (0..3).map(|_| picture()).collect()
}

#[test]
fn a_tower_has_the_same_results_as_its_model() {
    let folder = transformer_folder(5);
    let (mut model, _, tower) = opened(folder.path());
    let pictures = noise(9, model.side());
    let found = tower.rows(&pictures, None).expect("embedded");
    let difference = difference(&found, &model.run(&pictures).expect("embedded"));
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn a_new_adapter_does_not_change_the_results() {
    let folder = transformer_folder(5);
    let (model, _, tower) = opened(folder.path());
    let adapter = start(&tower, None, &settings()).expect("fits");
    assert_eq!(adapter.pairs.len(), 12);
    let pictures = noise(9, model.side());
    let adapted = tower.adapt(&adapter).expect("fits");
    let rows = tower.rows(&pictures, Some(&adapted)).expect("embedded");
    assert!(difference(&rows, &tower.rows(&pictures, None).expect("embedded")) < 1e-6);
}

#[test]
fn a_merged_model_has_the_same_results_as_the_tower_with_the_adapter() {
    let folder = transformer_folder(5);
    let (model, graph, tower) = opened(folder.path());
    let adapter = random_adapter(&tower);
    let place = tempfile::tempdir().expect("a folder");
    let merged = place.path().join("tuned");
    merge(graph, &tower, &adapter, folder.path(), model.path(), &merged).expect("merged");
    let mut tuned = open(&merged, &settings()).expect("opened");
    check_merged(&tower, &adapter, &mut tuned).expect("equal");
    let pictures = noise(9, model.side());
    let adapted = tower.adapt(&adapter).expect("fits");
    let rows = tower.rows(&pictures, Some(&adapted)).expect("embedded");
    let found = tuned.run(&pictures).expect("embedded");
    let (off, moved) =
        (difference(&rows, &found), difference(&rows, &tower.rows(&pictures, None).expect("embedded")));
    assert!(off < 1e-4 && moved > 1e-2, "{off} {moved}");
    // An adapter read from its files has the same results.
    adapter.write(place.path(), "clip").expect("written");
    let read = start(&tower, Some(place.path()), &settings()).expect("fits");
    let read = tower.adapt(&read).expect("fits");
    let again = tower.rows(&pictures, Some(&read)).expect("embedded");
    assert!(difference(&rows, &again) < 1e-5);
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let folder = transformer_folder(5);
    let (_, _, tower) = opened(folder.path());
    let mut adapter = random_adapter(&tower);
    let (_, pair) = adapter.pairs.pop_last().expect("a layer");
    adapter.pairs.insert(adapter::Place { block: 2, target: Target::Down }, pair);
    assert!(tower.adapt(&adapter).is_err_and(|why| why.contains("mlp.fc2 of block 2")));
}

/// Loads the picture with the path `PRESET-FRAME`: noise shared by all pictures of the preset, plus noise of its own.
fn load(path: &Path) -> Option<Vec<f32>> {
    let (preset, frame) = path.to_str()?.split_once('-')?;
    let (preset, frame): (u64, u64) = (preset.parse().ok()?, frame.parse().ok()?);
    let (mut shared, mut own) = (Rng::new(preset), Rng::new(1000 + 10 * preset + frame));
    Some((0..3 * 16 * 16).map(|_| (shared.normal() + own.normal()) as f32).collect())
}

fn six_subjects() -> Vec<Subject> {
    let frames = |preset: usize| (0..2).map(|frame| PathBuf::from(format!("{preset}-{frame}"))).collect();
    (0..6).map(|group| Subject { group, frames: frames(group) }).collect()
}

#[test]
fn training_lowers_the_loss() {
    let folder = transformer_folder(5);
    let (_, _, tower) = opened(folder.path());
    let (subjects, settings) = (six_subjects(), settings());
    let training =
        Training { tower: &tower, subjects: &subjects, load: &load, settings: &settings, fingerprint: "" };
    let mut state = State::new(start(&tower, None, &settings).expect("fits"));
    // Every step contains all pictures.
    let losses: Vec<f32> = (0..40).map(|_| training.step(&mut state).expect("trained")).collect();
    assert!(losses[39] < 0.95 * losses[0], "{losses:?}");
}

#[test]
fn pictures_of_one_group_belong_together() {
    let folder = transformer_folder(5);
    let (_, _, tower) = opened(folder.path());
    let settings = settings();
    let training =
        Training { tower: &tower, subjects: &[], load: &load, settings: &settings, fingerprint: "" };
    let loss = |groups: &[usize]| {
        let rows = tower.tensor(vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0], [4, 2]);
        tower::numbers(training.loss(rows, groups)).expect("a number")[0]
    };
    let (together, apart) = (loss(&[0, 0, 1, 1]), loss(&[0, 1, 0, 1]));
    assert!(together < 1e-3 && (apart - 10.0).abs() < 1e-3, "{together} {apart}");
    assert_eq!(loss(&[0, 1, 2, 3]), 0.0);
}

#[test]
fn an_interrupted_run_gives_the_same_adapter() {
    let folder = transformer_folder(5);
    let (_, _, tower) = opened(folder.path());
    let (subjects, settings) = (six_subjects(), LoraSettings { epochs: 8, ..settings() });
    let place = tempfile::tempdir().expect("a folder");
    let run = |name: &str, fingerprint: &str, steps: usize| {
        let training =
            Training { tower: &tower, subjects: &subjects, load: &load, settings: &settings, fingerprint };
        let (adapter, mut notes) = (start(&tower, None, &settings).expect("fits"), Vec::new());
        let mut proceed = |progress: &Progress| progress.done < steps;
        let path = place.path().join(name);
        let trained = training.run(adapter, &path, &mut |note| notes.push(note), &mut proceed);
        (trained.expect("trained"), notes.join("\n"))
    };
    let (whole, _) = run("whole", "a", usize::MAX);
    assert_eq!(run("parts", "a", 3).0, None);
    let (parts, notes) = run("parts", "a", usize::MAX);
    assert!(notes.contains("resuming training after step 3"), "{notes}");
    let (whole, parts) = (whole.expect("trained"), parts.expect("trained"));
    for (a, b) in whole.parameters().zip(parts.parameters()) {
        assert!((a - b).iter().all(|difference| difference.abs() < 1e-5));
    }
    let (_, notes) = run("parts", "b", usize::MAX);
    assert!(notes.contains("have changed") && notes.contains("from the start"), "{notes}");
}

/// Writes 100 presets of 25 authors in four folders, and two frames of each, with a pattern that depends on the folder.
fn library(folder: &Path) -> Vec<BakeItem> {
    for preset in 0..100 {
        let path = folder.join(format!("look {}/{} - a{preset}.milk", preset % 4, preset / 4));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, format!("zoom={preset}")).expect("written");
    }
    let mut items = items_in(folder, None).expect("presets");
    for (at, item) in items.iter_mut().enumerate() {
        let look = u32::from(item.id.as_bytes()[5] - b'0');
        for frame in 0..2 {
            let path = folder.join(format!("{at}-{frame}.png"));
            let mut rng = Rng::new(at as u64 * 2 + frame);
            let picture = image::RgbImage::from_fn(16, 16, |x, y| {
                let mut shade = |seed: u32| (x * seed + y * look * 20) % 200 + rng.below(56) as u32;
                image::Rgb([shade(look + 1), shade(3), shade(5)].map(|value| value as u8))
            });
            picture.save(&path).expect("written");
            item.frames.push(path);
        }
    }
    items
}

#[test]
fn a_tuned_model_is_installed_only_if_it_is_better() {
    let model = transformer_folder(5);
    let (presets, bake, models) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let items = library(presets.path());
    let tuned = models.path().join("tuned");
    let settings = LoraSettings { epochs: 2, batch: 32, ..settings() };
    let job = LoraJob {
        items: &items,
        bake: bake.path(),
        model: model.path(),
        tuned: &tuned,
        adapter: None,
        store: None,
    };
    let stopped = tune_lora(&job, &settings, &mut |_| (), &mut |_| false).expect("stopped");
    assert_eq!(stopped, LoraTuned::Stopped);
    let adapter = bake.path().join("aivj-lora/adapter");
    for (epochs, adapter) in [(2, None), (0, Some(adapter.as_path()))] {
        let job = LoraJob { adapter, ..job };
        let settings = LoraSettings { epochs, ..settings.clone() };
        let done = tune_lora(&job, &settings, &mut |_| (), &mut |_| true).expect("tuned");
        let (gate, improved) = match done {
            LoraTuned::Improved(gate) => (gate, true),
            LoraTuned::Kept(gate) => (gate, false),
            LoraTuned::Stopped => panic!("stopped"),
        };
        assert_eq!((gate.passed(), tuned.join("model.onnx").is_file()), (improved, improved), "{gate}");
        assert_eq!(tuned.join("preprocessor_config.json").is_file(), improved);
        assert!(!part_of(&tuned).exists() && !bake.path().join("aivj-lora/part.safetensors").exists());
        assert!(bake.path().join("aivj-lora/adapter/adapter_model.safetensors").is_file());
    }
}
