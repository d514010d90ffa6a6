//! The store: everything remembered between shows, in one SQLite file in the data folder.
//!
//! Presets are identified by the hash of their bytes and files refer to them, so favourites, bans, verdicts and taste
//! survive renaming and moving. A damaged file is never overwritten: once no other process has it open, it is renamed,
//! and everything readable on its pages and in the latest backup is copied to a new one. A store that cannot be opened
//! is read without SQLite and kept in memory, and changes are saved as soon as it can be opened. The store is never
//! used on the render thread: the live show writes through [`StoreWriter`].

mod backup;
mod ban_kind;
mod connect;
mod error;
mod files;
mod full_text;
mod lock;
mod memory;
mod names;
mod open;
mod paths;
mod repair;
mod salvage;
mod schema;
mod set_aside;
#[cfg(test)]
mod tests;
mod time;
mod unsaved;
mod verdicts;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use connect::{Journal, LogOnClose, connect};
use lock::StoreLock;

pub use ban_kind::BanKind;
pub use error::{StoreError, is_damage};
pub use files::LoadedRow;
pub use files::{FileFacts, KnownFile, ScanCommit};
pub use full_text::Found;
pub use memory::{Ban, Opinion, Play};
pub use open::OpenedStore;
pub use paths::{bytes_of, path_of, text_of};
pub use time::UnixSecs;
pub use verdicts::{OTHER_PROGRAM, VerdictRow};
pub use write::StoreWrite;
pub use writer::{StoreStatus, StoreWriter};

/// File name of the store in the data folder.
pub const STORE_FILE: &str = "aivj.db";

/// Size of a small cache, in KiB.
const SMALL_CACHE_KIB: i64 = 2048;

/// An open store: a single connection, to be used by one thread.
pub struct Store {
    connection: Connection,
    /// Path of the file; `None` for a store in memory.
    path: Option<PathBuf>,
    journal: Journal,
    /// The data folder of a store that is kept in memory because its file could not be opened; otherwise
    /// `None`.
    folder: Option<PathBuf>,
    /// Prevents other processes from renaming the file; dropped after the connection.
    lock: Option<Arc<StoreLock>>,
}

impl Store {
    /// Opens a temporary store in memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: None, journal: Journal::Wal, folder: None, lock: None })
    }

    /// Returns the path of the file; `None` for a store in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns whether the file is on a network file system.
    pub fn is_on_network(&self) -> bool {
        self.journal == Journal::Rollback
    }

    /// Opens a second connection, for another thread; it waits only briefly for other programs. Returns
    /// `None` for a store in memory.
    pub fn another(&self) -> Result<Option<Self>, StoreError> {
        let Some(path) = &self.path else { return Ok(None) };
        let connection = connect(path, self.journal, LogOnClose::Merge)?;
        let (path, lock) = (Some(path.clone()), self.lock.clone());
        Ok(Some(Self { connection, path, journal: self.journal, folder: None, lock }))
    }

    /// Limits the cache of this connection to 2 MiB. For connections that stay open during a show, which
    /// read and write little; a larger cache would grow for hours.
    pub fn use_small_cache(&self) {
        let limited = self.connection.pragma_update(None, "cache_size", -SMALL_CACHE_KIB);
        if let Err(error) = limited {
            log::debug!("could not limit the cache of the store: {error}");
        }
        self.release_cache();
    }

    /// Frees the cache of this connection, which fills again when the connection is used.
    pub fn release_cache(&self) {
        if let Err(error) = self.connection.execute_batch("PRAGMA shrink_memory") {
            log::debug!("could not free the cache of the store: {error}");
        }
    }

    /// Runs `work` while this connection keeps all others from writing.
    #[cfg(test)]
    pub(crate) fn while_locked(&self, work: impl FnOnce()) {
        self.connection.execute_batch("BEGIN IMMEDIATE").expect("locked");
        work();
        self.connection.execute_batch("ROLLBACK").expect("free");
    }

    /// Returns whether this error or one of its causes indicates damage. If so, marks the store to be checked in full
    /// the next time it is opened.
    pub fn mark_if_damaged(&self, error: &(dyn std::error::Error + 'static)) -> bool {
        let damaged = std::iter::successors(Some(error), |cause| cause.source()).any(is_damage);
        if let (true, Some(path)) = (damaged, &self.path) {
            repair::mark_suspect(path);
        }
        damaged
    }
}

/// Marks the store in `folder` as possibly damaged, so that it is checked in full the next time it is opened.
pub fn suspect(folder: &Path) {
    repair::mark_suspect(&folder.join(STORE_FILE));
}
