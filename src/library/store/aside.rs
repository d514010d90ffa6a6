//! Moving a file out of the way under a name that tells when, so that nothing is ever overwritten.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::UnixSecs;

/// Renames the store and its log files; returns the store's new name.
pub(super) fn set_aside(path: &Path, now: UnixSecs) -> io::Result<PathBuf> {
    let moved = free_name(path, now);
    std::fs::rename(path, &moved)?;
    for ending in ["-wal", "-shm"] {
        let log = with_ending(path, ending);
        if log.exists() {
            std::fs::rename(&log, with_ending(&moved, ending))?;
        }
    }
    Ok(moved)
}

fn free_name(path: &Path, now: UnixSecs) -> PathBuf {
    let stamp = stamp(now);
    let name = |count: u32| match count {
        0 => with_ending(path, &format!(".{stamp}.set-aside")),
        count => with_ending(path, &format!(".{stamp}-{count}.set-aside")),
    };
    (0..).map(name).find(|name| !name.exists()).expect("one of so many names is free")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// `2026-11-24-203000` in universal time. Days to date after Howard Hinnant, "chrono-compatible low-level date
/// algorithms" (2013).
fn stamp(now: UnixSecs) -> String {
    let (days, secs) = (now.div_euclid(86_400), now.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}-{hour:02}{minute:02}{second:02}")
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
