//! Audits in the format of the browser-based predecessor: imported, and written so that its line-based tools
//! can read them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::fixture::{self, BakeFixture, good_presets};

/// Returns one entry in the predecessor's format.
fn entry(path: &str, reasons: &[&str], luma: f64) -> Value {
    json!({
        "relPath": path, "fileName": path, "pack": "", "fileSize": 1, "decodedAs": "utf8", "warnings": [], "fixes": [],
        "lineCount": 3, "counts": {"perFrame": 1, "perPixel": 0, "shape": 0, "waveLine": 4}, "params": {"zoom": 1.0},
        "tags": ["wave"], "primaryCategory": "wave",
        "quality": {
            "ok": reasons.is_empty(), "reasons": reasons, "avgLuma": luma, "avgFrameDelta": 0.02, "avgRenderMs": 2.0,
            "p95RenderMs": 5.0, "renderOk": true, "aborted": false
        },
        "probedAt": "2025-12-24T10:00:00.000Z", "repairWritten": false,
    })
}

/// Writes a finished audit of the predecessor that was made on another machine.
fn write_audit(out: &Path, entries: &[Value]) {
    std::fs::create_dir_all(out).expect("made");
    let audit = json!({"version": "v0", "sourceRoot": "D:\\presets", "entries": entries});
    let text = serde_json::to_string_pretty(&audit).expect("JSON");
    std::fs::write(out.join("preset-audit.json"), text).expect("written");
}

/// Reads an audit as the predecessor's snapshot tool does: a line with `relPath` begins an entry.
fn read_by_line(text: &str) -> BTreeMap<String, Option<bool>> {
    let mut read: BTreeMap<String, Option<bool>> = BTreeMap::new();
    let (mut current, mut in_quality) = (None, false);
    for line in text.lines().map(str::trim) {
        let value = || line.split_once(':').expect("a value").1.trim().trim_end_matches(',').to_owned();
        if line.starts_with("\"relPath\"") {
            let path: String = serde_json::from_str(&value()).expect("a string");
            read.insert(path.clone(), None);
            (current, in_quality) = (Some(path), false);
        } else if line.starts_with("\"quality\"") {
            in_quality = line.contains('{');
        } else if in_quality && line.starts_with("\"ok\"") {
            read.insert(current.clone().expect("an entry"), Some(line.contains("true")));
        } else if in_quality && (line == "}," || line == "}") {
            in_quality = false;
        }
    }
    read
}

fn presets_in(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".milk"));
    names.sort();
    names
}

#[test]
fn a_finished_audit_of_the_predecessor_is_used_by_packs_and_audits() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 5);
    let out = fixture.folder("out");
    write_audit(
        &out,
        &[
            entry("good 0.milk", &[], 0.3),
            entry("good 1.milk", &[], 0.4),
            entry("good 2.milk", &["too-dark"], 0.05),
            entry("good 3.milk", &["wasm-abort", "Aborted(native code called abort())"], 0.0),
            entry("elsewhere.milk", &[], 0.3),
        ],
    );
    let library = fixture.library.to_string_lossy().into_owned();
    let pack = |name: &str, more: &[&str]| {
        let arguments = [&["pack", "--name", name], more].concat();
        fixture.bake(&arguments, &["--packs", "PACKS", "--audit", "OUT"])
    };
    let unknown = pack("unknown", &[]);
    assert!(
        unknown.stderr.contains("D:\\presets") && unknown.stderr.contains("--library"),
        "{}",
        unknown.stderr
    );
    pack("ok", &["--library", &library]);
    assert_eq!(presets_in(&fixture.folder("packs").join("ok")), ["good 0.milk", "good 1.milk"]);
    pack("playable", &["--library", &library, "--from", "crashsafe"]);
    assert_eq!(
        presets_in(&fixture.folder("packs").join("playable")),
        ["good 0.milk", "good 1.milk", "good 2.milk"]
    );
    let unmeasured = pack("calm", &["--library", &library, "--safe-flash"]);
    assert!(!unmeasured.status.success(), "flashes were not measured");
    let original = std::fs::read(out.join("preset-audit.json")).expect("read");
    let audited = fixture.audit(&["--json", "--no-thumbs"]);
    assert!(audited.status.success(), "{}", audited.stderr);
    let mut judged = fixture::judged(&audited.stdout);
    judged.sort();
    assert_eq!(
        judged,
        ["good 3.milk", "good 4.milk"],
        "only the one that crashed and the new one are audited"
    );
    assert!(audited.stdout.contains("\"taken_over\""));
    assert_eq!(std::fs::read(out.join("preset-audit.taken-over.json")).expect("kept"), original);
    let entries = fixture.entries();
    assert_eq!(entries["good 2.milk"]["quality"]["reasons"], json!(["too-dark"]));
    assert_eq!(entries["good 0.milk"]["quality"]["avgLuma"], json!(0.3));
    // The next run has nothing left to audit.
    assert!(fixture::judged(&fixture.audit(&["--json"]).stdout).is_empty());
}

#[test]
fn line_based_tools_read_every_verdict_and_gates_are_configurable() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 3);
    std::fs::write(fixture.library.join("hang.milk"), "per_frame_1=loop(100000000, loop(100000000, x=x+1));")
        .expect("written");
    let strict = fixture.audit(&["--no-thumbs", "--min-avg-luma", "0.95", "--max-avg-render-ms", "0"]);
    assert!(strict.status.success(), "{}", strict.stderr);
    let read = || std::fs::read_to_string(fixture.folder("out").join("preset-audit.json")).expect("written");
    let by_entry = |entries: BTreeMap<String, Value>| -> BTreeMap<String, Option<bool>> {
        entries.into_iter().map(|(path, entry)| (path, entry["quality"]["ok"].as_bool())).collect()
    };
    assert_eq!(read_by_line(&read()), by_entry(fixture.entries()));
    assert!(read_by_line(&read()).values().all(|ok| *ok == Some(false)));
    let reasons = fixture.entries()["good 0.milk"]["quality"]["reasons"].clone();
    assert_eq!(reasons, json!(["too-dark"]));
    // The thresholds apply to one run: without them, the same measurements pass.
    assert!(fixture.audit(&["--no-thumbs", "--max-avg-luma", "1"]).status.success());
    let open = read_by_line(&read());
    assert_eq!(open, by_entry(fixture.entries()));
    assert_eq!((open["good 0.milk"], open["hang.milk"]), (Some(true), Some(false)), "{open:?}");
}
