//! Scans a folder for new, changed and missing presets. Unchanged files are not read.
//!
//! Several threads walk, read and hash; one writes to the store in batches, so that the work of an
//! interrupted scan is not lost. A folder reached twice is scanned once, so symlink cycles are harmless.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use super::folder::{FolderError, is_preset};
use crate::disk::{self, FileKind, Item};
use crate::facts::{PresetFacts, PresetId};
use crate::milk::MAX_PRESET_BYTES;
use crate::store::{FileFacts, KnownFile, ScanCommit, Store, StoreError, UnixSecs, bytes_of, path_of};

/// Maximum number of files per job, and number of files between two calls to `progress`.
const BATCH: usize = 128;
/// Number of new or changed files per store transaction.
const COMMIT: usize = 8192;
/// Maximum number of skipped files listed in the report; further ones are only counted.
const MAX_LISTED: usize = 1000;

/// Why a scan failed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The folder cannot be read or contains no presets.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No thread could be started.
    #[error("could not start a scan thread: {0}")]
    Thread(io::Error),
}

/// The result of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Number of usable preset files.
    pub files: usize,
    /// Number of preset files that were read because they are new or changed.
    pub read: usize,
    /// Number of files from the previous scan that no longer exist.
    pub gone: usize,
    /// Skipped files and folders, and why.
    pub skipped: Vec<(PathBuf, String)>,
    /// Number of skipped files and folders that are not listed.
    pub skipped_more: usize,
    /// All skipped folders whose files may still exist.
    pub closed: BTreeSet<PathBuf>,
}

/// Scans the folder `root` and updates the store; `progress` receives the number of files scanned so far.
pub fn scan(
    store: &Store,
    root: &Path,
    now: UnixSecs,
    mut progress: impl FnMut(usize),
) -> Result<ScanReport, ScanError> {
    if !matches!(disk::kind(root), Ok(FileKind::Folder)) {
        return Err(FolderError::NotAFolder(root.to_owned()).into());
    }
    let root = &library_root(root);
    let library = store.library_key(root)?;
    let known = store.known_files(library)?;
    let seen: Vec<AtomicBool> = known.values().map(|_| AtomicBool::new(false)).collect();
    let walk = Walk::new(root, &known, &seen);
    let (sender, found) = sync_channel(2 * COMMIT);
    let mut report = ScanReport::default();
    std::thread::scope(|scope| {
        let walk = &walk;
        for number in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let sender = sender.clone();
            let work = move || walk.work(&sender);
            let named = std::thread::Builder::new().name(format!("scan {number}"));
            match named.spawn_scoped(scope, work) {
                Ok(_) => {}
                Err(error) if number == 0 => return Err(ScanError::Thread(error)),
                Err(error) => log::warn!("could not start a thread ({error}); continuing with {number}"),
            }
        }
        drop(sender);
        let mut part = ScanCommit::default();
        let mut scanned = 0;
        for found in found {
            match found {
                Found::Unchanged => report.files += 1,
                Found::Read(facts) => {
                    report.files += 1;
                    report.read += 1;
                    part.read.push(facts);
                }
                Found::Skipped { path, why, hides_files } => {
                    if hides_files {
                        report.closed.insert(path.clone());
                    }
                    if report.skipped.len() < MAX_LISTED {
                        report.skipped.push((path, why));
                    } else {
                        report.skipped_more += 1;
                    }
                }
            }
            scanned += 1;
            if scanned % BATCH == 0 {
                progress(scanned);
            }
            if part.read.len() >= COMMIT {
                store.commit_scan(library, &std::mem::take(&mut part))?;
            }
        }
        progress(scanned);
        let hidden =
            |path: &[u8]| root.join(path_of(path)).ancestors().any(|folder| report.closed.contains(folder));
        part.gone = known
            .iter()
            .filter(|(path, file)| !seen[file.index].load(Ordering::Relaxed) && !hidden(path))
            .map(|(path, _)| path.clone())
            .collect();
        report.gone = part.gone.len();
        Ok(store.commit_scan(library, &part)?)
    })?;
    report.skipped.sort();
    store.set_scanned_at(library, now)?;
    store.checkpoint()?;
    Ok(report)
}

/// Returns the canonical path of a library.
pub fn library_root(root: &Path) -> PathBuf {
    let own = root.to_owned();
    disk::with_timeout(root, move |_| dunce::canonicalize(own))
        .or_else(|_| std::path::absolute(root))
        .unwrap_or_else(|_| root.to_owned())
}

enum Found {
    Unchanged,
    Read(FileFacts),
    Skipped {
        path: PathBuf,
        why: String,
        /// Whether this is a folder whose files may still exist.
        hides_files: bool,
    },
}

enum Job {
    Folder(PathBuf),
    Files(PathBuf, Vec<OsString>),
}

