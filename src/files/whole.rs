//! Atomic file writes: readers never see a partial file, a failed write leaves the old file untouched, and a finished one
//! survives a power cut.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;

use super::FileError;

/// Replaces `path` with `bytes`, atomically; creates its folder if necessary.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, |out| out.write_all(bytes))
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
        publish(&temporary, path)
    });
    written.map_err(|error| {
        std::fs::remove_file(&temporary).ok(); // Removes the incomplete file.
        FileError::new(path, &error)
    })
}

/// Renames a completely written file to its final name, after its contents have reached the disk. For files that another
/// program or library writes by name.
pub fn publish(written: &Path, path: &Path) -> std::io::Result<()> {
    File::options().write(true).open(written)?.sync_all()?;
    std::fs::rename(written, path)?;
    sync_folder(path);
    Ok(())
}

/// Makes the name of a new file permanent. Not every file system can sync a folder, and none needs it for a program that
/// is killed; a failure is therefore ignored.
pub fn sync_folder(path: &Path) {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).ok();
    }
    #[cfg(not(unix))]
    let _: &Path = path;
}

/// Returns a temporary name next to a file, unique to the process and the call.
fn temporary(path: &Path) -> PathBuf {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.part", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed)));
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

    #[test]
    fn threads_that_write_the_same_file_leave_one_of_their_files() {
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
