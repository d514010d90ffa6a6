//! `aivj midi`: lists MIDI devices and prints the messages they send.

use std::process::ExitCode;

use crate::midi::{MonitorEnd, monitor};

/// List MIDI devices and print every message they send, until interrupted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Exit after SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = super::args::seconds(super::args::ANY_SECONDS))]
    seconds: Option<f64>,
}

/// Runs `aivj midi`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let end = monitor(args.seconds, |line| println!("{line}"));
    if end == MonitorEnd::NoDevice {
        println!("no MIDI device found; connect one and try again");
    }
    Ok(ExitCode::SUCCESS)
}
