//! Settings of a bake, and the names of the folders within its folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::audit::GateLimits;
use crate::frames::CaptureSettings;
use crate::jobs::workers::WorkerCount;

/// Folder of the audit's reports, within the pack's folder.
pub(super) const AUDIT_FOLDER: &str = "audit";
/// Folder of the smoke test, within the pack's folder. It is removed when a new bake starts and, unless only the
/// smoke test was requested, when the test has passed. The pack mirrors the folders of the library, so this name
/// must not clash with one of them.
pub(super) const SMOKE: &str = "aivj-smoke";

/// Settings of a bake.
#[derive(Clone, Debug)]
pub struct BakeSettings {
    /// Preset folder.
    pub library: PathBuf,
    /// Name of the pack.
    pub pack: String,
    /// Folder for all results.
    pub folder: PathBuf,
    /// Time budget of the bake.
    pub time: Duration,
    /// Maximum number of presets to bake; `None` for all.
    pub limit: Option<usize>,
    /// Maximum number of presets in the pack, selected for diversity; `None` for all that pass the audit.
    pub pack_size: Option<usize>,
    /// Thresholds of an acceptable look set by the user.
    pub gates: GateLimits,
    /// Number of clusters; `None` to keep the number of the previous bake, or to derive it from the size of the
    /// library.
    pub clusters: Option<usize>,
    /// Folder of a finished audit by aivj's browser-based predecessor, whose verdicts are imported, if any.
    pub audit: Option<PathBuf>,
    /// Embedder: `builtin`, the name or folder of a vision model, `auto`, or `existing` for the embeddings in the
    /// folder; `None` for existing ones of another program if they cover all accepted presets, otherwise `builtin`.
    pub embedder: Option<String>,
    /// Folder of the installed models.
    pub models: Option<PathBuf>,
    /// Whether to tune the embeddings before clustering.
    pub tune: bool,
    /// Whether to run only the smoke test: every stage on a few presets.
    pub smoke_only: bool,
    /// Settings of the frames, with their textures, audio and seed.
    pub capture: CaptureSettings,
    /// Number of worker processes and threads.
    pub workers: WorkerCount,
    /// Random seed.
    pub seed: u64,
    /// Path of the lock file that a playing show holds; while it is held, the bake slows down. `None` to
    /// ignore shows.
    pub pause_for: Option<PathBuf>,
    /// Set to cancel; finished work is kept.
    pub stop: Arc<AtomicBool>,
}

impl Default for BakeSettings {
    fn default() -> Self {
        Self {
            library: PathBuf::new(),
            pack: "library".into(),
            folder: PathBuf::new(),
            time: Duration::from_secs(8 * 3600),
            limit: None,
            pack_size: None,
            gates: GateLimits::default(),
            clusters: None,
            audit: None,
            embedder: None,
            models: None,
            tune: false,
            smoke_only: false,
            capture: CaptureSettings::default(),
            workers: WorkerCount::Fixed(1),
            seed: 1,
            pause_for: None,
            stop: Arc::default(),
        }
    }
}
