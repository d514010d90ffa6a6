//! `aivj perform`: renders a show without a window.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app::{PerformSettings, command_named, perform};
use crate::show::Command;

/// Render a show to a video, without opening a window; if interrupted, keep the part rendered so far and exit
/// with status 3.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Audio file, or `demo` for the demo track
    #[arg(long, value_name = "FILE", default_value = "demo")]
    audio: String,
    /// Length of the show in seconds, at most 86400 (24 hours)
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = super::args::seconds(0.001..=86_400.0))]
    seconds: f64,
    /// Video (.mp4, .mov, .mkv, .webm, .webp), or a folder for PNG frames; missing folders are created
    #[arg(long, value_name = "PATH", default_value = "out/demo.mp4")]
    out: PathBuf,
    /// Render size in pixels
    #[arg(long, default_value = "640x360", value_name = "WIDTHxHEIGHT", value_parser = crate::cli::args::size)]
    size: [u32; 2],
    /// Warp mesh size in cells [default: 48x36; with a graphics card, up to one vertex every eight pixels]
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = crate::cli::args::mesh)]
    mesh: Option<[u32; 2]>,
    /// Keep 16 bits per colour channel between frames: no banding, but more graphics memory
    #[arg(long)]
    deep_color: bool,
    /// Frames per second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: u32,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Preset folder or pack manifest [default: built-in presets]
    #[arg(long, value_name = "PATH")]
    presets: Option<PathBuf>,
    /// Texture folder; repeatable
    #[arg(long, value_name = "DIR")]
    textures: Vec<PathBuf>,
    /// Folder with sprites (MILK_IMG.INI) and messages (MILK_MSG.INI)
    #[arg(long, value_name = "DIR")]
    layers: Option<PathBuf>,
    /// Title shown by the `launch_title` action
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Trigger ACTION at SECONDS, such as 2.5=sprite.03; repeatable
    #[arg(long, value_name = "SECONDS=ACTION", value_parser = timed_command)]
    action: Vec<(f64, Command)>,
    /// Theme: prefer looks that fit a description, such as `deep sea, no faces, nothing white`, or `@NAME` for a
    /// saved theme [default: none, or the theme of the last show with --memory]
    #[arg(long, value_name = "TEXT|@NAME")]
    theme: Option<String>,
    /// Write the set log to FILE as JSON Lines; missing folders are created
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Show new presets without auditing them first
    #[arg(long, alias = "unguarded")]
    no_audit: bool,
    /// Start with the saved bans, exclusions, rescues, favourites, taste, adventure, profile, macros and theme
    #[arg(long)]
    memory: bool,
    /// Do not limit flashes, for example to measure them
    #[arg(long, alias = "unlimited")]
    no_flash_limit: bool,
}

/// Runs `aivj perform`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        audio,
        seconds,
        out,
        size,
        mesh,
        deep_color,
        fps,
        seed,
        presets,
        textures,
        layers,
        title,
        action,
        theme,
        log,
        no_audit,
        memory,
        no_flash_limit,
    } = args;
    for written in std::iter::once(&out).chain(&log) {
        let is_audio = is_same_file(Path::new(&audio), written);
        anyhow::ensure!(
            !is_audio,
            "{} is the audio file; choose another path to write to",
            written.display()
        );
    }
    let mut commands: Vec<(f64, Command)> =
        title.into_iter().map(|title| (0.0, Command::SetTitle(title))).chain(action).collect();
    commands.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let last_frame_at = ((seconds * f64::from(fps)).round() - 1.0).max(0.0) / f64::from(fps);
    if let Some((at, _)) = commands.last().filter(|(at, _)| *at > last_frame_at + 1e-9) {
        anyhow::bail!(
            "--action at {at} s would never run, because the last frame is at {last_frame_at:.3} s; choose an earlier \
             time, or a higher --seconds"
        );
    }
    let report = perform(&PerformSettings {
        audio,
        seconds,
        out,
        size,
        mesh,
        deep_color,
        fps,
        seed,
        presets,
        textures,
        layers,
        commands,
        theme,
        log,
        guarded: !no_audit,
        limit_flashes: !no_flash_limit,
        memory,
    })?;
    println!("rendered with {}", report.device);
    for (at, name) in &report.played {
        println!("{at:7.2} s  {}", crate::units::printable(name));
    }
    let what = if report.path.is_dir() { "wrote the frames to" } else { "wrote" };
    println!("{what} {}", report.path.display());
    let Some(at) = report.interrupted_at else { return Ok(ExitCode::SUCCESS) };
    eprintln!("aivj: interrupted; the video is partial: {at:.2} of {seconds} s");
    Ok(ExitCode::from(3))
}

/// Parses `SECONDS=ACTION`.
fn timed_command(text: &str) -> Result<(f64, Command), String> {
    let (secs, name) = text.split_once('=').ok_or("expected SECONDS=ACTION, for example 2.5=sprite.03")?;
    let secs: f64 = secs.trim().parse().map_err(|_| format!("{secs:?} is not a number of seconds"))?;
    if !(secs >= 0.0 && secs.is_finite()) {
        return Err("the time must be at least 0".into());
    }
    Ok((secs, command_named(name.trim())?))
}

/// Returns whether two paths lead to the same existing file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_a_time_and_a_name() {
        assert_eq!(timed_command("2.5=sprite.03"), Ok((2.5, Command::Sprite(3))));
        assert_eq!(timed_command("0 = launch_title"), Ok((0.0, Command::LaunchTitle)));
        for wrong in ["sprite.03", "-1=next", "soon=next", "1=nonsense", "1=window.desk", "nan=next"] {
            assert!(timed_command(wrong).is_err(), "{wrong}");
        }
    }
}
