//! `aivj bake frames`: presets to still frames, and to clips where they are asked for.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::common::{Capture, Work};
use crate::frames::subjects_in;
use crate::frames::{CaptureJob, CaptureSettings, FrameCapturer, FramesSettings, attach_bands, render};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::{show_lock, workers};

/// Renders still frames of every preset; what earlier nights have done is kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    work: Work,
    /// Where `frames-index.jsonl` and the frames go.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    capture: Capture,
    /// Processor seconds a preset may use.
    #[arg(long, default_value_t = 40)]
    timeout: u64,
    /// More attempts at a preset whose process failed.
    #[arg(long, default_value_t = 2)]
    retry_times: u32,
    /// Ends after so many seconds, finished or not; the next run goes on.
    #[arg(long)]
    stop_after_sec: Option<u64>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limit = args.work.limit();
    let Work { library, workers, seed, .. } = args.work;
    if args.capture.audio != "demo" {
        crate::audio::decode(std::path::Path::new(&args.capture.audio)).context("opening the sound")?;
    }
    let _lock = FolderLock::take(&args.out)?;
    let mut subjects = subjects_in(&library, limit)?;
    let told = super::store().and_then(|store| attach_bands(&mut subjects, &library, store));
    match told {
        Ok(told) => println!("an audit has told of {told} of {} presets what they answer to", subjects.len()),
        Err(error) => eprintln!("aivj: what an audit has told of these presets is left out: {error:#}"),
    }
    let settings = FramesSettings {
        capture: args.capture.settings(seed),
        workers,
        timeout: Duration::from_secs(args.timeout),
        retries: args.retry_times,
        deadline: args.stop_after_sec.map(|secs| Instant::now() + Duration::from_secs(secs)),
        pause_for: show_lock::of_user(),
        stop: Arc::default(),
    };
    let done = render(&subjects, &args.out, &settings, &mut super::bar()).map_err(anyhow::Error::msg)?;
    println!("{} rendered, {} failed, {} kept, in {}", done.ok, done.failed, done.kept, args.out.display());
    if !done.finished {
        println!("the time is up; the next run goes on where this one ended");
    }
    Ok(ExitCode::SUCCESS)
}

/// The child's side. A device that was lost stays lost: the pool then starts a fresh process.
pub fn work(settings: &str) -> anyhow::Result<ExitCode> {
    let settings: CaptureSettings = serde_json::from_str(settings).context("reading the settings")?;
    let camera = FrameCapturer::new(settings)?;
    workers::serve(|job: CaptureJob| match camera.capture(&job) {
        captured if camera.lost() => ControlFlow::Break(captured),
        captured => ControlFlow::Continue(captured),
    })?;
    Ok(ExitCode::SUCCESS)
}
