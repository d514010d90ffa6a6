//! Helper threads for operations that may never return, such as reading from a network mount that stalls.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::mounts::{disk_of, mount_points};

/// Maximum time an operation may take without progress.
const TIMEOUT: Duration = Duration::from_millis(1500);
/// Maximum time without progress while many operations on the same disk are stalled, so that the files of a dead
/// mount are skipped quickly.
const SHORT_TIMEOUT: Duration = Duration::from_millis(100);
/// Number of stalled operations on a disk at which [`SHORT_TIMEOUT`] starts to apply to it.
const MANY: usize = 4;
/// Maximum number of stalled operations on a disk.
const MAX_STALLED: usize = 64;
/// Maximum number of links followed to find the disk of a path.
const MAX_LINKS: usize = 40;

type Job = Box<dyn FnOnce() + Send>;

/// Idle helper threads. A stalled helper is not listed here, and ends when its operation returns.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());
static STALLS: Stalls = Stalls::new(mount_points);

/// A counter of the completed parts of an operation, which distinguishes a slow operation from a stalled one.
#[derive(Clone, Default)]
pub struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    /// Marks another part as done.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs `work`, which accesses `path`, on a helper thread and returns its result. Fails with `TimedOut` if `work`
/// makes no progress, as counted by the heartbeat, for 1.5 seconds (0.1 seconds while several operations on the
/// same disk are stalled); the thread is then abandoned and ends when `work` returns. Also fails with `TimedOut`
/// while 64 operations on the same disk are stalled, without running `work`. Other disks are not affected.
pub fn with_timeout<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Heartbeat) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    STALLS.run(TIMEOUT, || path.to_owned(), work)
}

/// Runs `work` as [`with_timeout`] does, for work that accesses several files. `path` returns the file that is being
/// accessed, so that a stall counts against the disk of that file.
pub(super) fn with_timeout_at<T: Send + 'static>(
    path: impl Fn() -> PathBuf,
    work: impl FnOnce(&Heartbeat) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    STALLS.run(TIMEOUT, path, work)
}

/// Returns whether [`with_timeout`] has given up on the disk of `path` because too many operations on it are stalled.
pub(super) fn is_given_up(path: &Path) -> bool {
    STALLS.has_given_up() && STALLS.stalled_with(path) >= MAX_STALLED
}

/// The stalled operations, by disk.
struct Stalls {
    counts: Mutex<Counts>,
    /// Lists the mount points.
    mounts: fn() -> Vec<PathBuf>,
}

struct Counts {
    /// Number of stalled operations on each disk that has any.
    stalled: BTreeMap<PathBuf, usize>,
    /// Mount points when the last operation stalled.
    mounts: Vec<PathBuf>,
}

impl Stalls {
    const fn new(mounts: fn() -> Vec<PathBuf>) -> Self {
        Self { counts: Mutex::new(Counts { stalled: BTreeMap::new(), mounts: Vec::new() }), mounts }
    }

    fn run<T: Send + 'static>(
        &'static self,
        timeout: Duration,
        path: impl Fn() -> PathBuf,
        work: impl FnOnce(&Heartbeat) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let stalled = self.stalled_with(&path());
        if stalled >= MAX_STALLED {
            return Err(timed_out("skipped: too many earlier reads from its disk are still stalled"));
        }
        let timeout = if stalled >= MANY { timeout.min(SHORT_TIMEOUT) } else { timeout };
        let stall = Arc::new(Stall { stalls: self, disk: OnceLock::new() });
        let held = stall.clone();
        let done = attempt(timeout, move |heartbeat| {
            let done = work(heartbeat);
            drop(held);
            done
        });
        done.unwrap_or_else(|| {
            let mounts = (self.mounts)();
            let disk = self.locate(&path(), mounts.clone());
            self.add(&disk, mounts);
            stall.disk.set(disk).ok(); // It is set only here.
            Err(timed_out("the disk is not responding"))
        })
    }

    /// Returns the number of stalled operations on the disk of `path`.
    fn stalled_with(&'static self, path: &Path) -> usize {
        let counts = lock(&self.counts);
        if counts.stalled.is_empty() {
            return 0;
        }
        let disks = counts.mounts.iter().chain(counts.stalled.keys()).cloned().collect();
        drop(counts);
        self.stalled_on(&self.locate(path, disks))
    }

    /// Returns whether any disk has the maximum number of stalled operations.
    fn has_given_up(&self) -> bool {
        lock(&self.counts).stalled.values().any(|&count| count >= MAX_STALLED)
    }

    fn stalled_on(&self, disk: &Path) -> usize {
        lock(&self.counts).stalled.get(disk).copied().unwrap_or(0)
    }

    /// Returns the disk that contains `path` or, if a disk on the way to it does not respond, that disk.
    fn locate(&'static self, path: &Path, mounts: Vec<PathBuf>) -> PathBuf {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let reached = Arc::new(Mutex::new(disk_of(&path, &mounts)));
        let last = reached.clone();
        attempt(SHORT_TIMEOUT, move |heartbeat| {
            self.follow(&path, &mounts, |disk| {
                heartbeat.beat();
                *lock(&last) = disk;
            });
            Ok(())
        });
        lock(&reached).clone()
    }

    /// Follows the links in an absolute path, and calls `reach` with each disk before accessing it. Ends at a disk
    /// that is known not to respond.
    fn follow(&self, path: &Path, mounts: &[PathBuf], mut reach: impl FnMut(PathBuf)) {
        let (mut real, mut links, mut left) = (PathBuf::new(), 0, parts(path));
        while let Some(part) = left.pop() {
            if part == ".." {
                real.pop();
                continue;
            }
            real.push(part);
            let disk = disk_of(&real, mounts);
            let responds = self.stalled_on(&disk) < MANY;
            reach(disk);
            if !responds {
                return;
            }
            if links < MAX_LINKS
                && let Ok(target) = real.read_link()
            {
                links += 1;
                real.pop();
                left.extend(parts(&target));
            }
        }
    }

    fn add(&self, disk: &Path, mounts: Vec<PathBuf>) {
        let mut counts = lock(&self.counts);
        counts.mounts = mounts;
        *counts.stalled.entry(disk.to_owned()).or_default() += 1;
    }

    fn remove(&self, disk: &Path) {
        let stalled = &mut lock(&self.counts).stalled;
        if let Some(count) = stalled.get_mut(disk) {
            *count -= 1;
            if *count == 0 {
                stalled.remove(disk);
            }
        }
    }
}

