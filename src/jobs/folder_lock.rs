//! Allows only one bake per folder at a time. A bake that was killed leaves no lock behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

/// File name of the lock.
const NAME: &str = ".aivj-bake.lock";

/// The lock of a folder, released when dropped, or by the operating system when the process exits.
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the folder, creating it if missing. Fails if another bake holds the lock.
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
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
                anyhow::bail!(
                    "another bake{owner} is running in {folder}; wait for it, stop it, or use another folder"
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking the folder {}", folder.display()));
            }
        }
        let cleared = file.set_len(0).and_then(|()| file.rewind());
        cleared.and_then(|()| writeln!(file, "{}", std::process::id())).ok(); // Only for the message above.
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_folder_is_refused_until_the_lock_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = FolderLock::take(folder.path()).expect("taken");
        let refused = FolderLock::take(folder.path()).err().expect("refused").to_string();
        let owner = std::process::id().to_string();
        assert!(refused.contains("another bake") && (cfg!(windows) || refused.contains(&owner)), "{refused}");
        drop(first);
        assert!(FolderLock::take(folder.path()).is_ok());
    }
}
