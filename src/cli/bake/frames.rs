//! `aivj bake frames`: presets to still frames.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::bake::embed::subjects_in;
use crate::bake::frames::{Camera, CaptureJob, CaptureSettings, FramesSettings, render};
use crate::bake::workers;

/// Renders still frames of every preset; what earlier nights have done is kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of presets.
    #[arg(long)]
    library: PathBuf,
    /// Where `frames-index.jsonl` and the frames go.
    #[arg(long)]
    out: PathBuf,
    /// At most so many presets.
    #[arg(long)]
    limit: Option<usize>,
    /// Frames kept of each preset.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    capture_count: u32,
    /// Frames from one kept to the next.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    capture_every: u32,
    /// Frames before the first.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    warmup_frames: u32,
    /// Pixels that are drawn.
    #[arg(long, default_value = "256x144", value_parser = crate::cli::size)]
    size: [u32; 2],
    /// Side of the square frames that are kept.
    #[arg(long, default_value_t = 224, value_parser = clap::value_parser!(u32).range(16..=4096))]
    out_size: u32,
    /// Processor seconds a preset may use.
    #[arg(long, default_value_t = 40)]
    timeout: u64,
    /// More attempts at a preset whose process failed.
    #[arg(long, default_value_t = 2)]
    retry_times: u32,
    /// Ends after so many seconds, finished or not; the next run goes on.
    #[arg(long)]
    stop_after_sec: Option<u64>,
    /// Folders with images for presets.
    #[arg(long)]
    textures: Vec<PathBuf>,
    /// What presets hear: a sound file, or `demo`.
    #[arg(long, default_value = "demo")]
    audio: String,
    /// Processes at work at the same time.
    #[arg(long, default_value_t = crate::cli::default_workers())]
    workers: usize,
    /// Decides everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.audio != "demo" {
        crate::audio::decode(std::path::Path::new(&args.audio)).context("opening the sound")?;
    }
    let subjects = subjects_in(&args.library, args.limit)?;
    let settings = FramesSettings {
        capture: CaptureSettings {
            size: args.size,
            out_size: args.out_size,
            warm_up: args.warmup_frames,
            count: args.capture_count,
            every: args.capture_every,
            textures: args.textures,
            audio: args.audio,
            seed: args.seed,
        },
        workers: args.workers,
        timeout: Duration::from_secs(args.timeout),
        retries: args.retry_times,
        deadline: args.stop_after_sec.map(|secs| Instant::now() + Duration::from_secs(secs)),
    };
    let done = render(&subjects, &args.out, &settings, &mut super::bar()).map_err(anyhow::Error::msg)?;
    println!("{} rendered, {} failed, {} kept, in {}", done.ok, done.failed, done.kept, args.out.display());
    if !done.finished {
        println!("the time is up; the next run goes on where this one ended");
    }
    Ok(ExitCode::SUCCESS)
}

/// The child's side.
pub fn work(settings: &str) -> anyhow::Result<ExitCode> {
    let settings: CaptureSettings = serde_json::from_str(settings).context("reading the settings")?;
    let camera = Camera::new(settings)?;
    workers::serve(|job: CaptureJob| std::ops::ControlFlow::Continue(camera.capture(&job)))?;
    Ok(ExitCode::SUCCESS)
}
