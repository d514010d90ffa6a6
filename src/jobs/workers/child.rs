//! The worker's side: answers requests line by line until the pool closes the pipe or the worker must be
//! replaced.

use std::io::{BufRead as _, Write as _};
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::usage;
use crate::confine::{self, Rights};
use crate::disk::WirePath;

/// Line that a worker prints whenever it can take a job.
pub(super) const READY: &str = "ready";
/// Environment variable with the [`Rights`] of a worker as JSON.
pub(super) const RIGHTS: &str = "AIVJ_RIGHTS";

#[derive(Default, Serialize, Deserialize)]
struct WireRights {
    read: Vec<WirePath>,
    write: Vec<WirePath>,
}

/// Encodes rights as the value of [`RIGHTS`].
pub(super) fn encode(rights: &Rights) -> std::io::Result<String> {
    let wire = |paths: &[std::path::PathBuf]| paths.iter().cloned().map(WirePath).collect();
    let rights = WireRights { read: wire(&rights.read), write: wire(&rights.write) };
    serde_json::to_string(&rights).map_err(std::io::Error::other)
}

/// Returns the rights in [`RIGHTS`]; no rights if it is unset or invalid.
fn own_rights() -> Rights {
    let text = std::env::var(RIGHTS).unwrap_or_default();
    let WireRights { read, write } = serde_json::from_str(&text).unwrap_or_default();
    let plain = |paths: Vec<WirePath>| paths.into_iter().map(|path| path.0).collect();
    Rights { read: plain(read), write: plain(write) }
}

/// Prepares a worker process; must be called before opening a device or starting a thread. The worker exits with its
/// supervisor, runs at low priority if [`LOW_PRIORITY`](super::LOW_PRIORITY) is set, and keeps only the
/// rights that its pool gave it.
pub fn init() {
    if !usage::die_with_parent() {
        std::process::exit(0); // The supervisor is gone; a job in the pipe would run without limits.
    }
    usage::lower_priority_if_requested();
    confine::confine(&own_rights());
}

/// Reads one JSON request per line from standard input and writes one JSON answer per line to standard
/// output; prints `ready` before each request. Call it once everything that the jobs need is open: if the process ends
/// before it is ready, no job is blamed.
///
/// Returns at end of input, or after `work` breaks: the process is then unfit for another job and the pool
/// starts a new one. `work` must print to standard error only.
pub fn serve<Job, Answer>(mut work: impl FnMut(Job) -> ControlFlow<Answer, Answer>) -> std::io::Result<()>
where
    Job: DeserializeOwned,
    Answer: Serialize,
{
    let mut out = std::io::stdout().lock();
    let mut requests = std::io::stdin().lock().lines();
    loop {
        writeln!(out, "{READY}")?;
        out.flush()?;
        let Some(line) = requests.next() else { break };
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
