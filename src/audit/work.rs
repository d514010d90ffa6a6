//! The worker's side of the audit: probes the presets it receives.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::judge::Attempts;
use crate::audit::probe::{ProbeOutcome, ProbeReport, ProbeSettings, Prober};
use crate::facts::PresetId;
use crate::jobs::wire::WirePreset;
use crate::jobs::workers;

/// A preset to probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditJob {
    /// ID of the preset.
    pub id: PresetId,
    /// A file that contains the preset.
    pub preset: WirePreset,
    /// Earlier attempts; not sent to the worker.
    #[serde(skip)]
    pub(super) attempts: Attempts,
}

/// Processes jobs until the pool closes the pipe, or until the worker must be replaced. `settings` is a
/// JSON-encoded [`ProbeSettings`].
pub fn work(settings: &str) -> anyhow::Result<()> {
    let settings: ProbeSettings = serde_json::from_str(settings).context("reading the settings")?;
    let mut prober = Prober::new(settings)?;
    workers::serve(|job: AuditJob| {
        let probed = catch_unwind(AssertUnwindSafe(|| prober.probe(&job.preset, job.id)));
        match probed {
            Ok(report) if prober.lost() => ControlFlow::Break(report),
            Ok(report) => ControlFlow::Continue(report),
            // The engine may be inconsistent after a panic: continue in a new process.
            Err(_) => {
                let panicked = || ProbeOutcome::Failed("the engine panicked".into());
                let outcome = prober.device_failure().unwrap_or_else(panicked);
                ControlFlow::Break(ProbeReport::without_evidence(outcome))
            }
        }
    })?;
    Ok(())
}
