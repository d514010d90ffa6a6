//! Looking through a folder: what is new, what changed, what is gone. Files that did not change are not read.
//!
//! Several threads walk, read and hash; one writes to the store in parts, so that a scan that is broken off is not lost.
//! A folder that is reached twice is looked into once, so links that lead in circles end.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use super::analysis::PresetFacts;
use super::folder::{FolderError, is_preset};
use super::store::{FileFacts, KnownFile, ScanCommit, Store, StoreError, UnixSecs, bytes_of, path_of};
use super::{PresetId, PresetSource};

/// Files handed to a thread at a time.
const BATCH: usize = 128;
/// Files written to the store at a time.
const COMMIT: usize = 8192;
/// Files that were left out and are told one by one; the rest is counted.
const TOLD: usize = 1000;

/// Why a scan did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// There is no such folder, or nothing in it.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system has no thread left.
    #[error("no thread to look through the folder: {0}")]
    Thread(io::Error),
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Preset files that can be used.
    pub files: usize,
    /// Of these, files that were read because they are new or changed.
    pub read: usize,
    /// Files of the last scan that are there no more.
    pub gone: usize,
    /// What could not be used, and why.
    pub left_out: Vec<(PathBuf, String)>,
    /// What could not be used and is not listed.
    pub left_out_more: usize,
}

/// Brings the store up to date with the folder `root`; `progress` hears the files looked at so far.
pub fn scan(
    store: &Store,
    root: &Path,
    now: UnixSecs,
    mut progress: impl FnMut(usize),
) -> Result<ScanReport, ScanError> {
    if !root.is_dir() {
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
                Err(error) => log::warn!("the scan goes on with {number} threads: {error}"),
            }
        }
        drop(sender);
        let mut part = ScanCommit::default();
        let mut looked_at = 0;
        for found in found {
            match found {
                Found::Unchanged => report.files += 1,
                Found::Read(facts) => {
                    report.files += 1;
                    report.read += 1;
                    part.read.push(facts);
                }
                Found::Exclusion(path, why) if report.left_out.len() < TOLD => {
                    report.left_out.push((path, why));
                }
                Found::Exclusion(..) => report.left_out_more += 1,
            }
            looked_at += 1;
            if looked_at % BATCH == 0 {
                progress(looked_at);
            }
            if part.read.len() >= COMMIT {
                store.commit_scan(library, &std::mem::take(&mut part))?;
            }
        }
        progress(looked_at);
        // What lies below a folder that could not be opened may still be there.
        let left_out = report.left_out.iter().map(|(path, _)| path.as_path());
        let closed: Vec<&Path> = left_out.filter(|path| path.is_dir()).collect();
        let hidden = |path: &[u8]| {
            let path = root.join(path_of(path));
            closed.iter().any(|closed| path.starts_with(closed))
        };
        part.gone = known
            .iter()
            .filter(|(path, file)| !seen[file.place].load(Ordering::Relaxed) && !hidden(path))
            .map(|(path, _)| path.clone())
            .collect();
        report.gone = part.gone.len();
        Ok(store.commit_scan(library, &part)?)
    })?;
    report.left_out.sort();
    store.set_scanned_at(library, now)?;
    store.tidy()?;
    Ok(report)
}

/// The folder under one name, however it was written.
pub fn library_root(root: &Path) -> PathBuf {
    root.canonicalize().or_else(|_| std::path::absolute(root)).unwrap_or_else(|_| root.to_owned())
}

enum Found {
    Unchanged,
    Read(FileFacts),
    Exclusion(PathBuf, String),
}

enum Job {
    Folder(PathBuf),
    Files(PathBuf, Vec<OsString>),
}

#[derive(Default)]
struct ScanPlan {
    jobs: Vec<Job>,
    /// Folders reached over a link; looked at when all others are done, so that the order does not depend on threads.
    linked: Vec<PathBuf>,
    visited: HashSet<FolderKey>,
    busy: usize,
}

