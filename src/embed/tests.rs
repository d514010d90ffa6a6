//! What a night of embedding keeps, and whose rows it leaves in use.

use super::*;
use crate::frames::subjects_in;

/// Tells the length of a preset that has frames.
struct Lengths(&'static str);

impl Embedder for Lengths {
    fn maker(&self) -> EmbedderId {
        EmbedderId { embedder: self.0.into(), ..EmbedderId::default() }
    }

    fn rows(&mut self, presets: &[Opened]) -> Result<Array2<f32>, String> {
        let told =
            |row: usize| if presets[row].frames.is_empty() { 0.0 } else { presets[row].bytes.len() as f32 };
        Ok(Array2::from_shape_fn((presets.len(), 2), |(row, _)| told(row)))
    }
}

/// A library of so many presets with a frame each.
fn library(presets: usize) -> (tempfile::TempDir, Vec<BakeItem>) {
    let folder = tempfile::tempdir().expect("a folder");
    for at in 0..presets {
        std::fs::write(folder.path().join(format!("{at:04}.milk")), format!("zoom={at}")).expect("written");
    }
    let mut subjects = subjects_in(folder.path(), None).expect("presets");
    subjects.iter_mut().for_each(|subject| subject.frames = vec![subject.path.clone()]);
    (folder, subjects)
}

fn in_use(folder: &Path) -> (String, usize) {
    let table = Table::open(folder).expect("readable").expect("there");
    (table.maker.embedder, table.ids.len())
}

#[test]
fn an_embedder_without_anything_to_say_is_an_error_and_changes_nothing() {
    let (library, subjects) = library(3);
    let out = library.path();
    embed(&subjects, &mut Lengths("old"), out, &mut |_| true).expect("embedded");
    let blind: Vec<BakeItem> =
        subjects.iter().map(|subject| BakeItem { frames: Vec::new(), ..subject.clone() }).collect();
    let why = embed(&blind, &mut Lengths("new"), out, &mut |_| true).expect_err("refused").to_string();
    assert!(why.contains("new has no row for any of 3 presets: 3 have no frames"), "{why}");
    assert_eq!(in_use(out), ("old".into(), 3));
    // Stopped before the first row it is no error; whose rows are in use is told by the table.
    let stopped = embed(&subjects, &mut Lengths("new"), out, &mut |_| false).expect("stopped");
    assert_eq!((stopped.finished, stopped.made), (false, 0));
    assert_eq!(in_use(out), ("old".into(), 3));
}

#[test]
fn another_maker_that_is_stopped_half_way_costs_the_first_one_nothing() {
    let (library, subjects) = library(BATCH + 4);
    let out = library.path();
    let night = |name: &'static str, batches: usize| {
        let mut left = batches;
        let watch: Watch = &mut |_| {
            left = left.saturating_sub(1);
            left > 0
        };
        embed(&subjects, &mut Lengths(name), out, watch).expect("embedded")
    };
    assert_eq!(night("old", 9).made, BATCH + 4);
    let half = night("new", 2);
    assert_eq!((half.finished, half.made), (false, BATCH));
    assert!(half.notes.iter().any(|note| note.contains("of old")), "{:?}", half.notes);
    assert_eq!(in_use(out), ("new".into(), BATCH));
    let back = night("old", 9);
    assert_eq!((back.made, back.kept), (0, BATCH + 4));
    assert_eq!(in_use(out), ("old".into(), BATCH + 4));
    assert_eq!(night("new", 9).made, 4);
    assert_eq!(in_use(out), ("new".into(), BATCH + 4));
}

#[test]
fn a_broken_description_costs_the_night_its_old_rows_and_is_told() {
    let (library, subjects) = library(3);
    let out = library.path();
    embed(&subjects, &mut Lengths("old"), out, &mut |_| true).expect("embedded");
    std::fs::write(out.join("embeddings.meta.json"), b"{").expect("written");
    let done = embed(&subjects, &mut Lengths("old"), out, &mut |_| true).expect("embedded");
    assert_eq!((done.made, done.kept), (3, 0));
    assert!(done.notes.iter().any(|note| note.contains("*.broken")), "{:?}", done.notes);
    assert_eq!(std::fs::read(out.join("embeddings.meta.json.broken")).expect("kept"), b"{");
}

#[test]
fn builtin_tells_whether_looks_are_used() {
    let (library, subjects) = library(3);
    let mut told = String::new();
    let mut tell = |text| told = text;
    open_embedder("builtin", None, &subjects, library.path(), 1, 1, &mut tell).expect("opened");
    assert!(
        told.contains("without looks") && told.contains("64 presets") && told.contains("3 have"),
        "{told}"
    );
}
