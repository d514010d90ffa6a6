//! The standby: a second child process with an open graphics device, which takes over when the show crashes.
//!
//! Without it, a restart would spend most of its time opening a device and building the pipelines of a stage.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::process::ShowProcess;
use super::{READY, Start};

/// Time from the first picture of a show to the start of its standby; starting a standby takes CPU time from the show.
const DELAY: Duration = Duration::from_secs(2);
/// Number of premature exits of standby processes after which no more are started.
const MAX_FAILURES: u32 = 3;

/// The standby process for the running show, if one has been started.
pub(super) struct Standby {
    program: PathBuf,
    process: Option<ShowProcess>,
    ready: bool,
    failures: u32,
}

impl Standby {
    /// Creates the standby for shows of `program`; does not start a process yet.
    pub fn new(program: PathBuf) -> Self {
        Self { program, process: None, ready: false, failures: 0 }
    }

    /// Starts the process once the show has had a picture for [`DELAY`], and checks whether a running one is ready or
    /// has exited. `start` is how the show was started; `shown_for` is the time since its first picture, if any.
    pub fn check(&mut self, start: &Start, shown_for: Option<Duration>) {
        if let Some(process) = &mut self.process {
            self.ready |= process.beats.try_iter().any(|byte| byte == READY);
            if process.has_exited() {
                self.process = None;
                self.failures += 1;
            }
        } else if shown_for.is_some_and(|time| time >= DELAY) && self.failures < MAX_FAILURES && supported() {
            self.ready = false;
            // The standby reads the saved state like a restarted show, so that it opens what such a show will need.
            let start = Start { restarts: start.restarts + 1, standby: true, ..start.clone() };
            match ShowProcess::start(&self.program, &start) {
                Ok(process) => self.process = Some(process),
                Err(error) => {
                    eprintln!(
                        "aivj: could not start a standby ({error:#}); a restart takes longer without it"
                    );
                    self.failures = MAX_FAILURES;
                }
            }
        }
    }

    /// Makes the standby process take over the show and returns it; `None` if none is ready.
    pub fn take(&mut self, start: &Start) -> Option<ShowProcess> {
        let mut process = self.process.take()?;
        let sent = serde_json::to_string(start).ok().filter(|_| self.ready).is_some_and(|line| {
            process.input.as_mut().is_some_and(|input| writeln!(input, "{line}").is_ok())
        });
        if sent {
            return Some(process);
        }
        process.kill();
        None
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill();
        }
    }
}

/// Returns whether a process can wait on this system without side effects. On macOS, a process that may open windows
/// appears in the Dock; on Windows, other programs may block until its event loop responds.
fn supported() -> bool {
    cfg!(not(any(target_os = "macos", windows)))
}
