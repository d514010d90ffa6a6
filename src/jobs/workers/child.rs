//! The child's side: answer requests line by line until the pool closes the pipe.

use std::io::{BufRead as _, Write as _};
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::vitals;

/// What a child does first of all, before it opens a device: from here on it ends with its supervisor, and lets
/// everything else go first where that is asked for.
pub fn enlist() {
    if !vitals::die_with_parent() {
        std::process::exit(0); // The supervisor is gone already; a job in the pipe would run without any limit.
    }
    vitals::be_modest();
}

/// Reads one JSON request a line from standard input and writes one JSON answer a line to standard output.
///
/// Returns when the input ends, or after an answer that breaks off: this process is not fit for another job, and the
/// pool starts a fresh one. Whatever `work` prints must go to standard error.
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
