//! Settings of an audit, and the default resource limits per preset.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::gates::GateLimits;
use super::probe::ProbeSettings;
use crate::confine::Rights;
use crate::jobs::shard::Shard;
use crate::jobs::workers::{Limits, WorkerCount};

/// Maximum memory of a worker, in MiB.
pub const WORKER_MEMORY_MIB: u64 = 960;
/// Resource limits per preset, far above the needs of any preset that could be played live.
pub(super) const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(20),
    wall: Duration::from_secs(180),
    memory_mib: WORKER_MEMORY_MIB,
    recycle_mib: 420,
};

/// Settings of an audit.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// Preset folders.
    pub libraries: Vec<PathBuf>,
    /// Audit output folder.
    pub out: PathBuf,
    /// Number of worker processes.
    pub workers: WorkerCount,
    /// Maximum number of presets to audit in this run; `None` for all.
    pub limit: Option<usize>,
    /// Time after which no further preset is started; `None` for no limit.
    pub budget: Option<Duration>,
    /// Whether to re-audit presets that are not ok or not complete.
    pub retry_failed: bool,
    /// Thresholds set by the user.
    pub gates: GateLimits,
    /// CPU time limit per preset.
    pub preset_cpu: Duration,
    /// If set, the report paths of the presets to audit; others are skipped.
    pub only: Option<BTreeSet<String>>,
    /// If set, the shard whose presets are audited; others are skipped.
    pub shard: Option<Shard>,
    /// Set to true to stop the audit; presets being probed are left for a later run.
    pub stop: Arc<AtomicBool>,
    /// Path of the lock of a playing show. While the lock is held, only one worker runs, with pauses; `None` to
    /// ignore shows.
    pub pause_for: Option<PathBuf>,
    /// Settings of each probe.
    pub probe: ProbeSettings,
    /// What the workers do with the presets that pass, besides probing them; `None` for nothing.
    pub continuation: Option<Continuation>,
}

/// How the workers continue the runs of presets that pass. Verdicts do not depend on this.
#[derive(Clone, Debug)]
pub struct Continuation {
    /// Command-line arguments of the workers, which serve jobs with [`serve`](super::serve).
    pub arguments: Vec<String>,
    /// Files and folders that the workers may access, besides those of every audit.
    pub rights: Rights,
    /// Report paths of the presets to continue, each with the name that the worker gets. Of several files with the same
    /// content, the first counts.
    pub names: Vec<(String, String)>,
}
