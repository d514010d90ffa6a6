//! Compile errors.

/// A syntax error, or code that exceeds a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at byte {at})")]
pub struct CompileError {
    /// Byte offset of the error in the source.
    pub at: usize,
    /// Description of the error.
    pub message: String,
}

impl CompileError {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}
