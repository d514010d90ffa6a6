//! Moving a file out of the way under a name that tells when, so that nothing is ever overwritten.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::UnixSecs;
use crate::units::iso_date;

/// Ending of the store's write-ahead log.
pub(super) const LOG: &str = "-wal";

/// Renames the store and its log files; returns the store's new name. The log goes first: a store without its log is only
/// older, while a log without its store is thrown away by whoever begins a new one.
pub(super) fn set_aside(path: &Path, now: UnixSecs) -> io::Result<PathBuf> {
    let moved = free_name(path, now);
    let (log, moved_log) = (with_ending(path, LOG), with_ending(&moved, LOG));
    let has_log = log.exists();
    if has_log {
        std::fs::rename(&log, &moved_log)?;
    }
    if let Err(error) = std::fs::rename(path, &moved) {
        if has_log {
            std::fs::rename(&moved_log, &log)?;
        }
        return Err(error);
    }
    std::fs::remove_file(with_ending(path, "-shm")).ok(); // Made anew by whoever opens the store, if it stayed as well.
    Ok(moved)
}

fn free_name(path: &Path, now: UnixSecs) -> PathBuf {
    let stamp = stamp(now);
    let name = |count: u32| match count {
        0 => with_ending(path, &format!(".{stamp}.set-aside")),
        count => with_ending(path, &format!(".{stamp}-{count}.set-aside")),
    };
    let free = |name: &PathBuf| !name.exists() && !with_ending(name, LOG).exists();
    (0..).map(name).find(free).expect("one of so many names is free")
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// `2026-11-24-203000` in universal time: a date that may stand in a file's name.
fn stamp(now: UnixSecs) -> String {
    iso_date(now).replace('T', "-").replace([':', 'Z'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_told_as_a_date() {
        assert_eq!(stamp(0), "1970-01-01-000000");
        assert_eq!(stamp(951_782_400), "2000-02-29-000000");
        assert_eq!(stamp(1_795_551_791), "2026-11-24-202311");
    }
}
