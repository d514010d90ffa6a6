//! Imports verdicts from other computers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::plan::AuditPlan;
use super::run::AuditRun;
use super::{Ledger, write_reports};
use crate::disk::WirePath;
use crate::jobs::now;
use crate::store::Store;
use crate::store::VerdictRow;

/// Scans the libraries, saves `verdicts` in `store`, and writes the reports to `out`, which the caller must have
/// locked. All verdicts must have been given with the recipe of `audited`, an audit on another computer; its
/// thresholds apply to the libraries. A verdict is skipped if the store has one on the same preset, with the same
/// recipe, that is at least as recent. Returns the number of presets in the libraries that have a verdict.
pub fn import(
    out: &Path,
    libraries: &[PathBuf],
    audited: &AuditRun,
    store: Store,
    verdicts: &[VerdictRow],
) -> anyhow::Result<usize> {
    let AuditRun { recipe, gates, .. } = audited;
    let plan = AuditPlan::scan(&store, libraries)?;
    let mut current = HashSet::new();
    for verdict in verdicts {
        let known = store.verdict(verdict.id)?;
        if known.is_some_and(|known| known.recipe == *recipe && known.at >= verdict.at) {
            current.insert(verdict.id);
        }
    }
    let newer: Vec<VerdictRow> =
        verdicts.iter().filter(|verdict| !current.contains(&verdict.id)).cloned().collect();
    store.put_verdicts(&newer)?;
    let ledger = Ledger::new(store, recipe.clone()).within(*gates);
    let run = AuditRun {
        version: "v0".into(),
        libraries: plan.libraries.iter().map(|library| WirePath(library.root.clone())).collect(),
        recipe: recipe.clone(),
        gates: *gates,
        started_at: now(),
        judged: newer.len(),
    };
    write_reports(out, &run, &plan, &ledger)?;
    Ok(ledger.known()?.iter().filter(|(id, _)| plan.has(*id)).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::probe::{Look, ProbeSettings};
    use crate::audit::verdict::{LookVerdict, Record, Safety};
    use crate::audit::{GateLimits, read_run, recipe};
    use crate::facts::PresetId;

    #[test]
    fn the_thresholds_of_an_imported_audit_apply_to_the_libraries() {
        let (library, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        std::fs::write(library.path().join("a.milk"), "zoom=1").expect("written");
        let id = PresetId::of(b"zoom=1");
        let luma_range = [0.04, 0.04];
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        record.evidence.look =
            Some(Look { luma: 0.04, luma_range, motion: 0.01, motion_peak: 0.01, ..Look::default() });
        let given = Ledger::new(Store::in_memory().expect("opens"), recipe(&ProbeSettings::default()));
        given.put(id, &record).expect("kept");
        let verdicts: Vec<VerdictRow> = given.saved(&[id].into()).expect("read").into_values().collect();
        assert_eq!(verdicts[0].look, LookVerdict::Ok.label());
        let audited = AuditRun {
            version: "v0".into(),
            libraries: Vec::new(),
            recipe: given.recipe().to_owned(),
            gates: GateLimits { min_avg_luma: Some(0.05), ..GateLimits::default() },
            started_at: 1,
            judged: 1,
        };
        let places = tempfile::tempdir().expect("a folder");
        let store = Store::open(places.path(), 0).expect("opens").store;
        let again = store.another().expect("opens").expect("a file");
        let known = import(out.path(), &[library.path().to_owned()], &audited, store, &verdicts);
        assert_eq!(known.expect("imported"), 1);
        assert_eq!(read_run(out.path()).expect("written").gates, audited.gates);
        let verdict = again.verdict(id).expect("read").expect("kept");
        assert_eq!(verdict.look, LookVerdict::TooDark.label());
    }
}
