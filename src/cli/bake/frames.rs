//! `aivj bake frames`: renders still frames, and clips on request.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::common::{Capture, Work};
use crate::facts::PresetId;
use crate::frames::{self, CaptureJob, CaptureSettings, FrameCapturer, FramesSettings, attach_bands, render};
use crate::frames::{item_names, items_in, items_of_shard};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::shard::Shard;
use crate::jobs::{find_named, show_lock, workers};
use crate::shards;
use crate::units::counted;

/// Render still frames, and optionally clips, of new and changed presets.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    work: Work,
    /// Folder for frames-index.jsonl and the frames: empty, new, or that of an earlier bake
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    capture: Capture,
    /// CPU time limit per preset, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 40)]
    timeout: u64,
    /// Number of times to retry a preset after a worker failure
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    retry_times: u32,
    /// Render only the presets listed in FILE, one path, ID or content hash per line
    #[arg(long, value_name = "FILE")]
    rel_paths: Option<PathBuf>,
    /// Render only this shard of the library, for `aivj bake merge`
    #[arg(long, value_name = "INDEX/COUNT")]
    shard: Option<Shard>,
    /// Stop after SECONDS; the next run resumes
    #[arg(long, value_name = "SECONDS")]
    stop_after_sec: Option<u64>,
}

/// Runs `aivj bake frames`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limit = args.work.limit();
    let Work { library, workers, seed, .. } = args.work;
    if args.capture.audio != "demo" {
        crate::audio::decode(std::path::Path::new(&args.capture.audio)).context("opening the audio file")?;
    }
    let _lock = FolderLock::take_output(&args.out)?;
    let mut items = items_in(&library, limit)?;
    let is_limited = limit.is_some_and(|limit| items.len() >= limit);
    if let Some(file) = &args.rel_paths {
        let wanted = crate::pack::read_paths(file)?;
        let by_content = wanted.iter().any(|name| name.parse::<PresetId>().is_ok());
        let found = find_named(wanted.iter().map(String::as_str), &item_names(&items, by_content));
        items = found.into_iter().map(|index| items[index].clone()).collect();
    }
    if let Some(shard) = args.shard {
        shards::break_seal(&args.out)?;
        items = items_of_shard(items, shard);
    }
    let bands = super::common::store().and_then(|store| attach_bands(&mut items, &library, store));
    match bands {
        Ok(known) => {
            println!("audio responses from an earlier audit: {known} of {}", counted(items.len(), "preset"));
        }
        Err(error) => {
            eprintln!("aivj: could not read the audit of these presets: {error:#}; continuing without it");
        }
    }
    let settings = FramesSettings {
        capture: args.capture.settings(seed),
        workers,
        timeout: Duration::from_secs(args.timeout),
        retries: args.retry_times,
        deadline: args.stop_after_sec.map(|secs| Instant::now() + Duration::from_secs(secs)),
        pause_for: show_lock::user_path(),
        stop: Arc::default(),
    };
    let done = render(&items, &args.out, &settings, &mut super::common::bar())?;
    println!(
        "{} rendered, {} failed, {} up to date, in {}",
        done.ok,
        done.failed,
        done.kept,
        args.out.display()
    );
    if !done.finished {
        println!("time limit reached; run again to resume");
    }
    if let Some(shard) = args.shard {
        let rendered = done.ok + done.failed + done.kept;
        let finished = done.finished && !is_limited;
        shards::seal_frames(&args.out, shard, &items, &settings.capture, rendered, finished)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs this process as a worker of `bake frames`. If the graphics device is lost, the worker exits, and the pool
/// starts another one.
pub fn work(settings: &str) -> anyhow::Result<ExitCode> {
    let settings: CaptureSettings = serde_json::from_str(settings).context("reading the settings")?;
    let capturer = FrameCapturer::new(settings)?;
    workers::serve(|job: CaptureJob| match capturer.capture(&job) {
        captured if capturer.lost() => ControlFlow::Break(captured),
        captured => ControlFlow::Continue(captured),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs this process as a worker of an audit that also saves frames.
pub fn work_shared(settings: &str) -> anyhow::Result<ExitCode> {
    frames::work_shared(settings)?;
    Ok(ExitCode::SUCCESS)
}
