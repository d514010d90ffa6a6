//! Writes `preset-audit.json` while an audit runs, so that it can be read and summarised before the audit
//! ends.

use std::path::Path;
use std::time::{Duration, Instant};

use super::reference::{Extent, write_audit};
use super::{AuditPlan, Ledger};

/// Minimum time between two checkpoints.
const EVERY: Duration = Duration::from_secs(5);
/// Minimum time between two checkpoints, as a multiple of the time that it took to write the last one, so
/// that the audit of a large library does not spend most of its time writing checkpoints.
const REST: u32 = 25;

/// Writes checkpoints, and determines when the next one is due.
pub(super) struct Checkpoint<'a> {
    out: &'a Path,
    last: Instant,
    wait: Duration,
}

impl<'a> Checkpoint<'a> {
    /// Starts the schedule of an audit that writes to the folder `out`; the first checkpoint is due after
    /// [`EVERY`].
    pub fn new(out: &'a Path) -> Self {
        Self { out, last: Instant::now(), wait: EVERY }
    }

    /// Writes the verdicts so far if a checkpoint is due. A failure is only logged, because the verdicts are
    /// also in the store.
    pub fn write_if_due(&mut self, plan: &AuditPlan, ledger: &Ledger) {
        if self.last.elapsed() < self.wait {
            return;
        }
        let started = Instant::now();
        if let Err(error) = write_audit(self.out, plan, ledger, Extent::Judged) {
            log::warn!("cannot update the verdicts in {}: {error:#}", self.out.display());
        }
        self.last = Instant::now();
        self.wait = EVERY.max(started.elapsed() * REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::verdict::{Record, Safety};
    use crate::store::Store;

    #[test]
    fn only_judged_files_are_listed_while_the_audit_runs() {
        let (library, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for name in ["a", "b"] {
            std::fs::write(library.path().join(format!("{name}.milk")), format!("zoom={name}"))
                .expect("written");
        }
        let store = Store::in_memory().expect("opens");
        let plan = AuditPlan::scan(&store, &[library.path().to_owned()]).expect("scanned");
        let ledger = Ledger::new(store, "recipe".into());
        let id = plan.each_file().next().expect("a file").id;
        ledger.put(id, &Record::without_evidence(Safety::Hang, "20 s".into())).expect("kept");
        let mut checkpoint = Checkpoint::new(out.path());
        let path = out.path().join("preset-audit.json");
        checkpoint.write_if_due(&plan, &ledger);
        assert!(!path.exists(), "not due yet");
        checkpoint.wait = Duration::ZERO;
        checkpoint.write_if_due(&plan, &ledger);
        let text = std::fs::read_to_string(&path).expect("written");
        let audit: serde_json::Value = serde_json::from_str(&text).expect("complete JSON");
        assert_eq!(audit["entries"].as_array().map(Vec::len), Some(1));
        assert_eq!(
            (&audit["entries"][0]["quality"]["ok"], &audit["meta"]["finished"]),
            (&false.into(), &false.into())
        );
        checkpoint.write_if_due(&plan, &ledger);
        assert!(checkpoint.wait >= EVERY);
    }
}
