//! Recognises an open file by its identity rather than its path.

use std::fs::File;
use std::io;
use std::path::Path;

/// Returns whether an open file is still at `path`. If not, it was deleted, or another file has taken its place. Always
/// true on Windows.
///
/// # Errors
/// Fails if the file or the path cannot be examined.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let own = file.metadata()?;
        match std::fs::metadata(path) {
            Ok(there) => Ok((own.dev(), own.ino()) == (there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        Ok(true)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_deleted_or_replaced_is_no_longer_at_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let file = File::create(&path).expect("made");
        assert!(is_at(&file, &path).expect("examined"));
        std::fs::remove_file(&path).expect("deleted");
        assert!(!is_at(&file, &path).expect("examined"));
        let other = File::create(&path).expect("made");
        assert!(!is_at(&file, &path).expect("examined") && is_at(&other, &path).expect("examined"));
    }
}
