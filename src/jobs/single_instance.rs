//! Starting the program again brings the windows of the running show to the front; no second show starts.
//!
//! The second process writes a request file. A thread of the first process checks for it and removes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::show_lock;
use crate::disk;
use crate::library::UserFolders;

/// Name of the request file in the data folder.
const REQUEST: &str = "show-raise.request";
/// Interval between checks for the request file.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// How long the second process waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Result of asking a running show to raise its windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherShow {
    /// No show is open.
    None,
    /// A show is open and brings its windows to the front.
    Raised,
    /// A show is open but did not answer.
    Silent,
}

/// Asks a show of this user that is already running to bring its windows to the front.
pub fn raise_other_show() -> OtherShow {
    let folders = UserFolders::of_user().filter(|folders| disk::responds(&folders.data));
    folders.map_or(OtherShow::None, |folders| raise_in(&folders.data, TIMEOUT))
}

fn raise_in(data: &Path, timeout: Duration) -> OtherShow {
    let request = data.join(REQUEST);
    let asked = Instant::now();
    // An import holds the show lock too, but only briefly.
    while show_lock::is_open(data) {
        if asked.elapsed() >= timeout {
            std::fs::remove_file(&request).ok(); // No show reads it.
            return OtherShow::Silent;
        }
        if std::fs::write(&request, "").is_ok() {
            thread::sleep(2 * CHECK_INTERVAL);
            if !request.exists() {
                return OtherShow::Raised;
            }
        }
        thread::sleep(CHECK_INTERVAL);
    }
    std::fs::remove_file(&request).ok(); // The show may have ended without reading it.
    OtherShow::None
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
        assert_eq!(raise_in(data, TIMEOUT), OtherShow::None);
        let show = ShowLock::open(data).expect("opened");
        assert_eq!(raise_in(data, Duration::ZERO), OtherShow::Silent, "nobody listens");
        let requests = RaiseRequests::watch(Some(data.to_owned()));
        assert!(!requests.take());
        assert_eq!(raise_in(data, Duration::from_secs(60)), OtherShow::Raised);
        assert!(requests.take() && !requests.take());
        drop(show);
        assert_eq!(raise_in(data, TIMEOUT), OtherShow::None);
        assert!(!data.join(REQUEST).exists());
    }
}
