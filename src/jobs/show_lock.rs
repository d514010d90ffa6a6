//! Signs of a show on this machine: a file that it holds while there is music, so that a bake gives way, and one that it
//! holds as long as it is open, so that nobody writes what the show would write over.
//!
//! The system lets go of the files when the process ends, however it ends: a show that fell never stops anybody.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::library::UserFolders;

/// Name of the file in the data folder.
const NAME: &str = "show-plays.lock";
/// Name of the file of an open show.
const OPEN: &str = "show-open.lock";
/// Silence after which the show is over, seconds: longer than any pause between two pieces.
const OVER_AFTER_SECS: f64 = 60.0;

/// The show's side. Never waits.
pub struct ShowLock {
    /// Held for as long as the show is open.
    _open: File,
    file: File,
    up: bool,
    silent_secs: f64,
}

impl ShowLock {
    /// The signs in this folder: a show is open, and there is no music yet.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = |name: &str| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(name))
        };
        let open = file(OPEN)?;
        open.lock_shared()?; // Others hold it for a moment only.
        Ok(Self { _open: open, file: file(NAME)?, up: false, silent_secs: OVER_AFTER_SECS })
    }

    /// One frame of the show: the sign is up while there is sound and for a while after it.
    pub fn step(&mut self, silent: bool, dt: f64) {
        self.silent_secs = if silent { self.silent_secs + dt } else { 0.0 };
        let wanted = self.silent_secs < OVER_AFTER_SECS;
        if wanted != self.up {
            // A bake that looks at the sign holds it for a moment; the next frame tries again.
            let done = if wanted { self.file.try_lock_shared().is_ok() } else { self.file.unlock().is_ok() };
            self.up = if done { wanted } else { self.up };
        }
    }
}

/// Where the sign of this user's shows is.
pub fn of_user() -> Option<PathBuf> {
    UserFolders::of_user().map(|places| places.data.join(NAME))
}

/// Whether a show that keeps its things in this folder is open.
pub fn is_open(folder: &Path) -> bool {
    is_up(&folder.join(OPEN))
}

/// Keeps shows from opening while the answer is held, which must be a moment only; `None` while one is open.
pub fn none_open(folder: &Path) -> std::io::Result<Option<File>> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(OPEN);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a show holds the sign.
pub fn is_up(sign: &Path) -> bool {
    let Ok(file) = OpenOptions::new().read(true).write(true).open(sign) else { return false };
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_up_with_the_music_and_down_after_a_minute_of_silence_or_with_the_show() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        assert!(!is_up(&path));
        assert!(!is_open(folder.path()));
        assert!(none_open(folder.path()).expect("looked").is_some());
        let mut show = ShowLock::open(folder.path()).expect("opened");
        assert!(is_open(folder.path()) && none_open(folder.path()).expect("looked").is_none());
        show.step(true, 0.02);
        assert!(!is_up(&path));
        show.step(false, 0.02);
        assert!(is_up(&path));
        show.step(true, OVER_AFTER_SECS - 1.0);
        assert!(is_up(&path));
        show.step(true, 1.5);
        assert!(!is_up(&path));
        show.step(false, 0.02);
        drop(show);
        assert!(!is_up(&path) && !is_open(folder.path()));
    }
}
