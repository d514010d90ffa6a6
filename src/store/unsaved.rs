//! Changes that could not be saved, kept in a small file until they are added to the store at a later start.
//!
//! The space of the file is reserved when it is created, so that a night's marks fit even on a full disk.
//! Each process has its own file and holds a lock on it; a file whose lock is free was left by a process that
//! has ended.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::write::StoreWrite;
use super::{Store, StoreError, UnixSecs};
use crate::disk;

/// Prefix of the file names.
const NAME: &str = "aivj.db.unsaved-";
/// Number of bytes reserved in advance; a mark takes about 120.
const RESERVED: usize = 64 << 10;
/// Maximum number of bytes read from a file.
const MAX_BYTES: u64 = 64 << 20;
/// Name of the stored value that lists the IDs of file contents that were already added.
const ADDED: &str = "added_unsaved";
/// Maximum number of IDs remembered.
const REMEMBERED: usize = 64;

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    /// ID of the file's contents, so that they are added to a store only once.
    of: String,
    at: UnixSecs,
    change: StoreWrite,
}

/// The file of unsaved changes of this process.
pub(super) struct UnsavedFile {
    file: File,
    path: PathBuf,
    /// Number of bytes in use; the rest is blank.
    used: u64,
    id: String,
    generation: u32,
}

impl UnsavedFile {
    /// Creates the file in `folder` and reserves its space. `now` is part of its ID, which distinguishes it
    /// from the files of other processes.
    pub fn create(folder: &Path, now: UnixSecs) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let process = std::process::id();
        let free = |number: &u32| !folder.join(format!("{NAME}{process}-{number}")).exists();
        let (mut file, path) = loop {
            let path = folder.join(format!("{NAME}{process}-{}", (0..).find(free).unwrap_or(0)));
            let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
            if lock_new(&file, &path)? {
                break (file, path);
            }
        };
        let id = format!("{now}-{process}");
        let reserved = file.write_all(&[b' '; RESERVED]).and_then(|()| file.sync_all());
        let created = Self { file, path, used: 0, id, generation: 0 };
        reserved.map(|()| created)
    }

    /// Returns the ID of the current contents.
    fn id(&self) -> String {
        format!("{}-{}", self.id, self.generation)
    }

    /// Appends a change made at time `at`.
    ///
    /// # Errors
    /// Fails if the reserved space is used up and the disk is full; earlier changes are kept.
    pub fn add(&mut self, at: UnixSecs, change: &StoreWrite) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line { of: self.id(), at, change: change.clone() })?;
        line.push(b'\n');
        self.file.seek(SeekFrom::Start(self.used))?;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.used += line.len() as u64;
        Ok(())
    }

    /// Returns whether the file contains changes.
    pub fn is_used(&self) -> bool {
        self.used > 0
    }

    /// Records in the store that the file's changes need not be added later. Must be called in the
    /// transaction that saves them.
    pub fn note_saved(&self, store: &Store, now: UnixSecs) -> Result<(), StoreError> {
        note_added(store, &[self.id()], now)
    }

    /// Removes all changes from the file.
    pub fn clear(&mut self) -> io::Result<()> {
        let blank = vec![b' '; usize::try_from(self.used).unwrap_or(RESERVED)];
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&blank)?;
        self.file.sync_data()?;
        self.used = 0;
        self.generation += 1;
        Ok(())
    }
}

impl Drop for UnsavedFile {
    /// Deletes the file if it contains no changes, otherwise frees its unused space.
    fn drop(&mut self) {
        if self.used == 0 {
            std::fs::remove_file(&self.path).ok(); // If this fails, the next start finds no changes in it.
        } else {
            self.file.set_len(self.used).ok(); // If this fails, the rest is blank.
        }
    }
}

/// Locks a file that was just created; returns false if a process that adds changes has found it first, and deletes
/// it as unused.
fn lock_new(file: &File, path: &Path) -> io::Result<bool> {
    // On file systems without locks, another process may add these changes early.
    let is_taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    Ok(!is_taken && disk::is_at(file, path)?)
}

/// Adds to `store` the changes left by processes that have ended, and deletes their files; returns the number
/// of changes.
///
/// # Errors
/// Fails if the store cannot be written; the files are kept.
pub(super) fn merge(store: &Store, folder: &Path) -> Result<usize, StoreError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(0) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(NAME)));
    paths.sort();
    let mut count = 0;
    for path in paths {
        if !path.is_file() {
            continue;
        }
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
        if file.try_lock().is_err() {
            continue; // A running show is using it.
        }
        let mut bytes = Vec::new();
        if (&file).take(MAX_BYTES).read_to_end(&mut bytes).is_ok() {
            count += add(store, &lines(&bytes))?;
            std::fs::remove_file(&path).ok(); // If this fails, the store's list prevents adding them twice.
        }
    }
    Ok(count)
}

