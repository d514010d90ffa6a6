//! A bake divided into shards gives the same results as one computer, in any order and any number of times.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fixture::{BakeFixture, good_presets};

const PROBE: [&str; 4] = ["--size", "96x54", "--frames", "12"];
const FRAMES: [&str; 10] = [
    "--size",
    "48x32",
    "--out-size",
    "24",
    "--warmup-frames",
    "2",
    "--capture-every",
    "2",
    "--capture-count",
    "1",
];

/// Runs a stage on shard `index` of three; returns the folder of the shard.
fn shard(fixture: &BakeFixture, stage: &str, index: u32, more: &[&str]) -> PathBuf {
    let out = fixture.folder(&format!("{stage}-{index}{}", more.join("")));
    let library = fixture.library.to_str().expect("a plain path");
    let part = format!("{index}/3");
    let settings = if stage == "audit" { &PROBE[..] } else { &FRAMES[..] };
    let arguments = [&[stage, "--shard", &part], settings, more].concat();
    let run = fixture.bake(&arguments, &["--library", library, "--out", out.to_str().expect("plain")]);
    assert!(run.status.success(), "{}", run.stderr);
    out
}

/// Merges shard folders into the fixture's output folder; returns the exit code and everything printed.
fn merge(fixture: &BakeFixture, folders: &[&PathBuf]) -> (Option<i32>, String) {
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().expect("plain")).collect();
    let run = fixture.bake(&[&["merge"], &folders[..]].concat(), &["--out", "OUT"]);
    (run.status.code(), run.stdout + &run.stderr)
}

#[test]
fn merged_audits_equal_the_audit_of_one_machine() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 5);
    let parts = [0, 1, 2].map(|index| shard(&fixture, "audit", index, &[]));
    let [zero, one, two] = &parts;
    let (code, text) = merge(&fixture, &[two, zero]);
    assert!(code == Some(3) && text.contains("missing shards: 1/3"), "{text}");
    let (code, text) = merge(&fixture, &[two, one, zero, two]);
    assert!(code == Some(0) && text.contains("5 verdicts"), "{text}");
    let merged = fixture.metrics();
    let single = BakeFixture::with_library(fixture.library.clone());
    assert!(single.audit(&[]).status.success());
    assert_eq!(merged, single.metrics());
    let accepted = |fixture: &BakeFixture| {
        std::fs::read_to_string(fixture.folder("out").join("accepted.txt")).expect("a list")
    };
    assert_eq!(accepted(&fixture), accepted(&single));
    // Shards that do not belong together, and damaged copies.
    for more in [["--seed", "2"], ["--min-avg-luma", "0.2"]] {
        let other = shard(&fixture, "audit", 1, &more);
        let (code, text) = merge(&fixture, &[zero, &other]);
        assert!(code == Some(1) && text.contains("a different setting or model"), "{text}");
    }
    let limited = shard(&fixture, "audit", 1, &["--limit", "0"]);
    let (code, text) = merge(&fixture, &[zero, &limited, two]);
    assert!(code == Some(3) && text.contains("unfinished shards: 1/3"), "{text}");
    std::fs::write(zero.join("verdicts.jsonl"), b"").expect("cut");
    let (code, text) = merge(&fixture, &[zero, one]);
    assert!(code == Some(1) && text.contains("verdicts.jsonl is damaged"), "{text}");
    assert_eq!(fixture.metrics(), merged, "a rejected merge changes nothing");
    // The shard is run again, without repeating its work.
    let again = shard(&fixture, "audit", 0, &[]);
    assert_eq!(merge(&fixture, &[&again, one, two]).0, Some(0));
    assert_eq!(fixture.metrics(), merged);
}

#[test]
fn merged_frames_equal_the_frames_of_one_machine() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 4);
    let [zero, one, two] = [0, 1, 2].map(|index| shard(&fixture, "frames", index, &[]));
    for folders in [[&two, &zero, &one], [&one, &two, &zero]] {
        let (code, text) = merge(&fixture, &folders);
        assert!(code == Some(0) && text.contains("4 rendered presets"), "{text}");
    }
    let single = BakeFixture::with_library(fixture.library.clone());
    let library = fixture.library.to_str().expect("a plain path");
    let run = single.bake(&[&["frames"], &FRAMES[..]].concat(), &["--library", library, "--out", "OUT"]);
    assert!(run.status.success(), "{}", run.stderr);
    let (merged, alone) = (pictures(&fixture.folder("out")), pictures(&single.folder("out")));
    assert!(merged.len() == 4 && merged == alone);
}

/// Returns the pictures and measurements of every preset; fails the test if a preset has several lines.
pub fn pictures(folder: &Path) -> BTreeMap<String, (Vec<Vec<u8>>, Value)> {
    let index = std::fs::read_to_string(folder.join("frames-index.jsonl")).expect("an index");
    let entries: Vec<Value> = index.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let picture =
        |name: &Value| std::fs::read(folder.join(name.as_str().expect("a path"))).expect("a picture");
    let found: BTreeMap<_, _> = entries
        .iter()
        .map(|entry| {
            let frames = entry["frames"].as_array().expect("frames").iter().map(picture).collect();
            (entry["presetId"].to_string(), (frames, entry["metrics"].clone()))
        })
        .collect();
    assert_eq!(found.len(), entries.len(), "one line per preset");
    found
}
