//! One entry of `preset-audit.json`.
//!
//! Fields keep the predecessor's order, because its snapshot tool reads the file line by line and takes `relPath`
//! as the start of an entry.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::verdict::{Gates, LookVerdict, Record, Safety};
use super::{AuditPlan, PlannedFile};
use crate::audit::probe::Counts;
use crate::facts::PresetId;
use crate::jobs::iso;

/// The result of an audit for one file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEntry<'a> {
    rel_path: String,
    file_name: String,
    pack: String,
    file_size: u64,
    id: PresetId,
    #[serde(flatten)]
    text: Option<TextPart<'a>>,
    /// `null` for a file without a verdict.
    quality: Option<Quality>,
    #[serde(flatten)]
    rest: Option<VerdictPart>,
}

/// The fields that describe the preset's source.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TextPart<'a> {
    decoded_as: &'a str,
    warnings: &'a [String],
    fixes: &'a [String],
    line_count: usize,
    counts: Value,
    params: &'a BTreeMap<String, f64>,
    tags: Vec<String>,
    primary_category: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Quality {
    ok: bool,
    reasons: Vec<&'static str>,
    avg_luma: Option<f64>,
    avg_frame_delta: Option<f64>,
    avg_render_ms: Option<f64>,
    p95_render_ms: Option<f64>,
    render_ok: bool,
    aborted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_text: Option<String>,
}

/// The fields after `quality`; `verdict` is not part of the predecessor's format.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerdictPart {
    probed_at: String,
    repair_written: bool,
    verdict: Value,
}

impl<'a> AuditEntry<'a> {
    /// Creates the entry of a file; `dated` is its verdict and when the verdict was given, if there is one.
    pub fn of(plan: &AuditPlan, file: &PlannedFile, dated: Option<&'a (Record, i64)>, gates: &Gates) -> Self {
        let rel_path = plan.relative(file);
        Self {
            file_name: file.below.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            pack: rel_path.split_once('/').map_or("", |(folder, _)| folder).to_owned(),
            file_size: std::fs::metadata(plan.path(file)).map_or(0, |metadata| metadata.len()),
            id: file.id,
            text: dated.map(|(record, _)| TextPart::of(file, record, gates)),
            quality: dated.map(|(record, _)| Quality::of(record, gates)),
            rest: dated.map(|(record, at)| VerdictPart {
                probed_at: iso(*at),
                repair_written: false,
                verdict: verdict(record, gates),
            }),
            rel_path,
        }
    }
}

impl<'a> TextPart<'a> {
    fn of(file: &PlannedFile, record: &'a Record, gates: &Gates) -> Self {
        let text = &record.evidence.text;
        let Counts { per_frame, per_pixel, shape, wave_line, .. } = text.counts;
        Self {
            decoded_as: &text.decoded_as,
            warnings: &text.warnings,
            fixes: &text.fixes,
            line_count: text.line_count,
            counts: json!({"perFrame": per_frame, "perPixel": per_pixel, "shape": shape, "waveLine": wave_line}),
            params: &text.params,
            tags: tags(file, record, gates),
            primary_category: category(file),
        }
    }
}

impl Quality {
    fn of(record: &Record, gates: &Gates) -> Self {
        let reasons = record.reference_reasons(gates);
        let (look, cost) = (record.evidence.look.as_ref(), &record.evidence.cost);
        Self {
            ok: reasons.is_empty(),
            reasons,
            avg_luma: look.map(|look| look.luma),
            avg_frame_delta: look.map(|look| look.motion),
            avg_render_ms: look.map(|_| cost.cpu_ms + cost.gpu_ms),
            p95_render_ms: look.map(|_| cost.slowest_ms),
            render_ok: look.is_some(),
            aborted: matches!(record.safety, Safety::Abort | Safety::Memory),
            error_text: Some(record.why.clone()).filter(|why| !why.is_empty()),
        }
    }
}

fn verdict(record: &Record, gates: &Gates) -> Value {
    json!({
        "safety": record.safety,
        "completeness": {"missingTextures": record.evidence.missing, "brokenParts": record.evidence.broken},
        "look": record.look_verdict(gates),
        "metrics": record.measured_look(),
        "likeness": record.evidence.perceptual_hash,
        "flash": {"verdict": record.flash_label(), "score": record.evidence.flash},
        "cost": record.evidence.cost,
        "reasons": record.reasons(gates),
    })
}

/// Returns the tags of a file, plus the tag implied by its look verdict, if any, without duplicates.
pub(super) fn tags(file: &PlannedFile, record: &Record, gates: &Gates) -> Vec<String> {
    let mut tags: Vec<String> = file.tags.iter().map(|tag| tag.word().to_owned()).collect();
    let look = match record.look_verdict(gates) {
        LookVerdict::Black | LookVerdict::TooDark => Some("dark"),
        LookVerdict::White | LookVerdict::TooBright => Some("bright"),
        LookVerdict::Frozen | LookVerdict::LowMotion => Some("low-motion"),
        LookVerdict::Ok | LookVerdict::Slow | LookVerdict::Unseen => None,
    };
    let look = look.map(str::to_owned).filter(|tag| !tags.contains(tag));
    tags.extend(look);
    tags
}

/// Returns the file's first tag in the predecessor's order of precedence; `other` if it has none of them.
pub(super) fn category(file: &PlannedFile) -> String {
    const ORDER: [&str; 7] = ["liquid", "line", "wave", "abstract", "geometric", "dots", "vectors"];
    let tags: Vec<&str> = file.tags.iter().map(|tag| tag.word()).collect();
    ORDER.iter().find(|word| tags.contains(word)).unwrap_or(&"other").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Tag;

    fn file(tags: &[Tag]) -> PlannedFile {
        PlannedFile {
            id: PresetId::of(b"a"),
            library: 0,
            below: "a.milk".into(),
            tags: tags.iter().copied().collect(),
            energy: crate::facts::Energy::Calm,
            family: 1,
        }
    }

    #[test]
    fn a_tag_of_the_text_and_the_picture_is_listed_once() {
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        record.imported = Some(LookVerdict::TooDark);
        let listed = tags(&file(&[Tag::Wave, Tag::Dark]), &record, &Gates::default());
        assert_eq!(listed, ["wave", "dark"]);
        assert_eq!(tags(&file(&[Tag::Wave]), &record, &Gates::default()), ["wave", "dark"]);
    }

    #[test]
    fn rel_path_comes_first_and_quality_closes_before_the_verdict() {
        let mut plan = AuditPlan::default();
        plan.libraries.push(crate::audit::Library {
            root: "/nowhere".into(),
            prefix: String::new(),
            unusable: 0,
            closed: std::collections::BTreeSet::new(),
            deleted: Vec::new(),
        });
        let dated = (Record::without_evidence(Safety::Hang, "20 s".into()), 7);
        let entry = AuditEntry::of(&plan, &file(&[]), Some(&dated), &Gates::default());
        let text = serde_json::to_string_pretty(&entry).expect("JSON");
        let keys: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("  \""))
            .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
            .collect();
        assert_eq!(keys[0], "relPath");
        let place = |key| keys.iter().position(|known| *known == key).expect(key);
        assert!(place("tags") < place("quality") && place("quality") < place("verdict"), "{keys:?}");
    }
}
