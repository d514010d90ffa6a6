//! Tuning tests on embeddings with a planted structure.

use super::*;
use crate::cluster::{ClusterSettings, Known, cluster};
use crate::embed::EmbedderId;
use crate::jobs::progress::Progress;
use crate::units::Rng;
use ndarray::Array2;

const PRESETS: usize = 600;
const AUTHORS: usize = 60;
const WIDTH: usize = 24;
const LABELS: usize = 8;

/// Returns embeddings in which one of eight looks is hidden in noise. `folder_of` returns the folder of a preset, given
/// its row and its look.
fn planted(mut folder_of: impl FnMut(usize, usize) -> usize) -> Table {
    let mut rng = Rng::new(5);
    let mut table = Table {
        embedder_id: EmbedderId { embedder: "test".into(), model: "m1".into(), preprocessing: String::new() },
        ..Table::default()
    };
    let mut rows = Array2::zeros((PRESETS, WIDTH));
    for row in 0..PRESETS {
        let look = row % LABELS;
        for column in 0..WIDTH {
            let noise = if column < LABELS { 0.25 } else { 0.5 };
            let mean = if column == look { 0.6 } else { 0.0 };
            rows[[row, column]] = mean + noise * rng.normal() as f32;
        }
        let letters = (0..4).map(|place| char::from(b'a' + (row / 5_usize.pow(place) % 5) as u8));
        let name: String = letters.collect();
        let folder = folder_of(row, look);
        table.ids.push(format!("{folder}/{} - {name}{row}.milk", rng.below(AUTHORS)));
        table.keys.push(String::new());
    }
    table.rows = rows;
    table
}

fn by_look() -> Table {
    planted(|_, look| look)
}

fn settings() -> TuneSettings {
    TuneSettings { epochs: 10, threads: 2, ..TuneSettings::default() }
}

/// Tunes with `settings`, and stops after `epochs` epochs; returns the result and the messages.
fn tune(
    table: &Table,
    folder: &Path,
    settings: &TuneSettings,
    epochs: usize,
) -> (Result<Tuned, TuneError>, String) {
    let mut notes = Vec::new();
    let mut proceed = |progress: &Progress| progress.done < epochs;
    let tuned = tune_head(table, folder, None, settings, &mut |note| notes.push(note), &mut proceed);
    (tuned, notes.join("\n"))
}

fn head_file(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("aivj-tuned/head.safetensors")).expect("a head")
}

#[test]
fn a_head_that_improves_presets_of_unseen_authors_is_used() {
    let table = by_look();
    for hidden in [None, Some(32)] {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = TuneSettings { hidden, ..settings() };
        let (tuned, notes) = tune(&table, folder.path(), &settings, usize::MAX);
        let Tuned::Improved(gate, tuned) = tuned.expect("tuned") else { panic!("{hidden:?}: {notes}") };
        assert!(gate.retrieval.tuned > gate.retrieval.base + 0.1, "{gate}");
        assert!(gate.passed() && gate.judge == LabelSource::Folders && gate.authors >= 5, "{gate}");
        assert!(gate.to_string().starts_with("using the tuned embeddings: retrieval 0."), "{gate}");
        assert!(notes.contains("learning from folders (8 of "), "{notes}");
        assert!(tuned.embedder_id.model.starts_with("m1+head:"), "{:?}", tuned.embedder_id);
        assert_eq!(Table::open(&folder.path().join("aivj-tuned")).expect("readable"), Some(tuned.clone()));
        assert_eq!(tuned_table(folder.path(), &table).expect("readable"), Some(tuned.clone()));
        let known = Known::from_folder(folder.path());
        let clusters = ClusterSettings {
            count: Some(LABELS),
            seed: 1,
            threads: 1,
            pack: String::new(),
            at: String::new(),
            method: None,
            passes: 10,
        };
        let styles = cluster(&mut tuned.clone(), &known, None, &clusters).expect("clustered").styles;
        assert_eq!(styles.model, tuned.embedder_id.model);
        // The head belongs to this model only, and new presets get tuned embeddings too.
        let mut other = table.clone();
        other.embedder_id.model = "m2".into();
        assert_eq!(tuned_table(folder.path(), &other).expect("readable"), None);
        let mut more = table.clone();
        let new = vec![("new.milk".to_owned(), String::new())];
        more.put(new, &table.rows.slice(ndarray::s![..1, ..]).to_owned(), &mut table.index());
        let more = tuned_table(folder.path(), &more).expect("readable").expect("a table");
        let difference = &more.rows.row(PRESETS) - &tuned.rows.row(0);
        assert!(difference.iter().all(|value| value.abs() < 1e-5), "{difference}");
    }
}

