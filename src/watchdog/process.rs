//! A child process with its pipes.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::{Start, VARIABLE};

/// Maximum time to wait for a killed process to exit.
const KILL_WAIT: Duration = Duration::from_millis(100);
/// Interval between checks of a killed process.
const KILL_CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// A child process that runs a show, or stands by to run it.
pub(super) struct ShowProcess {
    pub child: Child,
    /// The child's standard input; `None` once it is closed.
    pub input: Option<ChildStdin>,
    /// Reports from the child, one byte each.
    pub beats: Receiver<u8>,
}

impl ShowProcess {
    /// Starts `program` with the arguments of this process.
    ///
    /// # Errors
    /// Fails if the process, or the thread that reads its output, cannot be started.
    pub fn start(program: &Path, start: &Start) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(VARIABLE, serde_json::to_string(start)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the show")?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("a pipe to the show is missing")?;
        let (beat, beats) = mpsc::channel();
        thread::Builder::new().name("beats".into()).spawn(move || read_beats(output, &beat))?;
        Ok(Self { child, input, beats })
    }

    /// Kills the process and waits up to [`KILL_WAIT`] for it to exit; a driver or a busy CPU may delay the exit beyond
    /// that.
    pub fn kill(&mut self) {
        self.child.kill().ok(); // May fail if the process has already exited.
        let since = Instant::now();
        while !self.has_exited() && since.elapsed() < KILL_WAIT {
            thread::sleep(KILL_CHECK_INTERVAL);
        }
    }

    /// Returns whether the process has exited.
    pub fn has_exited(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

/// Forwards the child's bytes until it closes its output.
fn read_beats(mut output: ChildStdout, beat: &mpsc::Sender<u8>) {
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = output.read(&mut bytes) {
        if bytes[..count].iter().any(|byte| beat.send(*byte).is_err()) {
            return; // The process is no longer watched.
        }
    }
}
