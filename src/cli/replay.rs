//! `aivj replay`: replays a show from its set log.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{ReplaySettings, replay};

/// Replay a show's choices from its set log, without rendering, and compare them with the log; exit with
/// status 1 if any differ.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Set log of a live show, or one written by `aivj perform --log`
    log: PathBuf,
    /// Audio that `perform` ran with: a file, or `demo`; not needed for the set log of a live show
    #[arg(long, value_name = "FILE")]
    audio: Option<String>,
    /// Preset folder or pack manifest of the show [default: built-in presets]
    #[arg(long, value_name = "PATH")]
    presets: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `aivj replay`; exits with status 1 if any choice differs.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { log, audio, presets, json } = args;
    let report = replay(&ReplaySettings { log, audio, presets })?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{} of {} choices and cuts match", report.same, report.choices);
        if let Some(difference) = &report.first_difference {
            println!("first difference: {difference}");
        }
    }
    Ok(if report.first_difference.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
