//! What a long piece of work says about itself while it runs, and how it is asked to stop.

use serde::{Deserialize, Serialize};

/// How far a stage has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, in the words of the log: `render frames`, `embed`...
    pub stage: String,
    /// Presets done, those of earlier nights included.
    pub done: usize,
    /// Presets in all.
    pub total: usize,
    /// A picture that has just been made, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<std::path::PathBuf>,
}

/// Told how far the work has come; answers whether it should go on.
pub type Watch<'a> = &'a mut dyn FnMut(&Progress) -> bool;

impl Progress {
    /// A stage with so much of it done.
    pub fn at(stage: &str, done: usize, total: usize) -> Self {
        Self { stage: stage.to_owned(), done, total, picture: None }
    }
}
