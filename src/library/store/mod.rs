//! What is remembered between shows: one SQLite file in the data folder.
//!
//! Presets are known by the hash of their bytes, files only point at them, so favourites, bans, verdicts and taste
//! survive renaming and moving. A file that is damaged or was written by a newer version is set aside under another
//! name, never overwritten and never while anybody has it open, and what can be read of a damaged one is taken over. Never
//! used on the render thread: the live show writes through [`StoreWriter`].

mod aside;
mod files;
mod lock;
mod memory;
mod salvage;
mod schema;
mod verdicts;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lock::StoreLock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use files::LoadedRow;
pub(super) use files::{FileFacts, KnownFile, ScanCommit, bytes_of, path_of, text_of};
pub use memory::{Ban, BanKind, Opinion, Play};
pub use verdicts::VerdictRow;
pub use words::Found;
pub use writer::{StoreWrite, StoreWriter};

/// Name of the store within the data folder.
pub const STORE_FILE: &str = "aivj.db";
/// Ending of the file that lies beside a store in which damage was met.
const SUSPECT: &str = "suspect";

/// Seconds since 1970, as the caller's clock says.
pub type UnixSecs = i64;

/// How long a process waits for another one that is writing.
const BUSY: Duration = Duration::from_secs(10);

/// Why the store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder cannot be made.
    #[error("the data folder {0} cannot be used: {1}")]
    Folder(PathBuf, std::io::Error),
    /// SQLite refused.
    #[error("the store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Something stored is not what it should be.
    #[error("the store holds something that cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It cannot be used as it is, and not be set aside either.
    #[error("{0}, and another program has it open")]
    InUse(String),
}

/// The open store. One connection; use one per thread.
pub struct Store {
    connection: Connection,
    /// Where it lies; nowhere when it lives in memory only.
    path: Option<PathBuf>,
    /// Keeps others from setting the file aside; goes after the connection.
    hold: Option<Arc<StoreLock>>,
}

/// A store and what the performer should know about how it was opened.
pub struct OpenedStore {
    /// The store.
    pub store: Store,
    /// What happened, what was done instead, what to try.
    pub notice: Option<String>,
}

impl Store {
    /// Opens the store in `folder`, which is made when it is not there. A damaged or newer one is set aside
    /// unless anybody has it open: then a damaged one is used as it is, and mended another time. Where the folder cannot
    /// be written, the store lives in memory and forgets at the end. Only that can fail.
    pub fn open(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        match Self::open_file(folder, now) {
            Ok(opened) => Ok(opened),
            Err(error) => {
                let hint = match &error {
                    StoreError::InUse(_) => "Close that one and start again".to_owned(),
                    _ => format!("Check that {} can be written", folder.display()),
                };
                let notice = format!("{error}; this show remembers nothing afterwards. {hint}");
                Ok(OpenedStore { store: Self::in_memory()?, notice: Some(notice) })
            }
        }
    }

    /// A store that forgets everything at the end.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: None, hold: None })
    }

    /// Where the store lies; nowhere when it lives in memory only.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// A second connection to the same file, for another thread; nothing for a store in memory.
    pub fn another(&self) -> Result<Option<Self>, StoreError> {
        let Some(path) = &self.path else { return Ok(None) };
        let connection = connect(path, Log::Tidied)?;
        Ok(Some(Self { connection, path: Some(path.clone()), hold: self.hold.clone() }))
    }

    /// Marks the store for the next opening to mend, when this error of it says that it is damaged; whether it does.
    pub fn met(&self, error: &StoreError) -> bool {
        let damaged = matches!(error, StoreError::Sqlite(cause) if is_damage(cause));
        if let (true, Some(path)) = (damaged, &self.path) {
            mark_suspect(path);
        }
        damaged
    }

    fn open_file(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        let path = folder.join(STORE_FILE);
        let hold = StoreLock::of(&path).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        let notice = if hold.alone() {
            let notice = mend(&path, now)?;
            hold.share();
            notice
        } else {
            hold.share();
            leave(&path)?
        };
        let mut connection = connect(&path, Log::Tidied)?;
        schema::migrate(&mut connection)?;
        Ok(OpenedStore { store: Self { connection, path: Some(path), hold: Some(Arc::new(hold)) }, notice })
    }
}

