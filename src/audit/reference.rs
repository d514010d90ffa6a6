//! Writes the audit in the format of aivj's browser-based predecessor: `preset-audit.json`, `audit-summary.json`,
//! `quality-blacklist.json`.
//!
//! Reasons use that program's terms (`too-dark`, `probe-timeout`...); additional results are under `verdict`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::{AuditPlan, Ledger, PlannedFile};
use crate::audit::probe::Counts;
use crate::audit::verdict::{Gates, LookVerdict, Record, Safety};
use crate::disk;
use crate::jobs::{iso, now};
use crate::media::flash::FlashVerdict;

/// Reason for a missing image, for which the format has no term.
const MISSING_TEXTURE: &str = "missing-texture";

/// Writes the three files to `out`, each atomically.
pub fn write_reference_files(out: &Path, plan: &AuditPlan, ledger: &Ledger) -> anyhow::Result<()> {
    let gates = ledger.gates(plan)?;
    let mut tally = Tally::default();
    let path = out.join("preset-audit.json");
    let written = disk::replace(&path, |file| {
        let head = json!({
            "gates": gates,
            "recipe": ledger.recipe(),
            "libraries": plan.libraries.iter().map(|l| l.root.to_string_lossy()).collect::<Vec<_>>(),
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
            let entry = entry(plan, planned, dated.as_ref(), &gates);
            tally.add(plan, planned, dated.as_ref().map(|(record, _)| record), &gates);
            let comma = if std::mem::take(&mut first) { "" } else { "," };
            write!(file, "{comma}\n    {}", indented(&entry)?)?;
        }
        for library in &plan.libraries {
            for path in &library.deleted {
                let comma = if std::mem::take(&mut first) { "" } else { "," };
                let path = format!("{}{path}", library.prefix);
                let entry = json!({"relPath": path, "deleted": true, "quality": null});
                write!(file, "{comma}\n    {}", indented(&entry)?)?;
                tally.deleted += 1;
            }
        }
        file.write_all(b"\n  ]\n}\n")
    });
    written?;
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

/// Writes a JSON file atomically.
pub(super) fn save(path: &Path, value: &Value) -> anyhow::Result<()> {
    Ok(disk::replace(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        file.write_all(b"\n")
    })?)
}

/// Returns why a preset is not ok, in the terms of the format; empty if it is.
pub(super) fn reference_reasons(record: &Record, gates: &Gates) -> Vec<&'static str> {
    let reasons = record.safety.reference_reason().into_iter();
    let look = record.look_verdict(gates).reference_reason();
    reasons.chain(look.filter(|_| record.safety == Safety::Ok)).collect()
}

/// Counts for a report.
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
        let flash = match record.flash_verdict() {
            FlashVerdict::Pass => "pass",
            FlashVerdict::Warn => "warn",
            FlashVerdict::Fail => "fail",
        };
        *self.flash.entry(flash).or_default() += 1;
        for warning in &record.evidence.text.warnings {
            *self.warnings.entry(warning.clone()).or_default() += 1;
        }
        let reasons = reference_reasons(record, gates);
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

/// Returns the entry of one file.
fn entry(plan: &AuditPlan, file: &PlannedFile, dated: Option<&(Record, i64)>, gates: &Gates) -> Value {
    let relative = plan.relative(file);
    let size = std::fs::metadata(plan.path(file)).map_or(0, |facts| facts.len());
    let pack = relative.split_once('/').map_or("", |(folder, _)| folder);
    let Some((record, at)) = dated else {
        return json!({
            "relPath": relative, "fileName": name(file), "pack": pack, "fileSize": size, "id": file.id,
            "quality": null,
        });
    };
    let text = &record.evidence.text;
    let Counts { per_frame, per_pixel, shape, wave_line, .. } = text.counts;
    json!({
        "relPath": relative,
        "fileName": name(file),
        "pack": pack,
        "fileSize": size,
        "id": file.id,
        "decodedAs": text.decoded_as,
        "warnings": text.warnings,
        "fixes": text.fixes,
        "lineCount": text.line_count,
        "counts": {"perFrame": per_frame, "perPixel": per_pixel, "shape": shape, "waveLine": wave_line},
        "params": text.params,
        "tags": tags(file, record, gates),
        "primaryCategory": category(file),
        "quality": quality(record, gates),
        "probedAt": iso(*at),
        "repairWritten": false,
        "verdict": verdict(record, gates),
    })
}

