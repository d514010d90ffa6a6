//! `aivj perform`: the whole show without a window.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{PerformSettings, perform};

/// Performs to a sound file or the demo track and writes a video.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is heard: a sound file, or `demo`.
    #[arg(long, default_value = "demo")]
    audio: String,
    /// How long to perform.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// An .mp4 file, or a folder for PNG frames.
    #[arg(long, default_value = "out/demo.mp4")]
    out: PathBuf,
    /// Pixels of the picture.
    #[arg(long, default_value = "640x360", value_parser = super::size)]
    size: [u32; 2],
    /// Frames a second.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: u32,
    /// Decides every choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder of presets; the built-in ones without.
    #[arg(long)]
    presets: Option<PathBuf>,
    /// Folders with images for presets.
    #[arg(long)]
    textures: Vec<PathBuf>,
    /// Where the set log goes: one JSON line for everything that happened.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Show presets of a folder without an audit before.
    #[arg(long)]
    unguarded: bool,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { audio, seconds, out, size, fps, seed, presets, textures, log, unguarded } = args;
    anyhow::ensure!(seconds > 0.0 && seconds.is_finite(), "--seconds must be a number above 0");
    let guarded = !unguarded;
    let report =
        perform(&PerformSettings { audio, seconds, out, size, fps, seed, presets, textures, log, guarded })?;
    println!("drawn with {}", report.device);
    for (at, name) in &report.played {
        println!("{at:7.2} s  {name}");
    }
    println!("the video is {}", report.path.display());
    Ok(ExitCode::SUCCESS)
}