#[derive(Default)]
struct ScanPlan {
    jobs: Vec<Job>,
    /// Folders reached through a link, scanned last so that the result does not depend on thread timing.
    linked: Vec<PathBuf>,
    visited: HashSet<disk::FolderKey>,
    busy: usize,
}

struct Walk<'a> {
    root: &'a Path,
    known: &'a HashMap<Vec<u8>, KnownFile>,
    seen: &'a [AtomicBool],
    plan: Mutex<ScanPlan>,
    changed: Condvar,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path, known: &'a HashMap<Vec<u8>, KnownFile>, seen: &'a [AtomicBool]) -> Self {
        let plan = ScanPlan { jobs: vec![Job::Folder(root.to_owned())], ..ScanPlan::default() };
        Self { root, known, seen, plan: Mutex::new(plan), changed: Condvar::new() }
    }

    /// Runs jobs until none are left or the receiver has been dropped.
    fn work(&self, sender: &SyncSender<Found>) {
        while let Some(job) = self.next_job() {
            let done = match job {
                Job::Folder(folder) => self.scan_folder(&folder, sender),
                Job::Files(folder, names) => self.read_files(&folder, names, sender),
            };
            let mut plan = self.plan();
            plan.busy -= 1;
            if done.is_err() {
                plan.jobs.clear();
                plan.linked.clear();
            }
            drop(plan);
            self.changed.notify_all();
        }
    }

    fn plan(&self) -> MutexGuard<'_, ScanPlan> {
        // A panic while holding the lock leaves the job list valid.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_job(&self) -> Option<Job> {
        let mut plan = self.plan();
        loop {
            if let Some(job) = plan.jobs.pop() {
                plan.busy += 1;
                return Some(job);
            }
            if plan.busy == 0 {
                // Sorted in descending order because the next folder is taken from the end.
                plan.linked.sort_by(|a, b| b.cmp(a));
                let folder = plan.linked.pop()?;
                plan.jobs.push(Job::Folder(folder));
                continue;
            }
            plan = self.changed.wait(plan).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn scan_folder(&self, folder: &Path, sender: &SyncSender<Found>) -> Result<(), Closed> {
        let skipped = |path: &Path, error: io::Error| {
            let hides_files = error.kind() != io::ErrorKind::NotFound;
            let found = Found::Skipped { path: path.to_owned(), why: error.to_string(), hides_files };
            sender.send(found).map_err(|_| Closed)
        };
        match disk::folder_key(folder) {
            Ok(key) => {
                if !self.plan().visited.insert(key) {
                    return Ok(());
                }
            }
            Err(error) => return skipped(folder, error),
        }
        let entries = match disk::list(folder) {
            Ok(entries) => entries,
            Err(error) => return skipped(folder, error),
        };
        let (mut files, mut folders, mut linked) = (Vec::new(), Vec::new(), Vec::new());
        for Item { name, kind } in entries {
            let path = folder.join(&name);
            if kind == Some(FileKind::Folder) {
                folders.push(Job::Folder(path));
            } else if is_preset(&path) && kind.is_some() {
                files.push(name);
            } else if kind.is_none() {
                match disk::kind(&path) {
                    Ok(FileKind::Folder) => match disk::check_link(self.root, &path) {
                        Ok(()) => linked.push(path),
                        Err(error) => skipped(&path, error)?,
                    },
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => skipped(&path, error)?,
                    _ if is_preset(&path) => files.push(name),
                    // It may be a folder that cannot be examined.
                    Err(error) if error.kind() != io::ErrorKind::NotFound => skipped(&path, error)?,
                    _ => {}
                }
            }
        }
        let batches = files.chunks(BATCH).map(|names| Job::Files(folder.to_owned(), names.to_vec()));
        let mut plan = self.plan();
        plan.jobs.extend(folders);
        plan.jobs.extend(batches);
        plan.linked.extend(linked);
        drop(plan);
        self.changed.notify_all();
        Ok(())
    }

    fn read_files(
        &self,
        folder: &Path,
        names: Vec<OsString>,
        sender: &SyncSender<Found>,
    ) -> Result<(), Closed> {
        let metadata = disk::metadata(folder, &names);
        for (name, metadata) in names.into_iter().zip(metadata) {
            let path = folder.join(name);
            let found = self.read(&path, metadata);
            let found = found.unwrap_or_else(|why| Found::Skipped { path, why, hides_files: false });
            sender.send(found).map_err(|_| Closed)?;
        }
        Ok(())
    }

    fn read(&self, path: &Path, metadata: io::Result<Metadata>) -> Result<Found, String> {
        let below = bytes_of(path.strip_prefix(self.root).unwrap_or(path));
        let known = self.known.get(&below);
        let still_there = || {
            if let Some(known) = known {
                self.seen[known.index].store(true, Ordering::Relaxed);
            }
        };
        let metadata = metadata.map_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                still_there();
            }
            error.to_string()
        })?;
        FileKind::of(&metadata).regular().map_err(|error| error.to_string())?;
        let (size, modified_ns) = (metadata.len(), modified_ns(&metadata));
        if known.is_some_and(|known| (known.size, known.modified_ns) == (size, modified_ns)) {
            still_there();
            return Ok(Found::Unchanged);
        }
        let bytes = disk::read(path, MAX_PRESET_BYTES as u64).map_err(|error| {
            // A file on a disk that does not respond is not treated as missing.
            if error.kind() == io::ErrorKind::TimedOut {
                still_there();
            }
            error.to_string()
        })?;
        still_there();
        let id = PresetId::of(&bytes);
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let preset_facts = PresetFacts::of(&bytes, &name);
        Ok(Found::Read(FileFacts { path: below, size, modified_ns, id, preset_facts }))
    }
}