fn quality(record: &Record, gates: &Gates) -> Value {
    let reasons = reference_reasons(record, gates);
    let drawn = record.evidence.look.is_some();
    let mut quality = json!({
        "ok": reasons.is_empty(),
        "reasons": reasons,
        "avgLuma": record.evidence.look.as_ref().map(|look| look.luma),
        "avgFrameDelta": record.evidence.look.as_ref().map(|look| look.motion),
        "avgRenderMs": drawn.then_some(record.evidence.cost.cpu_ms + record.evidence.cost.gpu_ms),
        "p95RenderMs": drawn.then_some(record.evidence.cost.slowest_ms),
        "renderOk": drawn,
        "aborted": matches!(record.safety, Safety::Abort | Safety::Memory),
    });
    if !record.why.is_empty() {
        quality["errorText"] = json!(record.why);
    }
    quality
}

fn verdict(record: &Record, gates: &Gates) -> Value {
    json!({
        "safety": record.safety,
        "completeness": {"missingTextures": record.evidence.missing, "brokenParts": record.evidence.broken},
        "look": record.look_verdict(gates),
        "metrics": record.evidence.look,
        "likeness": record.evidence.perceptual_hash,
        "flash": {"verdict": record.flash_verdict(), "score": record.evidence.flash},
        "cost": record.evidence.cost,
        "reasons": record.reasons(gates),
    })
}

fn name(file: &PlannedFile) -> String {
    file.below.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the tags of the text and of the picture.
fn tags(file: &PlannedFile, record: &Record, gates: &Gates) -> Vec<String> {
    let mut tags: Vec<String> = file.tags.iter().map(|tag| tag.word().to_owned()).collect();
    let look = match record.look_verdict(gates) {
        LookVerdict::Black | LookVerdict::TooDark => Some("dark"),
        LookVerdict::White | LookVerdict::TooBright => Some("bright"),
        LookVerdict::Frozen | LookVerdict::LowMotion => Some("low-motion"),
        LookVerdict::Ok | LookVerdict::Unseen => None,
    };
    tags.extend(look.map(str::to_owned));
    tags
}

/// Returns the first tag in the format's order of precedence.
fn category(file: &PlannedFile) -> String {
    const ORDER: [&str; 7] = ["liquid", "line", "wave", "abstract", "geometric", "dots", "vectors"];
    let tags: Vec<&str> = file.tags.iter().map(|tag| tag.word()).collect();
    ORDER.iter().find(|word| tags.contains(word)).unwrap_or(&"other").to_string()
}

fn text(plan: &AuditPlan) -> String {
    let root = plan.libraries.first().map(|library| library.root.to_string_lossy().replace('\\', "/"));
    Value::from(root.unwrap_or_default()).to_string()
}

/// Returns pretty-printed JSON, indented for its position.
fn indented(value: &impl Serialize) -> std::io::Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
    Ok(text.replace('\n', "\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unsafe_verdict_maps_to_a_reference_reason() {
        const HARD: [&str; 3] = ["wasm-abort", "render-failed", "probe-timeout"];
        for safety in Safety::ALL {
            let record = Record::without_evidence(safety, "why".into());
            let reasons = reference_reasons(&record, &Gates::default());
            let known = reasons.iter().all(|reason| HARD.contains(reason));
            assert!(known && reasons.is_empty() == (safety == Safety::Ok), "{safety:?}: {reasons:?}");
        }
    }
}