/// Returns the changes in a file. Lines that a crash has truncated are skipped.
fn lines(bytes: &[u8]) -> Vec<Line> {
    let text = disk::decode_lossy(bytes);
    disk::lines(&text).filter_map(|line| serde_json::from_str(line.trim()).ok()).collect()
}

/// Adds changes in one transaction; returns the number of those that were not added before.
fn add(store: &Store, lines: &[Line]) -> Result<usize, StoreError> {
    let known: BTreeSet<String> =
        store.recall::<Vec<String>>(ADDED)?.unwrap_or_default().into_iter().collect();
    let new: Vec<&Line> = lines.iter().filter(|line| !known.contains(&line.of)).collect();
    let Some(last) = new.last() else { return Ok(0) };
    let step = store.connection.unchecked_transaction()?;
    for line in &new {
        // A value that another show has saved since then is newer.
        let outdated = match &line.change {
            StoreWrite::Remember(name, _) => store.remembered_at(name)?.is_some_and(|at| at > line.at),
            _ => false,
        };
        if outdated {
            continue;
        }
        match line.change.apply(store, line.at) {
            Err(error) if !error.is_refusal() => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    let ids: BTreeSet<String> = new.iter().map(|line| line.of.clone()).collect();
    note_added(store, &ids.into_iter().collect::<Vec<_>>(), last.at)?;
    step.commit()?;
    Ok(new.len())
}

fn note_added(store: &Store, ids: &[String], now: UnixSecs) -> Result<(), StoreError> {
    let mut added = store.recall::<Vec<String>>(ADDED)?.unwrap_or_default();
    added.extend_from_slice(ids);
    let first = added.len().saturating_sub(REMEMBERED);
    store.remember(ADDED, &&added[first..], now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PresetId;

    fn favourite(number: u8) -> StoreWrite {
        StoreWrite::Favourite(PresetId::of(&[number]), true)
    }

    fn files(folder: &Path) -> usize {
        let names = std::fs::read_dir(folder).expect("read").flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().starts_with(NAME)).count()
    }

    #[test]
    fn changes_are_added_once_and_the_file_of_a_running_show_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = UnsavedFile::create(folder.path(), 5).expect("created");
        file.add(5, &favourite(1)).expect("kept");
        file.add(6, &StoreWrite::Played { id: PresetId::of(b"a"), seconds: 2.0, skipped: false })
            .expect("kept");
        let store = Store::in_memory().expect("opens");
        assert_eq!(merge(&store, folder.path()).expect("merged"), 0, "it is locked");
        let contents = std::fs::read(&file.path).expect("read");
        assert_eq!(contents.len(), RESERVED);
        let path = file.path.clone();
        drop(file);
        assert_eq!(merge(&store, folder.path()).expect("merged"), 2);
        assert_eq!((store.favourites().expect("read").len(), files(folder.path())), (1, 0));
        std::fs::write(&path, contents).expect("restored, as after a crash before it was deleted");
        assert_eq!(merge(&store, folder.path()).expect("merged"), 0);
        assert_eq!(store.plays().expect("read")[&PresetId::of(b"a")].plays, 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_that_another_process_locks_or_deletes_is_not_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new");
        let file = File::create(&path).expect("made");
        let other = File::open(&path).expect("opens");
        other.try_lock().expect("locked");
        assert!(!lock_new(&file, &path).expect("examined"));
        std::fs::remove_file(&path).expect("deleted");
        drop(other);
        assert!(!lock_new(&file, &path).expect("examined"));
        let file = File::create(&path).expect("made");
        assert!(lock_new(&file, &path).expect("examined"));
    }

    #[test]
    fn a_truncated_line_is_skipped_and_an_unused_file_is_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(UnsavedFile::create(folder.path(), 5).expect("created"));
        assert_eq!(files(folder.path()), 0);
        let mut file = UnsavedFile::create(folder.path(), 5).expect("created");
        (0..3).for_each(|number| file.add(5, &favourite(number)).expect("kept"));
        let (path, used) = (file.path.clone(), file.used);
        drop(file);
        let bytes = std::fs::read(&path).expect("read");
        assert_eq!(bytes.len() as u64, used);
        std::fs::write(&path, &bytes[..bytes.len() - 20]).expect("cut");
        let store = Store::in_memory().expect("opens");
        assert_eq!(merge(&store, folder.path()).expect("merged"), 2);
    }

    #[test]
    fn a_newer_taste_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = UnsavedFile::create(folder.path(), 5).expect("created");
        file.add(5, &StoreWrite::Remember("taste".into(), "1".into())).expect("kept");
        file.add(5, &StoreWrite::Remember("macros".into(), "2".into())).expect("kept");
        drop(file);
        let store = Store::in_memory().expect("opens");
        store.remember("taste", &7, 6).expect("stored");
        merge(&store, folder.path()).expect("merged");
        assert_eq!(store.recall::<u8>("taste").expect("read"), Some(7));
        assert_eq!(store.recall::<u8>("macros").expect("read"), Some(2));
    }
}
