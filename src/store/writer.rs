//! The thread that writes to the store during a show, so that the render thread and the desk never wait for
//! the disk.
//!
//! A change counts as saved once SQLite has committed it. Changes that cannot be saved, because the disk is
//! full, locked or missing, are kept and retried with growing pauses; until then, marks are also kept in a
//! file that the next start reads (`unsaved`).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::connect::SHORT_TIMEOUT;
use super::unsaved::{self, UnsavedFiles};
use super::write::StoreWrite;
use super::{Store, StoreError, UnixSecs};
use crate::units::counted;

/// Initial and maximum pause between attempts to save.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// Interval at which pauses are interrupted to look for new changes.
const SLICE: Duration = Duration::from_millis(50);
/// Number of attempts to save what is left at the end of the show.
const LAST_ATTEMPTS: u32 = 2;

/// Progress and problems of saving.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// Number of changes saved since the start.
    pub saved: u64,
    /// Number of changes that are not saved yet because of `problem`.
    pub waiting: usize,
    /// Why changes cannot be saved; empty if they can.
    pub problem: String,
}

/// Handle to the writing thread. Dropping it waits until everything is written or kept for the next start.
pub struct StoreWriter {
    sender: Option<Sender<(UnixSecs, StoreWrite)>>,
    thread: Option<JoinHandle<()>>,
    new_status: NewStatus,
}

/// The latest status; `None` once the handle has returned it.
type NewStatus = Arc<Mutex<Option<StoreStatus>>>;

impl StoreWriter {
    /// Starts the thread, which first backs the store up. `now` is the time of the start.
    pub fn start(store: Store, now: UnixSecs) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let new_status = NewStatus::default();
        let published = new_status.clone();
        let work = move || Work::new(store, published, now).run(&receiver);
        let thread = std::thread::Builder::new().name("store".into()).spawn(work)?;
        Ok(Self { sender: Some(sender), thread: Some(thread), new_status })
    }

    /// Queues a write; never blocks.
    pub fn write(&self, change: StoreWrite, now: UnixSecs) {
        if let Some(sender) = &self.sender {
            sender.send((now, change)).ok(); // The thread only ends with this handle.
        }
    }

    /// Returns the status if it has changed since the last call; never blocks.
    pub fn new_status(&self) -> Option<StoreStatus> {
        self.new_status.try_lock().ok()?.take()
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panicked thread has nothing left to write.
        }
    }
}

/// State of the writing thread.
struct Work {
    store: Store,
    new_status: NewStatus,
    now: UnixSecs,
    /// Changes that are not saved yet, oldest first, each with whether it is in a file of unsaved changes.
    waiting: VecDeque<(UnixSecs, StoreWrite, bool)>,
    /// The data folder, if there is one.
    folder: Option<PathBuf>,
    /// The files of unsaved changes, if there is a data folder.
    unsaved: Option<UnsavedFiles>,
    saved: u64,
    problem: String,
    pause: Duration,
    /// Time since the last attempt.
    waited: Duration,
    /// Identity of the store's file when it was opened. If another file is found at its path, this one was
    /// moved or deleted.
    identity: Option<Identity>,
}

impl Work {
    fn new(store: Store, new_status: NewStatus, now: UnixSecs) -> Self {
        let below = store.path().and_then(|path| path.parent().map(ToOwned::to_owned));
        let folder = below.or_else(|| store.folder.clone());
        let unsaved = folder.as_deref().map(|folder| UnsavedFiles::reserve(unsaved::places(folder), now));
        let mut work = Self {
            store,
            new_status,
            now,
            waiting: VecDeque::new(),
            folder,
            unsaved,
            saved: 0,
            problem: String::new(),
            pause: PAUSES.0,
            waited: Duration::ZERO,
            identity: None,
        };
        work.opened();
        work
    }

    /// Prepares the connection after the store has been opened, and backs the store up.
    fn opened(&mut self) {
        self.identity = self.store.path().and_then(identity);
        // With these settings, a commit is on disk when the call returns, and writing to a locked store fails
        // quickly and is retried.
        let settings = self.store.connection.pragma_update(None, "synchronous", "FULL");
        let settings = settings.and_then(|()| self.store.connection.busy_timeout(SHORT_TIMEOUT));
        self.store.use_small_cache();
        let backed_up = settings.map_err(StoreError::from).and_then(|()| self.store.back_up());
        if let Err(error) = backed_up {
            log::warn!("could not back up the store: {error}");
        }
    }

