//! Connections to the database file.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::disk;

/// How long a command or a bake waits for another program that is writing.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a show waits for another program that is writing, at startup and on the thread that saves changes.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_millis(400);

/// Handling of the write-ahead log when the last connection is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LogOnClose {
    /// The log is merged into the database file.
    Merge,
    /// The log and the database file are left unchanged.
    Keep,
}

/// How SQLite keeps the database intact if a process is killed in the middle of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Journal {
    /// A write-ahead log: any number of readers and one writer at a time, in any number of processes on one computer.
    Wal,
    /// A rollback journal, for network file systems: processes on different computers cannot share a write-ahead log,
    /// because its index is in shared memory (<https://sqlite.org/wal.html>).
    Rollback,
}

impl Journal {
    /// Returns the journal for a store in `folder`.
    pub fn for_folder(folder: &Path) -> Self {
        Self::choose(folder, disk::is_network)
    }

    /// Returns the journal for a store in `folder`, where `is_network` returns whether a folder is on a network file
    /// system.
    pub fn choose(folder: &Path, is_network: impl Fn(&Path) -> bool) -> Self {
        if is_network(folder) { Self::Rollback } else { Self::Wal }
    }
}

/// Opens or creates the database at `path`. Waits only briefly for other programs until [`use_long_timeout`]
/// is called.
pub(super) fn connect(path: &Path, journal: Journal, log: LogOnClose) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log == LogOnClose::Keep)?;
    connection.busy_timeout(SHORT_TIMEOUT)?;
    // In both modes, a killed process loses no committed changes.
    let (mode, synchronous) = match journal {
        Journal::Wal => (Some("WAL"), "NORMAL"),
        // Switching from a write-ahead log would merge it.
        Journal::Rollback if log == LogOnClose::Keep => (None, "FULL"),
        Journal::Rollback => (Some("DELETE"), "FULL"),
    };
    if let Some(mode) = mode {
        connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(()))?;
    }
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Makes a connection wait up to [`LONG_TIMEOUT`] for other programs that are writing, such as a scan.
pub(super) fn use_long_timeout(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(LONG_TIMEOUT)
}
