//! Locates the bake of a library through a small file in the library's folder.
//!
//! The style index is stored in the library's folder and can be copied along with it; frames, embeddings and
//! the map are large and stay in the bake folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::{self, FileError, FileKind};

/// Name of the file that records the bake folder.
pub const BAKE_FILE: &str = "aivj-bake.v0.json";

#[derive(Serialize, Deserialize)]
struct BakeFolder {
    version: String,
    #[serde(with = "crate::disk::as_wire_paths")]
    folder: PathBuf,
}

/// Records in `library` that its bake is in `folder`.
pub fn write_bake_folder(library: &Path, folder: &Path) -> Result<(), FileError> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    disk::write_json(&library.join(BAKE_FILE), &BakeFolder { version: "v0".into(), folder })
}

/// Returns the bake folder recorded for a library; the library's folder if none is recorded or the recorded
/// one does not exist.
pub fn bake_folder(library: &Path) -> PathBuf {
    let recorded = disk::read_json::<BakeFolder>(&library.join(BAKE_FILE)).ok();
    recorded
        .map(|recorded| recorded.folder)
        .filter(|folder| matches!(disk::kind(folder), Ok(FileKind::Folder)))
        .unwrap_or_else(|| library.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bake_is_found_through_the_file_or_in_the_library() {
        let (library, bake) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        assert_eq!(bake_folder(library.path()), library.path());
        write_bake_folder(library.path(), bake.path()).expect("written");
        assert_eq!(bake_folder(library.path()), bake.path());
        drop(bake);
        assert_eq!(bake_folder(library.path()), library.path(), "a missing bake");
        std::fs::write(library.path().join(BAKE_FILE), "{").expect("written");
        assert_eq!(bake_folder(library.path()), library.path());
    }
}
