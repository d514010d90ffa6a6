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

/// Atomically replaces the file at the relative path `below` with `bytes`. The path is relative to `folder`, which the
/// user named. Creates missing folders, and follows no links below `folder`.
pub fn write_below(folder: &Path, below: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace_below(folder, below, |out| out.write_all(bytes))
}

/// Creates the folder at `path` if it is missing. Its parent must be a folder that the user named, and `path` itself
/// must not be a link.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    let (folder, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
    let created = Folder::create(folder).and_then(|folder| folder.create_below(Path::new(name)));
    created.map(drop).map_err(|error| FileError::new(path, &error))
}

/// Replaces `path` with `value` as JSON, atomically.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    replace(path, |out| serde_json::to_writer(&mut *out, value).map_err(io::Error::from))
}

/// Replaces `path` atomically with the output of `write`; creates its folder if necessary. Use this only if the
/// user named the folder that contains the file; for files further below, use [`write_below`] or [`Folder::replace`].
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let (folder, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
    replace_below(folder, Path::new(name), write)
}

fn replace_below(
    folder: &Path,
    below: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let written = Folder::create(folder).and_then(|folder| folder.replace(below, write));
    written.map_err(|error| FileError::new(&folder.join(below), &error))
}

/// Renames a completely written file to its final name, after its contents have reached the disk. Use this for
/// files that a third-party library writes, given only their path; see also [`Draft`](super::Draft).
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

    #[cfg(unix)]
    #[test]
    fn linked_subfolders_are_neither_used_nor_written_to() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("elsewhere")).expect("made");
        std::fs::create_dir_all(at("named")).expect("made");
        std::os::unix::fs::symlink(at("elsewhere"), at("named/sub")).expect("linked");
        assert!(write_below(&at("named"), Path::new("sub/file"), b"1").is_err());
        let why = create_folder(&at("named/sub")).expect_err("refused").to_string();
        assert!(why.contains("is a link"), "{why}");
        assert_eq!(std::fs::read_dir(at("elsewhere")).expect("read").count(), 0);
        write_below(&at("named"), Path::new("own/file"), b"1").expect("written");
        create_folder(&at("named/own")).expect("it exists");
        create_folder(&at("named/new")).expect("created");
        assert!(at("named/new").is_dir() && at("named/own/file").is_file());
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
