//! Embeddings: presets as vectors, with similar presets close to each other.
//!
//! Every embedder produces one row per preset. A bake embeds new and changed presets and keeps all other
//! rows; fitted models are saved next to the rows.

mod builtin;
mod concepts;
mod encoder;
mod foreign;
mod fusion;
mod journal;
mod looks;
mod model_process;
mod numbers;
pub(crate) mod onnx;
mod open;
mod sparse;
mod split_source;
mod svd;
mod table;
mod text;
mod tokens;
mod visual;
mod weight;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};

pub use crate::disk::npy;
pub use builtin::BuiltinEmbedder;
pub use encoder::open_encoder;
pub use model_process::{ModelHost, serve_model};
pub use onnx::{Onnx, check_config, check_model};
pub use open::{PART, check_embedder, installed_models, needs_whole_library, open_embedder};
pub use table::{EmbedderId, Table, TableError};

use crate::facts::PresetId;
use crate::frames::BakeItem;
use crate::jobs::progress::{OnProgress, Progress};
use journal::Journal;

/// Number of presets per batch; between batches, progress is reported and cancellation is checked.
const BATCH: usize = 256;
/// Minimum number of rows in the journal for which the table is saved.
const SAVE_EVERY: usize = 8192;

/// Name of the built-in embedder.
pub const BUILTIN: &str = "builtin";
/// Name that stands for embeddings that exist already.
pub const EXISTING: &str = "existing";
/// Name of the built-in embedder joined with the first installed vision model.
const AUTO: &str = "auto";
/// Names that no vision model may have.
pub const RESERVED: [&str; 3] = [BUILTIN, AUTO, EXISTING];

/// A preset to embed.
pub struct PresetInput {
    /// Bytes of the preset file.
    pub bytes: Vec<u8>,
    /// Paths of the preset's rendered frames.
    pub frames: Vec<PathBuf>,
}

/// An embedder, which computes a vector for each preset.
pub trait Embedder {
    /// Returns the ID of the embedder; rows of different embedders are not comparable.
    fn id(&self) -> EmbedderId;

    /// Returns one row per preset; a row of zeros for a preset with nothing to embed.
    fn rows(&mut self, presets: &[PresetInput]) -> Result<Array2<f32>, String>;
}

/// Result of the embedding stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Number of rows computed in this run.
    pub computed: usize,
    /// Number of rows from earlier runs that are still valid.
    pub reused: usize,
    /// Number of presets that could not be read.
    pub unreadable: usize,
    /// Number of presets without an embedding, such as those without frames for a vision model.
    pub without_embedding: usize,
    /// Whether every preset was processed; false if cancelled.
    pub finished: bool,
    /// Messages about existing rows that are not used.
    pub notes: Vec<String>,
}

/// Why embedding failed.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The table cannot be opened or saved.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The embedder failed.
    #[error("embedding failed: {0}")]
    Embedder(String),
    /// No preset could be embedded.
    #[error(
        "{embedder} embedded none of the {presets} presets: {without_frames} have no readable frames, {unreadable} \
        cannot be read; existing embeddings are unchanged. A vision model needs frames: render some first, or use the \
        built-in embedder"
    )]
    NothingEmbedded {
        /// Name of the embedder.
        embedder: String,
        /// Number of presets to embed.
        presets: usize,
        /// Number of presets without readable frames.
        without_frames: usize,
        /// Number of presets that cannot be read.
        unreadable: usize,
    },
    /// The embedder cannot be opened.
    #[error("{0}")]
    Open(String),
}

/// Embeds the presets that have no current row in the table in `folder`. If `on_progress` cancels, finished
/// rows are kept; if there are none, `folder` may still contain the table of another embedder.
pub fn embed(
    items: &[BakeItem],
    embedder: &mut dyn Embedder,
    folder: &Path,
    on_progress: OnProgress,
) -> Result<Embedded, EmbedError> {
    let mut done = Embedded { finished: true, ..Embedded::default() };
    let (mut table, in_use) = Table::for_embedder(embedder.id(), folder, &mut |note| done.notes.push(note))?;
    let mut journal = Journal::open(folder, &mut table)?;
    let mut unsaved = table.rename(items);
    let mut index = table.index();
    for (batch, batch_items) in items.chunks(BATCH).enumerate() {
        if !on_progress(&Progress::at("embed", batch * BATCH, items.len())) {
            done.finished = false;
            break;
        }
        let (names, opened) = outdated(batch_items, &table, &index, &mut done);
        if names.is_empty() {
            continue;
        }
        let rows = embedder.rows(&opened).map_err(EmbedError::Embedder)?;
        // A row of zeros carries no information; it would only be similar to other rows of zeros.
        let nonzero: Vec<usize> =
            (0..names.len()).filter(|&at| rows.row(at).iter().any(|value| *value != 0.0)).collect();
        done.without_embedding += names.len() - nonzero.len();
        let names: Vec<_> = nonzero.iter().map(|&at| names[at].clone()).collect();
        done.computed += names.len();
        unsaved += names.len();
        let rows = rows.select(Axis(0), &nonzero);
        journal.append(&names, &rows)?;
        table.put(names, &rows, &mut index);
        // Saved only after it has grown by a share, so that the time for saving is proportional to its final size.
        if journal.rows() >= SAVE_EVERY.max(table.ids.len() / 3) {
            table.save(folder)?;
            journal.clear()?;
            unsaved = 0;
        }
    }
    if done.finished && done.computed + done.reused == 0 && !items.is_empty() {
        let embedder = table.embedder_id.embedder;
        let Embedded { without_embedding: without_frames, unreadable, .. } = done;
        return Err(EmbedError::NothingEmbedded {
            embedder,
            presets: items.len(),
            without_frames,
            unreadable,
        });
    }
    // Valid rows of an earlier run replace the rows of another embedder.
    if unsaved > 0 || (!in_use && done.reused > 0) {
        table.save(folder)?;
        journal.clear()?;
    }
    on_progress(&Progress::at("embed", done.computed + done.reused, items.len()));
    Ok(done)
}

/// Returns the IDs and keys of the items without a current row, and their inputs. Updates the counts of
/// reused and unreadable presets in `done`.
fn outdated(
    items: &[BakeItem],
    table: &Table,
    index: &HashMap<String, usize>,
    done: &mut Embedded,
) -> (Vec<(String, String)>, Vec<PresetInput>) {
    let (mut names, mut opened) = (Vec::new(), Vec::new());
    for item in items {
        let bytes = match read(&item.path) {
            Ok(bytes) => bytes,
            Err(why) => {
                log::warn!("skipping a preset: {why} ({})", item.path.display());
                done.unreadable += 1;
                continue;
            }
        };
        let key = format!("{}+{}", PresetId::of(&bytes), lengths(&item.frames));
        if index.get(&item.id).is_some_and(|&row| table.keys[row] == key) {
            done.reused += 1;
        } else {
            names.push((item.id.clone(), key));
            opened.push(PresetInput { bytes, frames: item.frames.clone() });
        }
    }
    (names, opened)
}

/// Returns the sizes of the frame files as text, which identifies a rendering of the preset.
fn lengths(frames: &[PathBuf]) -> String {
    let length = |frame: &PathBuf| std::fs::metadata(frame).map_or(0, |metadata| metadata.len()).to_string();
    frames.iter().map(length).collect::<Vec<_>>().join(".")
}

/// Reads a preset file, within the size limit for presets.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    crate::library::PresetSource::File(path.to_owned()).read()
}

#[cfg(test)]
mod tests;
