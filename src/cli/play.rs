//! `aivj` and `aivj play`: the show in its windows.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{AppSettings, SoundChoice, run as run_app};

/// Opens the show: an output window for the crowd and a desk for the performer.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Part of the name of the input to listen to; the one that carries sound without. `demo` plays the demo track.
    #[arg(long)]
    audio: Option<String>,
    /// A folder of presets; the built-in ones without.
    #[arg(long)]
    presets: Option<PathBuf>,
    /// Folders with images for presets.
    #[arg(long)]
    textures: Vec<PathBuf>,
    /// Screen the output fills at once, counted from 0.
    #[arg(long)]
    monitor: Option<usize>,
    /// Pixels of the picture; chosen for the device without.
    #[arg(long, value_parser = super::size)]
    size: Option<[u32; 2]>,
    /// Decides every choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Show presets of a folder without an audit before.
    #[arg(long)]
    unguarded: bool,
    /// Ends by itself after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { audio, presets, textures, monitor, size, seed, unguarded, seconds } = args;
    let sound = match audio {
        None => SoundChoice::Automatic,
        Some(name) if name == "demo" => SoundChoice::Demo,
        Some(name) => SoundChoice::Named(name),
    };
    run_app(AppSettings { sound, presets, textures, monitor, size, seed, guarded: !unguarded, seconds })?;
    Ok(ExitCode::SUCCESS)
}