    fn run(mut self, writes: &Receiver<(UnixSecs, StoreWrite)>) {
        loop {
            let next = if self.is_settled() {
                writes.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                writes.recv_timeout(SLICE)
            };
            match next {
                Ok(write) => self.queue(write),
                Err(RecvTimeoutError::Timeout) => self.waited += SLICE,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            writes.try_iter().for_each(|write| self.queue(write));
            if self.problem.is_empty() || self.waited >= self.pause {
                self.attempt();
            } else {
                self.keep(false);
            }
        }
        for _ in 0..LAST_ATTEMPTS {
            if self.waiting.is_empty() {
                return;
            }
            self.attempt();
        }
        self.keep(true);
        let left = self.waiting.iter().filter(|(_, _, kept)| !kept).count();
        let kept = self.waiting.len() - left;
        if kept > 0 {
            log::warn!(
                "could not save {} ({}); saving again at the next start",
                counted(kept, "change"),
                self.problem
            );
        }
        if left > 0 {
            log::error!("lost {}: {}", counted(left, "change"), self.problem);
        }
    }

    /// Returns whether there is nothing to do until the next change.
    fn is_settled(&self) -> bool {
        let reopening = self.store.path().is_none() && self.folder.is_some();
        self.waiting.is_empty() && !reopening
    }

    fn queue(&mut self, (at, change): (UnixSecs, StoreWrite)) {
        self.waiting.retain(|(_, earlier, _)| !change.replaces(earlier));
        self.waiting.push_back((at, change, false));
    }

    /// Saves pending changes, or records why that is not possible.
    fn attempt(&mut self) {
        self.waited = Duration::ZERO;
        match self.reopen().and_then(|()| self.save()) {
            Ok(()) => {
                self.problem.clear();
                self.pause = PAUSES.0;
            }
            Err(error) => {
                if self.problem.is_empty() {
                    log::warn!("could not save: {error}; retrying");
                } else {
                    self.pause = (self.pause * 2).min(PAUSES.1);
                }
                self.problem = error.cause();
                if self.store.mark_if_damaged(&error) {
                    self.problem.push_str("; the next start repairs it");
                }
                self.keep(false);
            }
        }
        self.publish();
    }

    /// Opens the store if it could not be opened at the start, or if its file was moved or deleted.
    fn reopen(&mut self) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let moved = self.store.path().is_some_and(|path| identity(path) != self.identity);
        if self.store.path().is_some() && !moved {
            return Ok(());
        }
        let opened = Store::open_file(folder, self.now)?;
        if let Some(notice) = opened.notice {
            log::warn!("{notice}");
        }
        self.store = opened.store;
        self.opened();
        Ok(())
    }

    /// Saves all waiting changes in one transaction. A change that the store rejects is dropped.
    fn save(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let step = self.store.connection.unchecked_transaction()?;
        for (at, change, _) in &self.waiting {
            match change.apply(&self.store, *at) {
                Ok(()) => {}
                Err(error) if error.is_refusal() => log::error!("the store rejected {change:?}: {error}"),
                Err(error) => return Err(error),
            }
        }
        if let Some(unsaved) = &self.unsaved {
            unsaved.note_saved(&self.store, self.now)?;
        }
        step.commit()?;
        self.saved += self.waiting.len() as u64;
        self.waiting.clear();
        if let Some(unsaved) = &mut self.unsaved
            && let Err(error) = unsaved.clear()
        {
            log::warn!("cannot empty the files of unsaved changes: {error}");
        }
        Ok(())
    }

    /// Writes waiting marks to the files of unsaved changes; with `all`, at the end of the show, also learned
    /// values, which are larger.
    fn keep(&mut self, all: bool) {
        let Some(unsaved) = &mut self.unsaved else { return };
        for (at, change, kept) in &mut self.waiting {
            if !*kept && (all || !matches!(change, StoreWrite::Remember(..))) {
                match unsaved.add(*at, change) {
                    Ok(()) => *kept = true,
                    Err(error) => {
                        log::debug!("cannot keep unsaved changes yet: {error}");
                        return;
                    }
                }
            }
        }
    }

    fn publish(&self) {
        let status =
            StoreStatus { saved: self.saved, waiting: self.waiting.len(), problem: self.problem.clone() };
        *self.new_status.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
    }
}