/// Sets a store aside that cannot be used, and takes over what can be read of it; what happened, in words. Only while
/// nobody has it open.
fn mend(path: &Path, now: UnixSecs) -> Result<Option<String>, StoreError> {
    let suspect = suspect_mark(path);
    let trouble = if path.exists() { trouble_with(path, suspect.exists())? } else { None };
    let mut notice = None;
    if let Some(trouble) = trouble {
        let moved =
            aside::set_aside(path, now).map_err(|error| StoreError::Folder(path.to_owned(), error))?;
        let mut words = format!("{trouble}; it was set aside as {} and a new one was begun", moved.display());
        if matches!(trouble, StoreFault::Damaged(_)) {
            let mut connection = connect(path, Log::Tidied)?;
            schema::migrate(&mut connection)?;
            let taken = salvage::take_over(&connection, &moved);
            words.push_str(&format!(
                " with what could be read of marks, bans, plays, taste and verdicts: {taken}"
            ));
        }
        notice = Some(words);
    }
    if suspect.exists() {
        std::fs::remove_file(&suspect).ok(); // Looked at again the next time, and no worse for it.
    }
    Ok(notice)
}

/// Looks at a store that others have open, and leaves it where it is; what is wrong with it, in words.
fn leave(path: &Path) -> Result<Option<String>, StoreError> {
    let trouble = match trouble_with(path, false)? {
        Some(newer @ StoreFault::Newer(_)) => return Err(StoreError::InUse(newer.to_string())),
        Some(damaged) => {
            mark_suspect(path);
            damaged.to_string()
        }
        None if suspect_mark(path).exists() => "damage was met in the store".to_owned(),
        None => return Ok(None),
    };
    Ok(Some(format!(
        "{trouble}; it is open elsewhere and used as it is. It is mended at the next start with every other show and bake closed"
    )))
}

/// What becomes of the write-ahead log when the last connection is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Log {
    /// It goes into the file.
    Tidied,
    /// It stays, and the file as it was.
    Left,
}

fn connect(path: &Path, log: Log) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log == Log::Left)?;
    connection.busy_timeout(BUSY)?;
    // Write-ahead log: readers and one writer at a time, in any number of processes; a killed process loses nothing.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
enum StoreFault {
    #[error("the store is damaged ({0})")]
    Damaged(String),
    #[error(
        "the store was written by a newer version of this program (its format is {0}, {known} is known here)",
        known = schema::VERSION
    )]
    Newer(i64),
}

/// What is wrong with the file; nothing when it can be used.
fn trouble_with(path: &Path, suspect: bool) -> Result<Option<StoreFault>, StoreError> {
    let looked = connect(path, Log::Left).and_then(|connection| {
        let version = schema::version(&connection)?;
        schema::probe(&connection, || file_bytes(path), suspect).map(|damage| (version, damage))
    });
    match looked {
        Ok((version, _)) if version > schema::VERSION => Ok(Some(StoreFault::Newer(version))),
        Ok((_, damage)) => Ok(damage.map(StoreFault::Damaged)),
        Err(error) if is_damage(&error) => Ok(Some(StoreFault::Damaged(error.to_string()))),
        Err(error) => Err(error.into()),
    }
}

/// How long the store's file is. What is in the log only makes it shorter than the store, so it is long enough then.
fn file_bytes(path: &Path) -> u64 {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |facts| facts.len());
    // The log first: what leaves it between the two looks is in the file by then.
    if bytes(&aside::with_ending(path, aside::LOG)) > 0 { u64::MAX } else { bytes(path) }
}

