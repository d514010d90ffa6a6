//! The oracle: renders every preset with this engine and an independent one, and ranks them by distance.
//!
//! `cargo test --release --test oracle -- --list FILE --audio FILE --save 1,10,30 --out DIR` compares a list and keeps
//! side-by-side pictures (ours on the left) and the variables. Without arguments, it compares the built-in presets with
//! their baselines (`baseline.toml`).

mod baseline;
mod child;
mod compare;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aivj::frames::single::{RenderJob, RenderSettings};
use aivj::jobs::wire::WirePreset;
use aivj::jobs::workers::{self, Limits, Outcome, PoolSettings, WorkerCount};
use aivj::stage::Gpu;
use baseline::Baseline;
use child::{EngineOutput, Side, picture_path};
use compare::{Distance, compare};

fn main() -> anyhow::Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().map(String::as_str) == Some("child") {
        let side = if args.get(1).map(String::as_str) == Some("ours") { Side::Ours } else { Side::Theirs };
        let settings = args.get(2).map(String::as_str).unwrap_or_default();
        return child::serve(side, serde_json::from_str(settings)?);
    }
    if Gpu::for_test().is_none() {
        return Ok(());
    }
    args.retain(|arg| arg != "--nocapture" && arg != "--list-tests");
    let options = Options::read(&args)?;
    let out = options.out.clone().unwrap_or_else(|| std::env::temp_dir().join("aivj-oracle"));
    std::fs::create_dir_all(&out)?;
    let presets = if options.presets.is_empty() { built_in(&out)? } else { options.presets.clone() };
    let audio = match &options.audio {
        Some(audio) => audio.clone(),
        None => demo(&out)?,
    };
    let settings = RenderSettings {
        size: options.size,
        fps: 30,
        frames: options.save.iter().copied().max().unwrap_or(1),
        save: options.save.clone(),
        mesh: [48, 36],
        deep_color: false,
        textures: options.textures.clone(),
        seed: 1,
        audio: audio.to_string_lossy().into_owned(),
    };
    let ours = run(Side::Ours, &settings, &presets, &out)?;
    let theirs = run(Side::Theirs, &settings, &presets, &out)?;
    let rows = rank(&presets, &settings, &out, &ours, &theirs)?;
    let alike = rows.iter().filter(|row| row.distance.close()).count() as f64 / rows.len().max(1) as f64;
    for row in rows.iter().take(options.show) {
        let Distance { luma, colour, layout } = row.distance;
        println!(
            "{} luma {luma:.3} colour {colour:.2} layout {layout:.2} feedback {:.2}  {}  {}",
            if row.distance.close() { "alike" } else { "far  " },
            row.feedback.layout,
            row.preset.file_stem().unwrap_or_default().to_string_lossy(),
            row.variables,
        );
    }
    println!(
        "{} of {} compared, {:.2} alike at frame {}; pictures in {}",
        rows.len(),
        presets.len(),
        alike,
        settings.frames,
        out.display()
    );
    anyhow::ensure!(!rows.is_empty(), "nothing could be compared");
    if options.presets.is_empty() { against_baseline(&rows) } else { Ok(()) }
}

/// Compares the built-in presets with their baselines, or records new ones.
fn against_baseline(rows: &[Row]) -> anyhow::Result<()> {
    baseline::check_rules();
    let name = |row: &Row| row.preset.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let found: BTreeMap<String, Distance> = rows.iter().map(|row| (name(row), row.distance)).collect();
    if std::env::var_os("AIVJ_UPDATE_GOLDEN").is_some() {
        return Baseline::bless(&found);
    }
    let differences = Baseline::read()?.differences(&found);
    anyhow::ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

struct Options {
    presets: Vec<PathBuf>,
    audio: Option<PathBuf>,
    textures: Vec<PathBuf>,
    size: [u32; 2],
    save: Vec<u32>,
    out: Option<PathBuf>,
    show: usize,
}

impl Options {
    fn read(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            presets: Vec::new(),
            audio: None,
            textures: Vec::new(),
            size: [160, 120],
            save: vec![1, 10],
            out: None,
            show: 12,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| anyhow::anyhow!("{arg} needs a value"));
            match arg.as_str() {
                "--list" => {
                    let text = std::fs::read_to_string(value()?)?;
                    let paths = text.lines().filter_map(|line| line.split('\t').next());
                    options.presets.extend(paths.filter(|path| !path.is_empty()).map(PathBuf::from));
                }
                "--audio" => options.audio = Some(value()?.into()),
                "--textures" => options.textures.push(value()?.into()),
                "--out" => options.out = Some(value()?.into()),
                "--show" => options.show = value()?.parse()?,
                "--save" => {
                    options.save = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                "--size" => {
                    let (width, height) = value()?.split_once('x').unwrap_or_default();
                    options.size = [width.parse()?, height.parse()?];
                }
                other => options.presets.push(other.into()),
            }
        }
        Ok(options)
    }
}

/// Writes the built-in presets to files, because both engines read files.
fn built_in(out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = out.join("presets");
    std::fs::create_dir_all(&folder)?;
    let write = |preset: aivj::library::BuiltIn| {
        let path = folder.join(format!("{}.milk", preset.name()));
        std::fs::write(&path, preset.text)?;
        Ok(path)
    };
    aivj::library::built_in().map(write).collect()
}

