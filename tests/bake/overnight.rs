//! Complete overnight bakes: all stages in order, killed and resumed; a running show loads the new index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aivj::analysis::Features;
use aivj::library::{LibraryLocation, StyleOrigin, open};
use aivj::mind::director::Pool;
use aivj::show::setlog::Event;
use aivj::show::{Arrived, Command, PresetAudio, Show, ShowSettings, StepInput};
use aivj::store::Store;
use aivj::warmup::PrepareTimes;
use serde_json::Value;

use crate::fixture::{BakeFixture, Run, good_presets};
use crate::hostile;
use crate::shards::pictures;

/// Frames so small and few that a whole bake takes seconds.
const SMALL: [&str; 10] = [
    "--size",
    "48x32",
    "--out-size",
    "24",
    "--warmup-frames",
    "4",
    "--capture-every",
    "2",
    "--capture-count",
    "2",
];

fn night(fixture: &BakeFixture, more: &[&str]) -> Run {
    let all: Vec<&str> = ["overnight", "--pack", "night", "--k", "8"].into_iter().chain(SMALL).collect();
    let all: Vec<&str> = all.into_iter().chain(more.iter().copied()).collect();
    fixture.bake(&all, &["--out", "OUT", "--library", fixture.library.to_str().expect("a plain path")])
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("there")).expect("JSON")
}

/// Returns the bytes of every file directly in a folder.
fn files(folder: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("read").flatten();
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, std::fs::read(entry.path()).expect("a file"))
    };
    entries.map(file).collect()
}

/// Returns the cluster of every preset in the index of this folder.
fn index(folder: &std::path::Path) -> BTreeMap<String, String> {
    let index = json(&folder.join("aivj-style-index.v1.json"));
    let entries = index["entries"].as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    entries.iter().map(|entry| (text(&entry["presetId"]), text(&entry["authorKey"]))).collect()
}

#[test]
fn a_bake_runs_every_stage_and_a_running_show_uses_its_index() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 10);
    std::fs::write(fixture.library.join("black.milk"), hostile::BLACK).expect("written");
    let store = Store::open(&fixture.folder("show"), 1).expect("a store").store;
    let place = LibraryLocation::of(&fixture.library);
    let before = open(&store, &place, 1, |_| ()).expect("opens").catalogue;
    assert_ne!(before.origin, StyleOrigin::V1);
    let mut show = Show::new(ShowSettings::default(), Arc::new(before));
    let chosen = play(&mut show, 40);
    assert!(chosen.iter().all(|cluster| !is_baked(cluster)), "{chosen:?}");

    let done = night(&fixture, &[]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let out = fixture.folder("out");
    let log = std::fs::read_to_string(out.join("overnight.log")).expect("a log");
    let stages: Vec<&str> = log.lines().filter_map(|line| Some(line.split_once("[overnight] ")?.1)).collect();
    let once = [
        "audit presets",
        "write pack",
        "render frames",
        "embed CLIP",
        "cluster embeddings",
        "write style policy",
    ];
    let all: Vec<&str> = once.into_iter().chain(once).chain(["done."]).collect();
    assert_eq!(stages, all, "the smoke test, then the full bake");
    let baked = index(&out);
    assert!(baked.len() >= 8 && !baked.contains_key("black.milk"), "{baked:?}");
    assert_eq!(index(&fixture.library), baked, "the show finds it next to the presets");
    let manifest = json(&out.join("library-manifest.json"));
    assert_eq!(manifest["presets"].as_array().map(Vec::len), Some(baked.len()));
    assert!(baked.keys().all(|preset| out.join(preset).exists()), "the pack contains the presets");
    let page = std::fs::read_to_string(out.join("morning.html")).expect("a page");
    assert!(page.contains("black.milk") && page.contains("black: no lit pixels"), "{page}");
    assert!(out.join("audit/report.html").exists());

    // The running show adopts the new styles and chooses by them.
    let after = open(&store, &place, 2, |_| ()).expect("opens").catalogue;
    assert_eq!(after.origin, StyleOrigin::V1);
    show.change_library(Arc::new(Pool::new(Arc::new(after))));
    let chosen = play(&mut show, 40);
    let own: BTreeSet<&String> = baked.values().collect();
    assert!(!chosen.is_empty() && chosen.iter().all(|cluster| own.contains(cluster)), "{chosen:?}");

    // Nothing has changed: the second bake repeats nothing, and the cluster IDs stay the same.
    let again = night(&fixture, &[]);
    assert!(again.status.success() && again.stdout.contains("skipping the smoke test"), "{}", again.stdout);
    assert_eq!(index(&out), baked);
    let page = std::fs::read_to_string(out.join("morning.html")).expect("a page");
    assert!(page.contains("0 new, 0 removed, 0 moved to another style"), "{page}");
}