/// An operation, dropped once it has returned and its caller no longer waits for it. Counts as stalled once its disk is
/// set.
pub(crate) struct Stall {
    stalls: &'static Stalls,
    disk: OnceLock<PathBuf>,
}

impl Drop for Stall {
    fn drop(&mut self) {
        if let Some(disk) = self.disk.get() {
            self.stalls.remove(disk);
        }
    }
}

/// Makes all operations in a folder fail, as on a disk that does not respond, until the result is dropped.
#[cfg(test)]
pub(crate) fn stall(folder: &Path) -> Vec<Stall> {
    // The path that `Stalls::locate` returns. On Windows, `canonicalize` would also add the prefix `\\?\`.
    let disk = if cfg!(windows) { std::path::absolute(folder) } else { folder.canonicalize() };
    let disk = disk.expect("a folder");
    let stall = |_| {
        STALLS.add(&disk, mount_points());
        Stall { stalls: &STALLS, disk: disk.clone().into() }
    };
    (0..MAX_STALLED).map(stall).collect()
}

/// Runs `work` on a helper thread; returns `None` if it makes no progress for `timeout`, and abandons the thread.
fn attempt<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce(&Heartbeat) -> io::Result<T> + Send + 'static,
) -> Option<io::Result<T>> {
    let heartbeat = Heartbeat::default();
    let (send, answer) = channel();
    let seen = heartbeat.clone();
    let helper = give(Box::new(move || {
        let done = catch_unwind(AssertUnwindSafe(|| work(&seen)));
        let done = done.unwrap_or_else(|_| Err(io::Error::other("the operation failed unexpectedly")));
        send.send(done).ok(); // Fails if nobody waits for the answer any more.
    }));
    let helper = match helper {
        Ok(helper) => helper,
        Err(error) => return Some(Err(error)),
    };
    let mut before = 0;
    loop {
        if let Ok(done) = answer.recv_timeout(timeout) {
            lock(&IDLE).push(helper);
            return Some(done);
        }
        let now = heartbeat.0.load(Ordering::Relaxed);
        if now == before {
            return None;
        }
        before = now;
    }
}

