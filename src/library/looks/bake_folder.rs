//! Where a bake keeps what it made of a library: a small file beside the presets says it.
//!
//! The index lies beside the presets and can be copied along with them; frames, embeddings and the map are large and
//! stay where they were made.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::library::whole_file::{self, FileError};

/// Name of the file.
pub const BAKE_PLACE: &str = "aivj-bake.v0.json";

#[derive(Serialize, Deserialize)]
struct BakeFolder {
    version: String,
    folder: PathBuf,
}

/// Says beside the presets in `library` that their bake lies in `folder`.
pub fn write_bake_place(library: &Path, folder: &Path) -> Result<(), FileError> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    whole_file::write_json(&library.join(BAKE_PLACE), &BakeFolder { version: "v0".into(), folder })
}

/// Where the bake of the presets in `library` lies; beside them where nothing says otherwise.
pub fn bake_place(library: &Path) -> PathBuf {
    let said = std::fs::read(library.join(BAKE_PLACE)).ok();
    let said = said.and_then(|bytes| serde_json::from_slice::<BakeFolder>(&bytes).ok());
    said.map(|place| place.folder).filter(|folder| folder.is_dir()).unwrap_or_else(|| library.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bake_is_found_where_the_file_says_and_beside_the_presets_without_one() {
        let (library, bake) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        assert_eq!(bake_place(library.path()), library.path());
        write_bake_place(library.path(), bake.path()).expect("written");
        assert_eq!(bake_place(library.path()), bake.path());
        drop(bake);
        assert_eq!(bake_place(library.path()), library.path(), "a bake that is gone");
        std::fs::write(library.path().join(BAKE_PLACE), "{").expect("written");
        assert_eq!(bake_place(library.path()), library.path());
    }
}
