//! The parent's side: starts the show, watches its heartbeats, and restarts it when it crashes or hangs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::child::start;
use super::crashes::{Crashes, Next};
use super::pressure::{Pressure, Threads};
use super::process::ShowProcess;
use super::silence::{Silence, Stage};
use super::standby::Standby;
use super::{BEAT, LEAVING, PICTURE, STOP, Start};

/// Maximum time that a show may take to exit after a shutdown was requested, or after the show reported that it is
/// ending or closed its output; longer than the show's exit timer.
const END_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to wait for a heartbeat before checking the process; silence is counted in steps of this length.
const CHECK_INTERVAL: Duration = Duration::from_millis(25);
/// Interval between checks of a process that is ending.
const END_CHECK_INTERVAL: Duration = Duration::from_millis(5);
/// Pause before restarting a show that crashed before its first picture.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs this program's show in a supervised child process until the show ends, and returns the exit code. Returns
/// `None` in the child process, where the caller then runs the show.
///
/// # Errors
/// Fails if the signal handlers cannot be installed, the path of this program is unknown, the child cannot be started,
/// or the child repeatedly crashes before it shows a picture.
pub fn supervise() -> anyhow::Result<Option<ExitCode>> {
    if start().is_some() {
        return Ok(None);
    }
    let stop = Arc::new(AtomicBool::new(false));
    on_signals(&stop).context("installing the signal handlers")?;
    let program = std::env::current_exe().context("finding this program")?;
    let began = Instant::now();
    let mut crashes = Crashes::default();
    // Crashed or killed shows whose processes have not exited yet.
    let mut leftover = Vec::new();
    let mut start = Start { supervisor: std::process::id(), ..Start::default() };
    let mut standby = Standby::new(program.clone());
    loop {
        let mut show = Show::start(&program, &start, &mut standby, stop.clone())?;
        let end = show.watch(&start, &mut standby);
        let shown = show.silence.stage() == Stage::Shown;
        leftover.retain_mut(|process: &mut Child| matches!(process.try_wait(), Ok(None)));
        leftover.push(show.process.child);
        let (why, killed) = match end {
            End::Closed(code) => return Ok(Some(code)),
            End::Crashed { why, killed } => (why, killed),
        };
        match crashes.add(began.elapsed(), shown) {
            Next::Restart => {}
            Next::SafeMode => start.safe_mode = true,
            Next::GiveUp => anyhow::bail!("the show keeps crashing before its first picture: {why}"),
        }
        let how = if start.safe_mode { " in safe mode" } else { "" };
        eprintln!("aivj: {why}; restarting the show{how}");
        start.restarts += 1;
        (start.crash, start.killed) = (Some(why), killed);
        if !shown {
            thread::sleep(PAUSE);
        }
    }
}

/// A show running in a child process.
struct Show {
    process: ShowProcess,
    silence: Silence,
    threads: Threads,
    started: Instant,
    /// When the first picture was reported.
    shown: Option<Instant>,
    restarted: bool,
    /// Whether the show is ending as requested.
    leaving: bool,
    /// Set when a signal requests a shutdown.
    stop: Arc<AtomicBool>,
}

/// How a show ended.
enum End {
    /// It ended normally or as requested, or it could not start. Contains the exit code.
    Closed(ExitCode),
    /// It crashed, hung or was killed, and has to be restarted.
    Crashed {
        /// The reason.
        why: String,
        /// Whether it was killed from outside.
        killed: bool,
    },
}

impl End {
    /// Returns the end of a show that crashed with this exit status.
    fn crashed(status: ExitStatus) -> Self {
        Self::Crashed { why: format!("the show crashed ({status})"), killed: killed_from_outside(status) }
    }

    /// Returns the end of a show that hung or stopped responding, or whose exit status is unknown.
    fn failed(why: &str) -> Self {
        Self::Crashed { why: why.to_owned(), killed: false }
    }
}

impl Show {
    /// Lets the standby take over if it is ready, or starts a new process.
    fn start(
        program: &Path,
        start: &Start,
        standby: &mut Standby,
        stop: Arc<AtomicBool>,
    ) -> anyhow::Result<Self> {
        let started = Instant::now();
        let taken = standby.take(start);
        let silence = Silence::of(taken.is_some());
        let process = match taken {
            Some(process) => process,
            None => ShowProcess::start(program, start)?,
        };
        Ok(Self {
            threads: Threads::of(process.child.id()),
            silence,
            process,
            started,
            shown: None,
            restarted: start.restarts > 0,
            leaving: false,
            stop,
        })
    }