/// Identity of a file, independent of its name: device and inode number.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Returns `None`: Windows prevents an open database from being moved or deleted.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PresetId;
    use crate::store::STORE_FILE;

    fn favourite(number: u8) -> StoreWrite {
        StoreWrite::Favourite(PresetId::of(&[number]), true)
    }

    fn wait_for(writer: &StoreWriter, wanted: impl Fn(&StoreStatus) -> bool) -> StoreStatus {
        loop {
            match writer.new_status() {
                Some(status) if wanted(&status) => return status,
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    #[test]
    fn queued_writes_are_completed_on_drop() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let reader = store.another().expect("opens").expect("a file");
        let writer = StoreWriter::start(store, 0).expect("starts");
        for number in 0..200_u8 {
            writer.write(favourite(number), 1);
        }
        writer.write(StoreWrite::Remember("taste".into(), "[1,2]".into()), 2);
        drop(writer);
        assert_eq!(reader.favourites().expect("read").len(), 200);
        assert_eq!(reader.recall::<Vec<u8>>("taste").expect("read"), Some(vec![1, 2]));
        assert_eq!(left_files(folder.path()), 0);
    }

    #[test]
    fn a_status_published_while_the_previous_one_is_read_is_not_lost() {
        let writer = StoreWriter::start(Store::in_memory().expect("opens"), 0).expect("starts");
        for saved in (2..=10_000).step_by(2) {
            writer.write(favourite(1), 1);
            writer.write(favourite(2), 1);
            let arrived = (0..1_000_000_000).any(|_| {
                std::hint::spin_loop();
                writer.new_status().is_some_and(|status| status.saved >= saved)
            });
            assert!(arrived, "a status is missing: {saved} saved changes");
        }
    }

    fn left_files(folder: &Path) -> usize {
        let names = std::fs::read_dir(folder).expect("read").flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().contains("unsaved")).count()
    }

    #[test]
    fn changes_wait_for_a_locked_store_and_are_saved_when_it_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let other = store.another().expect("opens").expect("a file");
        let writer = StoreWriter::start(store, 0).expect("starts");
        other.connection.execute_batch("BEGIN IMMEDIATE").expect("locked");
        writer.write(favourite(1), 1);
        writer.write(StoreWrite::Played { id: PresetId::of(b"a"), seconds: 1.0, skipped: false }, 1);
        let status = wait_for(&writer, |status| status.waiting == 2);
        assert!(status.saved == 0 && status.problem.contains("locked"), "{status:?}");
        other.connection.execute_batch("ROLLBACK").expect("free");
        let status = wait_for(&writer, |status| status.waiting == 0);
        assert_eq!((status.saved, status.problem.as_str()), (2, ""));
        drop(writer);
        assert_eq!(other.favourites().expect("read").len(), 1);
        assert_eq!(other.plays().expect("read")[&PresetId::of(b"a")].plays, 1);
    }

    #[test]
    fn changes_not_saved_by_the_end_are_added_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let other = store.another().expect("opens").expect("a file");
        let writer = StoreWriter::start(store, 0).expect("starts");
        other.connection.execute_batch("BEGIN IMMEDIATE").expect("locked");
        writer.write(favourite(1), 1);
        writer.write(StoreWrite::Ban(PresetId::of(b"b"), super::super::BanKind::Permanent, "no".into()), 1);
        writer.write(StoreWrite::Remember("taste".into(), "7".into()), 1);
        drop(writer);
        other.connection.execute_batch("ROLLBACK").expect("free");
        drop(other);
        assert_eq!(left_files(folder.path()), 1);
        let opened = Store::open(folder.path(), 9).expect("opens");
        assert!(opened.notice.is_some_and(|notice| notice.contains("3 changes")));
        assert_eq!(opened.store.favourites().expect("read").len(), 1);
        assert_eq!(opened.store.bans(9).expect("read").len(), 1);
        assert_eq!(opened.store.recall::<u8>("taste").expect("read"), Some(7));
        assert_eq!(left_files(folder.path()), 0);
    }

    #[test]
    fn changes_are_kept_elsewhere_while_the_data_folder_cannot_be_written() {
        let root = tempfile::tempdir().expect("a folder");
        let data = root.path().join("data");
        std::fs::write(&data, "not a folder").expect("written");
        let store = Store::open(&data, 0).expect("opens in memory").store;
        let writer = StoreWriter::start(store, 0).expect("starts");
        writer.write(favourite(1), 1);
        wait_for(&writer, |status| status.waiting == 1);
        drop(writer);
        std::fs::remove_file(&data).expect("removed");
        let opened = Store::open(&data, 9).expect("opens");
        assert!(opened.notice.is_some_and(|notice| notice.contains("1 change")));
        assert_eq!(opened.store.favourites().expect("read").len(), 1);
    }

    #[test]
    fn changes_to_a_full_store_are_kept_and_a_deleted_store_is_recreated() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let pages: i64 =
            store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).expect("read");
        store.connection.pragma_update(None, "max_page_count", pages).expect("set");
        let writer = StoreWriter::start(store, 0).expect("starts");
        writer.write(StoreWrite::Remember("taste".into(), format!("\"{}\"", "x".repeat(100_000))), 1);
        let status = wait_for(&writer, |status| status.waiting == 1);
        assert!(status.problem.contains("full"), "{status:?}");
        writer.write(favourite(1), 1);
        std::fs::remove_file(folder.path().join(STORE_FILE)).expect("removed");
        wait_for(&writer, |status| status.waiting == 0);
        drop(writer);
        assert_eq!(Store::open(folder.path(), 0).expect("opens").store.favourites().expect("read").len(), 1);
    }
}
