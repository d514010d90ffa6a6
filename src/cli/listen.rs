//! `aivj listen`: what the program hears, as a live view or as lines of JSON.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{ListenSettings, ListenSource, listen};

/// Shows what is heard: level, bands, tempo and beat, section, scene; from a file or an input.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A sound file; an input is listened to without.
    file: Option<PathBuf>,
    /// The input whose name contains this; the one that carries sound without.
    #[arg(long, conflicts_with = "file")]
    device: Option<String>,
    /// One JSON object a line instead of the live view.
    #[arg(long)]
    json: bool,
    /// Ends after so many seconds of sound.
    #[arg(long)]
    seconds: Option<f64>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let heard = args.file.map_or(ListenSource::Device(args.device), ListenSource::File);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    listen(&ListenSettings { heard, json: args.json, seconds: args.seconds }, &mut out)?;
    Ok(ExitCode::SUCCESS)
}
