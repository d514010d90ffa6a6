//! The store: everything remembered between shows, in one SQLite file in the data folder.
//!
//! Presets are identified by the hash of their bytes and files refer to them, so favourites, bans, verdicts and taste
//! survive renaming and moving. A file that is damaged or was written by a newer version is renamed, never
//! overwritten, and never while another process has it open; readable rows of a damaged file are copied to a new one.
//! Never used on the render thread: the live show writes through [`StoreWriter`].

mod backup;
mod files;
mod full_text;
mod lock;
mod memory;
mod paths;
mod salvage;
mod schema;
mod time;
mod verdicts;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lock::StoreLock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use files::LoadedRow;
pub(super) use files::{FileFacts, KnownFile, ScanCommit};
pub use full_text::Found;
pub use memory::{Ban, BanKind, Opinion, Play};
pub(super) use paths::{bytes_of, path_of, text_of};
pub use time::UnixSecs;
pub use verdicts::VerdictRow;
pub use writer::{StoreWrite, StoreWriter};

/// File name within the data folder.
pub const STORE_FILE: &str = "aivj.db";
/// Extension of the marker file next to a store in which damage was found.
const SUSPECT: &str = "suspect";

/// How long to wait for another process that is writing.
const BUSY: Duration = Duration::from_secs(10);

/// Why the store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder cannot be created or used.
    #[error("cannot use the data folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// SQLite failed.
    #[error("store error: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored value is not valid JSON of the expected type.
    #[error("invalid value in the store: {0}")]
    Json(#[from] serde_json::Error),
    /// The store is unusable and cannot be renamed because it is open elsewhere.
    #[error("{0} and is open in another program")]
    InUse(String),
}

/// An open store: a single connection, to be used by one thread.
pub struct Store {
    connection: Connection,
    /// Path of the file; `None` for a store in memory.
    path: Option<PathBuf>,
    /// Prevents other processes from renaming the file; dropped after the connection.
    lock: Option<Arc<StoreLock>>,
}

/// A store and a message about how it was opened.
pub struct OpenedStore {
    /// The store.
    pub store: Store,
    /// A message for the performer.
    pub notice: Option<String>,
}

impl Store {
    /// Opens or creates the store in `folder`. A damaged or newer store is renamed, unless another process has it
    /// open: then a damaged one is used as it is and repaired later. If the store cannot be opened (the folder is not
    /// writable, or another process has a newer store open), it is kept in memory and lost at exit. Fails only if that is
    /// impossible.
    pub fn open(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        match Self::open_file(folder, now) {
            Ok(opened) => Ok(opened),
            Err(error) => {
                let hint = match &error {
                    StoreError::InUse(_) => "Close that program and start again".to_owned(),
                    _ => format!("Check that {} is writable", folder.display()),
                };
                let notice = format!("{error}; nothing will be saved. {hint}");
                Ok(OpenedStore { store: Self::in_memory()?, notice: Some(notice) })
            }
        }
    }

    /// Opens a temporary store in memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: None, lock: None })
    }

    /// Returns the path of the file; `None` for a store in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Opens a second connection for another thread; `None` for a store in memory.
    pub fn another(&self) -> Result<Option<Self>, StoreError> {
        let Some(path) = &self.path else { return Ok(None) };
        let connection = connect(path, LogOnClose::Merge)?;
        Ok(Some(Self { connection, path: Some(path.clone()), lock: self.lock.clone() }))
    }

    /// Marks the store for repair at the next opening if this error indicates damage; returns whether it does.
    pub fn mark_if_damaged(&self, error: &StoreError) -> bool {
        let damaged = matches!(error, StoreError::Sqlite(cause) if is_damage(cause));
        if let (true, Some(path)) = (damaged, &self.path) {
            mark_suspect(path);
        }
        damaged
    }

    fn open_file(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        let path = folder.join(STORE_FILE);
        let lock = StoreLock::of(&path).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        let notice = if lock.alone() {
            let notice = repair(&path, now)?;
            lock.share();
            notice
        } else {
            lock.share();
            check_in_use(&path)?
        };
        let mut connection = connect(&path, LogOnClose::Merge)?;
        schema::migrate(&mut connection)?;
        Ok(OpenedStore { store: Self { connection, path: Some(path), lock: Some(Arc::new(lock)) }, notice })
    }
}

