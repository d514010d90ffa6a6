//! The error type for reading and writing files.

use std::fmt::Display;
use std::path::Path;

/// A file that could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct FileError {
    /// Path of the file.
    pub path: String,
    /// Why it could not be read or written.
    pub why: String,
}

impl FileError {
    /// Creates an error about the file at `path`.
    pub fn new(path: &Path, why: &impl Display) -> Self {
        Self { path: path.display().to_string(), why: why.to_string() }
    }
}
