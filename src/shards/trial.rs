//! Measures the cost of a preset on this computer by baking a small sample.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::audit::probe::ProbeSettings;
use crate::audit::{self, AuditSettings};
use crate::frames::{self, CaptureSettings, FramesSettings};
use crate::jobs::now;
use crate::store::Store;

/// Maximum number of presets in a trial.
const PRESETS: usize = 16;

/// Cost per preset, in seconds with one worker, and the size of the library.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PresetCost {
    /// Seconds per preset for the audit.
    pub audit: f64,
    /// Seconds per preset for the frames stage.
    pub frames: f64,
    /// Number of presets in the library.
    pub presets: usize,
}

/// Audits and renders a sample of a library with one worker, in a temporary folder, and returns the cost per
/// preset.
pub fn measure(library: &Path, textures: &[PathBuf]) -> anyhow::Result<PresetCost> {
    let folder = tempfile::tempdir()?;
    let items = frames::items_in(library, None)?;
    let step = (items.len() / PRESETS).max(1);
    let sample: Vec<_> = items.iter().step_by(step).take(PRESETS).cloned().collect();
    let probe = ProbeSettings { textures: textures.to_vec(), ..ProbeSettings::default() };
    let settings = AuditSettings {
        libraries: vec![library.to_owned()],
        out: folder.path().join("audit"),
        workers: 1,
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
    };
    let store = Store::open(&folder.path().join("store"), now())?.store;
    let report = audit::audit(&settings, store, |_| ())?;
    anyhow::ensure!(report.judged > 0, "none of {} sampled presets could be audited", sample.len());
    let rendering = FramesSettings {
        capture: CaptureSettings { textures: textures.to_vec(), ..CaptureSettings::default() },
        workers: 1,
        timeout: Duration::from_secs(40),
        retries: 0,
        deadline: None,
        pause_for: None,
        stop: Arc::default(),
    };
    let started = Instant::now();
    frames::render(&sample, &folder.path().join("frames"), &rendering, &mut |_| true)?;
    Ok(PresetCost {
        audit: report.seconds / report.judged as f64,
        frames: started.elapsed().as_secs_f64() / sample.len() as f64,
        presets: items.len(),
    })
}
