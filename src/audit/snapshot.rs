//! Writes a summary and a blacklist of an audit, during or after its run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::reference::{Tally, save};
use super::{AuditPlan, Ledger, read_run};
use crate::jobs::{iso, now};
use crate::store::Store;

/// Which presets the blacklist lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blacklist {
    /// Presets that are not ok.
    #[default]
    Quality,
    /// Presets that cannot be played.
    Crash,
    /// No presets.
    None,
}

/// How presets without a verdict are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingQuality {
    /// Presets without a verdict are counted but not listed.
    #[default]
    Drop,
    /// Presets without a verdict are listed in the blacklist.
    Unsafe,
    /// Presets without a verdict count as ok.
    Safe,
}

/// Settings of a snapshot.
#[derive(Clone, Debug)]
pub struct SnapshotSettings {
    /// Folder of the audit.
    pub out: PathBuf,
    /// Which presets the blacklist lists.
    pub blacklist: Blacklist,
    /// How presets without a verdict are treated.
    pub missing: MissingQuality,
    /// Number of entries in each list of the most frequent reasons, tags, categories and warnings.
    pub top: usize,
    /// Whether to write the reasons for listing each preset in the blacklist.
    pub reasons_by_path: bool,
}

/// Writes `preset-audit.summary.json` and `preset-audit.blacklist.json`; returns the summary.
pub fn snapshot(settings: &SnapshotSettings, store: Store) -> anyhow::Result<Value> {
    let run = read_run(&settings.out)?;
    let plan = AuditPlan::last(&store, run.libraries.into_iter().map(|root| root.0))?;
    let ledger = Ledger::new(store, run.recipe).within(run.gates);
    let gates = ledger.gates(&plan)?;
    let mut records = BTreeMap::new();
    let mut since = 0;
    ledger.each(&plan, |id, record, row| {
        since += usize::from(row.at >= run.started_at);
        records.insert(id, record.without_params());
    })?;
    let mut tally = Tally::default();
    let mut listed: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let (mut missing, mut safe) = (0, 0);
    for file in plan.each_file() {
        let record = records.get(&file.id);
        tally.add(&plan, file, record, &gates);
        let relative = || plan.relative(file);
        let Some(record) = record else {
            missing += 1;
            match settings.missing {
                MissingQuality::Drop => {}
                MissingQuality::Safe => safe += 1,
                MissingQuality::Unsafe if settings.blacklist != Blacklist::None => {
                    listed.insert(relative(), vec!["probe-unavailable"]);
                }
                MissingQuality::Unsafe => {}
            }
            continue;
        };
        let hard = record.safety.reference_reason().is_some();
        let reasons = record.reference_reasons(&gates);
        let lists = match settings.blacklist {
            Blacklist::Quality => !reasons.is_empty(),
            Blacklist::Crash => hard,
            Blacklist::None => false,
        };
        if lists {
            listed.insert(relative(), reasons);
        }
    }
    let root = plan.libraries.first().map(|library| library.root.to_string_lossy().into_owned());
    let elapsed = (now() - run.started_at).max(1);
    let top = |counts: &BTreeMap<String, usize>| -> Vec<Value> {
        let mut counts: Vec<_> = counts.iter().collect();
        counts.sort_by_key(|&(key, count)| (std::cmp::Reverse(*count), key));
        counts.iter().take(settings.top).map(|(key, count)| json!({"key": key, "count": count})).collect()
    };
    let summary = json!({
        "version": "v0",
        "generatedAt": iso(now()),
        "sourceRoot": root,
        "input": settings.out.to_string_lossy(),
        "totals": {
            "scanned": tally.scanned, "withQuality": tally.probed, "ok": tally.ok + safe,
            "bad": tally.bad, "missing": missing,
        },
        "top": {
            "reasons": top(&tally.reasons), "tags": top(&tally.tags),
            "categories": top(&tally.categories), "warnings": top(&tally.warnings),
        },
        "verdicts": {"safety": tally.safety, "look": tally.look, "flash": tally.flash},
        "meta": {
            "startedAt": iso(run.started_at), "elapsedSec": elapsed, "verdictsSinceStart": since,
            "scannedPerSec": since as f64 / elapsed as f64,
        },
    });
    save(&settings.out.join("preset-audit.summary.json"), &summary)?;
    let mut blacklist = json!({
        "version": "v0",
        "generatedAt": iso(now()),
        "sourceRoot": root,
        "badSourceRelPaths": listed.keys().collect::<Vec<_>>(),
        "meta": {"scanned": tally.scanned, "blacklisted": listed.len()},
    });
    if settings.reasons_by_path {
        blacklist["badReasonsByRelPath"] = json!(listed);
    }
    save(&settings.out.join("preset-audit.blacklist.json"), &blacklist)?;
    Ok(summary)
}
