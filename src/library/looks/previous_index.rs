//! Keeps a copy of a folder's style index before another one replaces it.

use std::io::ErrorKind;
use std::path::Path;

use super::bake_folder::BAKE_FILE;
use crate::disk::{self, FileError};
use crate::library::style::{INDEX_V0, INDEX_V1};

/// Files of an index, which are kept, published and restored together.
pub const INDEX_FILES: [&str; 3] = [BAKE_FILE, INDEX_V0, INDEX_V1];

/// Returns the name under which a file of the previous index is kept.
pub fn previous_name(name: &str) -> String {
    format!("{name}.previous")
}

/// Copies the files of the index in `folder` to their previous names; does nothing if there is no index.
pub fn keep_index(folder: &Path) -> Result<(), FileError> {
    if ![INDEX_V0, INDEX_V1].iter().any(|name| folder.join(name).exists()) {
        return Ok(());
    }
    for name in INDEX_FILES {
        let before = folder.join(previous_name(name));
        match disk::read(&folder.join(name), disk::limit::LIST) {
            Ok(bytes) => disk::write(&before, &bytes)?,
            // Restoring must not bring back a file of an older index.
            Err(_) => match std::fs::remove_file(&before) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(FileError::new(&before, &error));
                }
                _ => {}
            },
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
        assert_eq!([BAKE_FILE, INDEX_V0, INDEX_V1].map(before), [text("bake"), None, text("1")]);
        std::fs::remove_file(folder.join(BAKE_FILE)).expect("removed");
        std::fs::write(folder.join(INDEX_V1), "2").expect("written");
        keep_index(folder).expect("kept");
        assert_eq!([BAKE_FILE, INDEX_V1].map(before), [None, text("2")]);
        std::fs::remove_file(folder.join(INDEX_V1)).expect("removed");
        keep_index(folder).expect("nothing to keep");
        assert_eq!(before(INDEX_V1), text("2"), "the last one stays");
    }
}