/// The error when the receiver of the scan results has been dropped.
struct Closed;

fn modified_ns(metadata: &Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    fn run_scan(store: &Store, root: &Path) -> ScanReport {
        scan(store, root, 1, |_| ()).expect("scanned")
    }

    #[test]
    fn only_new_and_changed_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        write(&root.join("a/one.milk"), "zoom=1");
        write(&root.join("two.MILK"), "zoom=2");
        write(&root.join("notes.txt"), "no preset");
        let store = Store::in_memory().expect("opens");
        let first = run_scan(&store, root);
        assert_eq!((first.files, first.read, first.gone), (2, 2, 0));
        assert_eq!(run_scan(&store, root).read, 0);
        write(&root.join("a/one.milk"), "zoom=1.25");
        std::fs::remove_file(root.join("two.MILK")).expect("removed");
        let third = run_scan(&store, root);
        assert_eq!((third.files, third.read, third.gone), (1, 1, 1));
        let rows = store.load(&library_root(root)).expect("loaded");
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [PresetId::of(b"zoom=1.25")]);
    }

    #[test]
    fn a_missing_folder_is_an_error_but_an_empty_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::in_memory().expect("opens");
        assert!(matches!(scan(&store, &folder.path().join("no"), 1, |_| ()), Err(ScanError::Folder(_))));
        assert_eq!(run_scan(&store, folder.path()), ScanReport::default());
    }

    #[cfg(unix)]
    #[test]
    fn files_below_any_number_of_skipped_folders_are_not_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        write(&root.join("last/one.milk"), "zoom=1");
        let store = Store::in_memory().expect("opens");
        assert_eq!(run_scan(&store, root).files, 1);
        std::fs::remove_dir_all(root.join("last")).expect("removed");
        let names = (0..MAX_LISTED).map(|number| number.to_string()).chain(["last".to_owned()]);
        names.for_each(|name| std::os::unix::fs::symlink("/", root.join(name)).expect("linked"));
        let report = run_scan(&store, root);
        assert_eq!((report.skipped.len(), report.skipped_more, report.gone), (MAX_LISTED, 1, 0));
        std::fs::remove_file(root.join("last")).expect("removed");
        assert_eq!(run_scan(&store, root).gone, 1);
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_that_cannot_be_examined_are_not_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        write(&root.join("sub/one.milk"), "zoom=1");
        write(&root.join("two.milk"), "zoom=2");
        let store = Store::in_memory().expect("opens");
        assert_eq!(run_scan(&store, root).files, 2);
        std::fs::remove_dir_all(root.join("sub")).expect("removed");
        std::fs::remove_file(root.join("two.milk")).expect("removed");
        for name in ["sub", "two.milk"] {
            std::os::unix::fs::symlink(name, root.join(name)).expect("a link to itself");
        }
        let report = run_scan(&store, root);
        assert_eq!((report.files, report.skipped.len(), report.gone), (0, 2, 0));
    }

    #[cfg(unix)]
    #[test]
    fn cyclic_links_huge_files_and_non_utf8_names_are_handled() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        write(&root.join("a/one.milk"), "zoom=1");
        write(&root.join("a").join(std::ffi::OsStr::from_bytes(b"\xff\xfe.milk")), "zoom=3");
        std::os::unix::fs::symlink(root, root.join("a/circle")).expect("linked");
        std::os::unix::fs::symlink(root.join("nowhere"), root.join("broken.milk")).expect("linked");
        let huge = std::fs::File::create(root.join("huge.milk")).expect("made");
        huge.set_len(2 << 30).expect("a hole of 2 GiB");
        let store = Store::in_memory().expect("opens");
        let report = run_scan(&store, root);
        assert_eq!((report.files, report.skipped.len()), (2, 2));
        assert!(report.skipped[1].1.contains("1 MiB"), "{:?}", report.skipped);
        let rows = store.load(&library_root(root)).expect("loaded");
        assert!(rows.iter().all(|row| library_root(root).join(&row.path).exists()));
    }
}
