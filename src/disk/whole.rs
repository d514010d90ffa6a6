//! Replaces and deletes files by path: readers never see a partial file, a failed write leaves the old file untouched,
//! and a finished one survives a power cut.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use super::error::FileError;
use super::folder::Folder;

/// Replaces `path` with `bytes`, atomically; creates its folder if necessary.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, |out| out.write_all(bytes))
}

/// Replaces `path` with `value` as JSON, atomically.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    replace(path, |out| serde_json::to_writer(&mut *out, value).map_err(io::Error::from))
}

/// Replaces `path` atomically with the output of `write`; creates its folder if necessary. Use this only if the
/// user named the folder that contains the file; for files further below, use [`Folder::replace`].
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let (folder, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
    let written = Folder::create(folder).and_then(|folder| folder.replace(Path::new(name), write));
    written.map_err(|error| FileError::new(path, &error))
}

/// Renames a completely written file to its final name, after its contents have reached the disk. Use this for
/// files that another program or a library writes, given only their path.
pub fn publish(written: &Path, path: &Path) -> io::Result<()> {
    File::options().write(true).open(written)?.sync_all()?;
    std::fs::rename(written, path)?;
    // The new name must reach the disk too. Not every file system supports this.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).ok();
    }
    Ok(())
}

/// Deletes a file; does nothing if there is no such file.
pub fn remove_if_exists(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.expect_err("failed").to_string().contains("the disk is full"));
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "[1,2]");
        assert_eq!(std::fs::read_dir(path.parent().expect("a folder")).expect("read").count(), 1);
    }

    #[test]
    fn concurrent_writes_leave_one_complete_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::thread::scope(|scope| {
            for letter in [b'a', b'b', b'c', b'd'] {
                let path = &path;
                scope.spawn(move || (0..8).for_each(|_| write(path, &[letter; 5000]).expect("written")));
            }
        });
        let bytes = std::fs::read(&path).expect("a file");
        assert!(bytes.len() == 5000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1);
    }
}
