//! Changes that could not be saved, kept in a small file until they are added to the store at a later start.
//!
//! The space of the file is reserved when it is created, so that a night's marks fit even on a full disk. If the data
//! folder has no room for it, or cannot be written to, the file is created elsewhere. Each process has its own files and
//! holds locks on them; a file whose lock is free was left by a process that has ended.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::write::StoreWrite;
use super::{Store, StoreError, UnixSecs, bytes_of};
use crate::disk::{self, Folder};

/// Prefix of the file names in the data folder.
const NAME: &str = "aivj.db.unsaved-";
/// Number of bytes reserved in advance; a mark takes about 120.
const RESERVED: usize = 64 << 10;
/// Maximum number of bytes read from a file.
const MAX_BYTES: u64 = 64 << 20;
/// Maximum number of files per process in one folder.
const MAX_FILES: u32 = 1000;
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

/// A folder for files of unsaved changes.
pub(super) struct Place {
    folder: PathBuf,
    /// Prefix of the file names.
    prefix: String,
    /// Whether other users may also write to the folder.
    shared: bool,
}

/// Returns the folders for the unsaved changes of the store in `data`, in order of preference.
pub(super) fn places(data: &Path) -> Vec<Place> {
    let own = Place { folder: data.to_owned(), prefix: NAME.into(), shared: false };
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let digest = Sha256::digest(bytes_of(&data));
    let hash = u64::from_be_bytes(std::array::from_fn(|at| digest[at]));
    let elsewhere = |folder| Place { folder, prefix: format!("aivj-{hash:016x}.unsaved-"), shared: true };
    // Unit tests write only to the temporary folder.
    let user = if cfg!(test) { None } else { directories::ProjectDirs::from("", "", "aivj") };
    let state = user.and_then(|user| user.state_dir().map(Path::to_owned));
    std::iter::once(own).chain(state.into_iter().chain([std::env::temp_dir()]).map(elsewhere)).collect()
}

/// The files with the unsaved changes of this process: at most one per folder.
pub(super) struct UnsavedFiles {
    places: Vec<(Place, Option<UnsavedFile>)>,
    now: UnixSecs,
}

impl UnsavedFiles {
    /// Reserves space in the first of `places`, and in the following ones if there is too little. `now` is part of the
    /// file IDs, which distinguish these files from those of other processes.
    pub fn reserve(places: Vec<Place>, now: UnixSecs) -> Self {
        let mut reserved = false;
        let create = |place: Place| {
            let created = (!reserved).then(|| UnsavedFile::create(&place, now));
            let file = created.and_then(|created| {
                created
                    .inspect_err(|error| log::debug!("no space reserved for unsaved changes: {error}"))
                    .ok()
            });
            reserved |= file.as_ref().is_some_and(|file| file.reserved == RESERVED);
            (place, file)
        };
        Self { places: places.into_iter().map(create).collect(), now }
    }

