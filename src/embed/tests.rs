//! Tests of the embedding stage: which rows are kept, and which embedder they come from.

use super::onnx::tests::{WIDTH, tower_folder};
use super::*;
use crate::frames::items_in;

/// Embedder whose values are the length of the preset file, or 0 for a preset without frames.
struct Lengths(&'static str);

impl Embedder for Lengths {
    fn id(&self) -> EmbedderId {
        EmbedderId { embedder: self.0.into(), ..EmbedderId::default() }
    }

    fn rows(&mut self, presets: &[PresetInput]) -> Result<Array2<f32>, String> {
        let length =
            |row: usize| if presets[row].frames.is_empty() { 0.0 } else { presets[row].bytes.len() as f32 };
        Ok(Array2::from_shape_fn((presets.len(), 2), |(row, _)| length(row)))
    }
}

/// Creates a library of `presets` presets with one frame each.
fn library(presets: usize) -> (tempfile::TempDir, Vec<BakeItem>) {
    let folder = tempfile::tempdir().expect("a folder");
    for at in 0..presets {
        std::fs::write(folder.path().join(format!("{at:04}.milk")), format!("zoom={at}")).expect("written");
    }
    let mut items = items_in(folder.path(), None).expect("presets");
    items.iter_mut().for_each(|item| item.frames = vec![item.path.clone()]);
    (folder, items)
}

fn in_use(folder: &Path) -> (String, usize) {
    let table = Table::open(folder).expect("readable").expect("there");
    (table.embedder_id.embedder, table.ids.len())
}

#[test]
fn embedding_nothing_is_an_error_and_keeps_existing_rows() {
    let (library, items) = library(3);
    let out = library.path();
    embed(&items, &mut Lengths("old"), out, &mut |_| true).expect("embedded");
    let blind: Vec<BakeItem> =
        items.iter().map(|item| BakeItem { frames: Vec::new(), ..item.clone() }).collect();
    let why = embed(&blind, &mut Lengths("new"), out, &mut |_| true).expect_err("refused").to_string();
    assert!(why.contains("new embedded none of the 3 presets: 3 have no readable frames"), "{why}");
    assert_eq!(in_use(out), ("old".into(), 3));
    // Cancelling before the first row is not an error, and keeps the current rows.
    let stopped = embed(&items, &mut Lengths("new"), out, &mut |_| false).expect("stopped");
    assert_eq!((stopped.finished, stopped.computed), (false, 0));
    assert_eq!(in_use(out), ("old".into(), 3));
}

#[test]
fn a_cancelled_run_of_another_embedder_keeps_the_rows_of_the_first() {
    let (library, items) = library(BATCH + 4);
    let out = library.path();
    let bake = |name: &'static str, batches: usize| {
        let mut left = batches;
        let on_progress: OnProgress = &mut |_| {
            left = left.saturating_sub(1);
            left > 0
        };
        embed(&items, &mut Lengths(name), out, on_progress).expect("embedded")
    };
    assert_eq!(bake("old", 9).computed, BATCH + 4);
    let half = bake("new", 2);
    assert_eq!((half.finished, half.computed), (false, BATCH));
    assert!(half.notes.iter().any(|note| note.contains("from old")), "{:?}", half.notes);
    assert_eq!(in_use(out), ("new".into(), BATCH));
    let back = bake("old", 9);
    assert_eq!((back.computed, back.reused), (0, BATCH + 4));
    assert_eq!(in_use(out), ("old".into(), BATCH + 4));
    assert_eq!(bake("new", 9).computed, 4);
    assert_eq!(in_use(out), ("new".into(), BATCH + 4));
}

#[test]
fn rows_computed_before_a_failure_are_not_computed_again() {
    /// Fails in the second batch.
    struct Failing(Lengths, usize);
    impl Embedder for Failing {
        fn id(&self) -> EmbedderId {
            self.0.id()
        }

        fn rows(&mut self, presets: &[PresetInput]) -> Result<Array2<f32>, String> {
            self.1 += 1;
            if self.1 == 2 { Err("the model failed".into()) } else { self.0.rows(presets) }
        }
    }
    let (library, items) = library(BATCH + 4);
    let out = library.path();
    embed(&items, &mut Failing(Lengths("model"), 0), out, &mut |_| true).expect_err("failed");
    let done = embed(&items, &mut Lengths("model"), out, &mut |_| true).expect("embedded");
    assert_eq!((done.computed, done.reused), (4, BATCH));
}

#[test]
fn a_broken_meta_file_is_reported_and_all_rows_are_embedded_again() {
    let (library, items) = library(3);
    let out = library.path();
    embed(&items, &mut Lengths("old"), out, &mut |_| true).expect("embedded");
    std::fs::write(out.join("embeddings.meta.json"), b"{").expect("written");
    let done = embed(&items, &mut Lengths("old"), out, &mut |_| true).expect("embedded");
    assert_eq!((done.computed, done.reused), (3, 0));
    assert!(done.notes.iter().any(|note| note.contains("*.broken")), "{:?}", done.notes);
    assert_eq!(std::fs::read(out.join("embeddings.meta.json.broken")).expect("kept"), b"{");
}

