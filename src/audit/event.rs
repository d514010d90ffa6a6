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
        /// Number of distinct presets.
        presets: usize,
        /// Presets that already have a verdict.
        known: usize,
        /// Presets to audit now.
        todo: usize,
        /// Files of the last scan that no longer exist.
        deleted: usize,
        /// Number of unusable files.
        #[serde(rename = "left_out")]
        unusable: usize,
    },
    /// The verdicts of a finished audit of another program were imported.
    TakenOver {
        /// Presets whose verdict was imported.
        verdicts: usize,
        /// Presets to audit because the other program crashed or gave up on them.
        again: usize,
        /// Entries whose files are not in the libraries.
        unknown: usize,
    },
    /// A preset has a verdict.
    Judged {
        /// Id of the preset.
        id: PresetId,
        /// Path of its file.
        path: String,
        /// Whether it can be played.
        safety: Safety,
        /// Preliminary verdict on its look.
        look: LookVerdict,
        /// Reasons why it is not ok.
        reasons: Vec<String>,
    },
    /// An attempt gave no verdict: it failed for reasons outside the preset, or a dead worker must be confirmed.
    Trouble {
        /// Path of the preset.
        path: String,
        /// Why the attempt gave no verdict.
        why: String,
        /// Whether the preset is deferred to the next run.
        given_up: bool,
    },
}

/// Result of an audit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AuditReport {
    /// Number of distinct presets in the libraries.
    pub presets: usize,
    /// Presets that already had a verdict.
    pub known: usize,
    /// Number of verdicts given in this run.
    pub judged: usize,
    /// Paths of presets without a verdict, with the cause.
    pub troubles: Vec<(String, String)>,
    /// Why the run stopped early.
    pub stopped: Option<String>,
    /// Duration of the audit, in seconds.
    pub seconds: f64,
    /// Thresholds of looks in the library.
    pub gates: Option<Gates>,
}
