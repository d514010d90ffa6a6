//! Tuning: a small trained head that moves presets with the same label closer together in the embeddings of a bake.
//!
//! The head is trained on the presets of some authors. Its labels come from folders, tags, favourites and skips, and
//! clusters. The head is used only if it improves the neighbours of presets by other authors, which were not used for
//! training; otherwise the embeddings stay as they are. The head and the tuned embeddings are stored in a folder of
//! their own, because rows of different models are never mixed. A training run that was interrupted, even by a crash,
//! can be resumed and gives the same head.

mod checkpoint;
mod contrast;
mod error;
mod labels;
mod measure;
mod network;
mod saved;
mod settings;
mod split;
pub(crate) mod tensors;
mod train;
mod trial;

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::cluster::unit_rows;
use crate::embed::Table;
use crate::jobs::progress::OnProgress;
use crate::store::Store;
use contrast::Lesson;
use labels::Described;
use measure::Judge;
use saved::{SavedHead, checkpoint_path};
use split::Split;
use train::Training;

pub use error::TuneError;
pub use measure::{Comparison, Gate};
pub use settings::{LabelSource, TuneSettings};
pub use trial::Trial;

/// Result of tuning.
#[derive(Clone, Debug, PartialEq)]
pub enum Tuned {
    /// Cancelled; the next run resumes.
    Stopped,
    /// The base embeddings stay in use.
    Kept(Gate),
    /// The tuned embeddings are better; they are in the table.
    Improved(Gate, Table),
}

/// Trains a head on the embeddings in `base`, of the bake in `folder`, and saves it there, with the tuned embeddings if
/// they are better. If nothing has changed since the last training run, reuses its result. `on_note` receives messages.
pub fn tune_head(
    base: &Table,
    folder: &Path,
    store: Option<&Store>,
    settings: &TuneSettings,
    on_note: &mut dyn FnMut(String),
    on_progress: OnProgress,
) -> Result<Tuned, TuneError> {
    let trial = Trial::new(base, folder, store, settings.seed)?;
    let Trial { described, split, labels, .. } = &trial;
    let lessons = lessons(described, split, settings)?;
    let fingerprint = fingerprint(base, described, settings);
    let checkpoint = checkpoint_path(folder);
    // An unreadable head is replaced.
    let last = SavedHead::read(folder).ok().flatten().filter(|saved| saved.fingerprint == fingerprint);
    let saved = match last {
        Some(saved) => {
            on_note("nothing has changed since the last tuning; using its result".into());
            saved
        }
        None => {
            let kinds: Vec<String> = lessons.iter().map(ToString::to_string).collect();
            on_note(format!("learning from {}", kinds.join(", ")));
            let rows = unit_rows(base.rows.clone());
            let training = Training {
                rows: &rows,
                authors: &described.authors,
                lessons: &lessons,
                judge: &Judge::new(described, labels, split.validation.iter().copied()),
                validation: &split.validation,
                settings,
                fingerprint: &fingerprint,
            };
            let Some(head) = training.run(&checkpoint, on_note, on_progress)? else {
                return Ok(Tuned::Stopped);
            };
            let gate = trial.gate([&rows, &head.apply(&rows)], settings.threads);
            let saved = SavedHead { head, base: base.embedder_id.clone(), fingerprint, gate };
            saved.write(folder)?;
            saved
        }
    };
    std::fs::remove_file(&checkpoint).ok(); // It may not exist.
    Ok(match saved.table(folder, base)? {
        Some(table) => Tuned::Improved(saved.gate, table),
        None => Tuned::Kept(saved.gate),
    })
}

/// Returns the tuned embeddings of the presets in `base`, the table of the bake in `folder`; `None` if there is no head
/// that was accepted for these embeddings.
pub fn tuned_table(folder: &Path, base: &Table) -> Result<Option<Table>, TuneError> {
    SavedHead::read(folder)?.map_or(Ok(None), |saved| saved.table(folder, base))
}

/// Returns a lesson for each of the requested label sources that has enough labels.
fn lessons(described: &Described, split: &Split, settings: &TuneSettings) -> Result<Vec<Lesson>, TuneError> {
    let lesson = |source: &LabelSource| {
        let labels = described.labels[source].as_ref().ok()?;
        Lesson::new(*source, labels, &split.train, &described.authors)
    };
    let lessons: Vec<Lesson> = settings.labels.iter().filter_map(lesson).collect();
    if lessons.is_empty() {
        let problems = described.problems(&settings.labels, "too few presets or authors");
        return Err(TuneError::NoLabels(problems));
    }
    Ok(lessons)
}

/// Returns a hash of everything that determines the head.
fn fingerprint(base: &Table, described: &Described, settings: &TuneSettings) -> String {
    let TuneSettings { labels, hidden, epochs, seed, threads: _ } = settings;
    let mut digest = Sha256::new();
    digest.update(format!("v0 {:?} {labels:?} {hidden:?} {epochs} {seed}\n", base.embedder_id));
    for (row, id) in base.rows.outer_iter().zip(&base.ids) {
        digest.update(id);
        digest.update(row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    }
    for (author, words) in described.authors.iter().zip(&described.words) {
        digest.update(format!("{} {words:?}\n", described.author_keys[*author as usize]));
    }
    for (source, labels) in &described.labels {
        digest.update(format!("{source:?} {labels:?}\n"));
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
