//! Events and result of an audit.

use serde::Serialize;

use super::verdict::{Gates, LookVerdict, Safety};
use crate::facts::PresetId;

/// An event of a running audit.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// The libraries were scanned.
    Scanned {
        /// Number of usable files.
        files: usize,
        /// Number of distinct presets in the libraries or, if the audit is sharded, in its shard.
        presets: usize,
        /// Number of presets that already have a verdict and are not to be retried.
        known: usize,
        /// Number of presets to audit now.
        #[serde(rename = "todo")]
        pending: usize,
        /// Number of files from earlier scans that no longer exist.
        deleted: usize,
        /// Number of unusable files and folders.
        #[serde(rename = "left_out")]
        unusable: usize,
    },
    /// The verdicts of a finished audit by another program were imported.
    #[serde(rename = "taken_over")]
    Imported {
        /// Number of presets whose verdicts were imported.
        verdicts: usize,
        /// Number of presets to audit because the other program crashed on them, gave up on them or never
        /// probed them.
        again: usize,
        /// Number of entries that are unreadable or whose files are not in the libraries.
        unknown: usize,
    },
    /// A preset was given a verdict.
    Judged {
        /// ID of the preset.
        id: PresetId,
        /// Report path of the preset.
        path: String,
        /// Whether the preset can be played.
        safety: Safety,
        /// Preliminary verdict on the preset's look; the thresholds of the library are not known yet.
        look: LookVerdict,
        /// Problems with the preset; empty if there are none.
        reasons: Vec<String>,
    },
    /// An attempt ended without a verdict: it failed for reasons outside the preset, or a dead worker, a panic
    /// or a lost device must be confirmed in a new worker.
    Trouble {
        /// Report path of the preset.
        path: String,
        /// Why the attempt ended without a verdict.
        why: String,
        /// Whether the preset is deferred to the next run.
        #[serde(rename = "given_up")]
        deferred: bool,
    },
}

/// Result of an audit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AuditReport {
    /// Number of distinct presets in the libraries or, if the audit is sharded, in its shard.
    pub presets: usize,
    /// Number of presets that already had a verdict and were not to be retried.
    pub known: usize,
    /// Number of verdicts given in this run.
    pub judged: usize,
    /// Report paths of presets deferred to the next run, each with the cause.
    pub troubles: Vec<(String, String)>,
    /// Why the run stopped early; `None` if it did not.
    pub stopped: Option<String>,
    /// Time spent probing, in seconds; excludes scanning and writing the reports.
    pub seconds: f64,
    /// Thresholds for an acceptable look; `None` if the reports could not be written.
    pub gates: Option<Gates>,
}
