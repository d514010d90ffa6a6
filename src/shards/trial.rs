//! Measures the cost of a preset on this computer by baking a small sample.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::audit::probe::ProbeSettings;
use crate::audit::{self, AuditSettings};
use crate::embed::{ModelHost, embed, open_embedder};
use crate::frames::{self, BakeItem, CaptureSettings, FramesSettings};
use crate::jobs::now;
use crate::jobs::workers::WorkerCount;
use crate::store::Store;

/// Maximum number of presets in a trial.
const PRESETS: usize = 16;

/// Cost per preset, in seconds with one worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PresetCost {
    /// Seconds per preset for the audit.
    pub audit: f64,
    /// Seconds per preset for the frames stage.
    pub frames: f64,
    /// Seconds per preset for the embedding. For an embedder that is fitted on the library, this includes fitting it on
    /// the sample, which exaggerates the cost for a large library.
    pub embed: f64,
}

/// Audits, renders and embeds a sample of the presets `items` in `library` with one worker, in a temporary folder, and
/// returns the cost per preset. `models` is the folder of the vision models.
pub fn measure(
    library: &Path,
    items: &[BakeItem],
    textures: &[PathBuf],
    embedder: &str,
    models: Option<&Path>,
) -> anyhow::Result<PresetCost> {
    let folder = tempfile::tempdir()?;
    let step = (items.len() / PRESETS).max(1);
    let mut sample: Vec<_> = items.iter().step_by(step).take(PRESETS).cloned().collect();
    let probe = ProbeSettings { textures: textures.to_vec(), ..ProbeSettings::default() };
    let settings = AuditSettings {
        libraries: vec![library.to_owned()],
        out: folder.path().join("audit"),
        workers: WorkerCount::Fixed(1),
        limit: None,
        budget: None,
        retry_failed: false,
        gates: audit::GateLimits::default(),
        preset_cpu: Duration::from_secs(20),
        only: Some(sample.iter().map(|item| item.below.clone()).collect()),
        shard: None,
        stop: Arc::default(),
        pause_for: None,
        probe,
        continuation: None,
    };
    let store = Store::open(&folder.path().join("store"), now())?.store;
    let report = audit::audit(&settings, store, |_| ())?;
    anyhow::ensure!(report.judged > 0, "none of {} sampled presets could be audited", sample.len());
    let rendering = FramesSettings {
        capture: CaptureSettings { textures: textures.to_vec(), ..CaptureSettings::default() },
        workers: WorkerCount::Fixed(1),
        timeout: Duration::from_secs(40),
        retries: 0,
        deadline: None,
        pause_for: None,
        stop: Arc::default(),
    };
    let pack = folder.path().join("frames");
    let started = Instant::now();
    frames::render(&sample, &pack, &rendering, &mut |_| true)?;
    let rendered = started.elapsed();
    frames::attach_frames(&mut sample, &pack);
    let started = Instant::now();
    let seed = rendering.capture.seed;
    let mut opened =
        open_embedder(embedder, models, &sample, &pack, seed, ModelHost::Worker(1), &mut |_| ())?;
    embed(&sample, opened.as_mut(), &pack, &mut |_| true)?;
    let per_preset = |taken: Duration| taken.as_secs_f64() / sample.len() as f64;
    Ok(PresetCost {
        audit: report.seconds / report.judged as f64,
        frames: per_preset(rendered),
        embed: per_preset(started.elapsed()),
    })
}
