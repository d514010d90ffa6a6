//! Allows only one bake per folder at a time, and none in a folder whose files are not from a bake. A bake that was
//! killed leaves the folder unlocked.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::disk::{self, Folder};
use crate::library::pack::MANIFEST_FILE;

/// File name of the lock, which stays in the output folder of a bake.
const NAME: &str = ".aivj-bake.lock";
/// Files by which the output folder of a bake is recognised without its lock file, which copies often lack; they
/// include those of aivj's browser-based predecessor.
const OUTPUTS: [&str; 13] = [
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
    // A link is no proof of a bake: packs may contain links to anything.
    let has_lock = || Folder::open(folder).is_ok_and(|folder| folder.has_file(Path::new(NAME)));
    if !folder.exists() || has_lock() { Ok(()) } else { check_contents(folder) }
}

/// Fails as [`check_output`] does, whether or not there is a lock file.
fn check_contents(folder: &Path) -> anyhow::Result<()> {
    let opening = || format!("opening the folder {}", folder.display());
    let opened = Folder::open(folder).with_context(opening)?;
    if OUTPUTS.iter().any(|name| opened.has_file(Path::new(name))) {
        return Ok(());
    }
    let items = disk::list(folder).with_context(opening)?;
    if let Some(other) = items.iter().find(|item| !is_of_system(&item.name)) {
        bail!(
            "{} contains files that are not from a bake, such as {}; choose an empty or new folder",
            folder.display(),
            Path::new(&other.name).display()
        );
    }
    Ok(())
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
        let lock = Self::take(folder)?;
        if lock.temporary.is_some() {
            check_contents(folder)?; // The first check found the temporary lock file of another bake.
        }
        Ok(lock)
    }

    /// Locks any folder, creating it if missing. The lock file is deleted when the lock is dropped, unless the folder
    /// is an output folder or was empty. Fails if another bake holds the lock.
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        let opened =
            Folder::create(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
        let mut file = lock(&opened)?;
        // The lock file of an earlier bake is not empty, and stays.
        let is_new = file.metadata().is_ok_and(|metadata| metadata.len() == 0);
        let temporary = (is_new && check_contents(folder).is_err()).then(|| folder.join(NAME));
        let cleared = file.set_len(0).and_then(|()| file.rewind());
        // The process ID is for messages; any content marks the file as used.
        cleared.and_then(|()| writeln!(file, "{}", std::process::id())).ok();
        Ok(Self { _file: file, temporary })
    }
}

/// Opens and locks the lock file of `folder`, creating it if missing. Fails if another bake holds the lock.
fn lock(folder: &Folder) -> anyhow::Result<File> {
    let path = folder.path().join(NAME);
    let locking = || format!("locking the folder {}", folder.path().display());
    loop {
        let mut file = folder
            .update(Path::new(NAME))
            .with_context(|| format!("writing to the folder {}", folder.path().display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).ok(); // Only for the message; fails on Windows.
                let owner = match owner.trim() {
                    "" => String::new(),
                    id => format!(" (process {id})"),
                };
                let folder = folder.path().display();
                bail!(
                    "another bake{owner} is running in {folder}; wait for it, stop it, or use another folder"
                );
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(locking),
        }
        // The bake that held the lock may have deleted the file after it was opened.
        if disk::is_at(&file, &path).with_context(locking)? {
            return Ok(file);
        }
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

    #[cfg(unix)]
    #[test]
    fn only_one_of_several_bakes_holds_the_lock_and_no_lock_file_is_left() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("mine.milk"), b"zoom=1").expect("written");
        let held = AtomicBool::new(false);
        let bake = || {
            for _ in 0..1000 {
                let Ok(lock) = FolderLock::take(folder.path()) else { continue };
                assert!(!held.swap(true, Ordering::Relaxed), "another bake holds the lock");
                std::thread::yield_now();
                held.store(false, Ordering::Relaxed);
                drop(lock);
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(bake))));
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1, "no file is left");
    }

    #[cfg(unix)]
    #[test]
    fn linked_files_are_neither_locked_nor_proof_of_a_bake() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a folder");
        let (folder, precious) = (root.path().join("pack"), root.path().join("precious"));
        std::fs::create_dir(&folder).expect("made");
        std::fs::write(&precious, "1").expect("written");
        symlink(&precious, folder.join(NAME)).expect("linked");
        let refused = FolderLock::take_output(&folder).err().expect("refused");
        assert!(format!("{refused:#}").contains("is a link"), "{refused:#}");
        assert_eq!(std::fs::read_to_string(&precious).expect("there"), "1");
        std::fs::write(folder.join("mine.milk"), "zoom=1").expect("written");
        symlink(&precious, folder.join("overnight.log")).expect("linked");
        symlink(root.path(), folder.join("audit")).expect("linked");
        std::fs::write(root.path().join("audit-run.json"), "{}").expect("written");
        let refused = check_output(&folder).expect_err("refused").to_string();
        assert!(refused.contains("not from a bake"), "{refused}");
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
        for name in OUTPUTS.into_iter().chain([NAME]) {
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