#[test]
fn limited_bakes_leave_the_pack_the_styles_and_the_index_of_a_full_one() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 8);
    assert!(night(&fixture, &[]).status.success());
    let out = fixture.folder("out");
    let results = || -> Vec<(String, Vec<u8>)> {
        let entries =
            [&out, &fixture.library].into_iter().flat_map(|folder| std::fs::read_dir(folder).expect("read"));
        let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
        // The log and the state differ, and the first bake had no styles to compare with.
        let own = ["overnight.log", "overnight-state.json", "clusters.before.v0.json", ".aivj-bake.lock"];
        let file = |path: std::path::PathBuf| {
            let bytes = std::fs::read(&path).expect("read");
            (path.display().to_string(), bytes)
        };
        let mut files: Vec<_> = files.map(file).collect();
        files.retain(|(path, _)| own.iter().all(|name| !path.ends_with(name)));
        files.sort();
        files
    };
    let full = results();
    assert!(index(&out).len() > 3);
    for _ in 0..2 {
        let limited = night(&fixture, &["--limit", "3"]);
        assert!(limited.status.success(), "{}{}", limited.stdout, limited.stderr);
        let why = "index not replaced: this bake covers ";
        assert!(limited.stdout.contains(why), "{}", limited.stdout);
        let after = results();
        let names =
            |files: &[(String, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(names(&after), names(&full));
        for (before, now) in full.iter().zip(&after) {
            assert!(before == now, "{} has changed", now.0);
        }
    }
}

#[test]
fn thresholds_apply_to_the_whole_bake() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 3);
    let strict = night(&fixture, &["--min-avg-luma", "0.99"]);
    assert!(!strict.status.success() && strict.stderr.contains("no preset is playable"), "{}", strict.stderr);
    let done = night(&fixture, &[]);
    assert!(done.status.success() && !index(&fixture.folder("out")).is_empty(), "{}", done.stderr);
}

#[test]
fn a_bake_that_cannot_tune_keeps_its_embeddings_and_reports_why() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 8);
    let done = night(&fixture, &["--tune"]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let out = fixture.folder("out");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect("there");
    let log = read("overnight.log");
    assert!(log.contains("[overnight] tune embeddings"), "{log}");
    assert!(log.contains("tuning: keeping the base embeddings: "), "{log}");
    let page = read("morning.html");
    assert!(page.contains("Tuning: keeping the base embeddings: "), "{page}");
    assert!(!index(&out).is_empty() && !out.join("aivj-tuned").exists());
}

fn is_baked(cluster: &str) -> bool {
    cluster.strip_prefix('c').is_some_and(|number| number.parse::<u16>().is_ok())
}

/// Plays `frames` frames, with Next in every tenth; returns the clusters of the chosen presets.
fn play(show: &mut Show, frames: usize) -> Vec<String> {
    let mut coming: Vec<Arrived> = Vec::new();
    let mut chosen = Vec::new();
    for frame in 0..frames {
        let commands = if frame % 10 == 9 { vec![Command::Next] } else { Vec::new() };
        let step = show.step(&StepInput {
            dt: 1.0 / 30.0,
            audio: &PresetAudio::default().into(),
            features: &Features::default(),
            commands: &commands,
            arrived: &coming,
            failed: &[],
            picture_stats: None,
        });
        let arrived =
            |deck| Arrived { deck, problems: Vec::new(), look: None, took: PrepareTimes::default() };
        coming = step.requests.iter().map(|request| arrived(request.deck)).collect();
        chosen.extend(show.take_log().into_iter().filter_map(|entry| match entry.event {
            Event::Choice(chosen) => Some(chosen.cluster),
            _ => None,
        }));
    }
    chosen
}

