//! Description of an audit, saved in its folder so that reports and snapshots need no other arguments.

use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::gates::GateLimits;
use crate::disk::{self, WirePath};

/// File name of the description.
pub(super) const RUN_FILE: &str = "audit-run.json";

/// Scope and settings of an audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditRun {
    /// Version of the file format.
    pub version: String,
    /// Folders of the libraries, as recorded in the store.
    pub libraries: Vec<WirePath>,
    /// Fingerprint of everything that affects a verdict.
    pub recipe: String,
    /// Thresholds set by the user.
    #[serde(default)]
    pub gates: GateLimits,
    /// Start of the last run, as Unix time in seconds.
    pub started_at: i64,
    /// Number of verdicts given by the last run; 0 until it ends.
    pub judged: usize,
}

/// Reads the description of the audit in this folder.
pub fn read_run(out: &Path) -> anyhow::Result<AuditRun> {
    let path = out.join(RUN_FILE);
    let text = disk::read_text(&path, disk::limit::LIST)
        .with_context(|| format!("no audit in this folder: reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

/// Writes the description to the folder of the audit.
pub(super) fn save_run(out: &Path, run: &AuditRun) -> anyhow::Result<()> {
    Ok(disk::write_json(&out.join(RUN_FILE), run)?)
}