/// Writes a few seconds of the demo track to a file.
fn demo(out: &Path) -> anyhow::Result<PathBuf> {
    let mut sound = aivj::audio::demo::render(44_100);
    let start = (aivj::audio::demo::HIGHLIGHT.0 * 44_100.0) as usize;
    sound.frames.drain(..start.min(sound.frames.len()));
    sound.frames.truncate(44_100 * 4);
    let path = out.join("demo.wav");
    aivj::audio::wav::write(&path, &sound)?;
    Ok(path)
}

fn folder_of(out: &Path, number: usize) -> PathBuf {
    out.join(format!("{number:04}"))
}

fn run(
    side: Side,
    settings: &RenderSettings,
    presets: &[PathBuf],
    out: &Path,
) -> anyhow::Result<BTreeMap<PathBuf, EngineOutput>> {
    let mut jobs = Vec::new();
    for (number, preset) in presets.iter().enumerate() {
        let folder = folder_of(out, number);
        std::fs::create_dir_all(&folder)?;
        jobs.push(RenderJob { preset: WirePreset::new(preset.clone()), out: Some(folder) });
    }
    let pool = PoolSettings {
        workers: WorkerCount::Fixed(std::thread::available_parallelism().map_or(1, usize::from)),
        limits: Limits {
            cpu: Duration::from_secs(60),
            wall: Duration::from_secs(240),
            memory_mib: 4096,
            recycle_mib: 4096,
        },
        arguments: vec!["child".into(), format!("{side:?}").to_lowercase(), serde_json::to_string(settings)?],
        // The child processes of this test are not confined.
        rights: aivj::confine::Rights::default(),
        environment: Vec::new(),
        start_pauses: &[],
        pause_for: None,
        stop: std::sync::Arc::default(),
    };
    let mut answers = BTreeMap::new();
    workers::run_all(&pool, jobs.into_iter(), |job: RenderJob, outcome: Outcome<EngineOutput>| {
        match outcome {
            Outcome::Done(answer) => {
                answers.insert(job.preset.path, answer);
            }
            Outcome::Hang(why)
            | Outcome::Stuck(why)
            | Outcome::Memory(why)
            | Outcome::Died(why)
            | Outcome::Skipped(why) => {
                println!("{side:?} failed on {}: {why}", job.preset.path.display());
            }
        }
        true
    });
    Ok(answers)
}

/// The result of one preset in both engines.
struct Row {
    preset: PathBuf,
    distance: Distance,
    feedback: Distance,
    variables: String,
}

fn rank(
    presets: &[PathBuf],
    settings: &RenderSettings,
    out: &Path,
    ours: &BTreeMap<PathBuf, EngineOutput>,
    theirs: &BTreeMap<PathBuf, EngineOutput>,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, preset) in presets.iter().enumerate() {
        let (Some(our), Some(their)) = (ours.get(preset), theirs.get(preset)) else { continue };
        if let Some(why) = our.refused.as_ref().or(their.refused.as_ref()) {
            println!("{} was rejected: {why}", preset.display());
            continue;
        }
        let folder = folder_of(out, number);
        for (side, answer) in [("ours", our), ("theirs", their)] {
            let text = serde_json::to_string_pretty(&answer.variables)?;
            std::fs::write(folder.join(format!("{side}-variables.json")), text)?;
        }
        let open = |side, stage| {
            image::open(picture_path(&folder, side, stage, settings.frames)).map(|picture| picture.to_rgba8())
        };
        let pair = [open(Side::Ours, "final")?, open(Side::Theirs, "final")?];
        let inner = [open(Side::Ours, "feedback")?, open(Side::Theirs, "feedback")?];
        side_by_side(&pair).save(folder.join("side-by-side.png"))?;
        rows.push(Row {
            preset: preset.clone(),
            distance: compare(&pair[0], &pair[1]),
            feedback: compare(&inner[0], &inner[1]),
            variables: worst_variables(our, their),
        });
    }
    rows.sort_by(|a, b| b.distance.total().total_cmp(&a.distance.total()));
    Ok(rows)
}

fn side_by_side(pair: &[image::RgbaImage; 2]) -> image::RgbaImage {
    let (width, height) = pair[0].dimensions();
    let mut both = image::RgbaImage::new(width * 2, height);
    for (x, picture) in [0, width].into_iter().zip(pair) {
        image::imageops::replace(&mut both, picture, i64::from(x), 0);
    }
    for pixel in both.pixels_mut() {
        pixel.0[3] = 255;
    }
    both
}

/// Describes the variables that differ most in the first frame where any differs.
fn worst_variables(ours: &EngineOutput, theirs: &EngineOutput) -> String {
    for (frame, our) in &ours.variables {
        let Some(their) = theirs.variables.get(frame) else { continue };
        let mut apart: Vec<(f64, String)> = our
            .iter()
            .filter_map(|(name, a)| their.get(name).map(|b| (name, a, b)))
            .map(|(name, a, b)| {
                ((a - b).abs() / (1e-3 + a.abs().max(b.abs())), format!("{name} {a:.4}/{b:.4}"))
            })
            .filter(|(apart, _)| *apart > 1e-2)
            .collect();
        if !apart.is_empty() {
            apart.sort_by(|a, b| b.0.total_cmp(&a.0));
            let worst: Vec<_> = apart.into_iter().take(4).map(|(_, text)| text).collect();
            return format!("frame {frame}: {}", worst.join(", "));
        }
    }
    "variables agree".into()
}
