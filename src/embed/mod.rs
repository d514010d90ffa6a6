//! Presets as points: what looks alike lies near.
//!
//! Every embedder gives one row a preset. A night embeds what is new or has changed and leaves every other row as it
//! is; the model that earlier nights used is kept beside the rows.

mod builtin;
mod concepts;
mod looks;
pub mod models;
mod numbers;
mod onnx;
mod sheet;
mod sparse;
mod svd;
mod table;
mod text;
mod tokens;
mod visual;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};

pub use crate::library::looks::npy;
pub use builtin::Builtin;
pub use onnx::{MODEL_FILES, Onnx};
pub use table::{EmbedderId, Table, TableError};

use crate::frames::BakeItem;
use crate::jobs::progress::{Progress, Watch};
use crate::library::PresetId;

/// Presets between two looks at the clock.
const BATCH: usize = 256;
/// Rows after which the table is written, so that little is lost when the machine goes down.
const SAVE_EVERY: usize = 8192;

/// A subject that has been read.
pub struct Opened {
    /// The preset's bytes.
    pub bytes: Vec<u8>,
    /// Frames of it.
    pub frames: Vec<PathBuf>,
}

/// Turns presets into rows.
pub trait Embedder {
    /// What the rows are made by; rows of different makers are never compared.
    fn maker(&self) -> EmbedderId;

    /// One row for each preset; a row of zeros where nothing can be said.
    fn rows(&mut self, presets: &[Opened]) -> Result<Array2<f32>, String>;
}

/// The embedder of this name: `builtin`, or the folder of a vision model, by path or by its name in `models`.
/// `tell` hears what runs, for people.
pub fn open_embedder(
    name: &str,
    models: Option<&Path>,
    subjects: &[BakeItem],
    folder: &Path,
    seed: u64,
    threads: usize,
    tell: &mut dyn FnMut(String),
) -> Result<Box<dyn Embedder>, String> {
    if name == "builtin" {
        let model = Builtin::prepare(subjects, folder, seed, threads)?;
        tell(format!("embedding with builtin: {}", model.told()));
        return Ok(Box::new(model));
    }
    let own = models.map(|models| models.join(name)).filter(|folder| folder.is_dir());
    let model = Onnx::open(&own.unwrap_or_else(|| PathBuf::from(name)), threads)?;
    tell(format!("embedding with {name}: {}", model.told()));
    Ok(Box::new(model))
}

/// What a night of embedding did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Rows made.
    pub made: usize,
    /// Rows of earlier nights that still hold.
    pub kept: usize,
    /// Presets that could not be read.
    pub unreadable: usize,
    /// Presets of which nothing can be said: a vision model that has no frames of them.
    pub blank: usize,
    /// Whether everything was done; false when it was asked to stop.
    pub finished: bool,
    /// What became of rows that were there and are not used, for people.
    pub notes: Vec<String>,
}

/// Why a night of embedding gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The table on disk.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The embedder itself.
    #[error("embedding failed: {0}")]
    Embedder(String),
    /// It had nothing to say of any preset.
    #[error(
        "{embedder} has no row for any of {presets} presets: {blank} have no frames that it can read, {unreadable} cannot \
         be read themselves; the embeddings of earlier nights are untouched. A vision model needs frames: render some \
         first, or embed with builtin, which does without"
    )]
    Nothing {
        /// What embedded.
        embedder: String,
        /// How many it was asked for.
        presets: usize,
        /// Those of which nothing can be said.
        blank: usize,
        /// Those that cannot be read.
        unreadable: usize,
    },
}

/// Embeds what the table in `folder` lacks. When `watch` says stop, what is done so far is kept; before the first row it
/// may then still be another maker's.
pub fn embed(
    subjects: &[BakeItem],
    embedder: &mut dyn Embedder,
    folder: &Path,
    watch: Watch,
) -> Result<Embedded, EmbedError> {
    let mut done = Embedded { finished: true, ..Embedded::default() };
    let (mut table, in_use) = Table::of(embedder.maker(), folder, &mut |note| done.notes.push(note))?;
    let mut unsaved = 0;
    let mut index = table.index();
    for (batch, subjects_of_batch) in subjects.chunks(BATCH).enumerate() {
        if !watch(&Progress::at("embed", batch * BATCH, subjects.len())) {
            done.finished = false;
            break;
        }
        let (names, opened) = lacking(subjects_of_batch, &table, &index, &mut done);
        if names.is_empty() {
            continue;
        }
        let rows = embedder.rows(&opened).map_err(EmbedError::Embedder)?;
        // A row of zeros says nothing; it would only be like all others of its kind.
        let told: Vec<usize> =
            (0..names.len()).filter(|&at| rows.row(at).iter().any(|value| *value != 0.0)).collect();
        done.blank += names.len() - told.len();
        let names: Vec<_> = told.iter().map(|&at| names[at].clone()).collect();
        done.made += names.len();
        unsaved += names.len();
        table.put(names, &rows.select(Axis(0), &told), &mut index);
        if unsaved >= SAVE_EVERY {
            table.save(folder)?;
            unsaved = 0;
        }
    }
    if done.finished && done.made + done.kept == 0 && !subjects.is_empty() {
        let embedder = table.maker.embedder;
        let Embedded { blank, unreadable, .. } = done;
        return Err(EmbedError::Nothing { embedder, presets: subjects.len(), blank, unreadable });
    }
    // Rows of an earlier night that still hold take the place of another maker's.
    if unsaved > 0 || (!in_use && done.kept > 0) {
        table.save(folder)?;
    }
    watch(&Progress::at("embed", done.made + done.kept, subjects.len()));
    Ok(done)
}

/// Id and key of the subjects that have no row yet, with what is to be embedded.
fn lacking(
    subjects: &[BakeItem],
    table: &Table,
    index: &HashMap<String, usize>,
    done: &mut Embedded,
) -> (Vec<(String, String)>, Vec<Opened>) {
    let (mut names, mut opened) = (Vec::new(), Vec::new());
    for subject in subjects {
        let bytes = match read(&subject.path) {
            Ok(bytes) => bytes,
            Err(why) => {
                log::warn!("a preset is left out: {why} ({})", subject.path.display());
                done.unreadable += 1;
                continue;
            }
        };
        let key = format!("{}+{}", PresetId::of(&bytes), lengths(&subject.frames));
        if index.get(&subject.id).is_some_and(|&row| table.keys[row] == key) {
            done.kept += 1;
        } else {
            names.push((subject.id.clone(), key));
            opened.push(Opened { bytes, frames: subject.frames.clone() });
        }
    }
    (names, opened)
}

/// The lengths of these files, which tell pictures of one preset from others of it.
fn lengths(frames: &[PathBuf]) -> String {
    let length = |frame: &PathBuf| std::fs::metadata(frame).map_or(0, |facts| facts.len()).to_string();
    frames.iter().map(length).collect::<Vec<_>>().join(".")
}

/// A preset's bytes; no file larger than a preset may be.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    crate::library::PresetSource::File(path.to_owned()).read()
}

#[cfg(test)]
mod tests;
