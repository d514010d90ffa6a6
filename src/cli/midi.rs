//! `aivj midi`: lists MIDI devices and prints what they send, to see whether a device is heard and what it says.

use std::process::ExitCode;

use crate::app::{MonitorEnd, monitor_midi};

/// Lists MIDI devices and prints every message until interrupted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ends by itself after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let end = monitor_midi(args.seconds, |line| println!("{line}"));
    if end == MonitorEnd::NoDevice {
        println!("no MIDI device was found; connect one and look again, its port appears within a second");
    }
    Ok(ExitCode::SUCCESS)
}
