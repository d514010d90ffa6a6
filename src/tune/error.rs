//! Tuning errors.

use crate::disk::FileError;
use crate::embed::TableError;
use crate::store::StoreError;
use crate::units::counted;

/// Why a head was not trained or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// There are no embeddings.
    #[error("the folder contains no embeddings; run `aivj bake embed` first")]
    Empty,
    /// The parts of the table have different lengths.
    #[error("{ids} IDs and {keys} keys for {rows} embeddings; run `aivj bake embed` again")]
    Mismatched {
        /// Number of IDs.
        ids: usize,
        /// Number of keys.
        keys: usize,
        /// Number of embeddings.
        rows: usize,
    },
    /// Embeddings contain NaN or infinite values.
    #[error(
        "{} with values that are not finite; run `aivj bake embed` again", counted(*count, "embedding")
    )]
    NotFinite {
        /// Number of embeddings with such values.
        count: usize,
    },
    /// None of the requested labels can be learnt.
    #[error("no labels to learn from: {0}")]
    NoLabels(String),
    /// No labels can show whether the head is better than the base.
    #[error(
        "nothing can show whether tuning helps, because clusters come from the embeddings themselves: {0}. Sort the \
         presets into folders, or tag some of them"
    )]
    NoJudge(String),
    /// A saved head cannot be read.
    #[error("cannot read {path}: {why}; run `aivj bake tune head` again")]
    Head {
        /// Path of the file.
        path: String,
        /// Why it cannot be read.
        why: String,
    },
    /// The embeddings cannot be opened or saved.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The performer's data cannot be read.
    #[error("cannot read the store: {0}")]
    Store(#[from] StoreError),
    /// A file cannot be written.
    #[error("cannot write {0}")]
    File(#[from] FileError),
}
