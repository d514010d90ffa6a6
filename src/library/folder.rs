//! What may be wrong with a folder of presets, and which of its files are presets.

use std::path::{Path, PathBuf};

/// Why a folder gives no presets.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there or not a folder.
    #[error("{0} is not a folder that can be read")]
    NotAFolder(PathBuf),
    /// There is no preset in it.
    #[error("{0} holds no presets (.milk or .milk2 files)")]
    Empty(PathBuf),
}

/// Whether the name says that this is a preset.
pub fn is_preset(path: &Path) -> bool {
    let known = |ending: &std::ffi::OsStr| {
        ending.eq_ignore_ascii_case("milk") || ending.eq_ignore_ascii_case("milk2")
    };
    path.extension().is_some_and(known)
}
