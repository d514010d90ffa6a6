//! Folders of preset files.

use std::path::{Path, PathBuf};

/// Deepest folder that is looked into; ends symlink loops that the walk itself does not notice.
const MAX_DEPTH: usize = 32;

/// Why a folder gives no presets.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there or not a folder.
    #[error("{0} is not a folder that can be read")]
    NotAFolder(PathBuf),
    /// There is no preset in it.
    #[error("{0} holds no .milk files")]
    Empty(PathBuf),
}

/// All `.milk` files below `folder`, sorted by path. Subfolders that cannot be read are skipped with a warning.
pub fn presets_in(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    if !folder.is_dir() {
        return Err(FolderError::NotAFolder(folder.to_owned()));
    }
    let mut found = Vec::new();
    let walk = walkdir::WalkDir::new(folder).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_preset(entry.path()) => {
                found.push(entry.into_path())
            }
            Ok(_) => {}
            Err(error) => log::warn!("a folder is left out: {error}"),
        }
    }
    if found.is_empty() { Err(FolderError::Empty(folder.to_owned())) } else { Ok(found) }
}

fn is_preset(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("milk"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_and_an_empty_folder_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(presets_in(folder.path()), Err(FolderError::Empty(_))));
        assert!(matches!(presets_in(&folder.path().join("no")), Err(FolderError::NotAFolder(_))));
        std::fs::write(folder.path().join("a.MILK"), "x").expect("written");
        assert_eq!(presets_in(folder.path()).expect("one").len(), 1);
    }
}
