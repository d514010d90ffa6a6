//! Lists folders and walks them recursively, in a fixed order, without getting caught in link cycles.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::timeout::{is_given_up, with_timeout, with_timeout_at};

/// Number of files in a folder whose metadata may time out before the remaining files are skipped.
const MAX_FAILURES: usize = 3;
/// Maximum number of times that [`wake`] tries to access a disk.
const WAKE_ATTEMPTS: u32 = 6;
/// Pause between attempts.
const WAKE_PAUSE: Duration = Duration::from_millis(250);

/// Kind of a folder entry, after following links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A folder.
    Folder,
    /// Anything else, with a description.
    Special(&'static str),
}

impl FileKind {
    /// Returns the kind of a file with this metadata.
    pub fn of(metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt as _;
            if kind.is_fifo() {
                return Self::Special("a named pipe");
            }
            if kind.is_socket() {
                return Self::Special("a socket");
            }
            if kind.is_char_device() || kind.is_block_device() {
                return Self::Special("a device");
            }
        }
        match (kind.is_file(), kind.is_dir()) {
            (true, _) => Self::Regular,
            (_, true) => Self::Folder,
            _ => Self::Special("a special file"),
        }
    }

    /// Checks that this is a regular file.
    ///
    /// # Errors
    /// Fails if it is not; the error states what it is instead.
    pub fn regular(self) -> io::Result<()> {
        let what = match self {
            Self::Regular => return Ok(()),
            Self::Folder => "a folder",
            Self::Special(what) => what,
        };
        let why = format!("{what}, not a regular file");
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Name within the folder.
    pub name: OsString,
    /// Kind of the entry itself; `None` for a link.
    pub kind: Option<FileKind>,
}

/// Lists the entries of a folder, ordered by name.
///
/// # Errors
/// Fails if the folder cannot be read, or if the disk does not respond.
pub fn list(folder: &Path) -> io::Result<Vec<Item>> {
    let own = folder.to_owned();
    with_timeout(folder, move |heartbeat| {
        let mut items = Vec::new();
        for entry in std::fs::read_dir(own)? {
            let entry = entry?;
            heartbeat.beat();
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_symlink() => None,
                Ok(kind) if kind.is_file() => Some(FileKind::Regular),
                Ok(kind) if kind.is_dir() => Some(FileKind::Folder),
                Ok(_) => Some(
                    entry
                        .metadata()
                        .map_or(FileKind::Special("a special file"), |metadata| FileKind::of(&metadata)),
                ),
                Err(_) => continue, // It has been deleted in the meantime.
            };
            items.push(Item { name: entry.file_name(), kind });
        }
        items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    })
}

/// Returns whether a folder contains anything.
///
/// # Errors
/// Fails if the folder cannot be read, or if the disk does not respond.
pub fn has_entries(folder: &Path) -> io::Result<bool> {
    let own = folder.to_owned();
    with_timeout(folder, move |_| Ok(std::fs::read_dir(own)?.next().is_some()))
}

