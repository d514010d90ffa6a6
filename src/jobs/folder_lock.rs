//! Allows only one bake per folder at a time, and none in a folder whose files are not from a bake. A bake that was
//! killed leaves the folder unlocked.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::disk;
use crate::library::pack::MANIFEST_FILE;

/// File name of the lock.
const NAME: &str = ".aivj-bake.lock";
/// Files by which the output folder of a bake is recognised, including those of aivj's browser-based predecessor. The
/// lock file stays in the folder, but copies of the folder often lack it.
const OUTPUTS: [&str; 14] = [
    NAME,
    "overnight.log",
    "overnight-state.json",
    MANIFEST_FILE,
    "audit-run.json",
    "preset-audit.json",
    "frames-index.jsonl",
    "embeddings.npy",
    "embeddings.hf.npy",
    "breed.json",
    "shard.json",
    // The store of a shard's audit, and audits that were merged before anything else.
    "store/aivj.db",
    "audit/audit-run.json",
    "audit/preset-audit.json",
];
/// Names of files and folders that file managers and file systems create in any folder, besides hidden ones.
const OF_SYSTEM: [&str; 3] = ["Thumbs.db", "desktop.ini", "lost+found"];

/// The lock of a folder, released when dropped, or by the operating system when the process exits.
pub struct FolderLock {
    _file: File,
    /// Path of the lock file, if it is to be deleted when the lock is dropped.
    temporary: Option<PathBuf>,
}

/// Fails if `folder` contains files but is not the output folder of a bake.
pub fn check_output(folder: &Path) -> anyhow::Result<()> {
    if is_output(folder) || !folder.exists() {
        return Ok(());
    }
    let items = disk::list(folder).with_context(|| format!("opening the folder {}", folder.display()))?;
    if let Some(other) = items.iter().find(|item| !is_of_system(&item.name)) {
        bail!(
            "{} contains files that are not from a bake, such as {}; choose an empty or new folder",
            folder.display(),
            Path::new(&other.name).display()
        );
    }
    Ok(())
}

fn is_output(folder: &Path) -> bool {
    OUTPUTS.iter().any(|name| folder.join(name).exists())
}

fn is_of_system(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || OF_SYSTEM.contains(&&*name)
}

impl FolderLock {
    /// Locks an output folder, creating it if missing. Fails if another bake holds the lock, or as [`check_output`]
    /// does.
    pub fn take_output(folder: &Path) -> anyhow::Result<Self> {
        check_output(folder)?;
        Self::lock(folder)
    }

    /// Locks any folder, creating it if missing. The lock file is deleted when the lock is dropped, unless the folder
    /// is an output folder or was empty. Fails if another bake holds the lock.
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        let temporary = check_output(folder).is_err().then(|| folder.join(NAME));
        let mut lock = Self::lock(folder)?;
        lock.temporary = temporary;
        Ok(lock)
    }

    fn lock(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("creating the folder {}", folder.display()))?;
        let path = folder.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("writing to the folder {}", folder.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).ok(); // Only for the message; fails on Windows.
                let owner = match owner.trim() {
                    "" => String::new(),
                    id => format!(" (process {id})"),
                };
                let folder = folder.display();
                bail!(
                    "another bake{owner} is running in {folder}; wait for it, stop it, or use another folder"
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking the folder {}", folder.display()));
            }
        }
        let cleared = file.set_len(0).and_then(|()| file.rewind());
        cleared.and_then(|()| writeln!(file, "{}", std::process::id())).ok(); // Only for the message above.
        Ok(Self { _file: file, temporary: None })
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        if let Some(path) = &self.temporary {
            std::fs::remove_file(path).ok(); // With this file, the folder would count as an output folder.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_folder_is_refused_until_the_lock_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("mine.milk"), b"zoom=1").expect("written");
        let first = FolderLock::take(folder.path()).expect("taken");
        let refused = FolderLock::take(folder.path()).err().expect("refused").to_string();
        let owner = std::process::id().to_string();
        assert!(refused.contains("another bake") && (cfg!(windows) || refused.contains(&owner)), "{refused}");
        drop(first);
        assert!(FolderLock::take(folder.path()).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1, "no file is left");
    }

    #[test]
    fn only_empty_folders_and_those_of_bakes_are_output_folders() {
        let root = tempfile::tempdir().expect("a folder");
        let (own, new) = (root.path().join("own"), root.path().join("new"));
        std::fs::create_dir(&own).expect("made");
        std::fs::write(own.join(".DS_Store"), b"x").expect("written");
        check_output(&own).expect("as good as empty");
        std::fs::write(own.join("mine.milk"), b"zoom=1").expect("written");
        let refused = FolderLock::take_output(&own).err().expect("refused").to_string();
        assert!(refused.contains("such as mine.milk; choose an empty or new folder"), "{refused}");
        assert!(!own.join(NAME).exists(), "nothing is written");
        drop(FolderLock::take(&own).expect("taken"));
        assert!(check_output(&own).is_err(), "the lock is gone");
        for name in OUTPUTS {
            let (folder, file) = (root.path().join("output"), root.path().join("output").join(name));
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(folder.join("mine.milk"), b"zoom=1").expect("written");
            std::fs::write(&file, b"x").expect("written");
            check_output(&folder).expect(name);
            std::fs::remove_dir_all(&folder).expect("removed");
        }
        drop(FolderLock::take(&new).expect("taken"));
        std::fs::write(new.join("mine.milk"), b"zoom=1").expect("written");
        FolderLock::take_output(&new).expect("a bake was started here");
    }
}