#[test]
fn a_killed_bake_resumes_and_writes_the_same_index() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 8);
    // Killed during the audit, while rendering, and during clustering.
    for (stage, progress) in [("audit presets", 2), ("render frames", 2), ("cluster embeddings", 0)] {
        fixture.night_killed_in(&SMALL, stage, progress);
    }
    let state = json(&fixture.folder("out").join("overnight-state.json"));
    assert_eq!(state["finished"], false);
    let done = night(&fixture, &[]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let other = BakeFixture::with_library(fixture.library.clone());
    std::fs::remove_file(fixture.library.join("aivj-style-index.v1.json")).expect("it was published");
    let undisturbed = night(&other, &[]);
    assert!(undisturbed.status.success(), "{}", undisturbed.stderr);
    assert_eq!(index(&fixture.folder("out")), index(&other.folder("out")));
    let rows =
        |fixture: &BakeFixture| std::fs::read(fixture.folder("out").join("embeddings.npy")).expect("rows");
    assert!(rows(&fixture) == rows(&other), "equal rows");
}

#[test]
fn a_preset_that_passes_is_drawn_once_even_if_the_bake_is_killed() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 5);
    std::fs::write(fixture.library.join("black.milk"), hostile::BLACK).expect("written");
    let frames =
        ["--out-size", "24", "--warmup-frames", "32", "--capture-every", "3", "--capture-count", "2"];
    fixture.night_killed_in(&frames, "audit presets", 2);
    let library = fixture.library.to_str().expect("a plain path");
    let folders = ["--library", library, "--out", "OUT"];
    let done = fixture.bake(&[&["overnight", "--pack", "night", "--k", "8"], &frames[..]].concat(), &folders);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let out = fixture.folder("out");
    let times = &json(&out.join("overnight-state.json"))["stage_times"];
    assert!(times["audit presets"]["presets"].as_u64() > Some(0), "{times}");
    assert_eq!(times["render frames"]["presets"], 0, "{times}");
    let saved = pictures(&out);
    assert_eq!(saved.len(), 5, "the black preset has no frames: {:?}", saved.keys());

    let separate = BakeFixture::with_library(fixture.library.clone());
    let run = separate.bake(&[&["frames"], &frames[..]].concat(), &folders);
    assert!(run.status.success(), "{}", run.stderr);
    let rendered = pictures(&separate.folder("out"));
    for (preset, (frames, metrics)) in &saved {
        let (expected, expected_metrics) = &rendered[preset];
        assert!(frames == expected && frames.len() == 2, "{preset}");
        assert_eq!(metrics["motion"], expected_metrics["motion"], "{preset}");
    }
}

#[test]
fn a_bake_out_of_time_still_writes_an_index_and_a_failed_preflight_is_reported() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 4);
    let library = fixture.library.to_str().expect("a plain path");
    assert!(fixture.bake(&["audit", "--library", library], &["--out", "PACKS"]).status.success());
    // The verdicts exist; no time is left for frames.
    let started = std::time::Instant::now();
    let late = night(&fixture, &["--hours", "0.0001"]);
    assert!(late.status.success(), "{}{}", late.stdout, late.stderr);
    assert!(late.stdout.contains("time limit for rendering reached"), "{}", late.stdout);
    assert!(index(&fixture.folder("out")).len() >= 3);
    assert!(started.elapsed() < Duration::from_secs(120));
    let silent = night(&fixture, &["--audio", "/nowhere.ogg"]);
    assert!(!silent.status.success() && silent.stderr.contains("the bake cannot start"), "{}", silent.stderr);
}