/// Renames an unusable store and copies readable rows of a damaged one; returns a message if it did. Requires that no
/// other process has it open.
fn repair(path: &Path, now: UnixSecs) -> Result<Option<String>, StoreError> {
    let suspect = suspect_mark(path);
    let fault = if path.exists() { find_fault(path, suspect.exists())? } else { None };
    let mut notice = None;
    if let Some(fault) = fault {
        let moved =
            backup::move_away(path, now).map_err(|error| StoreError::Folder(path.to_owned(), error))?;
        let mut text = format!("{fault}; it was saved as {} and a new one was created", moved.display());
        if matches!(fault, StoreFault::Damaged(_)) {
            let mut connection = connect(path, LogOnClose::Merge)?;
            schema::migrate(&mut connection)?;
            let copied = salvage::copy_rows(&connection, &moved);
            text.push_str(&format!(
                " with all readable favourites, bans, plays, taste and verdicts: {copied}"
            ));
        }
        notice = Some(text);
    }
    if suspect.exists() {
        std::fs::remove_file(&suspect).ok(); // If this fails, the next opening checks again.
    }
    Ok(notice)
}

/// Checks a store that other processes have open, without moving it; returns a message if it is damaged.
fn check_in_use(path: &Path) -> Result<Option<String>, StoreError> {
    let fault = match find_fault(path, false)? {
        Some(newer @ StoreFault::Newer(_)) => return Err(StoreError::InUse(newer.to_string())),
        Some(damaged) => {
            mark_suspect(path);
            damaged.to_string()
        }
        None if suspect_mark(path).exists() => "the store is damaged".to_owned(),
        None => return Ok(None),
    };
    Ok(Some(format!(
        "{fault} and open in another program. It will be repaired at the next start while no other show or bake is running"
    )))
}

/// What happens to the write-ahead log when the last connection is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LogOnClose {
    /// It is merged into the database file.
    Merge,
    /// It is left unchanged, and so is the file.
    Keep,
}

fn connect(path: &Path, log: LogOnClose) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log == LogOnClose::Keep)?;
    connection.busy_timeout(BUSY)?;
    // Write-ahead log: readers and one writer at a time, in any number of processes; a killed process loses nothing.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Why a store is unusable.
#[derive(Debug, thiserror::Error)]
enum StoreFault {
    #[error("the store is damaged ({0})")]
    Damaged(String),
    #[error(
        "the store was written by a newer version of this program (format {0}, supported up to {known})",
        known = schema::VERSION
    )]
    Newer(i64),
}

/// Checks the file; returns `None` if it is usable.
fn find_fault(path: &Path, suspect: bool) -> Result<Option<StoreFault>, StoreError> {
    let checked = connect(path, LogOnClose::Keep).and_then(|connection| {
        let version = schema::version(&connection)?;
        schema::probe(&connection, || file_bytes(path), suspect).map(|damage| (version, damage))
    });
    match checked {
        Ok((version, _)) if version > schema::VERSION => Ok(Some(StoreFault::Newer(version))),
        Ok((_, damage)) => Ok(damage.map(StoreFault::Damaged)),
        Err(error) if is_damage(&error) => Ok(Some(StoreFault::Damaged(error.to_string()))),
        Err(error) => Err(error.into()),
    }
}

/// Returns the size of the file, or `u64::MAX` if there is a log: then the file may be shorter than the store.
fn file_bytes(path: &Path) -> u64 {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |facts| facts.len());
    // The log first: anything moved out of it between the two calls is in the file by then.
    if bytes(&backup::with_suffix(path, backup::LOG)) > 0 { u64::MAX } else { bytes(path) }
}

