//! Renames an unusable store to a name with a timestamp; never overwrites a file.

use std::io;
use std::path::{Path, PathBuf};

use super::UnixSecs;
use super::names::{LOG, with_suffix};
use crate::units::iso_date;

/// Renames the store and its log; returns the store's new name. The log is moved first: a store without its
/// log is merely outdated, while a log without its store would be deleted by the next program that creates a
/// store.
pub(super) fn move_away(path: &Path, now: UnixSecs) -> io::Result<PathBuf> {
    let moved = free_name(path, now);
    let (log, moved_log) = (with_suffix(path, LOG), with_suffix(&moved, LOG));
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
    std::fs::remove_file(with_suffix(path, "-shm")).ok(); // Recreated by SQLite if necessary.
    Ok(moved)
}

fn free_name(path: &Path, now: UnixSecs) -> PathBuf {
    let stamp = stamp(now);
    let name = |count: u32| match count {
        0 => with_suffix(path, &format!(".{stamp}.set-aside")),
        count => with_suffix(path, &format!(".{stamp}-{count}.set-aside")),
    };
    let free = |name: &PathBuf| !name.exists() && !with_suffix(name, LOG).exists();
    (0..).map(name).find(free).expect("an unused name")
}

/// Formats a time as `2026-11-24-203000` in UTC, for use in a file name.
fn stamp(now: UnixSecs) -> String {
    iso_date(now).replace('T', "-").replace([':', 'Z'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_a_date_and_time() {
        assert_eq!(stamp(0), "1970-01-01-000000");
        assert_eq!(stamp(951_782_400), "2000-02-29-000000");
        assert_eq!(stamp(1_795_551_791), "2026-11-24-202311");
    }
}