#[test]
fn unusual_file_names_are_baked_empty_presets_excluded_and_existing_files_kept() {
    let Some(fixture) = BakeFixture::new() else { return };
    let library = &fixture.library;
    good_presets(library, 3);
    for folder in ["a", "a b"] {
        std::fs::create_dir(library.join(folder)).expect("made");
        std::fs::copy(library.join("good 1.milk"), library.join(folder).join("twin.milk")).expect("copied");
    }
    std::fs::remove_file(library.join("good 1.milk")).expect("removed");
    std::fs::rename(library.join("good 0.milk"), library.join("#1 hash.milk")).expect("renamed");
    for number in 0..7 {
        let text = format!("{}q1={number}\n", hostile::BLACK);
        std::fs::write(library.join(format!("black {number}.milk")), text).expect("written");
    }
    let policy = r#"{"version":"v0","preferSameAuthorChance":0.9}"#;
    std::fs::write(library.join("aivj-style-policy.v0.json"), policy).expect("written");
    let foreign = r#"{"version":"v1","pack":"run3","entries":[]}"#;
    std::fs::write(library.join("aivj-style-index.v1.json"), foreign).expect("written");
    let done = night(&fixture, &[]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let baked: Vec<String> = index(library).into_keys().collect();
    assert_eq!(baked, ["#1 hash.milk", "a/twin.milk", "good 2.milk"]);
    assert!(
        baked.iter().all(|preset| fixture.folder("out").join(preset).is_file()),
        "the pack contains them"
    );
    assert_eq!(json(&library.join("aivj-style-policy.v0.json"))["preferSameAuthorChance"], 0.9);
    assert_eq!(json(&library.join("aivj-style-index.v1.json.before-bake"))["pack"], "run3");

    let other = fixture.folder("other");
    std::fs::create_dir(&other).expect("made");
    good_presets(&other, 2);
    let folders = ["--out", "OUT", "--library", other.to_str().expect("a plain path")];
    let refused = fixture.bake(&["overnight", "--pack", "night"], &folders);
    assert!(
        !refused.status.success() && refused.stderr.contains("contains the pack for"),
        "{}",
        refused.stderr
    );
}

#[test]
fn folders_of_the_user_and_libraries_are_refused_untouched() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 2);
    let (library, own) = (fixture.library.to_str().expect("a plain path"), fixture.folder("own"));
    std::fs::create_dir(&own).expect("made");
    std::fs::write(own.join("good 1.milk"), "zoom=1").expect("written");
    std::fs::write(own.join("ban.txt"), "mine").expect("written");
    let out = own.to_str().expect("a plain path");
    let refuse = |stage: &[&str], out: &std::path::Path, why: &str| {
        let before = files(out);
        let run = fixture.bake(stage, &["--library", library, "--out", out.to_str().expect("a plain path")]);
        assert!(!run.status.success() && run.stderr.contains(why), "{stage:?}: {}", run.stderr);
        assert_eq!(files(out), before, "{stage:?}");
    };
    let stages: [&[&str]; 6] = [
        &["overnight", "--pack", "night"],
        &["audit"],
        &["audit", "--shard", "0/2"],
        &["frames"],
        &["embed"],
        &["breed", "--from", library],
    ];
    for stage in stages {
        refuse(stage, &own, "not from a bake");
    }
    refuse(&["overnight", "--pack", "night"], &fixture.library, "is a preset library");
    // A library that was baked into another folder, even if it is also a pack.
    for name in ["aivj-bake.v0.json", "aivj-style-index.v1.json", "library-manifest.json"] {
        std::fs::write(own.join(name), "{}").expect("written");
    }
    refuse(&["overnight", "--pack", "night"], &own, "is a preset library");

    let indexed = fixture.folder("indexed");
    std::fs::create_dir(&indexed).expect("made");
    good_presets(&indexed, 1);
    std::fs::write(indexed.join("aivj-style-index.v1.json"), "mine").expect("written");
    let indexed_path = indexed.to_str().expect("a plain path");
    let cluster = fixture.bake(&["cluster", "--mode", "tag"], &["--out", indexed_path]);
    assert!(cluster.status.success(), "{}", cluster.stderr);
    assert_eq!(files(&indexed)["aivj-style-index.v1.json.previous"], b"mine");
    refuse(&["audit"], &indexed, "not from a bake");

    for name in ["bake.sh", "submit.sh"] {
        std::fs::write(own.join(name), "mine").expect("written");
    }
    let before = files(&own);
    let plan = ["plan", "--engine", "slurm", "--machines", "1", "--shards", "1", "--pack", "night"];
    let plan = fixture.bake(&plan, &["--library", library, "--out", out]);
    assert!(!plan.status.success() && plan.stderr.contains("not from an earlier plan"), "{}", plan.stderr);
    assert_eq!(files(&own), before);
}
