//! A lock that prevents a store from being renamed while any process has it open.
//!
//! It is a lock on a file next to the store; the system releases it when the process ends, even after a
//! crash.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Extension of the lock file.
const ENDING: &str = "db.lock";

/// Why a store must not be renamed.
#[derive(Debug, thiserror::Error)]
pub(super) enum InUse {
    #[error(
        "open in another program; it will be repaired at the next start with no other show or bake running"
    )]
    Locked,
    #[error(
        "on a file system without file locks, where another program may have it open; move the data folder to a local \
         disk to repair it"
    )]
    Unknown,
}

/// The lock of a store.
pub(super) struct StoreLock(File);

impl StoreLock {
    /// Opens the lock file of `store` without locking it.
    pub(super) fn of(store: &Path) -> io::Result<Self> {
        let path = store.with_extension(ENDING);
        Ok(Self(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?))
    }

    /// Checks that no other process has the store open, and prevents others from opening it until this handle calls
    /// [`Self::share`] or is dropped. Must be called before [`Self::share`].
    pub(super) fn alone(&self) -> Result<(), InUse> {
        self.0.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => InUse::Locked,
            TryLockError::Error(_) => InUse::Unknown,
        })
    }

    /// Takes a shared lock, which is held until this handle is dropped. Returns false if another process is checking or
    /// repairing the store. If the file system has no locks, logs a warning and returns true.
    pub(super) fn share(&self) -> bool {
        self.0.unlock().ok(); // Fails if there is no exclusive lock to release.
        match self.0.try_lock_shared() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => {
                log::warn!("could not lock the store, so it is not repaired if it is damaged: {error}");
                true
            }
        }
    }
}