#[test]
fn builtin_reports_whether_looks_are_used() {
    let (library, items) = library(3);
    let mut description = String::new();
    let mut on_note = |text| description = text;
    open_embedder("builtin", None, &items, library.path(), 1, ModelHost::Here(1), &mut on_note)
        .expect("opened");
    assert!(
        description.contains("code only")
            && description.contains("64 presets")
            && description.contains("found 3"),
        "{description}"
    );
}

/// Creates a library of `presets` presets, all but the first with a frame whose colours depend on the preset.
fn library_with_pictures(presets: usize) -> (tempfile::TempDir, Vec<BakeItem>) {
    let (folder, mut items) = library(presets);
    for (at, item) in items.iter_mut().enumerate() {
        let path = folder.path().join(format!("{at:04}.png"));
        let colour = |x: u32, y: u32| image::Rgb([200, (x * at as u32 * 7 % 60) as u8, (y * 9) as u8]);
        image::RgbImage::from_fn(16, 16, colour).save(&path).expect("written");
        item.frames = if at == 0 { Vec::new() } else { vec![path] };
    }
    (folder, items)
}

/// Returns the inputs of these presets.
fn inputs(items: &[BakeItem]) -> Vec<PresetInput> {
    let input = |item: &BakeItem| PresetInput {
        bytes: std::fs::read(&item.path).expect("readable"),
        frames: item.frames.clone(),
    };
    items.iter().map(input).collect()
}

fn opened(name: &str, models: &Path, items: &[BakeItem], out: &Path) -> Box<dyn Embedder> {
    open_embedder(name, Some(models), items, out, 1, ModelHost::Here(1), &mut |_| ()).expect("opened")
}

#[test]
fn auto_without_a_model_is_the_built_in_embedder() {
    let (library, items) = library_with_pictures(6);
    let open = |name: &str| opened(name, library.path(), &items, library.path());
    assert_eq!(open("auto").id(), open("builtin").id());
    assert_eq!(
        check_embedder("auto", Some(library.path()), ModelHost::Here(1)).expect("usable"),
        "built-in embedder"
    );
    std::fs::create_dir(library.path().join(".cache")).expect("made");
    assert_eq!(open("auto").id(), open("builtin").id(), "a hidden folder is not a model");
}

#[test]
fn auto_joins_the_rows_of_the_built_in_embedder_and_of_the_model() {
    let (library, items) = library_with_pictures(30);
    let models = tempfile::tempdir().expect("a folder");
    std::fs::rename(tower_folder().keep(), models.path().join("tower")).expect("moved");
    let (models, out) = (models.path(), library.path());
    let presets = inputs(&items);
    let mut auto = opened("auto", models, &items, out);
    let rows = auto.rows(&presets).expect("embedded");
    let builtin = opened("builtin", models, &items, out).rows(&presets).expect("embedded");
    let described = builtin.ncols();
    assert_eq!(rows.dim(), (30, described + WIDTH));
    assert_eq!(rows.slice(ndarray::s![.., ..described]), builtin);
    // For a preset without frames, the model's part of the row is zero; the parts of the others are centred on their
    // mean.
    let seen = rows.slice(ndarray::s![.., described..]);
    let similarity = |rows: ndarray::ArrayView2<f32>| {
        let sum = rows.sum_axis(Axis(0));
        sum.dot(&sum).sqrt() / 29.0
    };
    assert!(seen.row(0).iter().all(|value| *value == 0.0));
    assert!(seen.outer_iter().skip(1).all(|row| (row.dot(&row) - 1.0).abs() < 1e-4), "{seen}");
    let alone = opened("tower", models, &items, out).rows(&presets).expect("embedded");
    assert!(similarity(seen) < 0.3 && similarity(alone.view()) > 0.7, "{seen} {alone}");
    // Opening the same model again gives the same ID, and a preset embedded alone gets the same row.
    let mut again = opened("auto", models, &items, out);
    assert_eq!(again.id(), auto.id());
    assert_eq!(again.rows(&presets[7..8]).expect("embedded").row(0), rows.row(7));
    assert!(check_embedder("auto", Some(models), ModelHost::Here(1)).expect("usable").contains("tower"));
    std::fs::write(models.join("tower/aivj-model.toml"), "colours = \"bgr\"").expect("written");
    assert_ne!(opened("auto", models, &items, out).id(), auto.id());
}

#[test]
fn the_mean_of_a_few_pictures_is_computed_again_once_there_are_many() {
    let (library, items) = library_with_pictures(30);
    let models = tempfile::tempdir().expect("a folder");
    std::fs::rename(tower_folder().keep(), models.path().join("tower")).expect("moved");
    opened("builtin", models.path(), &items, library.path()); // Fits its models to all presets.
    let id = |items: &[BakeItem]| opened("auto", models.path(), items, library.path()).id();
    let few = id(&items[..5]);
    assert_eq!(id(&items[..12]), few);
    assert_ne!(id(&items), few);
}
