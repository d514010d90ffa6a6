//! `aivj bench`: measures the rendering cost of presets on this computer.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use super::render::render_all;
use crate::confine::Rights;
use crate::frames::bench::Bench;
use crate::frames::single::{RenderJob, RenderSettings, readable_paths};
use crate::frames::{items_in, worker_memory_mib};
use crate::jobs::machine;
use crate::jobs::wire::WirePreset;
use crate::jobs::workers::{Limits, PoolSettings, WorkerCount};
use crate::library;
use crate::stage::Gpu;

/// Measure the rendering cost of presets, or compare two measurements; exit with status 1 if any preset
/// cannot be rendered.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Preset folder [default: built-in presets]
    folder: Option<PathBuf>,
    /// File with one preset path per line
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    list: Option<PathBuf>,
    /// Render sizes in pixels, comma-separated
    #[arg(long, value_name = "WIDTHxHEIGHT", value_delimiter = ',', default_value = "320x240,1280x720,1920x1080",
        value_parser = super::args::size)]
    size: Vec<[u32; 2]>,
    /// Warp mesh sizes in cells, comma-separated
    #[arg(long, value_name = "COLUMNSxROWS", value_delimiter = ',', default_value = "48x36",
        value_parser = super::args::mesh)]
    mesh: Vec<[u32; 2]>,
    /// Number of frames per preset
    #[arg(long, value_name = "COUNT", default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..))]
    frames: u32,
    /// Number of times to measure everything; the lowest results are reported
    #[arg(long, default_value_t = 2, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Maximum number of presets [default: all]
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Audio file, or `demo` for the demo track
    #[arg(long, value_name = "FILE", default_value = "demo")]
    audio: String,
    /// Texture folder; repeatable
    #[arg(long, value_name = "DIR")]
    textures: Vec<PathBuf>,
    /// Write the results to FILE as JSON; its folder must exist
    #[arg(long, value_name = "FILE", value_parser = super::args::output_file())]
    json: Option<PathBuf>,
    /// Compare two JSON files instead of measuring: the newer one, then the older one
    #[arg(long, num_args = 2, value_names = ["NEW", "OLD"], exclusive = true)]
    compare: Vec<PathBuf>,
}

/// A preset to measure.
struct Subject {
    name: String,
    preset: WirePreset,
}

/// Runs `aivj bench`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let [new, old] = &args.compare[..] {
        print!("{}", Bench::load(new)?.compared_with(&Bench::load(old)?));
        return Ok(ExitCode::SUCCESS);
    }
    let subjects = subjects(args)?;
    super::args::check_textures(&args.textures);
    let gpu = Gpu::headless()?;
    let mut bench = Bench {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: machine::name(),
        adapter: gpu.name(),
        driver: gpu.driver(),
        frames: args.frames,
        rounds: args.rounds,
        rows: Vec::new(),
    };
    drop(gpu);
    let mut failed = 0;
    for _ in 0..args.rounds {
        for &size in &args.size {
            for &mesh in &args.mesh {
                failed += measure(args, &subjects, [size, mesh], &mut bench)?;
            }
        }
    }
    print!("{}", bench.table());
    if let Some(path) = &args.json {
        bench.save(path)?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures all presets once at one render size and mesh size; returns the number of presets that failed.
fn measure(
    args: &Args,
    subjects: &[Subject],
    [size, mesh]: [[u32; 2]; 2],
    bench: &mut Bench,
) -> anyhow::Result<u32> {
    let settings = RenderSettings {
        size,
        fps: 30,
        frames: args.frames,
        save: Vec::new(),
        mesh,
        deep_color: false,
        textures: args.textures.clone(),
        seed: 1,
        audio: args.audio.clone(),
    };
    let pool = PoolSettings {
        // One at a time: presets measured in parallel slow each other down.
        workers: WorkerCount::Fixed(1),
        limits: Limits {
            cpu: Duration::from_secs(300),
            wall: Duration::from_secs(900),
            memory_mib: 2 * worker_memory_mib(size),
            recycle_mib: worker_memory_mib(size),
        },
        arguments: vec!["worker".into(), "render".into(), serde_json::to_string(&settings)?],
        rights: Rights { read: readable_paths(&settings.textures, &settings.audio), write: Vec::new() },
        environment: Vec::new(),
        start_pauses: &[],
        pause_for: None,
        stop: std::sync::Arc::default(),
    };
    let jobs = subjects.iter().map(|subject| RenderJob { preset: subject.preset.clone(), out: None });
    let mut failed = 0;
    render_all(&pool, jobs.collect(), |report| {
        let subject = subjects.iter().find(|subject| subject.preset.path == report.preset);
        let name =
            subject.map_or_else(|| report.preset.display().to_string(), |subject| subject.name.clone());
        if !bench.add(&name, [size, mesh], &report) {
            failed += 1;
            eprintln!("aivj: could not measure {name}: {}", report.reason);
        }
    });
    Ok(failed)
}

fn subjects(args: &Args) -> anyhow::Result<Vec<Subject>> {
    let of_file = |file: PathBuf| Subject { name: file.display().to_string(), preset: WirePreset::new(file) };
    let mut subjects: Vec<Subject> = if let Some(list) = &args.list {
        let text = crate::disk::read_text(list, crate::disk::limit::LIST)
            .with_context(|| format!("reading {}", list.display()))?;
        text.lines().filter(|line| !line.trim().is_empty()).map(|line| of_file(line.into())).collect()
    } else if let Some(folder) = &args.folder {
        items_in(folder, args.limit)?.into_iter().map(|item| of_file(item.path)).collect()
    } else {
        let built_in = |preset: library::BuiltIn| Subject {
            name: preset.path.to_owned(),
            preset: WirePreset::of_bytes(preset.path.into(), preset.text.as_bytes()),
        };
        library::built_in().map(built_in).collect()
    };
    subjects.truncate(args.limit.unwrap_or(usize::MAX));
    anyhow::ensure!(!subjects.is_empty(), "no presets to measure: the list is empty, or --limit is 0");
    Ok(subjects)
}