fn timed_out(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

/// Returns the components of a path, last first.
fn parts(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the job to an idle helper, or to a new one.
fn give(mut job: Job) -> io::Result<Sender<Job>> {
    loop {
        let Some(helper) = lock(&IDLE).pop() else { break };
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
    use std::sync::RwLock;

    use super::*;

    /// A path on a disk of its own, so that the stalled operations of these tests affect no other test.
    fn place() -> &'static Path {
        Path::new("/proc/self")
    }

    /// Stalls operations on `path` until `gate` can be read; returns whether each was abandoned.
    fn stall_on(stalls: &'static Stalls, path: &Path, gate: &Arc<RwLock<()>>) -> bool {
        let gate = gate.clone();
        let stalled = stalls.run(
            Duration::from_millis(10),
            || path.to_owned(),
            move |_| {
                drop(gate.read());
                Ok(())
            },
        );
        stalled.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }

    /// Checks that operations on `path` run, and may take longer than [`SHORT_TIMEOUT`].
    fn check_unaffected(stalls: &'static Stalls, path: &Path) {
        let slow = stalls.run(
            TIMEOUT,
            || path.to_owned(),
            |_| {
                std::thread::sleep(2 * SHORT_TIMEOUT);
                Ok(7)
            },
        );
        assert_eq!(slow.expect("a result"), 7, "{}", path.display());
    }

    #[test]
    fn a_stalled_operation_is_abandoned_and_others_continue() {
        let (release, wait) = channel::<()>();
        let stalled = STALLS.run(
            Duration::from_millis(20),
            || place().to_owned(),
            move |_| {
                wait.recv().ok();
                Ok(())
            },
        );
        assert_eq!(stalled.expect_err("abandoned").kind(), io::ErrorKind::TimedOut);
        assert_eq!(with_timeout(place(), |_| Ok(7)).expect("read"), 7);
        release.send(()).expect("the helper still waits");
    }

    #[test]
    fn a_dead_disk_affects_no_other_disk_and_is_used_again_once_it_responds() {
        static DISKS: Stalls = Stalls::new(|| ["/", "/dead", "/alive"].map(PathBuf::from).to_vec());
        let gate = Arc::new(RwLock::new(()));
        let closed = gate.write().expect("closed");
        for number in 0..MAX_STALLED {
            assert!(stall_on(&DISKS, &Path::new("/dead").join(number.to_string()), &gate));
        }
        let refused = DISKS.run(TIMEOUT, || "/dead/other".into(), |_| Ok(7)).expect_err("refused");
        assert!(refused.to_string().contains("skipped"), "{refused}");
        check_unaffected(&DISKS, Path::new("/alive/file"));
        check_unaffected(&DISKS, Path::new("/elsewhere/file"));
        drop(closed);
        while DISKS.stalled_on(Path::new("/dead")) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        check_unaffected(&DISKS, Path::new("/dead/other"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_dead_disk_does_not_affect_the_disk_of_the_link() {
        static FOLDER: OnceLock<PathBuf> = OnceLock::new();
        static DISKS: Stalls =
            Stalls::new(|| FOLDER.get().map_or_else(Vec::new, |at| vec![at.clone(), at.join("dead")]));
        let folder = tempfile::tempdir().expect("a folder");
        let at = FOLDER.get_or_init(|| folder.path().canonicalize().expect("a folder"));
        std::fs::create_dir_all(at.join("library")).expect("made");
        std::fs::create_dir(at.join("dead")).expect("made");
        std::os::unix::fs::symlink("../dead", at.join("library/linked")).expect("linked");
        let gate = Arc::new(RwLock::new(()));
        let closed = gate.write().expect("closed");
        let linked = at.join("library/linked/file");
        for _ in 0..MAX_STALLED {
            assert!(stall_on(&DISKS, &linked, &gate));
        }
        assert!(DISKS.run(TIMEOUT, || linked.clone(), |_| Ok(7)).is_err(), "refused");
        check_unaffected(&DISKS, &at.join("library/file"));
        drop(closed);
    }

    #[test]
    fn a_stall_counts_for_the_disk_of_the_file_that_is_accessed_when_it_begins() {
        static DISKS: Stalls = Stalls::new(|| ["/", "/dead", "/alive"].map(PathBuf::from).to_vec());
        let gate = Arc::new(RwLock::new(()));
        let closed = gate.write().expect("closed");
        let reached = Arc::new(Mutex::new("/alive/1"));
        let (at, wait) = (reached.clone(), gate.clone());
        let path = || PathBuf::from(*lock(&reached));
        let stalled = DISKS.run(Duration::from_millis(300), path, move |_| {
            *lock(&at) = "/dead/1";
            drop(wait.read());
            Ok(())
        });
        assert_eq!(stalled.expect_err("abandoned").kind(), io::ErrorKind::TimedOut);
        let count = |disk: &str| DISKS.stalled_on(Path::new(disk));
        assert_eq!((count("/alive"), count("/dead")), (0, 1));
        drop(closed);
    }

    #[test]
    fn a_slow_operation_with_progress_is_not_abandoned() {
        let slow = STALLS.run(
            Duration::from_millis(40),
            || place().to_owned(),
            |heartbeat| {
                for _ in 0..12 {
                    std::thread::sleep(Duration::from_millis(10));
                    heartbeat.beat();
                }
                Ok(())
            },
        );
        assert!(slow.is_ok(), "{slow:?}");
    }

    #[test]
    fn a_panic_is_an_error() {
        let failed = with_timeout::<()>(place(), |_| panic!("a broken driver"));
        assert!(failed.is_err());
    }
}
