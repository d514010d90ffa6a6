//! Connections to the database file.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// How long a command or a bake waits for another program that is writing.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the start of a show and its saving thread wait for another program.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_millis(400);

/// Handling of the write-ahead log when the last connection is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LogOnClose {
    /// It is merged into the database file.
    Merge,
    /// It is left unchanged, and so is the file.
    Keep,
}

/// Opens or creates the database at `path`. Waits only briefly for other programs until [`use_long_timeout`] is called.
pub(super) fn connect(path: &Path, log: LogOnClose) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log == LogOnClose::Keep)?;
    connection.busy_timeout(SHORT_TIMEOUT)?;
    // Write-ahead log: readers and one writer at a time, in any number of processes; a killed process loses nothing.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Lets a connection wait for other programs that are writing, as for a scan.
pub(super) fn use_long_timeout(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(LONG_TIMEOUT)
}
