//! `aivj listen`: shows the audio analysis live or as JSON Lines.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::listen::{ListenSettings, ListenSource, listen};

/// Show the audio analysis: level, bands, tempo, beat, energy and scene.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Audio file [default: listen to an input]
    file: Option<PathBuf>,
    /// Input whose name or ID contains NAME [default: the system's default input or, if that is silent,
    /// another input with a signal]
    #[arg(long, alias = "device", value_name = "NAME", conflicts_with = "file")]
    audio: Option<String>,
    /// Emit JSON Lines instead of the live view
    #[arg(long)]
    json: bool,
    /// Stop after SECONDS of audio
    #[arg(long, value_name = "SECONDS", value_parser = super::args::seconds(super::args::ANY_SECONDS))]
    seconds: Option<f64>,
}

/// Runs `aivj listen`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let source = args.file.map_or(ListenSource::Device(args.audio), ListenSource::File);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    listen(&ListenSettings { source, json: args.json, seconds: args.seconds }, &mut out)?;
    Ok(ExitCode::SUCCESS)
}
