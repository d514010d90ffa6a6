//! Names of the files next to the store.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Suffix of the write-ahead log.
pub(super) const LOG: &str = "-wal";
/// Suffix of the rollback journal, which is used on network file systems.
pub(super) const JOURNAL: &str = "-journal";
/// Suffix of a repaired store that is complete but has not replaced the damaged one yet.
pub(super) const REPAIRED: &str = ".repaired";
/// Number of backups that are kept.
pub(super) const BACKUPS: u32 = 3;

pub(super) fn with_suffix(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Returns the path of a backup of the store at `path`; `number` 1 is the newest.
pub(super) fn backup(path: &Path, number: u32) -> PathBuf {
    with_suffix(path, &format!(".backup-{number}"))
}

/// Returns the paths of the existing backups of the store at `path`, newest first.
pub(super) fn backups(path: &Path) -> impl Iterator<Item = PathBuf> {
    (1..=BACKUPS).map(|number| backup(path, number)).filter(|backup| backup.is_file())
}
