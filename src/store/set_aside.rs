//! Renames an unusable store to a name with a timestamp; never overwrites a file.

use std::io;
use std::path::{Path, PathBuf};

use super::UnixSecs;
use super::names::{JOURNAL, LOG, with_suffix};
use crate::units::iso_date;

/// Renames the store and its log or journal; returns the store's new name. The log is moved first: a store without its
/// log is merely outdated, while a log without its store would be deleted by the next program that creates a
/// store, and a journal would be applied to the new one.
pub(super) fn move_away(path: &Path, now: UnixSecs) -> io::Result<PathBuf> {
    let moved = free_name(path, now);
    let mut renamed = Vec::new();
    for ending in [LOG, JOURNAL, ""] {
        let (from, to) = (with_suffix(path, ending), with_suffix(&moved, ending));
        if !ending.is_empty() && !from.exists() {
            continue;
        }
        if let Err(error) = std::fs::rename(&from, &to) {
            for (from, to) in renamed {
                std::fs::rename(to, from)?;
            }
            return Err(error);
        }
        renamed.push((from, to));
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
    let free = |name: &PathBuf| ["", LOG, JOURNAL].iter().all(|ending| !with_suffix(name, ending).exists());
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
    fn a_store_is_moved_with_its_log_and_its_journal_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("aivj.db");
        let all = || ["", LOG, JOURNAL].map(|ending| with_suffix(&path, ending));
        for file in &all()[1..] {
            std::fs::write(file, "1").expect("written");
        }
        move_away(&path, 0).expect_err("there is no store");
        assert!(all()[1..].iter().all(|file| file.exists()), "they are back");
        std::fs::write(&path, "1").expect("written");
        let moved = move_away(&path, 0).expect("moved");
        assert!(all().iter().all(|file| !file.exists()));
        assert!(["", LOG, JOURNAL].iter().all(|ending| with_suffix(&moved, ending).exists()));
    }

    #[test]
    fn a_stamp_is_a_date_and_time() {
        assert_eq!(stamp(0), "1970-01-01-000000");
        assert_eq!(stamp(951_782_400), "2000-02-29-000000");
        assert_eq!(stamp(1_795_551_791), "2026-11-24-202311");
    }
}
