//! Determines whether a silent show lacks CPU time, from the state of its threads.

#[cfg(target_os = "linux")]
pub(super) use linux::Threads;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Threads;

/// Reasons other than a hang for which a show may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "other systems only use Doubtful"))]
pub(super) enum Pressure {
    /// No other reason: the show thread is blocked, or runs without making progress.
    None,
    /// Unclear: another thread that the show may be waiting for is running or ready to run, the show thread
    /// is waiting for a disk, or the state of the threads is unknown.
    Doubtful,
    /// The show thread is ready to run but gets hardly any CPU time.
    Starved,
    /// The show thread has ended; other threads of the process may take a while to end.
    Gone,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::Pressure;
    use crate::watchdog::SHOW_THREAD;

    /// The show thread counts as starved if it is ready to run but has run for less than 1/`RUNNING` of an
    /// interval.
    const RUNNING: u32 = 4;

    /// Number of fields from the state of a thread to its scheduling policy in `stat`.
    const POLICY: usize = 38;

    /// The threads of a show.
    pub(in crate::watchdog) struct Threads {
        folder: PathBuf,
        /// CPU time that each thread had used at the last check, by its folder.
        before: BTreeMap<PathBuf, Duration>,
    }

    /// The state of a thread at one moment.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Thread {
        /// Whether this is the show thread.
        show: bool,
        /// The kernel's letter for its state, such as `R` for running or ready to run.
        state: char,
        /// Whether the kernel schedules it as a batch or idle thread, as drivers request for their cache
        /// threads.
        background: bool,
        /// CPU time used so far.
        used: Duration,
    }

    impl Threads {
        /// Prepares to check the threads of the process with this ID.
        pub fn of(process: u32) -> Self {
            Self { folder: PathBuf::from(format!("/proc/{process}/task")), before: BTreeMap::new() }
        }

        /// Forgets the last check; called when a silence has ended.
        pub fn forget(&mut self) {
            self.before.clear();
        }

        /// Returns why the show may not have stepped since the last check, `length` ago.
        pub fn pressure(&mut self, length: Duration) -> Pressure {
            // The process may be ending.
            let Ok(folder) = fs::read_dir(&self.folder) else { return Pressure::Doubtful };
            let now: BTreeMap<PathBuf, Thread> = folder
                .flatten()
                .filter_map(|thread| Some((thread.path(), Thread::read(&thread.path())?)))
                .collect();
            if !now.values().any(|thread| thread.show) {
                return Pressure::Gone;
            }
            let before = std::mem::take(&mut self.before);
            self.before = now.iter().map(|(path, thread)| (path.clone(), thread.used)).collect();
            let known = now.iter().filter_map(|(path, thread)| Some((thread, *before.get(path)?)));
            judge(known.map(|(thread, before)| (*thread, thread.used.saturating_sub(before))), length)
        }
    }

    impl Thread {
        fn read(folder: &Path) -> Option<Self> {
            let stat = fs::read_to_string(folder.join("stat")).ok()?;
            let (front, fields) = stat.rsplit_once(')')?;
            let mut fields = fields.split_whitespace();
            let (state, policy) = (fields.next()?, fields.nth(POLICY - 1)?);
            let used = fs::read_to_string(folder.join("schedstat")).ok()?;
            Some(Self {
                show: front.rsplit_once('(')?.1 == SHOW_THREAD,
                state: state.chars().next()?,
                background: [libc::SCHED_BATCH, libc::SCHED_IDLE].contains(&policy.parse().ok()?),
                used: Duration::from_nanos(used.split(' ').next()?.parse().ok()?),
            })
        }
    }

    /// Returns the pressure on the show, given each thread and the CPU time it used in the last interval of
    /// `length`.
    fn judge(threads: impl Iterator<Item = (Thread, Duration)>, length: Duration) -> Pressure {
        let mut judged = Pressure::Doubtful;
        let mut others_work = false;
        for (thread, used) in threads {
            let waits = thread.state == 'R' && used < length / RUNNING;
            match (thread.show, thread.state) {
                (true, _) if waits => return Pressure::Starved,
                (true, 'D') => {}
                (true, _) => judged = Pressure::None,
                (false, state) => others_work |= state == 'R' && !thread.background,
            }
        }
        if others_work { Pressure::Doubtful } else { judged }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const CHECK_INTERVAL: Duration = Duration::from_millis(25);

        /// Judges threads given by whether each is the show thread, its state (`b` for a background thread
        /// that is ready to run), and its CPU time in milliseconds.
        fn judged(threads: &[(bool, char, u64)]) -> Pressure {
            let threads = threads.iter().map(|&(show, state, ms)| {
                let thread = Thread { show, state, background: state == 'b', used: Duration::ZERO };
                let state = if thread.background { 'R' } else { state };
                (Thread { state, ..thread }, Duration::from_millis(ms))
            });
            judge(threads, CHECK_INTERVAL)
        }

        #[test]
        fn waiting_for_a_cpu_is_not_a_hang() {
            assert_eq!(judged(&[(true, 'R', 1), (false, 'S', 0)]), Pressure::Starved);
            assert_eq!(judged(&[(false, 'R', 1), (true, 'S', 0)]), Pressure::Doubtful, "may hold a lock");
            assert_eq!(
                judged(&[(true, 'S', 0), (false, 'R', 25)]),
                Pressure::Doubtful,
                "a driver's compiler"
            );
            assert_eq!(judged(&[(true, 'D', 0)]), Pressure::Doubtful, "a disk");
            assert_eq!(judged(&[]), Pressure::Doubtful);
        }

        #[test]
        fn a_blocked_or_spinning_show_thread_is_not_under_pressure() {
            for show in [(true, 'S', 0), (true, 'T', 0), (true, 'R', 25)] {
                assert_eq!(judged(&[show, (false, 'b', 0), (false, 'S', 20)]), Pressure::None, "{show:?}");
            }
        }

        #[test]
        fn the_threads_of_a_process_are_found() {
            let (done, wait) = std::sync::mpsc::channel::<()>();
            let work = move || wait.recv().is_err();
            let thread = std::thread::Builder::new().name(SHOW_THREAD.into()).spawn(work).expect("a thread");
            let mut threads = Threads::of(std::process::id());
            assert_eq!(Threads::of(1).pressure(CHECK_INTERVAL), Pressure::Gone, "no show runs there");
            let found = (0..5000).any(|_| {
                std::thread::sleep(Duration::from_millis(1)); // The thread gets its name once it runs.
                threads.pressure(CHECK_INTERVAL) != Pressure::Gone
            });
            assert!(found);
            drop(done);
            assert!(thread.join().expect("ends"));
            assert!(threads.before.len() > 1);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::time::Duration;

    use super::Pressure;

    /// Stand-in for systems on which the state of threads is not checked.
    pub(in crate::watchdog) struct Threads;

    impl Threads {
        /// Prepares to check the threads of the process with this ID.
        pub fn of(_process: u32) -> Self {
            Self
        }

        /// Forgets the last check; called when a silence has ended.
        pub fn forget(&mut self) {}

        /// Returns [`Pressure::Doubtful`], because the state of the threads is unknown.
        pub fn pressure(&mut self, _length: Duration) -> Pressure {
            Pressure::Doubtful
        }
    }
}
