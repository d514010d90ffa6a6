//! Helper threads for operations that may never return, such as reading from a network mount that stalls.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Maximum time an operation may take without progress.
const TIMEOUT: Duration = Duration::from_millis(1500);
/// Maximum time without progress while many operations are stalled, so that the files of a dead mount are
/// skipped quickly.
const SHORT_TIMEOUT: Duration = Duration::from_millis(100);
/// Number of stalled operations at which [`SHORT_TIMEOUT`] starts to apply.
const MANY: usize = 4;
/// Maximum number of abandoned threads at any time.
const MAX_STALLED: usize = 64;

type Job = Box<dyn FnOnce() + Send>;

/// Idle helper threads. A stalled helper is not listed here, and ends when its operation returns.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());
static STALLED: AtomicUsize = AtomicUsize::new(0);

/// A counter of the completed parts of an operation, which distinguishes a slow operation from a stalled one.
#[derive(Clone, Default)]
pub struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    /// Marks another part as done.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs `work` on a helper thread and returns its result. Fails with `TimedOut` if `work` makes no progress,
/// as counted by the heartbeat, for 1.5 seconds (0.1 seconds while several operations are stalled); the
/// thread is then abandoned and ends when `work` returns. Also fails with `TimedOut` while 64 operations are
/// stalled, without running `work`.
pub fn with_timeout<T: Send + 'static>(
    work: impl FnOnce(&Heartbeat) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    with_timeout_of(TIMEOUT, work)
}

fn with_timeout_of<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce(&Heartbeat) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let stalled = STALLED.load(Ordering::Relaxed);
    if stalled >= MAX_STALLED {
        return Err(timed_out("skipped: too many earlier reads are still stalled"));
    }
    let timeout = if stalled >= MANY { timeout.min(SHORT_TIMEOUT) } else { timeout };
    let heartbeat = Heartbeat::default();
    // The channel has no buffer, so sending fails if nobody waits for the answer any more.
    let (send, answer) = sync_channel(0);
    let seen = heartbeat.clone();
    let helper = give(Box::new(move || {
        let done = catch_unwind(AssertUnwindSafe(|| work(&seen)));
        let done = done.unwrap_or_else(|_| Err(io::Error::other("the operation failed unexpectedly")));
        if send.send(done).is_err() {
            STALLED.fetch_sub(1, Ordering::Relaxed);
        }
    }))?;
    let mut before = 0;
    loop {
        match answer.recv_timeout(timeout) {
            Ok(done) => {
                idle().push(helper);
                return done;
            }
            Err(_) => {
                let now = heartbeat.0.load(Ordering::Relaxed);
                if now == before {
                    break;
                }
                before = now;
            }
        }
    }
    STALLED.fetch_add(1, Ordering::Relaxed);
    Err(timed_out("the disk does not respond"))
}

fn timed_out(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

fn idle() -> std::sync::MutexGuard<'static, Vec<Sender<Job>>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the job to an idle helper, or to a new one.
fn give(mut job: Job) -> io::Result<Sender<Job>> {
    loop {
        let Some(helper) = idle().pop() else { break };
        match helper.send(job) {
            Ok(()) => return Ok(helper),
            Err(gone) => job = gone.0,
        }
    }
    let (helper, jobs) = channel::<Job>();
    std::thread::Builder::new().name("disk".into()).spawn(move || {
        while let Ok(job) = jobs.recv() {
            job();
        }
    })?;
    helper.send(job).map_err(|_| io::Error::other("the helper thread ended"))?;
    Ok(helper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stalled_operation_is_abandoned_and_others_continue() {
        let (release, wait) = channel::<()>();
        let stalled = with_timeout_of(Duration::from_millis(20), move |_| {
            wait.recv().ok();
            Ok(())
        });
        assert_eq!(stalled.expect_err("abandoned").kind(), io::ErrorKind::TimedOut);
        assert_eq!(with_timeout(|_| Ok(7)).expect("read"), 7);
        release.send(()).expect("the helper still waits");
    }

    #[test]
    fn a_slow_operation_with_progress_is_not_abandoned() {
        let slow = with_timeout_of(Duration::from_millis(40), |heartbeat| {
            for _ in 0..12 {
                std::thread::sleep(Duration::from_millis(10));
                heartbeat.beat();
            }
            Ok(())
        });
        assert!(slow.is_ok(), "{slow:?}");
    }

    #[test]
    fn a_panic_is_an_error() {
        let failed = with_timeout::<()>(|_| panic!("a broken driver"));
        assert!(failed.is_err());
    }
}
