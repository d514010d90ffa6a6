//! A lock that prevents a store from being renamed while any process has it open.
//!
//! It is a lock on a file next to the store; the system releases it when the process ends, even after a
//! crash.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Extension of the lock file.
const ENDING: &str = "db.lock";

/// The lock of a store.
pub(super) struct StoreLock(File);

impl StoreLock {
    /// Opens the lock file of `store` without locking it.
    pub(super) fn of(store: &Path) -> io::Result<Self> {
        let path = store.with_extension(ENDING);
        Ok(Self(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?))
    }

    /// Returns whether no other process has the store open; if so, none can open it until this handle calls
    /// [`Self::share`] or is dropped. Must be called before [`Self::share`]. Returns true on file systems without
    /// locks.
    pub(super) fn alone(&self) -> bool {
        !matches!(self.0.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Takes a shared lock, which is held until this handle is dropped; returns false if another process is
    /// checking or repairing the store.
    pub(super) fn share(&self) -> bool {
        self.0.unlock().ok(); // Fails if there is no exclusive lock to release.
        match self.0.try_lock_shared() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => {
                log::warn!("could not lock the store; another program may move it while repairing: {error}");
                true
            }
        }
    }
}
