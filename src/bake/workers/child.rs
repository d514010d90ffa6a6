//! The child's side: answer requests line by line until the pool closes the pipe.

use std::io::{BufRead as _, Write as _};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads one JSON request a line from standard input and writes one JSON answer a line to standard output.
///
/// Returns when the input ends. Whatever `work` prints must go to standard error.
pub fn serve<Job, Answer>(mut work: impl FnMut(Job) -> Answer) -> std::io::Result<()>
where
    Job: DeserializeOwned,
    Answer: Serialize,
{
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let job = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        let answer = serde_json::to_string(&work(job)).map_err(std::io::Error::other)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
