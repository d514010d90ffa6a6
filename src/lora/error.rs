//! Errors.

use std::path::PathBuf;

use crate::disk::FileError;
use crate::embed::{EmbedError, TableError};
use crate::tune::TuneError;

/// Why a vision model was not tuned.
#[derive(Debug, thiserror::Error)]
pub enum LoraError {
    /// The model cannot be opened, or is not the vision tower of a CLIP model.
    #[error("cannot tune {}: {why}", path.display())]
    Model {
        /// Path of the model.
        path: PathBuf,
        /// Why it cannot be tuned.
        why: String,
    },
    /// There is nothing to learn from.
    #[error("{0}")]
    NoSubjects(String),
    /// An adapter cannot be read or does not fit the model.
    #[error("cannot use the adapter: {0}")]
    Adapter(String),
    /// The training failed.
    #[error("training failed: {0}")]
    Training(String),
    /// The presets cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The embeddings cannot be opened.
    #[error(transparent)]
    Table(#[from] TableError),
    /// There is no way to measure whether the tuned model is better.
    #[error(transparent)]
    Tune(#[from] TuneError),
    /// A file cannot be written.
    #[error("cannot write {0}")]
    File(#[from] FileError),
}
