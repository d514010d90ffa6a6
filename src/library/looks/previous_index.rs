//! Keeps a copy of a folder's style index before another one replaces it.

use std::path::Path;

use super::bake_folder::BAKE_FILE;
use super::map::MAP_FILE;
use crate::disk::{self, FileError};
use crate::library::style::{INDEX_V0, INDEX_V1};

/// File name of the styles in a bake folder.
pub const STYLES_FILE: &str = "clusters.v0.json";
/// Files of an index, which are kept and restored together. The v1 index comes last, so that the other files are in
/// place when a watcher sees it change.
pub const INDEX_FILES: [&str; 5] = [MAP_FILE, STYLES_FILE, BAKE_FILE, INDEX_V0, INDEX_V1];

/// Returns the name under which a file of the previous index is kept.
pub fn previous_name(name: &str) -> String {
    format!("{name}.previous")
}

/// Copies the files of the index in `folder` to their [`previous_name`]s; does nothing if there is no index.
///
/// # Errors
/// Fails if a file cannot be read, with the previous files unchanged, or if one cannot be written.
pub fn keep_index(folder: &Path) -> Result<(), FileError> {
    let mut files = Vec::new();
    for name in INDEX_FILES {
        let path = folder.join(name);
        let bytes = disk::read_if_exists(&path, disk::limit::LIST);
        files.push((name, bytes.map_err(|error| FileError::new(&path, &error))?));
    }
    if !files.iter().any(|(name, bytes)| [INDEX_V0, INDEX_V1].contains(name) && bytes.is_some()) {
        return Ok(());
    }
    for (name, bytes) in files {
        let before = folder.join(previous_name(name));
        match bytes {
            Some(bytes) => disk::write(&before, &bytes)?,
            // Restoring must not bring back a file of an older index.
            None => disk::remove_if_exists(&before).map_err(|error| FileError::new(&before, &error))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_an_index_are_kept_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let before = |name: &str| std::fs::read_to_string(folder.join(previous_name(name))).ok();
        keep_index(folder).expect("nothing to keep");
        std::fs::write(folder.join(INDEX_V1), "1").expect("written");
        std::fs::write(folder.join(BAKE_FILE), "bake").expect("written");
        keep_index(folder).expect("kept");
        let text = |text: &str| Some(text.to_owned());
        let kept = [None, None, text("bake"), None, text("1")];
        assert_eq!(INDEX_FILES.map(before), kept, "map, styles, bake folder, v0 and v1 index");
        std::fs::remove_file(folder.join(BAKE_FILE)).expect("removed");
        std::fs::write(folder.join(INDEX_V1), "2").expect("written");
        keep_index(folder).expect("kept");
        assert_eq!([BAKE_FILE, INDEX_V1].map(before), [None, text("2")]);
        std::fs::remove_file(folder.join(INDEX_V1)).expect("removed");
        keep_index(folder).expect("nothing to keep");
        assert_eq!(before(INDEX_V1), text("2"), "the last one stays");
        // A folder cannot be read as a file.
        std::fs::create_dir(folder.join(INDEX_V1)).expect("made");
        std::fs::write(folder.join(BAKE_FILE), "other").expect("written");
        keep_index(folder).expect_err("unreadable");
        assert_eq!([BAKE_FILE, INDEX_V1].map(before), [None, text("2")], "the previous index is unchanged");
    }
}
