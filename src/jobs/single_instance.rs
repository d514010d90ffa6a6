//! Starting the program again brings the windows of the running show to the front; no second show starts.
//!
//! The first process holds a lock for as long as it runs or supervises a show. The second process writes a request file.
//! A thread of the show checks for it and removes it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::show_lock;
use crate::disk;
use crate::library::UserFolders;

/// Name of the lock file in the data folder.
const LOCK: &str = "show-instance.lock";
/// Name of the request file in the data folder.
const REQUEST: &str = "show-raise.request";
/// Interval between checks for the request file.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// How long the second process waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Result of claiming the right to run a show.
#[derive(Debug)]
pub enum Claim {
    /// No other show is running.
    Granted(ShowClaim),
    /// A show is open and brings its windows to the front.
    Raised,
    /// A show is starting, and will bring its windows to the front.
    Starting,
    /// A show is open but did not answer.
    Silent,
}

/// The exclusive right of one process per user to run a show. It ends when the value is dropped or the process exits.
#[derive(Debug)]
pub struct ShowClaim {
    /// `None` if the lock is not available.
    _lock: Option<File>,
}

/// Claims the right to run a show. If a show of this user is already running, requests that its windows be brought to
/// the front.
pub fn claim_show() -> Claim {
    match UserFolders::of_user().filter(|folders| disk::wake(&folders.data)) {
        Some(folders) => claim_in(&folders.data, TIMEOUT),
        None => Claim::Granted(ShowClaim { _lock: None }),
    }
}

fn claim_in(data: &Path, timeout: Duration) -> Claim {
    let lock = open_lock(data)
        .inspect_err(|error| log::warn!("could not open {LOCK} ({error}); a second show may start"))
        .ok();
    let request = data.join(REQUEST);
    let asked = Instant::now();
    let mut granted = false;
    loop {
        let taken = |lock: &File| matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        granted = granted || !lock.as_ref().is_some_and(taken);
        // A show may outlive its supervisor. An import holds the show lock too, but only briefly.
        let open = show_lock::is_open(data);
        if granted && !open {
            std::fs::remove_file(&request).ok(); // The show may have ended without reading it.
            return Claim::Granted(ShowClaim { _lock: lock });
        }
        if asked.elapsed() >= timeout {
            if !open {
                return Claim::Starting;
            }
            std::fs::remove_file(&request).ok(); // No show reads it.
            return Claim::Silent;
        }
        if std::fs::write(&request, "").is_ok() {
            thread::sleep(2 * CHECK_INTERVAL);
            if !request.exists() {
                return Claim::Raised;
            }
        }
        thread::sleep(CHECK_INTERVAL);
    }
}

fn open_lock(data: &Path) -> std::io::Result<File> {
    std::fs::create_dir_all(data)?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(data.join(LOCK))
}

/// Receiver of requests to bring the windows to the front, sent when the program is launched again.
pub struct RaiseRequests {
    asked: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

impl RaiseRequests {
    /// Starts the thread that checks the data folder, if there is one, for requests.
    pub fn watch(data: Option<PathBuf>) -> Self {
        let (asked, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        if let Some(data) = data {
            let (ask, end) = (asked.clone(), ended.clone());
            let request = data.join(REQUEST);
            let work = move || {
                while !end.load(Ordering::Relaxed) {
                    if request.exists() && std::fs::remove_file(&request).is_ok() {
                        ask.store(true, Ordering::Relaxed);
                    }
                    thread::sleep(CHECK_INTERVAL);
                }
            };
            if let Err(error) = thread::Builder::new().name("single instance".into()).spawn(work) {
                log::warn!(
                    "could not start a thread ({error}); starting aivj again will not bring this show's windows to \
                     the front"
                );
            }
        }
        Self { asked, ended }
    }

    /// Returns whether a request has arrived since the last call.
    pub fn take(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

impl Drop for RaiseRequests {
    /// Stops the thread without waiting for it: it has nothing to save.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::show_lock::ShowLock;

    #[test]
    fn a_second_start_raises_the_first_or_reports_that_it_is_silent() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path();
        assert!(matches!(claim_in(data, TIMEOUT), Claim::Granted(_)));
        let show = ShowLock::open(data).expect("opened");
        assert!(matches!(claim_in(data, Duration::ZERO), Claim::Silent), "nobody listens");
        let requests = RaiseRequests::watch(Some(data.to_owned()));
        assert!(!requests.take());
        assert!(matches!(claim_in(data, Duration::from_secs(60)), Claim::Raised));
        assert!(requests.take() && !requests.take());
        drop(show);
        assert!(matches!(claim_in(data, TIMEOUT), Claim::Granted(_)));
        assert!(!data.join(REQUEST).exists());
    }

    #[test]
    fn only_one_of_two_starts_runs_a_show_even_before_its_windows_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path();
        let first = claim_in(data, Duration::ZERO);
        assert!(matches!(first, Claim::Granted(_)));
        assert!(matches!(claim_in(data, Duration::ZERO), Claim::Starting));
        drop(first);
        assert!(matches!(claim_in(data, Duration::ZERO), Claim::Granted(_)));
    }
}