struct Walk<'a> {
    root: &'a Path,
    known: &'a HashMap<Vec<u8>, KnownFile>,
    seen: &'a [AtomicBool],
    plan: Mutex<ScanPlan>,
    news: Condvar,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path, known: &'a HashMap<Vec<u8>, KnownFile>, seen: &'a [AtomicBool]) -> Self {
        let plan = ScanPlan { jobs: vec![Job::Folder(root.to_owned())], ..ScanPlan::default() };
        Self { root, known, seen, plan: Mutex::new(plan), news: Condvar::new() }
    }

    /// Does jobs until there are none, or until nobody listens any more.
    fn work(&self, sender: &SyncSender<Found>) {
        while let Some(job) = self.next_job() {
            let done = match job {
                Job::Folder(folder) => self.look_into(&folder, sender),
                Job::Files(folder, names) => self.read_all(&folder, names, sender),
            };
            let mut plan = self.plan();
            plan.busy -= 1;
            if done.is_err() {
                plan.jobs.clear();
                plan.linked.clear();
            }
            drop(plan);
            self.news.notify_all();
        }
    }

    fn plan(&self) -> MutexGuard<'_, ScanPlan> {
        // Whoever fell while holding it left a list of jobs, which is still a list of jobs.
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
                // The last link by name first, because jobs are taken from the end.
                plan.linked.sort_by(|a, b| b.cmp(a));
                let folder = plan.linked.pop()?;
                plan.jobs.push(Job::Folder(folder));
                continue;
            }
            plan = self.news.wait(plan).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn look_into(&self, folder: &Path, sender: &SyncSender<Found>) -> Result<(), Closed> {
        let left_out = |path: &Path, error: io::Error| {
            sender.send(Found::Exclusion(path.to_owned(), error.to_string())).map_err(|_| Closed)
        };
        match folder_key(folder) {
            Ok(key) if !self.plan().visited.insert(key) => return Ok(()),
            Ok(_) => {}
            Err(error) => return left_out(folder, error),
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return left_out(folder, error),
        };
        let (mut files, mut folders, mut linked) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return left_out(folder, error),
            };
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_dir() {
                folders.push(Job::Folder(path));
            } else if kind.is_symlink() && path.is_dir() {
                linked.push(path);
            } else if is_preset(&path) {
                files.push(entry.file_name());
            }
        }
        let batches = files.chunks(BATCH).map(|names| Job::Files(folder.to_owned(), names.to_vec()));
        let mut plan = self.plan();
        plan.jobs.extend(folders);
        plan.jobs.extend(batches);
        plan.linked.extend(linked);
        drop(plan);
        self.news.notify_all();
        Ok(())
    }

    fn read_all(
        &self,
        folder: &Path,
        names: Vec<OsString>,
        sender: &SyncSender<Found>,
    ) -> Result<(), Closed> {
        for name in names {
            let path = folder.join(name);
            let found = self.read(&path).unwrap_or_else(|why| Found::Exclusion(path, why));
            sender.send(found).map_err(|_| Closed)?;
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Found, String> {
        let facts = std::fs::metadata(path).map_err(|error| error.to_string())?;
        if !facts.is_file() {
            return Err("not a file".into());
        }
        let below = bytes_of(path.strip_prefix(self.root).unwrap_or(path));
        let (size, modified_ns) = (facts.len(), modified_ns(&facts));
        if let Some(known) = self.known.get(&below)
            && (known.size, known.modified_ns) == (size, modified_ns)
        {
            self.seen[known.place].store(true, Ordering::Relaxed);
            return Ok(Found::Unchanged);
        }
        let bytes = PresetSource::File(path.to_owned()).read()?;
        if let Some(known) = self.known.get(&below) {
            self.seen[known.place].store(true, Ordering::Relaxed);
        }
        let id = PresetId::of(&bytes);
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let outline = PresetFacts::of(&bytes, &name);
        Ok(Found::Read(FileFacts { path: below, size, modified_ns, id, outline }))
    }
}

/// Nobody listens any more.
struct Closed;

fn modified_ns(facts: &Metadata) -> i64 {
    let since = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as i64)
}

/// What a folder is, by whatever way it was reached.
#[cfg(unix)]
type FolderKey = (u64, u64);
#[cfg(not(unix))]
type FolderKey = PathBuf;

#[cfg(unix)]
fn folder_key(folder: &Path) -> io::Result<FolderKey> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(folder).map(|facts| (facts.dev(), facts.ino()))
}

#[cfg(not(unix))]
fn folder_key(folder: &Path) -> io::Result<FolderKey> {
    folder.canonicalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    fn scanned(store: &Store, root: &Path) -> ScanReport {
        scan(store, root, 1, |_| ()).expect("scanned")
    }

    #[test]
    fn only_what_is_new_or_changed_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        write(&root.join("a/one.milk"), "zoom=1");
        write(&root.join("two.MILK"), "zoom=2");
        write(&root.join("notes.txt"), "no preset");
        let store = Store::in_memory().expect("opens");
        let first = scanned(&store, root);
        assert_eq!((first.files, first.read, first.gone), (2, 2, 0));
        assert_eq!(scanned(&store, root).read, 0);
        write(&root.join("a/one.milk"), "zoom=1.25");
        std::fs::remove_file(root.join("two.MILK")).expect("removed");
        let third = scanned(&store, root);
        assert_eq!((third.files, third.read, third.gone), (1, 1, 1));
        let rows = store.load(&library_root(root)).expect("loaded");
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [PresetId::of(b"zoom=1.25")]);
    }

    #[test]
    fn a_missing_folder_is_an_error_and_an_empty_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::in_memory().expect("opens");
        assert!(matches!(scan(&store, &folder.path().join("no"), 1, |_| ()), Err(ScanError::Folder(_))));
        assert_eq!(scanned(&store, folder.path()), ScanReport::default());
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_huge_files_and_names_that_are_no_text_do_no_harm() {
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
        let report = scanned(&store, root);
        assert_eq!((report.files, report.left_out.len()), (2, 2));
        assert!(report.left_out[1].1.contains("1 MiB"), "{:?}", report.left_out);
        let rows = store.load(&library_root(root)).expect("loaded");
        assert!(rows.iter().all(|row| library_root(root).join(&row.path).exists()));
    }
}
