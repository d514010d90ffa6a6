//! Imports verdicts from other computers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::gates::GateLimits;
use super::plan::AuditPlan;
use super::run::AuditRun;
use super::{Ledger, write_reports};
use crate::disk::WirePath;
use crate::jobs::now;
use crate::store::Store;
use crate::store::VerdictRow;

/// Scans the libraries, saves `verdicts` in `store`, and writes the reports to `out`, which the caller must have
/// locked. All verdicts must have been given with `recipe`. A verdict is skipped if the store has one on the same
/// preset, with the same recipe, that is at least as recent. Returns the number of presets in the libraries that
/// have a verdict.
pub fn import(
    out: &Path,
    libraries: &[PathBuf],
    recipe: &str,
    store: Store,
    verdicts: &[VerdictRow],
) -> anyhow::Result<usize> {
    let plan = AuditPlan::scan(&store, libraries)?;
    let mut current = HashSet::new();
    for verdict in verdicts {
        let known = store.verdict(verdict.id)?;
        if known.is_some_and(|known| known.recipe == recipe && known.at >= verdict.at) {
            current.insert(verdict.id);
        }
    }
    let newer: Vec<VerdictRow> =
        verdicts.iter().filter(|verdict| !current.contains(&verdict.id)).cloned().collect();
    store.put_verdicts(&newer)?;
    let ledger = Ledger::new(store, recipe.to_owned());
    let run = AuditRun {
        version: "v0".into(),
        libraries: plan.libraries.iter().map(|library| WirePath(library.root.clone())).collect(),
        recipe: recipe.to_owned(),
        gates: GateLimits::default(),
        started_at: now(),
        judged: newer.len(),
    };
    write_reports(out, &run, &plan, &ledger)?;
    Ok(ledger.known()?.iter().filter(|(id, _)| plan.has(*id)).count())
}
