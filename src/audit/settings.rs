//! Settings of an audit, and the default limits of a preset.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::gates::GateLimits;
use super::probe::ProbeSettings;
use crate::jobs::shard::Shard;
use crate::jobs::workers::Limits;

/// Resource limits of one preset, far above any preset that could be played live.
pub(super) const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(20),
    wall: Duration::from_secs(180),
    memory_mib: 960,
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
    pub workers: usize,
    /// Maximum number of presets to audit in this run.
    pub limit: Option<usize>,
    /// Time after which no new preset is started.
    pub budget: Option<Duration>,
    /// Whether to audit presets again that were not ok or lacked an image.
    pub retry_failed: bool,
    /// Thresholds set by the user.
    pub gates: GateLimits,
    /// CPU time limit per preset.
    pub preset_cpu: Duration,
    /// If set, only the presets with these report paths.
    pub only: Option<BTreeSet<String>>,
    /// If set, only the presets of this shard.
    pub shard: Option<Shard>,
    /// Set to cancel; running presets are finished later.
    pub stop: Arc<AtomicBool>,
    /// Lock of a playing show to pause for.
    pub pause_for: Option<PathBuf>,
    /// Settings of each probe.
    pub probe: ProbeSettings,
}