/// Returns whether the disk of a folder responds; the folder itself may be missing.
pub fn responds(folder: &Path) -> bool {
    !has_entries(folder).is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// Returns whether the disk of a folder responds, as [`responds`] does, but waits up to about eight seconds: a disk
/// that has spun down, or is mounted when it is first used, can take that long.
pub fn wake(folder: &Path) -> bool {
    (0..WAKE_ATTEMPTS).any(|attempt| {
        if attempt > 0 {
            std::thread::sleep(WAKE_PAUSE);
        }
        responds(folder)
    })
}

/// Returns whether there is nothing at `path`, not even a broken link. A file that cannot be examined is not
/// mistaken for a missing one.
pub fn is_missing(path: &Path) -> bool {
    let own = path.to_owned();
    with_timeout(path, move |_| std::fs::symlink_metadata(own))
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

/// Returns the kind of `path`, after following links.
///
/// # Errors
/// Fails if it does not exist, or if the disk does not respond.
pub fn kind(path: &Path) -> io::Result<FileKind> {
    let own = path.to_owned();
    with_timeout(path, move |_| std::fs::metadata(own).map(|metadata| FileKind::of(&metadata)))
}

/// Returns the metadata of several files in a folder, after following links, in the order of `names`.
///
/// A file whose metadata cannot be read in time gives an error of kind `TimedOut`. The files after it are still
/// examined, unless several files did not respond; then the others give the same error.
pub fn metadata(folder: &Path, names: &[OsString]) -> Vec<io::Result<Metadata>> {
    metadata_by(folder, names, Path::metadata)
}

fn metadata_by(
    folder: &Path,
    names: &[OsString],
    read: impl Fn(&Path) -> io::Result<Metadata> + Clone + Send + 'static,
) -> Vec<io::Result<Metadata>> {
    let mut all = Vec::with_capacity(names.len());
    let mut failures = 0;
    while all.len() < names.len() {
        if failures == MAX_FAILURES {
            let why = "skipped: several other files in its folder are not responding";
            all.push(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
            continue;
        }
        let left = &names[all.len()..];
        let (own, rest, read) = (folder.to_owned(), left.to_vec(), read.clone());
        let found = Arc::new(Mutex::new(Vec::new()));
        let shared = found.clone();
        // A linked file may be on a different disk from the folder.
        let reached = || {
            let number = found.lock().unwrap_or_else(PoisonError::into_inner).len();
            left.get(number).map_or_else(|| folder.to_owned(), |name| folder.join(name))
        };
        let looked = with_timeout_at(reached, move |heartbeat| {
            for (number, name) in rest.iter().enumerate() {
                let path = own.join(name);
                if number > 0 && is_given_up(&path) {
                    break; // The next pass starts with this file, and fails at once.
                }
                let metadata = read(&path);
                shared.lock().unwrap_or_else(PoisonError::into_inner).push(metadata);
                heartbeat.beat();
            }
            Ok(())
        });
        all.append(&mut found.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(why) = looked {
            failures += 1;
            all.push(Err(why));
        }
    }
    all.truncate(names.len());
    all
}

/// Identity of a folder, independent of the path by which it was reached.
#[cfg(unix)]
pub type FolderKey = (u64, u64);
/// Identity of a folder, independent of the path by which it was reached.
#[cfg(not(unix))]
pub type FolderKey = PathBuf;

/// Returns the identity of a folder.
///
/// # Errors
/// Fails if it does not exist, or if the disk does not respond.
pub fn folder_key(folder: &Path) -> io::Result<FolderKey> {
    let own = folder.to_owned();
    #[cfg(unix)]
    return with_timeout(folder, move |_| {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(own).map(|metadata| (metadata.dev(), metadata.ino()))
    });
    #[cfg(not(unix))]
    with_timeout(folder, move |_| std::fs::canonicalize(own))
}

/// Returns the absolute path of a file or folder, with all links resolved.
///
/// # Errors
/// Fails if it does not exist, or if the disk does not respond.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    let own = path.to_owned();
    with_timeout(path, move |_| std::fs::canonicalize(own))
}

/// Checks that a linked folder may be entered in a walk that began at `root`, an absolute path without links.
///
/// # Errors
/// Fails if the folder contains `root`, because the walk could then cover the whole disk, or if it is inside
/// `/proc`, `/sys` or `/dev`; also if it does not exist, or if the disk does not respond.
pub fn check_link(root: &Path, link: &Path) -> io::Result<()> {
    let real = real_path(link)?;
    let inside = |places: &[&str]| cfg!(unix) && places.iter().any(|place| real.starts_with(place));
    let why = if real != root && root.starts_with(&real) {
        "a link to a folder that contains this one"
    } else if inside(&["/proc", "/sys", "/dev"]) {
        "a link to a system folder"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// A file or folder that a walk could not use.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// Why it was skipped.
    pub why: io::Error,
}

/// An iterator over the regular files below a folder, depth first, in the order of their names.
///
/// Yields only files whose path `wanted` accepts, including links to files. For a folder that cannot be read, a linked
/// folder that [`check_link`] rejects, and a wanted entry that cannot be examined or is not a regular file, yields an
/// error with the path, then continues.
pub struct Walk<W> {
    wanted: W,
    /// Root of the walk with all links resolved; `None` if linked folders are skipped.
    follow: Option<PathBuf>,
    max_depth: usize,
    visited: HashSet<FolderKey>,
    /// Work left to do; the next item is last.
    left: Vec<Left>,
}

enum Left {
    /// A folder and its depth; the root has depth 1.
    Folder(PathBuf, usize),
    Entry(PathBuf, Option<FileKind>, usize),
}

impl<W: FnMut(&Path) -> bool> Walk<W> {
    /// Begins a walk at `root`, at most `max_depth` levels deep; a depth of 1 covers only the folder itself.
    /// Links to folders are skipped.
    pub fn new(root: &Path, max_depth: usize, wanted: W) -> Self {
        let left = vec![Left::Folder(root.to_owned(), 1)];
        Self { wanted, follow: None, max_depth, visited: HashSet::new(), left }
    }

    /// Also enters linked folders, as far as [`check_link`] allows; each folder is entered once.
    pub fn following_links(mut self) -> Self {
        if let Some(Left::Folder(root, _)) = self.left.last() {
            self.follow = Some(real_path(root).unwrap_or_else(|_| root.clone()));
        }
        self
    }

    fn enter(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        if !self.visited.insert(folder_key(folder)?) {
            return Ok(());
        }
        let items = list(folder)?;
        let entries =
            items.into_iter().rev().map(|Item { name, kind }| Left::Entry(folder.join(name), kind, depth));
        self.left.extend(entries);
        Ok(())
    }

    /// Returns whether the walk yields this entry; if it is a folder, schedules it to be entered.
    fn look(&mut self, path: &Path, own: Option<FileKind>, depth: usize) -> io::Result<bool> {
        let wanted = (self.wanted)(path);
        let found = match own {
            Some(found) => found,
            // A broken link matters only if its name is wanted.
            None => match kind(path) {
                Ok(found) => found,
                Err(why) if wanted => return Err(why),
                Err(_) => return Ok(false),
            },
        };
        match found {
            FileKind::Folder => {
                if depth >= self.max_depth {
                    return Ok(false);
                }
                match &self.follow {
                    _ if own.is_some() => {}
                    Some(root) => check_link(root, path)?,
                    None => return Ok(false),
                }
                self.left.push(Left::Folder(path.to_owned(), depth + 1));
                Ok(false)
            }
            _ if !wanted => Ok(false),
            found => found.regular().map(|()| true),
        }
    }
}

impl<W: FnMut(&Path) -> bool> Iterator for Walk<W> {
    type Item = Result<PathBuf, Skipped>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (path, found) = match self.left.pop()? {
                Left::Folder(path, depth) => {
                    let entered = self.enter(&path, depth).map(|()| false);
                    (path, entered)
                }
                Left::Entry(path, kind, depth) => {
                    let found = self.look(&path, kind, depth);
                    (path, found)
                }
            };
            match found {
                Ok(true) => return Some(Ok(path)),
                Ok(false) => {}
                Err(why) => return Some(Err(Skipped { path, why })),
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::disk::stall;

    /// Creates a named pipe; opening it for reading blocks until it is opened for writing.
    #[cfg(unix)]
    pub fn make_pipe(path: &Path) {
        let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo");
        assert!(made.success());
    }

    fn text(path: &Path) -> bool {
        path.extension().is_some_and(|ending| ending == "txt")
    }

    #[cfg(unix)]
    #[test]
    fn a_walk_survives_circles_pipes_and_broken_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("b/deep")).expect("made");
        for name in ["b/deep/one.txt", "a.txt", "other.dat", "c.txt"] {
            std::fs::write(at(name), "x").expect("written");
        }
        make_pipe(&at("b/pipe.txt"));
        make_pipe(&at("b/pipe.dat"));
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, at(name)).expect("linked");
        link(folder.path(), "b/deep/circle");
        link(&at("nowhere"), "broken.txt");
        link(&at("nowhere"), "broken.dat");
        link(&at("c.txt"), "d.txt");
        link(&at("self.txt"), "self.txt");
        link(Path::new("/"), "b/root");
        link(Path::new("/proc"), "b/system");
        for follow in [false, true] {
            let walk = Walk::new(folder.path(), 8, text);
            let walk = if follow { walk.following_links() } else { walk };
            let (mut files, mut skipped) = (Vec::new(), Vec::new());
            for found in walk {
                match found {
                    Ok(path) => files.push(path),
                    Err(error) => skipped.push(error.path),
                }
            }
            assert_eq!(files, [at("a.txt"), at("b/deep/one.txt"), at("c.txt"), at("d.txt")]);
            let left_out = if follow { vec![at("b/root"), at("b/system")] } else { Vec::new() };
            let (before, after) = (vec![at("b/pipe.txt")], vec![at("broken.txt"), at("self.txt")]);
            assert_eq!(skipped, [before, left_out, after].concat());
        }
    }

    #[test]
    fn a_missing_root_is_reported_and_the_depth_is_limited() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("1/2")).expect("made");
        for name in ["0.txt", "1/1.txt", "1/2/2.txt"] {
            std::fs::write(folder.path().join(name), "x").expect("written");
        }
        assert_eq!(Walk::new(folder.path(), 2, text).count(), 2);
        let missing: Vec<_> = Walk::new(&folder.path().join("no"), 2, text).collect();
        assert!(matches!(&missing[..], [Err(skipped)] if skipped.path.ends_with("no")), "{missing:?}");
    }

    #[test]
    fn only_a_path_that_is_known_to_be_absent_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, none) = (folder.path().join("file"), folder.path().join("none"));
        assert!(!has_entries(folder.path()).expect("listed") && has_entries(&none).is_err());
        std::fs::write(&file, "x").expect("written");
        assert!(has_entries(folder.path()).expect("listed"));
        let missing = || [&file, &none, &file.join("below")].map(|path| is_missing(path));
        assert_eq!(missing(), [false, true, true]);
        assert!(responds(folder.path()) && responds(&none));
        let stalled = stall(folder.path());
        assert_eq!(missing(), [false; 3]);
        assert!(!responds(folder.path()));
        drop(stalled);
        assert!(responds(folder.path()));
    }

    #[test]
    fn files_that_do_not_respond_are_abandoned_after_a_few() {
        let names = ["1", "2", "3", "4", "5"].map(OsString::from);
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        // A folder on a disk of its own, so that no other test is affected.
        let found = metadata_by(Path::new("/proc/none"), &names, move |path| {
            seen.lock().expect("a list").push(path.to_owned());
            wait.lock().expect("a receiver").recv().ok();
            std::fs::metadata(path)
        });
        assert_eq!((found.len(), asked.lock().expect("a list").len()), (names.len(), MAX_FAILURES));
        let timed_out = |found: &io::Result<Metadata>| {
            found.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
        };
        assert!(found.iter().all(timed_out), "{found:?}");
        drop(release);
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_file_on_a_dead_disk_does_not_affect_the_other_files_of_the_folder() {
        let (folder, dead) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for path in [folder.path().join("1"), dead.path().join("2"), folder.path().join("3")] {
            std::fs::write(path, "x").expect("written");
        }
        std::os::unix::fs::symlink(dead.path().join("2"), folder.path().join("2")).expect("linked");
        let names = ["1", "2", "3"].map(OsString::from);
        let _stalled = stall(dead.path());
        let found = metadata(folder.path(), &names);
        assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_too_long_for_the_system_is_reported_and_the_walk_continues() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = "d".repeat(200);
        // Made level by level from within, as no single path can name the deepest folder.
        let script =
            format!("for i in $(seq 25); do mkdir {deep} && cd -P {deep} || exit 1; done; : > end.txt");
        let made = std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.path()).status();
        assert!(made.expect("a shell").success());
        std::fs::write(folder.path().join("z.txt"), "x").expect("written");
        let (files, skipped): (Vec<_>, Vec<_>) = Walk::new(folder.path(), 100, text).partition(Result::is_ok);
        assert_eq!((files.len(), skipped.len()), (1, 1));
    }
}
