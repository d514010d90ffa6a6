//! Progress of a long-running job, and cancellation.

use serde::{Deserialize, Serialize};

/// Progress of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Stage name as in the log, such as `render frames` or `embed`.
    pub stage: String,
    /// Number of presets done, including those of earlier runs; for a download, the number of bytes received.
    pub done: usize,
    /// Total number of presets, or of bytes.
    pub total: usize,
    /// Path of the latest captured picture, if any.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::disk::as_wire_paths")]
    pub picture: Option<std::path::PathBuf>,
}

/// Progress callback; return `false` to cancel.
pub type OnProgress<'a> = &'a mut dyn FnMut(&Progress) -> bool;

impl Progress {
    /// Returns the progress of a stage without a picture.
    pub fn at(stage: &str, done: usize, total: usize) -> Self {
        Self { stage: stage.to_owned(), done, total, picture: None }
    }
}
