//! Tests of the embedding stage: which rows are kept, and which embedder they come from.

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
    open_embedder("builtin", None, &items, library.path(), 1, 1, &mut on_note).expect("opened");
    assert!(
        description.contains("code only")
            && description.contains("64 presets")
            && description.contains("found 3"),
        "{description}"
    );
}