    /// Adds a change made at time `at` to the first file that has room for it.
    ///
    /// # Errors
    /// Fails if the reserved space is used up and every disk is full; earlier changes are kept.
    pub fn add(&mut self, at: UnixSecs, change: &StoreWrite) -> io::Result<()> {
        let mut failed = io::Error::other("there is no folder for them");
        for (place, file) in &mut self.places {
            let added = match file {
                Some(file) => file.add(at, change),
                None => UnsavedFile::create(place, self.now).and_then(|new| file.insert(new).add(at, change)),
            };
            match added {
                Ok(()) => return Ok(()),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Records in the store that the changes in the files need not be added later. Must be called in the
    /// transaction that saves them.
    pub fn note_saved(&self, store: &Store, now: UnixSecs) -> Result<(), StoreError> {
        let files = self.places.iter().filter_map(|(_, file)| file.as_ref());
        let ids: Vec<String> = files.filter(|file| file.used > 0).map(UnsavedFile::id).collect();
        if ids.is_empty() { Ok(()) } else { note_added(store, &ids, now) }
    }

    /// Removes all changes from the files.
    pub fn clear(&mut self) -> io::Result<()> {
        let files = self.places.iter_mut().filter_map(|(_, file)| file.as_mut());
        let mut cleared = Ok(());
        for file in files.filter(|file| file.used > 0) {
            cleared = cleared.and(file.clear());
        }
        cleared
    }
}

/// A file of unsaved changes of this process.
struct UnsavedFile {
    file: File,
    path: PathBuf,
    /// Number of bytes in use; the rest is blank.
    used: u64,
    /// Number of bytes that could be reserved.
    reserved: usize,
    id: String,
    generation: u32,
}

impl UnsavedFile {
    /// Creates a file and reserves its space, as far as possible.
    fn create(place: &Place, now: UnixSecs) -> io::Result<Self> {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        let (mut file, path) = create_locked(place, process)?;
        let id = format!("{now}-{process}-{}", CREATED.fetch_add(1, Ordering::Relaxed));
        let reserved = reserve(&mut file);
        // Some file systems do not report a full disk until the file is synced.
        let reserved = if file.sync_all().is_ok() { reserved } else { 0 };
        Ok(Self { file, path, used: 0, reserved, id, generation: 0 })
    }

    /// Returns the ID of the current contents.
    fn id(&self) -> String {
        format!("{}-{}", self.id, self.generation)
    }

    /// Appends a change made at time `at`.
    ///
    /// # Errors
    /// Fails if the reserved space is used up and the disk is full; earlier changes are kept.
    fn add(&mut self, at: UnixSecs, change: &StoreWrite) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line { of: self.id(), at, change: change.clone() })?;
        line.push(b'\n');
        self.file.seek(SeekFrom::Start(self.used))?;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.used += line.len() as u64;
        Ok(())
    }

    /// Removes all changes from the file.
    fn clear(&mut self) -> io::Result<()> {
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

/// Creates a file under a free name and locks it.
fn create_locked(place: &Place, process: u32) -> io::Result<(File, PathBuf)> {
    let folder = Folder::create(&place.folder)?;
    for number in 0..MAX_FILES {
        let name = format!("{}{process}-{number}", place.prefix);
        let path = place.folder.join(&name);
        match folder.create_private(Path::new(&name)) {
            Ok(file) if lock_new(&file, &path)? => return Ok((file, path)),
            Ok(_) => {}
            Err(_) if path.symlink_metadata().is_ok() => {} // The name is taken.
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many files of unsaved changes"))
}

/// Fills a new file with blanks until [`RESERVED`] bytes are written or the disk is full; returns the number of bytes.
fn reserve(file: &mut impl Write) -> usize {
    let blanks = [b' '; 4 << 10];
    let mut reserved = 0;
    while reserved < RESERVED {
        match file.write(&blanks[..blanks.len().min(RESERVED - reserved)]) {
            Ok(0) => break,
            Ok(count) => reserved += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    reserved
}

/// Locks a file that was just created. Returns false if another process, looking for changes to add, has already locked
/// or deleted it.
fn lock_new(file: &File, path: &Path) -> io::Result<bool> {
    // On file systems without locks, another process may add these changes early.
    let is_taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    Ok(!is_taken && disk::is_at(file, path)?)
}

/// A file of changes left by a process that has ended.
struct LeftFile {
    path: PathBuf,
    lines: Vec<Line>,
    /// Keeps other processes from adding the changes too.
    _lock: File,
}

/// Adds to `store` the changes left in `places` by processes that have ended, in the order in which they were made, and
/// deletes the files. Returns the number of changes.
///
/// # Errors
/// Fails if the store cannot be written; the files are kept.
pub(super) fn merge(store: &Store, places: &[Place]) -> Result<usize, StoreError> {
    let mut files: Vec<LeftFile> = places.iter().flat_map(left_in).collect();
    let mut lines: Vec<Line> = files.iter_mut().flat_map(|file| std::mem::take(&mut file.lines)).collect();
    lines.sort_by_key(|line| line.at);
    let count = add(store, &lines)?;
    for file in files {
        std::fs::remove_file(&file.path).ok(); // If this fails, the store's list prevents adding them twice.
    }
    Ok(count)
}

fn left_in(place: &Place) -> Vec<LeftFile> {
    let (Ok(entries), Ok(folder)) = (std::fs::read_dir(&place.folder), Folder::open(&place.folder)) else {
        return Vec::new();
    };
    let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.file_name().into()).collect();
    names.retain(|name| name.to_string_lossy().starts_with(&place.prefix));
    names.sort();
    let left = |name: PathBuf| {
        let file = folder.update(&name).ok()?;
        // In a shared folder, the file may be a forgery by another user. A locked file belongs to a running process.
        let is_own = !place.shared || disk::is_own(&file).unwrap_or(false);
        if !is_own || matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let mut bytes = Vec::new();
        (&file).take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Some(LeftFile { path: place.folder.join(name), lines: lines(&bytes), _lock: file })
    };
    names.into_iter().filter_map(left).collect()
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

    fn place(folder: &Path) -> Place {
        Place { folder: folder.to_owned(), prefix: NAME.into(), shared: false }
    }

    fn files(folder: &Path) -> usize {
        let names = std::fs::read_dir(folder).expect("read").flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().starts_with(NAME)).count()
    }

    #[test]
    fn changes_are_added_once_and_the_file_of_a_running_show_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = UnsavedFile::create(&place(folder.path()), 5).expect("created");
        file.add(5, &favourite(1)).expect("kept");
        file.add(6, &StoreWrite::Played { id: PresetId::of(b"a"), seconds: 2.0, skipped: false })
            .expect("kept");
        let store = Store::in_memory().expect("opens");
        assert_eq!(merge(&store, &[place(folder.path())]).expect("merged"), 0, "it is locked");
        let contents = std::fs::read(&file.path).expect("read");
        assert_eq!(contents.len(), RESERVED);
        let path = file.path.clone();
        drop(file);
        assert_eq!(merge(&store, &[place(folder.path())]).expect("merged"), 2);
        assert_eq!((store.favourites().expect("read").len(), files(folder.path())), (1, 0));
        std::fs::write(&path, contents).expect("restored, as after a crash before it was deleted");
        assert_eq!(merge(&store, &[place(folder.path())]).expect("merged"), 0);
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
        drop(UnsavedFile::create(&place(folder.path()), 5).expect("created"));
        assert_eq!(files(folder.path()), 0);
        let mut file = UnsavedFile::create(&place(folder.path()), 5).expect("created");
        (0..3).for_each(|number| file.add(5, &favourite(number)).expect("kept"));
        let (path, used) = (file.path.clone(), file.used);
        drop(file);
        let bytes = std::fs::read(&path).expect("read");
        assert_eq!(bytes.len() as u64, used);
        std::fs::write(&path, &bytes[..bytes.len() - 20]).expect("cut");
        let store = Store::in_memory().expect("opens");
        assert_eq!(merge(&store, &[place(folder.path())]).expect("merged"), 2);
    }

    #[test]
    fn a_newer_taste_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = UnsavedFile::create(&place(folder.path()), 5).expect("created");
        file.add(5, &StoreWrite::Remember("taste".into(), "1".into())).expect("kept");
        file.add(5, &StoreWrite::Remember("macros".into(), "2".into())).expect("kept");
        drop(file);
        let store = Store::in_memory().expect("opens");
        store.remember("taste", &7, 6).expect("stored");
        merge(&store, &[place(folder.path())]).expect("merged");
        assert_eq!(store.recall::<u8>("taste").expect("read"), Some(7));
        assert_eq!(store.recall::<u8>("macros").expect("read"), Some(2));
    }

    #[test]
    fn as_much_space_is_reserved_as_is_available() {
        assert_eq!(reserve(&mut Vec::<u8>::new()), RESERVED);
        assert_eq!(reserve(&mut &mut [0_u8; 10_000][..]), 10_000);
    }

    #[test]
    fn changes_that_do_not_fit_in_the_data_folder_are_kept_elsewhere() {
        let root = tempfile::tempdir().expect("a folder");
        let (data, other) = (root.path().join("data"), root.path().join("other"));
        let both = || vec![place(&data), Place { shared: true, ..place(&other) }];
        std::fs::write(&data, "not a folder").expect("written");
        let mut unsaved = UnsavedFiles::reserve(both(), 5);
        unsaved.add(5, &favourite(1)).expect("kept in the other folder");
        unsaved.add(5, &favourite(2)).expect("kept in the other folder");
        std::fs::remove_file(&data).expect("removed");
        let not_favourite = StoreWrite::Favourite(PresetId::of(&[1]), false);
        unsaved.add(6, &not_favourite).expect("kept in the data folder");
        drop(unsaved);
        assert_eq!([files(&data), files(&other)], [1, 1]);
        let store = Store::in_memory().expect("opens");
        assert_eq!(merge(&store, &both()).expect("merged"), 3);
        let favourites: Vec<PresetId> = store.favourites().expect("read").into_iter().collect();
        assert_eq!(favourites, [PresetId::of(&[2])], "the first one was undone later");
        assert_eq!([files(&data), files(&other)], [0, 0]);
    }

    #[test]
    fn changes_that_were_saved_after_all_are_not_added_later() {
        let root = tempfile::tempdir().expect("a folder");
        let both = || -> Vec<Place> { ["a", "b"].map(|name| place(&root.path().join(name))).into() };
        let store = Store::in_memory().expect("opens");
        let mut unsaved = UnsavedFiles::reserve(both(), 5);
        unsaved.add(5, &favourite(1)).expect("kept");
        unsaved.note_saved(&store, 6).expect("noted");
        let left = unsaved.places[0].1.as_ref().map(|file| std::fs::read(&file.path).expect("read"));
        unsaved.clear().expect("cleared");
        drop(unsaved);
        assert_eq!(merge(&store, &both()).expect("merged"), 0, "the file is gone");
        let again = root.path().join("a").join(format!("{NAME}again"));
        std::fs::write(again, left.expect("a file"))
            .expect("restored, as after a crash before it was cleared");
        assert_eq!(merge(&store, &both()).expect("merged"), 0);
    }

    #[cfg(unix)]
    #[test]
    fn files_that_another_user_may_have_written_are_not_added() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let shared = || [Place { shared: true, ..place(folder.path()) }];
        let mut file = UnsavedFile::create(&shared()[0], 5).expect("created");
        file.add(5, &favourite(1)).expect("kept");
        let path = file.path.clone();
        drop(file);
        let permit =
            |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        let store = Store::in_memory().expect("opens");
        permit(0o666);
        assert_eq!(merge(&store, &shared()).expect("merged"), 0);
        permit(0o600);
        assert_eq!(merge(&store, &shared()).expect("merged"), 1);
    }
}
