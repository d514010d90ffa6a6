//! Writes the audit in the format of aivj's browser-based predecessor: `preset-audit.json`,
//! `audit-summary.json` and `quality-blacklist.json`.
//!
//! Reasons use the predecessor's terms (`too-dark`, `probe-timeout`...); additional results are under
//! `verdict`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::entry::{AuditEntry, category, tags};
use super::{AuditPlan, Ledger, PlannedFile};
use crate::audit::verdict::{Gates, Record};
use crate::disk;
use crate::jobs::{iso, now};

/// Reason given for a missing image, for which the predecessor's format has no term.
const MISSING_TEXTURE: &str = "missing-texture";

/// Name of the file with the verdicts of an audit.
pub(super) const AUDIT_FILE: &str = "preset-audit.json";

/// Writes the three files to `out`, each atomically.
pub fn write_reference_files(out: &Path, plan: &AuditPlan, ledger: &Ledger) -> anyhow::Result<()> {
    let tally = write_audit(out, plan, ledger, Extent::Whole)?;
    let root = text(plan);
    let root: Value = serde_json::from_str(&root)?;
    let summary = json!({
        "version": "v0",
        "generatedAt": iso(now()),
        "sourceRoot": root,
        "totals": {
            "scanned": tally.scanned, "probed": tally.probed, "ok": tally.ok, "bad": tally.bad,
            "different": plan.presets(), "deleted": tally.deleted,
        },
        "tags": tally.tags,
        "categories": tally.categories,
        "reasons": tally.reasons,
        "verdicts": {"safety": tally.safety, "look": tally.look, "flash": tally.flash},
    });
    save(&out.join("audit-summary.json"), &summary)?;
    let blacklist = json!({
        "version": "v0",
        "generatedAt": iso(now()),
        "sourceRoot": root,
        "badSourceRelPaths": tally.bad_paths.keys().collect::<Vec<_>>(),
        "badReasonsByRelPath": tally.bad_paths,
    });
    save(&out.join("quality-blacklist.json"), &blacklist)
}

/// Which preset files `preset-audit.json` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Only files with a verdict; used while the audit runs.
    Judged,
    /// All files, including deleted ones.
    Whole,
}

/// Writes `preset-audit.json` to `out`, atomically; returns the counts for summaries.
pub(super) fn write_audit(
    out: &Path,
    plan: &AuditPlan,
    ledger: &Ledger,
    extent: Extent,
) -> anyhow::Result<Tally> {
    let gates = ledger.gates(plan)?;
    let mut tally = Tally::default();
    disk::replace(&out.join(AUDIT_FILE), |file| {
        let head = json!({
            "gates": gates,
            "recipe": ledger.recipe(),
            "libraries": plan.libraries.iter().map(|l| l.root.to_string_lossy()).collect::<Vec<_>>(),
            "finished": extent == Extent::Whole,
        });
        write!(file, "{{\n  \"version\": \"v0\",\n  \"generatedAt\": \"{}\",\n", iso(now()))?;
        write!(
            file,
            "  \"sourceRoot\": {},\n  \"meta\": {},\n  \"entries\": [",
            text(plan),
            indented(&head)?
        )?;
        let mut first = true;
        for planned in plan.each_file() {
            let dated = ledger.dated(planned.id).map_err(std::io::Error::other)?;
            if dated.is_none() && extent == Extent::Judged {
                continue;
            }
            let entry = AuditEntry::of(plan, planned, dated.as_ref(), &gates);
            tally.add(plan, planned, dated.as_ref().map(|(record, _)| record), &gates);
            let comma = if std::mem::take(&mut first) { "" } else { "," };
            write!(file, "{comma}\n    {}", indented(&entry)?)?;
        }
        for library in plan.libraries.iter().filter(|_| extent == Extent::Whole) {
            for path in &library.deleted {
                let comma = if std::mem::take(&mut first) { "" } else { "," };
                let entry = DeletedEntry {
                    rel_path: format!("{}{path}", library.prefix),
                    deleted: true,
                    quality: None,
                };
                write!(file, "{comma}\n    {}", indented(&entry)?)?;
                tally.deleted += 1;
            }
        }
        file.write_all(b"\n  ]\n}\n")
    })?;
    Ok(tally)
}

/// The entry of a file that no longer exists.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletedEntry {
    rel_path: String,
    deleted: bool,
    quality: Option<()>,
}

/// Writes a JSON file atomically.
pub(super) fn save(path: &Path, value: &Value) -> anyhow::Result<()> {
    Ok(disk::replace(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        file.write_all(b"\n")
    })?)
}

/// Counts of preset files by verdict, reason, tag, category and warning, for summaries.
#[derive(Default)]
pub(super) struct Tally {
    pub scanned: usize,
    pub probed: usize,
    pub ok: usize,
    pub bad: usize,
    pub deleted: usize,
    pub tags: BTreeMap<String, usize>,
    pub categories: BTreeMap<String, usize>,
    pub reasons: BTreeMap<String, usize>,
    pub warnings: BTreeMap<String, usize>,
    pub safety: BTreeMap<&'static str, usize>,
    pub look: BTreeMap<&'static str, usize>,
    pub flash: BTreeMap<&'static str, usize>,
    pub bad_paths: BTreeMap<String, Vec<&'static str>>,
}

impl Tally {
    pub fn add(&mut self, plan: &AuditPlan, file: &PlannedFile, record: Option<&Record>, gates: &Gates) {
        self.scanned += 1;
        let Some(record) = record else { return };
        self.probed += 1;
        for tag in tags(file, record, gates) {
            *self.tags.entry(tag).or_default() += 1;
        }
        *self.categories.entry(category(file)).or_default() += 1;
        *self.safety.entry(record.safety.label()).or_default() += 1;
        *self.look.entry(record.look_verdict(gates).label()).or_default() += 1;
        *self.flash.entry(record.flash_label()).or_default() += 1;
        for warning in &record.evidence.text.warnings {
            *self.warnings.entry(warning.clone()).or_default() += 1;
        }
        let reasons = record.reference_reasons(gates);
        if reasons.is_empty() {
            self.ok += 1;
        } else {
            self.bad += 1;
            self.bad_paths.insert(plan.relative(file), reasons.clone());
        }
        let missing = (!record.evidence.missing.is_empty()).then_some(MISSING_TEXTURE);
        for reason in reasons.into_iter().chain(missing) {
            *self.reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }
}

fn text(plan: &AuditPlan) -> String {
    let root = plan.libraries.first().map(|library| library.root.to_string_lossy().replace('\\', "/"));
    Value::from(root.unwrap_or_default()).to_string()
}

/// Returns pretty-printed JSON, whose lines after the first are indented by four more spaces.
fn indented(value: &impl Serialize) -> std::io::Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
    Ok(text.replace('\n', "\n    "))
}