    /// Watches the show until it ends: kills it if it hangs, and requests a shutdown once `stop` is set.
    fn watch(&mut self, start: &Start, standby: &mut Standby) -> End {
        loop {
            standby.check(start, self.shown.map(|shown| shown.elapsed()));
            match self.process.beats.recv_timeout(CHECK_INTERVAL) {
                Ok(BEAT) => {
                    self.silence.beat();
                    self.threads.forget();
                }
                Ok(PICTURE) => {
                    if self.restarted {
                        let took = self.started.elapsed().as_millis();
                        eprintln!("aivj: picture restored {took} ms after the restart");
                    }
                    self.silence.shown();
                    self.shown = Some(Instant::now());
                }
                Ok(LEAVING) => {
                    self.leaving = true;
                    return self.wait_for_end();
                }
                Ok(_) => {}
                // The exit status is checked too: programs started by the show may keep its output open after it
                // has ended.
                Err(RecvTimeoutError::Timeout) => {
                    if let Ok(Some(status)) = self.process.child.try_wait() {
                        return self.ended(status);
                    }
                    let pressure = self.threads.pressure(CHECK_INTERVAL);
                    if self.silence.check(CHECK_INTERVAL, pressure) {
                        self.process.kill();
                        return match (pressure, self.process.child.try_wait()) {
                            (Pressure::Gone, Ok(Some(status))) => End::crashed(status),
                            (Pressure::Gone, _) => End::failed("the show crashed"),
                            _ => End::failed("the show hung"),
                        };
                    }
                }
                // The show has ended, or has closed its output and can no longer be watched.
                Err(RecvTimeoutError::Disconnected) => return self.wait_for_end(),
            }
            if self.stop.load(Ordering::Relaxed) {
                self.leaving = true;
                self.process.input.as_mut().map(|input| writeln!(input, "{STOP}"));
                return self.wait_for_end();
            }
        }
    }

    /// Waits for the process to end, and kills it if that takes longer than [`END_TIMEOUT`].
    fn wait_for_end(&mut self) -> End {
        let since = Instant::now();
        loop {
            match self.process.child.try_wait() {
                Ok(Some(status)) => return self.ended(status),
                Ok(None) if since.elapsed() < END_TIMEOUT => thread::sleep(END_CHECK_INTERVAL),
                Ok(None) | Err(_) => {
                    self.process.kill();
                    return if self.leaving {
                        eprintln!("aivj: the show did not end in time and was killed");
                        End::Closed(ExitCode::FAILURE)
                    } else {
                        End::failed("the show closed its output but did not exit")
                    };
                }
            }
        }
    }

    fn ended(&self, status: ExitStatus) -> End {
        match status.code() {
            _ if self.stop.load(Ordering::Relaxed) => End::Closed(ExitCode::SUCCESS),
            Some(0) => End::Closed(ExitCode::SUCCESS),
            // A driver may crash while the process exits.
            _ if self.leaving => End::Closed(ExitCode::FAILURE),
            // The show could not start and has reported the error itself. If a restarted show cannot start, another
            // attempt is made, because the cause may be temporary.
            Some(1) if self.silence.stage() == Stage::Starting && !self.restarted => {
                End::Closed(ExitCode::FAILURE)
            }
            _ => End::crashed(status),
        }
    }
}

/// Returns whether the system or a person ended the process, for example because the computer ran out of memory.
fn killed_from_outside(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGKILL, SIGTERM};
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        matches!(signal, Some(SIGHUP | SIGINT | SIGKILL | SIGTERM))
    }
    #[cfg(not(unix))]
    {
        let _: ExitStatus = status;
        false
    }
}

/// Sets `stop` when a signal from the system or the terminal requests a shutdown.
///
/// # Errors
/// Fails if a signal handler cannot be installed.
fn on_signals(stop: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    #[cfg(unix)]
    let signals = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = [SIGINT, SIGTERM];
    signals.into_iter().try_for_each(|signal| signal_hook::flag::register(signal, stop.clone()).map(drop))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use signal_hook::consts::{SIGABRT, SIGILL, SIGKILL, SIGSEGV, SIGTERM};

    use super::*;

    #[test]
    fn a_crash_does_not_count_as_a_kill() {
        let killed = |signal| killed_from_outside(ExitStatus::from_raw(signal));
        assert!([SIGKILL, SIGTERM].into_iter().all(killed));
        assert!(![SIGABRT, SIGILL, SIGSEGV].into_iter().any(killed));
    }
}
