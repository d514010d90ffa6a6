//! `aivj replay`: a set played again from its log.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{ReplaySettings, replay};

/// Plays a set again from its log and tells whether the same choices come out.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A log written by `aivj perform --log`, or by a live show.
    log: PathBuf,
    /// The sound it was performed to: a file, or `demo`. The log of a live show needs none.
    #[arg(long)]
    audio: Option<String>,
    /// The presets it was performed with; the built-in ones without.
    #[arg(long)]
    presets: Option<PathBuf>,
    /// The outcome as one JSON line.
    #[arg(long)]
    json: bool,
}

/// Runs the command; fails when a choice came out otherwise.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { log, audio, presets, json } = args;
    let report = replay(&ReplaySettings { log, audio, presets })?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{} of {} choices and cuts are the same", report.same, report.choices);
        if let Some(difference) = &report.first_difference {
            println!("the first that is not: {difference}");
        }
    }
    Ok(if report.first_difference.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