/// Whether this error, or a cause of one, says that the store is damaged.
pub fn is_damage(error: &(dyn std::error::Error + 'static)) -> bool {
    let code = error.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
}

/// Marks the store in `folder`: damage was met in it, and the next opening looks everywhere.
pub fn suspect(folder: &Path) {
    mark_suspect(&folder.join(STORE_FILE));
}

fn mark_suspect(store: &Path) {
    if let Err(error) = std::fs::write(suspect_mark(store), "") {
        log::warn!("the store cannot be marked as damaged: {error}");
    }
}

fn suspect_mark(store: &Path) -> PathBuf {
    store.with_extension(SUSPECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_store_is_set_aside_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(STORE_FILE);
        std::fs::write(&path, "this is no database, however long it may be ".repeat(200)).expect("written");
        let opened = Store::open(folder.path(), 1_790_000_000).expect("opens");
        let notice = opened.notice.expect("it is told");
        assert!(notice.contains("set aside"), "{notice}");
        assert_eq!(set_aside_in(folder.path()), 1);
    }

    fn set_aside_in(folder: &Path) -> usize {
        let names = std::fs::read_dir(folder).expect("read").flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().ends_with("set-aside")).count()
    }

    #[test]
    fn a_store_that_grows_while_it_is_looked_at_is_not_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(STORE_FILE);
        drop(Store::open(folder.path(), 0).expect("opens"));
        let (looking, writing) = (connect(&path, Log::Left), connect(&path, Log::Tidied));
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
    fn the_log_of_a_damaged_store_counts_and_is_kept() {
        let (first, second) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        drop(Store::open(first.path(), 0).expect("opens"));
        let store = Store::open(first.path(), 0).expect("opens").store;
        let favourite = crate::library::PresetId::of(b"in the log");
        store.set_favourite(favourite, true, 1).expect("marked");
        let log_of = |folder: &Path| aside::with_ending(&folder.join(STORE_FILE), aside::LOG);
        let log = std::fs::read(log_of(first.path())).expect("there is a log");
        assert!(!log.is_empty());
        std::fs::write(log_of(second.path()), &log).expect("written");
        let mut bytes = std::fs::read(first.path().join(STORE_FILE)).expect("read");
        let last_page = bytes.len() - 4096;
        bytes[last_page..].fill(0xa5);
        std::fs::write(second.path().join(STORE_FILE), &bytes).expect("written");

        let opened = Store::open(second.path(), 0).expect("opens");
        let notice = opened.notice.expect("told");
        assert!(notice.contains("set aside"), "{notice}");
        assert!(opened.store.favourites().expect("read").contains(&favourite));
        let moved = second.path().join(format!("{STORE_FILE}.1970-01-01-000000.set-aside"));
        assert!(std::fs::read(aside::with_ending(&moved, aside::LOG)).expect("kept") == log);
        assert!(std::fs::read(moved).expect("kept") == bytes);
    }

    #[test]
    fn marks_before_and_behind_a_damaged_page_survive_and_so_do_those_with_broken_words() {
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
        store.tidy().expect("written");
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
        let notice = opened.notice.expect("told");
        assert!(notice.contains("others could not be read"), "{notice}");
        let left = opened.store.favourites().expect("read");
        assert!(left.is_subset(&ids) && left.len() < ids.len(), "{}", left.len());
        assert!(left.len() > ids.len() - 200, "{} of {}", left.len(), ids.len());
    }

    #[test]
    fn a_store_cut_short_is_set_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Store::open(folder.path(), 0).expect("opens"));
        let path = folder.path().join(STORE_FILE);
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
        assert!(Store::open(folder.path(), 0).expect("opens").notice.is_some());
    }

    #[test]
    fn damage_deep_in_a_large_store_is_set_aside_once_it_was_met_and_the_marks_survive() {
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
        store.put_verdicts(&(0..2000).map(verdict).collect::<Vec<_>>()).expect("kept");
        store.tidy().expect("written");
        drop(store);
        let path = folder.path().join(STORE_FILE);
        let mut bytes = std::fs::read(&path).expect("read");
        assert!(bytes.len() > 5 << 20);
        let from = bytes.len() / 2;
        bytes[from..from + (64 << 10)].fill(0xa5);
        std::fs::write(&path, bytes).expect("written");

        let opened = open();
        assert_eq!(opened.notice, None, "it is not where anybody looks at once");
        let error = opened.store.each_verdict("r", |_| ()).expect_err("it is met");
        assert!(std::error::Error::source(&error).is_some_and(is_damage), "{error}");
        suspect(folder.path());
        let second = open();
        let notice = second.notice.as_ref().expect("told");
        assert!(notice.contains("open elsewhere"), "{notice}");
        assert_eq!(set_aside_in(folder.path()), 0, "whoever has it open writes into the same file");
        let later = crate::library::PresetId::of(b"liked later");
        opened.store.set_favourite(later, true, 2).expect("marked");
        assert!(second.store.favourites().expect("read").contains(&later));
        drop(opened);
        assert!(open().notice.is_some_and(|notice| notice.contains("open elsewhere")), "one is enough");
        drop(second);
        let opened = open();
        let notice = opened.notice.expect("told");
        assert!(notice.contains("set aside") && notice.contains("2 favourites and 0 bans"), "{notice}");
        assert_eq!(opened.store.favourites().expect("read"), [favourite, later].into());
        assert_eq!(set_aside_in(folder.path()), 1);
        drop(opened.store);
        assert_eq!(open().notice, None);
    }

    #[test]
    fn a_newer_store_is_set_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = Store::open(folder.path(), 0).expect("opens");
        assert_eq!(opened.notice, None);
        opened.store.connection.pragma_update(None, "user_version", 999).expect("set");
        drop(opened);
        let notice = Store::open(folder.path(), 0).expect("opens").notice.expect("told");
        assert!(notice.contains("newer version"), "{notice}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_gives_a_store_in_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        let opened = Store::open(&file.join("below"), 0).expect("opens");
        assert!(opened.notice.is_some() && opened.store.path().is_none());
    }
}
