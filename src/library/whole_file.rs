//! Atomic file writes: readers never see a partial file, and a failed write leaves the old file untouched.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A file that could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct FileError {
    /// The file.
    pub path: String,
    /// The reason.
    pub why: String,
}

impl FileError {
    pub(in crate::library) fn new(path: &Path, why: &impl Display) -> Self {
        Self { path: path.display().to_string(), why: why.to_string() }
    }
}

/// Writes `value` as JSON, atomically.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    replace(path, |out| serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from))
}

/// Replaces `path` atomically with the output of `write`; creates its folder if necessary.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), FileError> {
    let temporary = temporary(path);
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = folder.and_then(|()| {
        let mut out = BufWriter::new(File::create(&temporary)?);
        write(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        std::fs::rename(&temporary, path)
    });
    written.map_err(|error| {
        std::fs::remove_file(&temporary).ok(); // Removes the incomplete file.
        FileError::new(path, &error)
    })
}

/// Returns the temporary name of a file, which is unique to the process.
fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("below/file.json");
        write_json(&path, &[1, 2]).expect("written");
        let failed = replace(&path, |out| {
            out.write_all(b"half")?;
            Err(std::io::Error::other("the disk is full"))
        });
        assert!(failed.expect_err("failed").to_string().contains("the disk is full"));
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "[1,2]");
        assert_eq!(std::fs::read_dir(path.parent().expect("a folder")).expect("read").count(), 1);
    }
}
