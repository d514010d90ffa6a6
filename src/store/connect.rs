//! Connections to the database file.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

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

/// Opens or creates the database at `path`. Waits only briefly for other programs until [`use_long_timeout`]
/// is called.
pub(super) fn connect(path: &Path, log: LogOnClose) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log == LogOnClose::Keep)?;
    connection.busy_timeout(SHORT_TIMEOUT)?;
    // Write-ahead log: any number of readers and one writer at a time, in any number of processes; a killed
    // process loses no committed changes.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Makes a connection wait up to [`LONG_TIMEOUT`] for other programs that are writing, such as a scan.
pub(super) fn use_long_timeout(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(LONG_TIMEOUT)
}
