//! Who has a store open: as long as anybody does, in whatever process, nobody sets it aside under them.
//!
//! A lock on a file beside the store; the system lets go of it when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Ending of the lock's file.
const ENDING: &str = "db.lock";

/// A handle on the lock of one store.
pub(super) struct StoreLock(File);

impl StoreLock {
    /// The lock beside `store`, not taken yet.
    pub(super) fn of(store: &Path) -> io::Result<Self> {
        let path = store.with_extension(ENDING);
        Ok(Self(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?))
    }

    /// Whether nobody else has the store open; if so nobody opens it before this one shares it or goes. Asked before
    /// this one shares it. A disk that knows no locks has one user.
    pub(super) fn alone(&self) -> bool {
        !matches!(self.0.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Counts among those who have the store open, from now until this is dropped. Waits while another one mends it.
    pub(super) fn share(&self) {
        self.0.unlock().ok(); // It need not have been alone.
        if let Err(error) = self.0.lock_shared() {
            log::warn!("the store cannot be locked, so a second program may set it aside: {error}");
        }
    }
}
