//! Arguments and helpers shared by several bake stages.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::audit::GateLimits;
use crate::frames::{self, CaptureSettings, Clip};
use crate::jobs::now;
use crate::jobs::progress::Progress;
use crate::jobs::workers::WorkerCount;
use crate::library::UserFolders;
use crate::store::Store;

/// Arguments for presets and workers.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Work {
    /// Preset folder
    #[arg(long, value_name = "DIR")]
    pub library: PathBuf,
    /// Maximum number of presets, or 0 for all [default: all]
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Number of worker processes and threads; `auto` starts one per core if there is enough memory, and adds processes
    /// as long as that speeds up the work
    #[arg(long, value_name = "COUNT", alias = "threads", default_value_t = WorkerCount::Auto)]
    pub workers: WorkerCount,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Work {
    /// Returns the maximum number of presets, if limited.
    pub fn limit(&self) -> Option<usize> {
        self.limit.filter(|limit| *limit > 0)
    }
}

/// Arguments for the embedder.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Embedding {
    /// `builtin`, a vision model (its folder, or its name in `aivj models list`), or `auto` for both: the built-in
    /// embedder and the first model of the list, if there is one
    #[arg(long, value_name = "MODEL", default_value = "builtin")]
    pub embedder: String,
}

/// Arguments for the thresholds of an acceptable look.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct GateArgs {
    /// Mean luma below which a preset is too dark, 0 to 1 [default: relative to the library]
    #[arg(long, value_name = "LUMA")]
    min_avg_luma: Option<f64>,
    /// Mean luma above which a preset is too bright, 0 to 1 [default: relative to the library]
    #[arg(long, value_name = "LUMA")]
    max_avg_luma: Option<f64>,
    /// Mean change between frames below which a preset has low motion [default: relative to the library]
    #[arg(long, value_name = "CHANGE")]
    min_avg_frame_delta: Option<f64>,
    /// Mean render time per measured frame, in milliseconds, above which a preset is too slow [default: none]
    #[arg(long, value_name = "MS")]
    max_avg_render_ms: Option<f64>,
    /// Render time of the slowest measured frame (despite the name, not the 95th percentile), in milliseconds,
    /// above which a preset is too slow [default: none]
    #[arg(long, value_name = "MS")]
    max_p95_render_ms: Option<f64>,
}

impl GateArgs {
    /// Returns the thresholds. Fails if one is negative or not finite.
    pub fn limits(&self) -> anyhow::Result<GateLimits> {
        let Self { min_avg_luma, max_avg_luma, min_avg_frame_delta, max_avg_render_ms, max_p95_render_ms } =
            *self;
        let all = [min_avg_luma, max_avg_luma, min_avg_frame_delta, max_avg_render_ms, max_p95_render_ms];
        let valid = all.into_iter().flatten().all(|gate| gate.is_finite() && gate >= 0.0);
        anyhow::ensure!(valid, "thresholds must be numbers greater than or equal to 0");
        Ok(GateLimits {
            min_avg_luma,
            max_avg_luma,
            min_avg_frame_delta,
            max_avg_render_ms,
            max_p95_render_ms,
        })
    }
}

/// Arguments for rendering frames.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Capture {
    /// Texture folders
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub textures: Vec<PathBuf>,
    /// Audio file, or `demo` for the demo track
    #[arg(long, value_name = "FILE", default_value = "demo")]
    pub audio: String,
    /// Number of frames saved per preset
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    capture_count: u32,
    /// Interval between saved frames, in frames
    #[arg(long, value_name = "FRAMES", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    capture_every: u32,
    /// Number of warm-up frames; the first frame is saved --capture-every frames after them
    #[arg(long, value_name = "FRAMES", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    warmup_frames: u32,
    /// Render size in pixels
    #[arg(long, default_value = "256x144", value_name = "WIDTHxHEIGHT", value_parser = crate::cli::args::size)]
    size: [u32; 2],
    /// Side length of the saved square frames, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u32).range(16..=4096))]
    out_size: u32,
    /// Also save a clip of each preset, SECONDS long
    #[arg(long, value_name = "SECONDS", value_parser = crate::cli::args::seconds(0.1..=60.0))]
    clip_seconds: Option<f64>,
    /// Clip format; falls back to WebP if ffmpeg is missing
    #[arg(long, value_enum, default_value = "webp")]
    clip_format: ClipFormat,
}

/// Clip format.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ClipFormat {
    /// Animated WebP, lossless; needs no external program
    Webp,
    /// MP4, about a tenth of the size of WebP
    Mp4,
}

impl From<ClipFormat> for frames::ClipFormat {
    fn from(format: ClipFormat) -> Self {
        match format {
            ClipFormat::Webp => Self::Webp,
            ClipFormat::Mp4 => Self::Mp4,
        }
    }
}

impl Capture {
    /// Returns the capture settings, with `seed` as the random seed. Warns about texture folders that cannot be read.
    pub fn settings(&self, seed: u64) -> CaptureSettings {
        crate::cli::args::check_textures(&self.textures);
        CaptureSettings {
            size: self.size,
            out_size: self.out_size,
            warm_up: self.warmup_frames,
            count: self.capture_count,
            every: self.capture_every,
            clip: self.clip_seconds.map(|secs| Clip { secs, format: self.clip_format.into() }),
            textures: self.textures.clone(),
            audio: self.audio.clone(),
            seed,
        }
    }
}

/// Opens the performer's store. Fails if it cannot be written, because a bake saves its verdicts there.
pub(super) fn store() -> anyhow::Result<Store> {
    let places = UserFolders::of_user();
    store_in(&places.context("no data folder found; set AIVJ_DATA to a folder")?.data)
}

/// Opens the store in the folder `data`, which must be writable, and backs it up.
pub(super) fn store_in(data: &Path) -> anyhow::Result<Store> {
    let opened = Store::open(data, now())?;
    anyhow::ensure!(
        opened.store.path().is_some(),
        "{}",
        opened.notice.unwrap_or_else(|| format!("cannot write to {}", data.display()))
    );
    if let Some(notice) = opened.notice {
        eprintln!("aivj: {notice}");
    }
    if let Err(error) = opened.store.back_up() {
        eprintln!("aivj: could not back up the store: {error}");
    }
    Ok(opened.store)
}

/// Returns a callback that shows progress as a bar on stderr.
pub(super) fn bar() -> impl FnMut(&Progress) -> bool {
    let style =
        indicatif::ProgressStyle::with_template("{msg:20} {bar:30} {pos}/{len}  {per_sec}  {eta} left");
    let bar = indicatif::ProgressBar::new(0).with_style(style.expect("the template is valid"));
    move |progress| {
        bar.set_message(progress.stage.clone());
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        true
    }
}
