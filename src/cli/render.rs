//! `aivj render`: renders individual presets in supervised worker processes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use crate::confine::Rights;
use crate::disk;
use crate::frames::single::{
    RenderJob, RenderReport, RenderSettings, RenderStatus, Renderer, readable_paths,
};
use crate::frames::worker_memory_mib;
use crate::jobs::wire::WirePreset;
use crate::jobs::workers::{self, Limits, Outcome, PoolSettings, WorkerCount};

/// Render presets, save selected frames as PNG files, and print one JSON object per preset; exit with status
/// 1 if any preset fails.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Preset files
    presets: Vec<PathBuf>,
    /// File with one preset per line: its path, optionally followed by a tab and the folder for its frames
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Audio file, or `demo` for the demo track
    #[arg(long, value_name = "FILE", default_value = "demo")]
    audio: String,
    /// Render size in pixels
    #[arg(long, default_value = "320x240", value_name = "WIDTHxHEIGHT", value_parser = crate::cli::args::size)]
    size: [u32; 2],
    /// Frames per second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: u32,
    /// Number of frames to render
    #[arg(long, value_name = "COUNT", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,
    /// Frames to save, numbered from 1, for example 1,10,30 [default: none]
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    save: Vec<u32>,
    /// Folder for the frames chosen with --save, one numbered subfolder per preset; missing folders are created
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Warp mesh size in cells
    #[arg(long, default_value = "48x36", value_name = "COLUMNSxROWS", value_parser = crate::cli::args::mesh)]
    mesh: [u32; 2],
    /// Keep 16 bits per colour channel between frames: no banding, but more graphics memory
    #[arg(long)]
    deep_color: bool,
    /// Texture folder; repeatable
    #[arg(long, value_name = "DIR")]
    textures: Vec<PathBuf>,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of worker processes
    #[arg(long, value_name = "COUNT", default_value_t = crate::cli::args::default_workers())]
    workers: usize,
    /// CPU time limit per preset, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// Runs `aivj render`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let settings = RenderSettings {
        size: args.size,
        fps: args.fps,
        frames: args.frames,
        save: args.save.clone(),
        mesh: args.mesh,
        deep_color: args.deep_color,
        textures: args.textures.clone(),
        seed: args.seed,
        audio: args.audio.clone(),
    };
    let jobs = jobs(&args)?;
    check_save(&args, &jobs)?;
    super::args::check_textures(&args.textures);
    if args.audio != "demo" {
        crate::audio::decode(std::path::Path::new(&args.audio)).context("opening the audio file")?;
    }
    let pool = PoolSettings {
        workers: WorkerCount::Fixed(args.workers.clamp(1, jobs.len().max(1))),
        limits: Limits {
            cpu: Duration::from_secs(args.timeout),
            wall: Duration::from_secs(args.timeout * 4),
            memory_mib: worker_memory_mib(args.size),
            recycle_mib: worker_memory_mib(args.size) / 2,
        },
        arguments: vec!["worker".into(), "render".into(), serde_json::to_string(&settings)?],
        rights: Rights {
            read: readable_paths(&settings.textures, &settings.audio),
            write: out_folder(&jobs)?,
        },
        environment: Vec::new(),
        start_pauses: &[],
        pause_for: None,
        stop: std::sync::Arc::default(),
    };
    let mut not_ok = 0_u32;
    render_all(&pool, jobs, |report| {
        not_ok += u32::from(report.status != RenderStatus::Ok);
        match serde_json::to_string(&report) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("aivj: could not write a report: {error}"),
        }
    });
    Ok(if not_ok == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Checks that all frames to save will be rendered, and that there is a folder for them.
fn check_save(args: &Args, jobs: &[RenderJob]) -> anyhow::Result<()> {
    let Some(last) = args.save.iter().max() else { return Ok(()) };
    anyhow::ensure!(*last <= args.frames, "--save {last} is after the last frame; raise --frames to {last}");
    anyhow::ensure!(
        jobs.iter().any(|job| job.out.is_some()),
        "--save needs a folder for the frames; choose one with --out"
    );
    Ok(())
}

/// Renders presets in worker processes and passes each report to `receive`.
pub(super) fn render_all(pool: &PoolSettings, jobs: Vec<RenderJob>, mut receive: impl FnMut(RenderReport)) {
    workers::run_all(pool, jobs.into_iter(), |job: RenderJob, outcome: Outcome<RenderReport>| {
        receive(report(&job, outcome));
        true
    });
}

/// Runs this process as a worker of `render` or `bench`.
pub fn work(settings: &str) -> anyhow::Result<ExitCode> {
    let settings: RenderSettings = serde_json::from_str(settings).context("reading the settings")?;
    let renderer = Renderer::new(settings)?;
    workers::serve(|job: RenderJob| std::ops::ControlFlow::Continue(renderer.render(&job)))?;
    Ok(ExitCode::SUCCESS)
}

/// Creates the output folders. Returns the deepest folder that contains them all, or an empty list if no job has an
/// output folder.
fn out_folder(jobs: &[RenderJob]) -> anyhow::Result<Vec<PathBuf>> {
    let mut common: Option<PathBuf> = None;
    for out in jobs.iter().filter_map(|job| job.out.as_ref()) {
        std::fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
        let out = std::path::absolute(out).with_context(|| format!("finding {}", out.display()))?;
        common = Some(match common {
            None => out,
            Some(common) => {
                let shared = common.ancestors().find(|folder| out.starts_with(folder));
                shared.map_or_else(PathBuf::new, std::path::Path::to_owned)
            }
        });
    }
    Ok(common.into_iter().collect())
}

fn jobs(args: &Args) -> anyhow::Result<Vec<RenderJob>> {
    let mut jobs: Vec<RenderJob> = args
        .presets
        .iter()
        .map(|preset| RenderJob { preset: WirePreset::new(preset.clone()), out: None })
        .collect();
    if let Some(list) = &args.list {
        let text = disk::read_text(list, disk::limit::LIST)
            .with_context(|| format!("reading {}", list.display()))?;
        for line in disk::lines(&text).filter(|line| !line.trim().is_empty()) {
            let (preset, out) = match line.split_once('\t') {
                Some((preset, out)) => (preset, Some(PathBuf::from(out))),
                None => (line, None),
            };
            jobs.push(RenderJob { preset: WirePreset::new(preset.into()), out });
        }
    }
    anyhow::ensure!(!jobs.is_empty(), "no presets given; specify preset files, or use --list");
    for (number, job) in jobs.iter_mut().enumerate() {
        if job.out.is_none() {
            job.out = args.out.as_ref().map(|out| out.join(format!("{number:04}")));
        }
    }
    Ok(jobs)
}

fn report(job: &RenderJob, outcome: Outcome<RenderReport>) -> RenderReport {
    let without = |status, why| RenderReport::without_picture(&job.preset.path, status, why);
    match outcome {
        Outcome::Done(report) => report,
        Outcome::Hang(why) | Outcome::Stuck(why) => without(RenderStatus::Timeout, why),
        Outcome::Memory(why) => without(RenderStatus::Failed, format!("out of memory: {why}")),
        Outcome::Died(why) => without(RenderStatus::Failed, format!("the worker process died: {why}")),
        Outcome::Skipped(why) => without(RenderStatus::Failed, why),
    }
}
