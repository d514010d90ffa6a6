//! One bake at a time in one folder: a second one is told so, and a bake that was killed leaves no lock behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

/// Name of the lock within the folder.
const NAME: &str = ".aivj-bake.lock";

/// Held while a bake works in a folder; the system lets go of it when the process ends, however it ends.
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, which is made when it is not there.
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
        let path = folder.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("writing in the folder {}", folder.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).ok(); // Optional in the message; on Windows a locked file is unreadable.
                let owner = match owner.trim() {
                    "" => String::new(),
                    id => format!(" (process {id})"),
                };
                let folder = folder.display();
                anyhow::bail!(
                    "another bake{owner} is at work in {folder}; wait for it, stop it, or name another folder"
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking the folder {}", folder.display()));
            }
        }
        let told = file.set_len(0).and_then(|()| file.rewind());
        told.and_then(|()| writeln!(file, "{}", std::process::id())).ok(); // The number is for people only.
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_and_the_third_may_start_when_the_first_has_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = FolderLock::take(folder.path()).expect("taken");
        let refused = FolderLock::take(folder.path()).err().expect("refused").to_string();
        let owner = std::process::id().to_string();
        assert!(refused.contains("another bake") && (cfg!(windows) || refused.contains(&owner)), "{refused}");
        drop(first);
        assert!(FolderLock::take(folder.path()).is_ok());
    }
}
