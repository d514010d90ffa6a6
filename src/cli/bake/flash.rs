//! `aivj bake flash`: checks folders of frames for hazardous flashes and regular patterns.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::disk;
use crate::media::flash::{Cells, FlashMeter, FlashVerdict};

/// Check folders of PNG frames, in file-name order, for hazardous flashes (WCAG 2.2, ITU-R BT.1702) and
/// regular patterns (ITU-R BT.1702); exit with status 1 if any folder fails.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders with PNG frames; one JSON object is printed per folder
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Frames per second
    #[arg(long, default_value_t = 60.0)]
    fps: f64,
}

/// Runs `aivj bake flash`; exits with status 1 if any folder fails.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.fps >= 1.0 && args.fps <= 1000.0, "--fps must be a number from 1 to 1000");
    let mut failed = false;
    for folder in &args.folders {
        let entries = std::fs::read_dir(folder).with_context(|| format!("opening {}", folder.display()))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")));
        files.sort();
        anyhow::ensure!(!files.is_empty(), "no PNG files in {}", folder.display());
        let mut meter = FlashMeter::new(args.fps);
        let mut cells = Cells::default();
        for file in &files {
            let picture = disk::picture(file).with_context(|| format!("opening {}", file.display()))?;
            let picture = picture.to_rgba8();
            cells.update(picture.as_raw(), [picture.width() as usize, picture.height() as usize]);
            meter.push(&cells);
        }
        let (score, frames) = (meter.score(), files.len());
        let (verdict, pattern_verdict) = (score.verdict(), score.pattern_verdict());
        failed |= verdict.max(pattern_verdict) == FlashVerdict::Fail;
        let line = serde_json::json!({
            "folder": folder.to_string_lossy(), "frames": frames, "verdict": verdict,
            "pattern_verdict": pattern_verdict, "score": score,
        });
        println!("{line}");
    }
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
