//! Opens the store, after repairing or migrating it if necessary. A store that cannot be opened is read into
//! memory.

use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use super::connect::{Journal, LogOnClose, connect, use_long_timeout};
use super::lock::StoreLock;
use super::salvage::CopiedRows;
use super::{STORE_FILE, Store, StoreError, UnixSecs, repair, salvage, schema, unsaved};
use crate::disk;
use crate::salvage::Depth;
use crate::units::counted;

/// Interval between attempts to take the shared lock while another process is opening the store, and maximum number of
/// attempts.
const RETRY: (Duration, u32) = (Duration::from_millis(10), 25);

/// A store and a message about how it was opened.
pub struct OpenedStore {
    /// The store, ready for use.
    pub store: Store,
    /// A message for the performer, if there is one.
    pub notice: Option<String>,
}

impl Store {
    /// Opens or creates the store in `folder`, waiting only briefly for other programs. A damaged store is
    /// repaired, unless another process has it open: then it is used as it is and repaired later. A store
    /// that cannot be opened (because it is locked, from a newer version or in a folder that cannot be written
    /// to) is read without SQLite and kept in memory; [`super::StoreWriter`] saves changes as soon as the
    /// store can be opened. On a disk that does not respond, the store is empty and nothing is saved, because
    /// saving could replace what was not read. Fails only if the store in memory cannot be created or filled.
    pub fn open(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        if !disk::wake(folder) {
            let notice = format!(
                "the data folder {} is not responding; starting without saved state, and nothing will be saved; start \
                 aivj again once it responds",
                folder.display()
            );
            return Ok(OpenedStore { store: Self::in_memory()?, notice: Some(notice) });
        }
        let error = match Self::open_file(folder, now) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let path = folder.join(STORE_FILE);
        let store = Self { folder: Some(folder.to_owned()), ..Self::in_memory()? };
        let known = path.is_file();
        if known {
            salvage::copy_rows(&store.connection, &path, Depth::Current, now)?;
        }
        let what = match known {
            true => format!("its contents were read ({})", CopiedRows::of(&store.connection)),
            false => "nothing was read from it".to_owned(),
        };
        let why = match &error {
            error if error.is_locked() => format!(
                "{}; {what}, and changes cannot be saved until that program exits or unlocks it",
                error.cause()
            ),
            StoreError::Newer(_) => {
                format!("{error}; it stays unchanged, and {what}; to save changes, use the newer version")
            }
            error => format!(
                "{error}; {what}, and changes cannot be saved yet; check that {} is writable",
                folder.display()
            ),
        };
        Ok(OpenedStore { store, notice: Some(why) })
    }

    /// Opens or creates the store in `folder`, and adds the changes that earlier shows could not save.
    ///
    /// # Errors
    /// Fails if the store cannot be used.
    pub(super) fn open_file(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        Self::open_with(folder, now, Journal::for_folder(folder))
    }

    /// Opens or creates the store as [`Self::open_file`] does, in an existing folder and with this journal.
    pub(super) fn open_with(
        folder: &Path,
        now: UnixSecs,
        journal: Journal,
    ) -> Result<OpenedStore, StoreError> {
        static NOTED: Once = Once::new();
        if journal == Journal::Rollback {
            let folder = folder.display();
            NOTED.call_once(|| log::info!("{folder} is on a network file system; using no write-ahead log"));
        }
        let path = folder.join(STORE_FILE);
        let lock = StoreLock::of(&path).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        let repaired = lock.alone().map(|()| repair::repair(&path, now, journal));
        let shared = (0..RETRY.1).any(|attempt| {
            if attempt > 0 {
                std::thread::sleep(RETRY.0);
            }
            lock.share()
        });
        if !shared {
            return Err(StoreError::Busy);
        }
        let mut notice = repaired.unwrap_or_else(|in_use| repair::check_in_use(&path, &in_use, journal))?;
        let mut connection = connect(&path, journal, LogOnClose::Merge)?;
        schema::migrate(&mut connection)?;
        // Fails if another program blocks all writes, or if the file is read-only.
        connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
        use_long_timeout(&connection)?;
        let store = Self { connection, path: Some(path), journal, folder: None, lock: Some(Arc::new(lock)) };
        match unsaved::merge(&store, &unsaved::places(folder)) {
            Ok(0) => {}
            Ok(count) => {
                let text = format!("added {} that an earlier show could not save", counted(count, "change"));
                notice = Some(notice.map_or(text.clone(), |notice| format!("{notice}; {text}")));
            }
            Err(error) => log::warn!("could not add the changes of an earlier show yet: {error}"),
        }
        Ok(OpenedStore { store, notice })
    }
}
