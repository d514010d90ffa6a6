//! The worker's side: answers requests line by line until the pool closes the pipe.

use std::io::{BufRead as _, Write as _};
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::usage;

/// Prepares a worker process; call it before opening a device. The worker exits with its supervisor and runs at low
/// priority if [`LOW_PRIORITY`](super::LOW_PRIORITY) is set.
pub fn init() {
    if !usage::die_with_parent() {
        std::process::exit(0); // The supervisor is gone; a job in the pipe would run without limits.
    }
    usage::lower_priority_if_requested();
}

/// Reads one JSON request per line from standard input and writes one JSON answer per line to standard output.
///
/// Returns at end of input, or after `work` breaks: the process is then unfit for another job and the pool starts a new
/// one. `work` must print to standard error only.
pub fn serve<Job, Answer>(mut work: impl FnMut(Job) -> ControlFlow<Answer, Answer>) -> std::io::Result<()>
where
    Job: DeserializeOwned,
    Answer: Serialize,
{
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let job = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        let done = work(job);
        let (ControlFlow::Continue(answer) | ControlFlow::Break(answer)) = &done;
        let answer = serde_json::to_string(answer).map_err(std::io::Error::other)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
        if done.is_break() {
            break;
        }
    }
    Ok(())
}
