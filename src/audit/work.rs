//! The child's side of the audit: probe what arrives, one preset after the other.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::judge::Tries;
use crate::audit::probe::{ProbeOutcome, ProbeReport, ProbeSettings, Prober};
use crate::jobs::wire::WirePath;
use crate::jobs::workers;
use crate::library::PresetId;

/// One preset to probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditJob {
    /// Which preset.
    pub id: PresetId,
    /// One of the files that hold it.
    pub path: WirePath,
    /// What became of its earlier tries; not told to the child.
    #[serde(skip)]
    pub(super) tries: Tries,
}

/// Answers jobs until the pool closes the pipe; `settings` is a [`ProbeSettings`] as JSON.
pub fn work(settings: &str) -> anyhow::Result<()> {
    let settings: ProbeSettings = serde_json::from_str(settings).context("reading the settings")?;
    let mut prober = Prober::new(settings)?;
    workers::serve(|job: AuditJob| {
        let probed = catch_unwind(AssertUnwindSafe(|| prober.probe(&job.path.0, job.id)));
        match probed {
            Ok(finding) if prober.lost() => ControlFlow::Break(finding),
            Ok(finding) => ControlFlow::Continue(finding),
            // What the engine left behind is not to be trusted; a fresh process goes on.
            Err(_) => ControlFlow::Break(ProbeReport::without(ProbeOutcome::Failed(
                "the engine failed on it".into(),
            ))),
        }
    })?;
    Ok(())
}
