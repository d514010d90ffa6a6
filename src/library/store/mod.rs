//! What is remembered between shows: one SQLite file in the data folder.
//!
//! Presets are known by the hash of their bytes, files only point at them, so favourites, bans, verdicts and taste
//! survive renaming and moving. A file that is damaged or was written by a newer version is set aside under another
//! name, never overwritten, and what can be read of a damaged one is taken over. Never used on the render thread: the live show writes through [`StoreWriter`].

mod aside;
mod files;
mod memory;
mod salvage;
mod schema;
mod verdicts;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use files::LoadedRow;
pub(super) use files::{FileFacts, KnownFile, ScanCommit, bytes_of, path_of, text_of};
pub use memory::{Ban, BanKind, Opinion, Play};
pub use verdicts::VerdictRow;
pub use words::Found;
pub use writer::{Deed, StoreWriter};

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
}

/// The open store. One connection; use one per thread.
pub struct Store {
    connection: Connection,
    /// Where it lies; nowhere when it lives in memory only.
    path: Option<PathBuf>,
}

/// A store and what the performer should know about how it was opened.
pub struct OpenedStore {
    /// The store.
    pub store: Store,
    /// What happened, what was done instead, what to try.
    pub notice: Option<String>,
}

impl Store {
    /// Opens the store in `folder`, which is made when it is not there. A damaged or newer one is set aside; where the
    /// folder cannot be written, the store lives in memory and forgets at the end. Only that can fail.
    pub fn open(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        match Self::open_file(folder, now) {
            Ok(opened) => Ok(opened),
            Err(error) => {
                let notice = format!(
                    "{error}; this show remembers nothing afterwards. Check that {} can be written",
                    folder.display()
                );
                Ok(OpenedStore { store: Self::in_memory()?, notice: Some(notice) })
            }
        }
    }

    /// A store that forgets everything at the end.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: None })
    }

    /// Where the store lies; nowhere when it lives in memory only.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// A second connection to the same file, for another thread; nothing for a store in memory.
    pub fn another(&self) -> Result<Option<Self>, StoreError> {
        let Some(path) = &self.path else { return Ok(None) };
        let connection = connect(path)?;
        Ok(Some(Self { connection, path: Some(path.clone()) }))
    }

    fn open_file(folder: &Path, now: UnixSecs) -> Result<OpenedStore, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
        let path = folder.join(STORE_FILE);
        let mut notice = None;
        let suspect = suspect_mark(&path);
        let trouble = if path.exists() { trouble_with(&path, suspect.exists())? } else { None };
        let mut damaged = None;
        if let Some(trouble) = &trouble {
            let moved =
                aside::set_aside(&path, now).map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
            notice =
                Some(format!("{trouble}; it was set aside as {} and a new one was begun", moved.display()));
            damaged = matches!(trouble, Trouble::Damaged(_)).then_some(moved);
        }
        let mut connection = connect(&path)?;
        schema::migrate(&mut connection)?;
        if let (Some(damaged), Some(notice)) = (damaged, &mut notice) {
            let rows = salvage::take_over(&connection, &damaged);
            notice.push_str(&format!(
                " with what could be read of marks, bans, plays, taste and verdicts: {rows} entries"
            ));
        }
        if suspect.exists() {
            std::fs::remove_file(&suspect).ok(); // Looked at again the next time, and no worse for it.
        }
        Ok(OpenedStore { store: Self { connection, path: Some(path) }, notice })
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
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
enum Trouble {
    #[error("the store is damaged ({0})")]
    Damaged(String),
    #[error(
        "the store was written by a newer version of this program (its format is {0}, {known} is known here)",
        known = schema::VERSION
    )]
    Newer(i64),
}

/// What is wrong with the file; nothing when it can be used.
fn trouble_with(path: &Path, suspect: bool) -> Result<Option<Trouble>, StoreError> {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |facts| facts.len());
    let log = bytes(&PathBuf::from(format!("{}-wal", path.display())));
    // What is in the log only makes the file shorter than the store.
    let file_bytes = if log > 0 { u64::MAX } else { bytes(path) };
    let looked = connect(path).and_then(|connection| {
        let version = schema::version(&connection)?;
        schema::probe(&connection, file_bytes, suspect).map(|damage| (version, damage))
    });
    match looked {
        Ok((version, _)) if version > schema::VERSION => Ok(Some(Trouble::Newer(version))),
        Ok((_, damage)) => Ok(damage.map(Trouble::Damaged)),
        Err(error) if is_damage(&error) => Ok(Some(Trouble::Damaged(error.to_string()))),
        Err(error) => Err(error.into()),
    }
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
        let kept = std::fs::read_dir(folder.path()).expect("read").flatten();
        let kept = kept.filter(|entry| entry.file_name().to_string_lossy().contains("set-aside")).count();
        assert_eq!(kept, 1);
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
        drop(opened);
        suspect(folder.path());
        let opened = open();
        let notice = opened.notice.expect("told");
        assert!(notice.contains("set aside") && notice.contains("entries"), "{notice}");
        assert!(opened.store.favourites().expect("read").contains(&favourite));
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