#[test]
fn with_random_labels_the_base_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 1..4 {
        let mut rng = Rng::new(seed);
        let table = planted(|_, _| rng.below(LABELS));
        let (tuned, notes) = tune(&table, folder.path(), &settings(), usize::MAX);
        let Tuned::Kept(gate) = tuned.expect("tuned") else { panic!("improved: {notes}") };
        assert!(!gate.passed() && gate.to_string().starts_with("keeping the base embeddings"), "{gate}");
        assert_eq!(tuned_table(folder.path(), &table).expect("readable"), None);
    }
}

#[test]
fn an_interrupted_training_resumes_with_the_same_bits() {
    let table = by_look();
    let (whole, parts) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let settings = TuneSettings { epochs: 6, ..settings() };
    tune(&table, whole.path(), &settings, usize::MAX).0.expect("tuned");
    for epochs in [2, 4] {
        let (tuned, _) = tune(&table, parts.path(), &settings, epochs);
        assert_eq!(tuned.expect("stopped"), Tuned::Stopped);
    }
    let (tuned, notes) = tune(&table, parts.path(), &settings, usize::MAX);
    assert!(notes.contains("resuming training after epoch 4"), "{notes}");
    assert_eq!(head_file(parts.path()), head_file(whole.path()));
    assert!(!checkpoint_path(parts.path()).exists());
    // Nothing has changed, so nothing is trained.
    let (again, notes) = tune(&table, parts.path(), &settings, 0);
    assert!(notes.contains("nothing has changed"), "{notes}");
    assert_eq!(again.expect("tuned"), tuned.expect("tuned"));
    let other = TuneSettings { seed: 2, ..settings };
    assert_eq!(tune(&table, parts.path(), &other, 0).0.expect("stopped"), Tuned::Stopped);
}

#[test]
fn a_truncated_checkpoint_is_discarded_with_a_message() {
    let table = by_look();
    let (whole, parts) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let settings = TuneSettings { epochs: 3, ..settings() };
    tune(&table, whole.path(), &settings, usize::MAX).0.expect("tuned");
    assert_eq!(tune(&table, parts.path(), &settings, 2).0.expect("stopped"), Tuned::Stopped);
    let checkpoint = checkpoint_path(parts.path());
    let bytes = std::fs::read(&checkpoint).expect("a checkpoint");
    std::fs::write(&checkpoint, &bytes[..bytes.len() / 2]).expect("written");
    let (tuned, notes) = tune(&table, parts.path(), &settings, usize::MAX);
    assert!(tuned.is_ok() && notes.contains("cannot resume") && notes.contains("from the start"), "{notes}");
    assert_eq!(head_file(parts.path()), head_file(whole.path()));
    // A head that cannot be read is an error where it is used, and replaced by the next training.
    std::fs::write(parts.path().join("aivj-tuned/head.safetensors"), b"cut").expect("written");
    let why = tuned_table(parts.path(), &table).expect_err("unreadable").to_string();
    assert!(why.contains("truncated") && why.contains("aivj bake tune head"), "{why}");
    tune(&table, parts.path(), &settings, usize::MAX).0.expect("tuned");
    assert_eq!(head_file(parts.path()), head_file(whole.path()));
}

#[test]
fn unusable_inputs_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |table: &Table, settings: &TuneSettings| {
        tune(table, folder.path(), settings, usize::MAX).0.expect_err("refused").to_string()
    };
    let mut broken = by_look();
    broken.rows[[3, 1]] = f32::NAN;
    broken.rows[[3, 2]] = f32::INFINITY;
    let mut mismatched = by_look();
    mismatched.ids.pop();
    let mut small = by_look();
    small.keep_only(by_look().ids.iter().take(30).map(String::as_str));
    for (table, why) in [
        (Table::default(), "contains no embeddings; run `aivj bake embed`"),
        (broken, "1 embedding with values that are not finite"),
        (mismatched, "599 IDs and 600 keys for 600 embeddings"),
        (planted(|_, _| 0), "folders: only one; tags: none"),
        (small, "folders: too few presets or authors"),
    ] {
        let message = refused(&table, &settings());
        assert!(message.contains(why), "{message}");
    }
    let clusters = TuneSettings { labels: vec![LabelSource::Clusters], ..settings() };
    assert_eq!(refused(&by_look(), &clusters), "no labels to learn from: clusters: none");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is written");
}
