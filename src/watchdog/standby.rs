//! The standby: a second child process with an open graphics device, which takes over when the show crashes.
//!
//! Opening a device and building the pipelines of a stage takes most of the time of a restart.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::process::ShowProcess;
use super::{READY, Start};

/// Time from the first picture of a show to the start of its standby, which takes CPU time from the show.
const DELAY: Duration = Duration::from_secs(2);
/// Number of premature exits of standby processes after which no more are started.
const MAX_FAILURES: u32 = 3;

/// Keeps one standby process while a show runs.
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

    /// Starts the process when the show has had a picture for a while, and notices when it is ready or has exited.
    /// `start` is how the show was started, `shown_for` the time since its first picture.
    pub fn check(&mut self, start: &Start, shown_for: Option<Duration>) {
        if let Some(process) = &mut self.process {
            self.ready |= process.beats.try_iter().any(|byte| byte == READY);
            if process.has_exited() {
                self.process = None;
                self.failures += 1;
            }
        } else if shown_for.is_some_and(|time| time >= DELAY) && self.failures < MAX_FAILURES && supported() {
            self.ready = false;
            // It reads the saved state as a restarted show does, to open what that show will need.
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

/// Returns whether a process can wait unseen on this system. On macOS, one that may open windows shows up in the Dock;
/// on Windows, other programs wait until its event loop answers.
fn supported() -> bool {
    cfg!(not(any(target_os = "macos", windows)))
}