/// Returns whether this error, or one of its causes, indicates a damaged store.
pub fn is_damage(error: &(dyn std::error::Error + 'static)) -> bool {
    let code = error.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
}

/// Marks the store in `folder` as damaged, which makes the next opening check all of it.
pub fn suspect(folder: &Path) {
    mark_suspect(&folder.join(STORE_FILE));
}

fn mark_suspect(store: &Path) {
    if let Err(error) = std::fs::write(suspect_mark(store), "") {
        log::warn!("could not mark the store as damaged: {error}");
    }
}

fn suspect_mark(store: &Path) -> PathBuf {
    store.with_extension(SUSPECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_store_is_renamed_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(STORE_FILE);
        std::fs::write(&path, "this is no database, however long it may be ".repeat(200)).expect("written");
        let opened = Store::open(folder.path(), 1_790_000_000).expect("opens");
        let notice = opened.notice.expect("a notice");
        assert!(notice.contains("saved as"), "{notice}");
        assert_eq!(count_backups(folder.path()), 1);
    }

    fn count_backups(folder: &Path) -> usize {
        let names = std::fs::read_dir(folder).expect("read").flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().ends_with("set-aside")).count()
    }

    #[test]
    fn a_store_that_grows_during_the_check_is_not_truncated() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(STORE_FILE);
        drop(Store::open(folder.path(), 0).expect("opens"));
        let (looking, writing) = (connect(&path, LogOnClose::Keep), connect(&path, LogOnClose::Merge));
        let (looking, writing) = (looking.expect("opens"), writing.expect("opens"));
        let grow_after_look = || {
            let bytes = file_bytes(&path);
            assert!(bytes < u64::MAX, "nothing is in the log yet");
            let put = "INSERT INTO memory VALUES ('big', ?1, 0)";
            writing.execute(put, ["x".repeat(1 << 20)]).expect("written");
            bytes
        };
        assert_eq!(schema::probe(&looking, grow_after_look, false).expect("looked"), None);
    }

    #[test]
    fn the_log_of_a_damaged_store_is_recovered_and_kept() {
        let (first, second) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        drop(Store::open(first.path(), 0).expect("opens"));
        let store = Store::open(first.path(), 0).expect("opens").store;
        let favourite = crate::library::PresetId::of(b"in the log");
        store.set_favourite(favourite, true, 1).expect("marked");
        let log_of = |folder: &Path| backup::with_suffix(&folder.join(STORE_FILE), backup::LOG);
        let log = std::fs::read(log_of(first.path())).expect("there is a log");
        assert!(!log.is_empty());
        std::fs::write(log_of(second.path()), &log).expect("written");
        let mut bytes = std::fs::read(first.path().join(STORE_FILE)).expect("read");
        let last_page = bytes.len() - 4096;
        bytes[last_page..].fill(0xa5);
        std::fs::write(second.path().join(STORE_FILE), &bytes).expect("written");

        let opened = Store::open(second.path(), 0).expect("opens");
        let notice = opened.notice.expect("a notice");
        assert!(notice.contains("saved as"), "{notice}");
        assert!(opened.store.favourites().expect("read").contains(&favourite));
        let moved = second.path().join(format!("{STORE_FILE}.1970-01-01-000000.set-aside"));
        assert!(std::fs::read(backup::with_suffix(&moved, backup::LOG)).expect("stored") == log);
        assert!(std::fs::read(moved).expect("stored") == bytes);
    }

    #[test]
    fn rows_around_a_damaged_page_and_rows_with_invalid_text_survive() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let ids: std::collections::BTreeSet<_> =
            (0..20_000_u32).map(|number| crate::library::PresetId::of(&number.to_le_bytes())).collect();
        let step = store.connection.unchecked_transaction().expect("begun");
        for id in &ids {
            store.set_favourite(*id, true, 1).expect("marked");
        }
        step.commit().expect("written");
        let first = ids.first().expect("many").0;
        let broken = "UPDATE opinions SET note = CAST(x'ff41' AS TEXT) WHERE id = ?1";
        assert_eq!(store.connection.execute(broken, [first]).expect("written"), 1);
        store.checkpoint().expect("written");
        drop(store);
        let path = folder.path().join(STORE_FILE);
        let mut bytes = std::fs::read(&path).expect("read");
        let page_of = |id: &[u8]| bytes.windows(id.len()).position(|part| part == id).expect("there") & !4095;
        const LEAF: u8 = 10;
        let middle = ids.iter().skip(10_000).map(|id| page_of(&id.0)).find(|page| bytes[*page] == LEAF);
        let middle = middle.expect("a leaf");
        bytes[middle..middle + 4096].fill(0xa5);
        std::fs::write(&path, bytes).expect("written");

        let opened = Store::open(folder.path(), 0).expect("opens");
        let notice = opened.notice.expect("a notice");
        assert!(notice.contains("some could not be read"), "{notice}");
        let left = opened.store.favourites().expect("read");
        assert!(left.is_subset(&ids) && left.len() < ids.len(), "{}", left.len());
        assert!(left.len() > ids.len() - 200, "{} of {}", left.len(), ids.len());
    }

    #[test]
    fn a_truncated_store_is_renamed() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Store::open(folder.path(), 0).expect("opens"));
        let path = folder.path().join(STORE_FILE);
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
        assert!(Store::open(folder.path(), 0).expect("opens").notice.is_some());
    }

    #[test]
    fn damage_in_a_large_store_is_repaired_once_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), 0).expect("opens");
        let store = open().store;
        let favourite = crate::library::PresetId::of(b"liked");
        store.set_favourite(favourite, true, 1).expect("marked");
        let verdict = |number: u32| VerdictRow {
            id: crate::library::PresetId::of(&number.to_le_bytes()),
            recipe: "r".into(),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "ok".into(),
            flash: "pass".into(),
            seen: Default::default(),
            cost_ms: None,
            json: format!("\"{}\"", "x".repeat(3000)),
            at: 1,
        };
        store.put_verdicts(&(0..2000).map(verdict).collect::<Vec<_>>()).expect("stored");
        store.checkpoint().expect("written");
        drop(store);
        let path = folder.path().join(STORE_FILE);
        let mut bytes = std::fs::read(&path).expect("read");
        assert!(bytes.len() > 5 << 20);
        let from = bytes.len() / 2;
        bytes[from..from + (64 << 10)].fill(0xa5);
        std::fs::write(&path, bytes).expect("written");

        let opened = open();
        assert_eq!(opened.notice, None, "the quick check does not find it");
        let error = opened.store.each_verdict("r", |_| ()).expect_err("the damage");
        assert!(std::error::Error::source(&error).is_some_and(is_damage), "{error}");
        suspect(folder.path());
        let second = open();
        let notice = second.notice.as_ref().expect("a notice");
        assert!(notice.contains("open in another program"), "{notice}");
        assert_eq!(count_backups(folder.path()), 0, "a store in use is not renamed");
        let later = crate::library::PresetId::of(b"liked later");
        opened.store.set_favourite(later, true, 2).expect("marked");
        assert!(second.store.favourites().expect("read").contains(&later));
        drop(opened);
        assert!(
            open().notice.is_some_and(|notice| notice.contains("open in another program")),
            "one open handle prevents the repair"
        );
        drop(second);
        let opened = open();
        let notice = opened.notice.expect("a notice");
        assert!(notice.contains("saved as") && notice.contains("2 favourites and 0 bans"), "{notice}");
        assert_eq!(opened.store.favourites().expect("read"), [favourite, later].into());
        assert_eq!(count_backups(folder.path()), 1);
        drop(opened.store);
        assert_eq!(open().notice, None);
    }

    #[test]
    fn a_newer_store_is_renamed() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = Store::open(folder.path(), 0).expect("opens");
        assert_eq!(opened.notice, None);
        opened.store.connection.pragma_update(None, "user_version", 999).expect("set");
        drop(opened);
        let notice = Store::open(folder.path(), 0).expect("opens").notice.expect("a notice");
        assert!(notice.contains("newer version"), "{notice}");
    }

    #[test]
    fn an_unusable_folder_gives_a_store_in_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        let opened = Store::open(&file.join("below"), 0).expect("opens");
        assert!(opened.notice.is_some() && opened.store.path().is_none());
    }
}
