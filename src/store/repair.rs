//! Checks a store before it is used, and replaces a damaged one with a new one that contains everything
//! readable.

use std::path::{Path, PathBuf};

use super::UnixSecs;
use super::connect::{Journal, LogOnClose, connect};
use super::error::{StoreError, is_damage};
use super::lock::InUse;
use super::names::{JOURNAL, LOG, REPAIRED, backups, with_suffix};
use super::salvage::{self, CopiedRows};
use super::{schema, set_aside};
use crate::disk;
use crate::salvage::Depth;

/// Extension of the marker file next to a store that may be damaged.
const SUSPECT: &str = "suspect";

/// Why a store is unusable.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreFault {
    #[error("the store is damaged ({0})")]
    Damaged(String),
    #[error(
        "the store was written by a newer version of this program (format {0}, supported up to {known})",
        known = schema::VERSION
    )]
    Newer(i64),
}

/// Checks the store at `path`; if it is damaged, repairs it and returns a message. No other process may have
/// the store open.
///
/// # Errors
/// Fails if the store was written by a newer version (it is then left unchanged), or if it cannot be checked or
/// repaired.
pub(super) fn repair(path: &Path, now: UnixSecs, journal: Journal) -> Result<Option<String>, StoreError> {
    finish_repair(path).map_err(|error| StoreError::Folder(path.to_owned(), error))?;
    let suspect = suspect_mark(path);
    let fault = if path.exists() { find_fault(path, suspect.exists(), journal)? } else { None };
    let notice = match fault {
        None => None,
        Some(newer @ StoreFault::Newer(_)) => return Err(StoreError::Newer(newer.to_string())),
        Some(damaged) => Some(replace(path, now, &damaged, journal)?),
    };
    if suspect.exists() {
        std::fs::remove_file(&suspect).ok(); // If this fails, the store is checked again next time.
    }
    Ok(notice)
}

/// Replaces a damaged store with a new one. If this is interrupted, the next start completes or repeats it.
fn replace(path: &Path, now: UnixSecs, fault: &StoreFault, journal: Journal) -> Result<String, StoreError> {
    let folder = |error| StoreError::Folder(path.to_owned(), error);
    let part = with_suffix(path, ".part");
    for ending in ["", LOG, JOURNAL, "-shm"] {
        std::fs::remove_file(with_suffix(&part, ending)).ok(); // Left by an interrupted repair.
    }
    let mut connection = connect(&part, journal, LogOnClose::Merge)?;
    schema::migrate(&mut connection)?;
    let backup = backups(path).next();
    if let Some(backup) = &backup {
        salvage::copy_rows(&connection, backup, Depth::Current, now)?;
    }
    salvage::copy_rows(&connection, path, Depth::Remains, now)?;
    let copied = CopiedRows::of(&connection);
    connection.close().map_err(|(_, error)| error)?;
    let repaired = with_suffix(path, REPAIRED);
    disk::publish(&part, &repaired).map_err(folder)?;
    let moved = set_aside::move_away(path, now).map_err(folder)?;
    disk::publish(&repaired, path).map_err(folder)?;
    let source = if backup.is_some() { "from it and from the latest backup" } else { "from it" };
    Ok(format!(
        "{fault}; it was saved as {} and a new one was created with everything readable {source}: {copied}",
        moved.display()
    ))
}

/// Completes or discards a repair that was interrupted.
fn finish_repair(path: &Path) -> std::io::Result<()> {
    let repaired = with_suffix(path, REPAIRED);
    match (path.exists(), repaired.exists()) {
        (false, true) => disk::publish(&repaired, path),
        (true, true) => std::fs::remove_file(repaired), // The damaged store is still in its place.
        (_, false) => Ok(()),
    }
}

/// Checks a store that other processes have or may have open, without moving it; returns a message if it is damaged.
pub(super) fn check_in_use(
    path: &Path,
    in_use: &InUse,
    journal: Journal,
) -> Result<Option<String>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let fault = match find_fault(path, false, journal)? {
        Some(newer @ StoreFault::Newer(_)) => return Err(StoreError::Newer(newer.to_string())),
        Some(damaged) => {
            mark_suspect(path);
            damaged.to_string()
        }
        None if suspect_mark(path).exists() => "the store is damaged".to_owned(),
        None => return Ok(None),
    };
    Ok(Some(format!("{fault} and {in_use}")))
}

/// Checks the file, in full if `suspect` is set; returns `None` if the store is usable.
fn find_fault(path: &Path, suspect: bool, journal: Journal) -> Result<Option<StoreFault>, StoreError> {
    // SQLite treats an empty file as a new database.
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0) {
        return Ok(Some(StoreFault::Damaged("it is empty".into())));
    }
    let checked = connect(path, journal, LogOnClose::Keep).and_then(|connection| {
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

/// Returns the size of the file, or `u64::MAX` if there is a log, because the file may then be shorter than the
/// store.
pub(super) fn file_bytes(path: &Path) -> u64 {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    // Check the log first: anything moved out of it between the two calls is in the file by then.
    if bytes(&with_suffix(path, LOG)) > 0 { u64::MAX } else { bytes(path) }
}

/// Marks a store as possibly damaged, so that it is checked in full the next time it is opened.
pub(super) fn mark_suspect(store: &Path) {
    if let Err(error) = std::fs::write(suspect_mark(store), "") {
        log::warn!("could not mark the store as damaged: {error}");
    }
}

fn suspect_mark(store: &Path) -> PathBuf {
    store.with_extension(SUSPECT)
}
