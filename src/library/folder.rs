//! Preset folder errors, and recognition of preset files by extension.

use std::path::{Path, PathBuf};

/// Why no presets can be loaded from a folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The path is not a readable folder.
    #[error("{0} is not a readable folder")]
    NotAFolder(PathBuf),
    /// The folder contains no presets.
    #[error("{0} contains no presets (.milk or .milk2 files)")]
    Empty(PathBuf),
}

/// Returns whether the file name has a preset extension.
pub fn is_preset(path: &Path) -> bool {
    let known = |ending: &std::ffi::OsStr| {
        ending.eq_ignore_ascii_case("milk") || ending.eq_ignore_ascii_case("milk2")
    };
    path.extension().is_some_and(known)
}
