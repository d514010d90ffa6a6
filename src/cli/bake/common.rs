//! Arguments that several stages of the night share.

use std::path::PathBuf;

use crate::frames::{CaptureSettings, Clip, ClipFormat};

/// Which presets, and how the work is done.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Work {
    /// A folder of presets.
    #[arg(long)]
    pub library: PathBuf,
    /// At most so many presets; 0 for all.
    #[arg(long)]
    limit: Option<usize>,
    /// Processes and threads at work.
    #[arg(long, alias = "threads", default_value_t = crate::cli::default_workers())]
    pub workers: usize,
    /// Decides everything random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Work {
    /// At most so many presets.
    pub fn limit(&self) -> Option<usize> {
        self.limit.filter(|limit| *limit > 0)
    }
}

/// How presets become points.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Embedding {
    /// `builtin`, or a vision model: a folder, or a name given to `aivj models add`.
    #[arg(long, default_value = "builtin")]
    pub embedder: String,
}

/// How presets become frames.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Capture {
    /// Folders with images for presets.
    #[arg(long, num_args = 1..)]
    pub textures: Vec<PathBuf>,
    /// What presets hear: a sound file, or `demo`.
    #[arg(long, default_value = "demo")]
    pub audio: String,
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
    /// Also keep a moving clip of so many seconds of each preset, for people.
    #[arg(long, value_parser = clip_seconds)]
    clip_seconds: Option<f64>,
    /// What clips are written as; without ffmpeg every clip is WebP.
    #[arg(long, value_enum, default_value = "webp")]
    clip_format: ClipFormat,
}

impl Capture {
    /// The same as the stage takes it.
    pub fn settings(&self, seed: u64) -> CaptureSettings {
        CaptureSettings {
            size: self.size,
            out_size: self.out_size,
            warm_up: self.warmup_frames,
            count: self.capture_count,
            every: self.capture_every,
            clip: self.clip_seconds.map(|secs| Clip { secs, format: self.clip_format }),
            textures: self.textures.clone(),
            audio: self.audio.clone(),
            seed,
        }
    }
}

fn clip_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=60.0).contains(&seconds) => Ok(seconds),
        _ => Err("write a number of seconds from 0.1 to 60".into()),
    }
}
