//! The worker's side of the audit: probes the presets it receives.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::judge::Attempts;
use crate::audit::probe::{ProbeEvidence, ProbeOutcome, ProbeReport, ProbeSettings, Prober};
use crate::facts::PresetId;
use crate::jobs::wire::WirePreset;
use crate::jobs::workers::{self, Outcome};
use crate::show::Solo;

/// A preset to probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditJob {
    /// ID of the preset.
    pub id: PresetId,
    /// A file that contains the preset.
    pub preset: WirePreset,
    /// Name under which its run is continued if it passes; `None` if its run ends with the probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continue_as: Option<String>,
    /// Earlier attempts; not sent to the worker.
    #[serde(skip)]
    pub(super) attempts: Attempts,
}

impl AuditJob {
    /// Returns whether this attempt does not count, because it may have failed after the probe. If so, clears
    /// [`Self::continue_as`]: the job must be repeated, and its run ends with the probe.
    pub(super) fn failed_in_continuation(&mut self, outcome: &Outcome<ProbeReport>) -> bool {
        let failed =
            matches!(outcome, Outcome::Hang(_) | Outcome::Stuck(_) | Outcome::Memory(_) | Outcome::Died(_));
        self.continue_as.take_if(|_| failed).is_some()
    }
}

/// Processes jobs until the pool closes the pipe, or until the worker must be replaced. `settings` is a
/// JSON-encoded [`ProbeSettings`].
pub fn work(settings: &str) -> anyhow::Result<()> {
    let settings: ProbeSettings = serde_json::from_str(settings).context("reading the settings")?;
    serve(Prober::new(settings)?, |_, _, _| true)
}

/// Processes jobs as [`work`] does. `proceed` is called with the job, the run and the evidence of each preset that was
/// drawn, and returns whether the worker can take another job.
pub fn serve(
    mut prober: Prober,
    mut proceed: impl FnMut(&AuditJob, &mut Solo, &ProbeEvidence) -> bool,
) -> anyhow::Result<()> {
    workers::serve(|job: AuditJob| {
        let mut usable = true;
        let probed = catch_unwind(AssertUnwindSafe(|| {
            prober.probe_then(&job.preset, job.id, |solo, evidence| usable = proceed(&job, solo, evidence))
        }));
        match probed {
            Ok(report) if !usable || prober.lost() => ControlFlow::Break(report),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_continuation_is_never_blamed_on_the_preset() {
        let job = |name: Option<&str>| AuditJob {
            id: PresetId::of(b"a"),
            preset: WirePreset::of_bytes("a.milk".into(), b"a"),
            continue_as: name.map(str::to_owned),
            attempts: Attempts::default(),
        };
        for outcome in [Outcome::Hang("20 s".into()), Outcome::Memory("960 MiB".into())] {
            let mut continued = job(Some("a.milk"));
            assert!(continued.failed_in_continuation(&outcome));
            assert_eq!(continued, job(None));
            assert!(!continued.failed_in_continuation(&outcome), "now the probe has failed");
        }
        let mut continued = job(Some("a.milk"));
        assert!(!continued.failed_in_continuation(&Outcome::Skipped("no device".into())));
        assert_eq!(continued, job(Some("a.milk")), "no process was ready for it");
    }
}
