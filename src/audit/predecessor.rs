//! Imports the verdicts of a finished audit by the predecessor: a `preset-audit.json` without an
//! `audit-run.json`.
//!
//! The verdicts on looks are kept. Presets on which the predecessor's engine crashed may not crash this engine, so
//! they are probed again, as are those that were never probed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use super::Ledger;
use super::plan::AuditPlan;
use super::reference::AUDIT_FILE;
use super::run::RUN_FILE;
use super::verdict::{LookVerdict, Record, Safety};
use crate::audit::probe::{Cost, Counts, Look, TextFacts};
use crate::disk;
use crate::facts::PresetId;
use crate::library::style::NameTable;

/// Name under which the imported file is kept, because the audit overwrites `preset-audit.json`.
const ORIGINAL: &str = "preset-audit.taken-over.json";

/// Result of the import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportedVerdicts {
    /// Number of presets whose verdicts were imported.
    pub verdicts: usize,
    /// Number of presets that the predecessor crashed on, gave up on or never probed.
    pub again: usize,
    /// Number of entries that are unreadable or whose files are not in the libraries.
    pub unknown: usize,
}

/// An audit by the predecessor. Unreadable entries are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignAudit {
    #[serde(default, deserialize_with = "disk::lenient")]
    source_root: String,
    entries: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignEntry {
    rel_path: String,
    #[serde(default, deserialize_with = "disk::lenient")]
    quality: Option<ForeignQuality>,
    #[serde(default, deserialize_with = "disk::lenient")]
    decoded_as: String,
    #[serde(default, deserialize_with = "disk::lenient")]
    warnings: Vec<Value>,
    #[serde(default, deserialize_with = "disk::lenient")]
    fixes: Vec<Value>,
    #[serde(default, deserialize_with = "disk::lenient")]
    line_count: usize,
    #[serde(default, deserialize_with = "disk::lenient")]
    counts: ForeignCounts,
    #[serde(default, deserialize_with = "disk::lenient")]
    params: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ForeignCounts {
    #[serde(deserialize_with = "disk::lenient")]
    per_frame: usize,
    #[serde(deserialize_with = "disk::lenient")]
    per_pixel: usize,
    #[serde(deserialize_with = "disk::lenient")]
    shape: usize,
    #[serde(deserialize_with = "disk::lenient")]
    wave_line: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignQuality {
    #[serde(default, deserialize_with = "disk::lenient")]
    ok: bool,
    #[serde(default, deserialize_with = "disk::lenient")]
    reasons: Vec<String>,
    #[serde(default, deserialize_with = "disk::lenient")]
    avg_luma: Option<f64>,
    #[serde(default, deserialize_with = "disk::lenient")]
    avg_frame_delta: Option<f64>,
    #[serde(default, deserialize_with = "disk::lenient")]
    avg_render_ms: Option<f64>,
    #[serde(default, deserialize_with = "disk::lenient")]
    p95_render_ms: Option<f64>,
}

/// Imports the verdicts of a finished audit by the predecessor in `out`, except for presets that have a
/// verdict in `ledger`. Returns `None` if the folder contains no such audit.
///
/// # Errors
/// Returns an error if the file cannot be read or is not a valid audit, or if the store cannot be read or written.
pub fn import_predecessor(
    out: &Path,
    plan: &AuditPlan,
    ledger: &Ledger,
) -> anyhow::Result<Option<ImportedVerdicts>> {
    let Some(audit) = read(out)? else { return Ok(None) };
    let names = plan.names();
    let known: HashSet<PresetId> = ledger.known()?.into_iter().map(|(id, _)| id).collect();
    let mut imported = ImportedVerdicts::default();
    let (mut found, mut again) = (HashMap::new(), HashSet::new());
    for entry in audit.entries {
        let Ok(entry) = ForeignEntry::deserialize(entry) else {
            imported.unknown += 1;
            continue;
        };
        let Some(id) = id_of(plan, &names, &entry.rel_path) else {
            imported.unknown += 1;
            continue;
        };
        match record(&entry) {
            _ if known.contains(&id) => {}
            Some(record) => {
                // If files with the same content were judged differently, keep a verdict that passed.
                let ok = record.imported == Some(LookVerdict::Ok);
                if ok || !found.contains_key(&id) {
                    found.insert(id, record);
                }
            }
            None => {
                again.insert(id);
            }
        }
    }
    let mut found: Vec<(PresetId, Record)> = found.into_iter().collect();
    found.sort_by_key(|(id, _)| *id);
    again.retain(|id| found.binary_search_by_key(id, |(id, _)| *id).is_err());
    (imported.verdicts, imported.again) = (found.len(), again.len());
    ledger.import(&found)?;
    Ok(Some(imported))
}

/// Returns the library that a finished audit by the predecessor in `out` covers; `None` if there is no such
/// audit.
pub fn audited_library(out: &Path) -> anyhow::Result<Option<PathBuf>> {
    Ok(read(out)?.map(|audit| PathBuf::from(audit.source_root)))
}

/// Keeps a copy of the imported file.
pub(super) fn keep_original(out: &Path) -> anyhow::Result<()> {
    let bytes = disk::read(&out.join(AUDIT_FILE), disk::limit::LIST)?;
    Ok(disk::write(&out.join(ORIGINAL), &bytes)?)
}

fn read(out: &Path) -> anyhow::Result<Option<ForeignAudit>> {
    let path = out.join(AUDIT_FILE);
    if out.join(RUN_FILE).exists() || !path.exists() {
        return Ok(None);
    }
    let text = disk::read_text(&path, disk::limit::LIST)
        .with_context(|| format!("reading the finished audit {}", path.display()))?;
    let audit = serde_json::from_str(&text).with_context(|| {
        format!("{} is not a valid audit; move it elsewhere to start a new audit", path.display())
    })?;
    Ok(Some(audit))
}

/// Finds a preset by the path, or another name, in an entry. If no file has this path, the first folder is ignored: in
/// an audit of a pack, paths begin with the pack's folder.
fn id_of(plan: &AuditPlan, names: &NameTable, rel_path: &str) -> Option<PresetId> {
    let path = rel_path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let below = || path.split_once('/').and_then(|(_, below)| names.index_of(below));
    names.index_of(path).or_else(below).map(|index| plan.file(index).id)
}

/// Returns the verdict of an entry; `None` if the preset has to be probed again.
fn record(entry: &ForeignEntry) -> Option<Record> {
    let quality = entry.quality.as_ref()?;
    let verdict = if quality.ok {
        LookVerdict::Ok
    } else {
        let looks: Option<Vec<LookVerdict>> =
            quality.reasons.iter().map(|reason| LookVerdict::of_reference_reason(reason)).collect();
        looks?.into_iter().next()?
    };
    let (luma, motion) = (quality.avg_luma?, quality.avg_frame_delta.unwrap_or_default());
    if !(luma.is_finite() && motion.is_finite()) {
        return None;
    }
    let mut record = Record::without_evidence(Safety::Ok, String::new());
    record.imported = Some(verdict);
    let evidence = &mut record.evidence;
    evidence.look = Some(Look {
        luma,
        luma_range: [luma, luma],
        highlight: luma,
        motion,
        motion_peak: motion,
        ..Look::default()
    });
    evidence.cost = Cost {
        cpu_ms: quality.avg_render_ms.unwrap_or_default(),
        slowest_ms: quality.p95_render_ms.unwrap_or_default(),
        ..Cost::default()
    };
    let ForeignCounts { per_frame, per_pixel, shape, wave_line } = entry.counts;
    evidence.text = TextFacts {
        decoded_as: entry.decoded_as.clone(),
        warnings: texts(&entry.warnings),
        fixes: texts(&entry.fixes),
        line_count: entry.line_count,
        counts: Counts { per_frame, per_pixel, shape, wave_line, ..Counts::default() },
        params: entry
            .params
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
            .collect(),
    };
    Some(record)
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::verdict::Gates;
    use crate::store::Store;

    /// Writes a library of six presets and an audit of it in the predecessor's format.
    fn audited() -> (tempfile::TempDir, tempfile::TempDir) {
        let (library, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(library.path().join("x")).expect("made");
        for name in ["ok", "dark", "slow", "crash", "late", "new"] {
            std::fs::write(library.path().join(format!("x/{name}.milk")), format!("zoom={name}"))
                .expect("written");
        }
        let entry = |path: &str, quality: &str| {
            format!(
                r#"{{"relPath":"{path}","fileName":"f","pack":"x","fileSize":9,"decodedAs":"utf8","warnings":[],
                "fixes":[],"lineCount":1,"counts":{{"perFrame":2,"perPixel":0,"shape":0,"waveLine":7}},
                "params":{{"zoom":1.5}},"tags":["wave"],"primaryCategory":"wave","quality":{quality},
                "probedAt":"2025-12-20T01:02:03.000Z","repairWritten":false}}"#
            )
        };
        let quality = |ok: bool, reasons: &str, luma: &str| {
            format!(
                r#"{{"ok":{ok},"reasons":[{reasons}],"avgLuma":{luma},"avgFrameDelta":0.01,"avgRenderMs":3.5,
                "p95RenderMs":9.5,"renderOk":true,"aborted":false}}"#
            )
        };
        let entries = [
            entry("x/ok.milk", &quality(true, "", "0.3")),
            entry("x\\\\dark.milk", &quality(false, r#""too-dark""#, "0.04")),
            entry("pack/x/slow.milk", &quality(false, r#""slow-render-p95""#, "0.3")),
            entry("x/crash.milk", &quality(false, r#""wasm-abort","Aborted(OOM)""#, "null")),
            entry("x/late.milk", &quality(false, r#""probe-timeout","too-dark""#, "0.01")),
            entry("x/gone.milk", &quality(true, "", "0.3")),
            "7".to_owned(),
        ];
        let root = "C:\\\\presets";
        let text = format!(r#"{{"version":"v0","sourceRoot":"{root}","entries":[{}]}}"#, entries.join(","));
        std::fs::write(out.path().join(AUDIT_FILE), text).expect("written");
        (library, out)
    }

    #[test]
    fn verdicts_are_imported_except_where_the_other_engine_failed() {
        let (library, out) = audited();
        let store = Store::in_memory().expect("opens");
        let plan = AuditPlan::scan(&store, &[library.path().to_owned()]).expect("scanned");
        let ledger = Ledger::new(store, "recipe".into());
        let imported = import_predecessor(out.path(), &plan, &ledger).expect("read");
        assert_eq!(imported, Some(ImportedVerdicts { verdicts: 3, again: 2, unknown: 2 }));
        let of = |name: &str| {
            let id = PresetId::of(format!("zoom={name}").as_bytes());
            ledger.get(id).expect("read").map(|record| record.look_verdict(&Gates::default()))
        };
        assert_eq!(of("ok"), Some(LookVerdict::Ok));
        assert_eq!(of("dark"), Some(LookVerdict::TooDark), "by the other program's thresholds");
        assert_eq!(of("slow"), Some(LookVerdict::Slow));
        assert_eq!((of("crash"), of("late"), of("new")), (None, None, None));
        let ok = PresetId::of(b"zoom=ok");
        assert_eq!(ledger.of_any_recipe(ok).expect("read"), None, "a live show does not rely on it");
        ledger.rejudge(&plan).expect("judged");
        assert_eq!(ledger.of_any_recipe(ok).expect("read"), None);
        let again =
            import_predecessor(out.path(), &plan, &ledger).expect("read").expect("the file is still there");
        assert_eq!(again.verdicts, 0, "known already");
        assert_eq!(audited_library(out.path()).expect("read"), Some(PathBuf::from("C:\\presets")));
    }

    #[test]
    fn null_values_do_not_lose_the_verdict() {
        let text = r#"{"relPath":"a.milk","decodedAs":null,"warnings":null,"fixes":["removed-bom",null],
            "lineCount":null,"counts":{"perFrame":null,"shape":3},"params":{"zoom":1.5,"warp":null},
            "quality":{"ok":false,"reasons":["too-dark"],"avgLuma":0.04,"avgFrameDelta":null,"avgRenderMs":null}}"#;
        let entry: ForeignEntry = serde_json::from_str(text).expect("read");
        let record = record(&entry).expect("a verdict");
        assert_eq!(record.imported, Some(LookVerdict::TooDark));
        let TextFacts { fixes, counts, params, .. } = record.evidence.text;
        assert_eq!((fixes, counts.shape), (vec!["removed-bom".to_owned()], 3));
        assert_eq!(params.into_iter().collect::<Vec<_>>(), [("zoom".to_owned(), 1.5)]);
        let text = r#"{"relPath":"a.milk","quality":{"ok":null,"reasons":null,"avgLuma":0.4}}"#;
        let entry: ForeignEntry = serde_json::from_str(text).expect("read");
        assert!(super::record(&entry).is_none(), "it is probed again");
    }

    #[test]
    fn a_folder_of_this_program_or_a_truncated_file_is_not_imported() {
        let (_, out) = audited();
        let path = out.path().join(AUDIT_FILE);
        let text = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, &text[..text.len() / 2]).expect("written");
        assert!(audited_library(out.path()).is_err());
        std::fs::write(out.path().join(RUN_FILE), "{}").expect("written");
        assert_eq!(audited_library(out.path()).expect("not read"), None);
    }
}
