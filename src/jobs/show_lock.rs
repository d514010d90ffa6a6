//! Lock files of a show: one held while music is playing, so that a bake slows down, and one held while the
//! show is open, so that no other process writes what the show would overwrite.
//!
//! The operating system releases the locks when the process exits, so a crashed show blocks nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::disk;
use crate::library::UserFolders;

/// File name of the lock of a playing show, in the data folder.
const NAME: &str = "show-plays.lock";
/// File name of the lock of an open show.
const OPEN: &str = "show-open.lock";
/// Seconds of silence after which a show no longer counts as playing: longer than a pause between tracks.
const OVER_AFTER_SECS: f64 = 60.0;

/// The show's side of the locks. [`Self::step`] never blocks.
pub struct ShowLock {
    /// Held while the show is open.
    _open: File,
    file: File,
    playing: bool,
    silent_secs: f64,
}

impl ShowLock {
    /// Marks the show with this data folder as open and not yet playing.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        let own = folder.to_owned();
        disk::with_timeout(folder, move |_| Self::open_files(&own))
    }

    fn open_files(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = |name: &str| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(name))
        };
        let open = file(OPEN)?;
        open.lock_shared()?; // Other processes hold it only briefly.
        Ok(Self { _open: open, file: file(NAME)?, playing: false, silent_secs: OVER_AFTER_SECS })
    }

    /// Advances by one frame of `dt` seconds. The show counts as playing while there is sound, and for a
    /// minute after it.
    pub fn step(&mut self, silent: bool, dt: f64) {
        self.silent_secs = if silent { self.silent_secs + dt } else { 0.0 };
        let wanted = self.silent_secs < OVER_AFTER_SECS;
        if wanted != self.playing {
            // A bake checking the lock holds it for a moment; retry in the next frame.
            let done = if wanted { self.file.try_lock_shared().is_ok() } else { self.file.unlock().is_ok() };
            self.playing = if done { wanted } else { self.playing };
        }
    }
}

/// Returns the path of the lock that the current user's show holds while playing; `None` if the user folders
/// are unknown.
pub fn user_path() -> Option<PathBuf> {
    UserFolders::of_user().map(|folders| folders.data.join(NAME))
}

/// Returns whether a show with this data folder is open.
pub fn is_open(folder: &Path) -> bool {
    is_locked(&folder.join(OPEN))
}

/// Prevents shows from opening while the returned lock is held, which must be brief. Returns `None` if a show
/// is open.
pub fn block_opening(folder: &Path) -> std::io::Result<Option<File>> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(OPEN);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns whether a show holds the lock at `path`.
pub fn is_locked(path: &Path) -> bool {
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return false };
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_show_is_playing_from_the_first_sound_until_a_minute_of_silence_or_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        assert!(!is_locked(&path));
        assert!(!is_open(folder.path()));
        assert!(block_opening(folder.path()).expect("looked").is_some());
        let mut show = ShowLock::open(folder.path()).expect("opened");
        assert!(is_open(folder.path()) && block_opening(folder.path()).expect("looked").is_none());
        show.step(true, 0.02);
        assert!(!is_locked(&path));
        show.step(false, 0.02);
        assert!(is_locked(&path));
        show.step(true, OVER_AFTER_SECS - 1.0);
        assert!(is_locked(&path));
        show.step(true, 1.5);
        assert!(!is_locked(&path));
        show.step(false, 0.02);
        drop(show);
        assert!(!is_locked(&path) && !is_open(folder.path()));
    }
}
