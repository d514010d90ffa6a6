//! Whole nights: every stage in order, cut off without warning and gone on with, and a show that takes the new index
//! while it plays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aivj::analysis::Features;
use aivj::library::{LibraryLocation, StyleOrigin, open};
use aivj::mind::director::Pool;
use aivj::show::setlog::Event;
use aivj::show::{Arrived, Command, PrepareTimes, PresetAudio, Show, ShowSettings, StepInput};
use aivj::store::Store;
use serde_json::Value;

use crate::hostile;
use crate::kitchen::{Kitchen, Run, good_presets};

/// Frames so small and so few that a night takes seconds.
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

fn night(kitchen: &Kitchen, more: &[&str]) -> Run {
    let all: Vec<&str> = ["overnight", "--pack", "night", "--k", "8"].into_iter().chain(SMALL).collect();
    let all: Vec<&str> = all.into_iter().chain(more.iter().copied()).collect();
    kitchen.bake(&all, &["--out", "OUT", "--library", kitchen.library.to_str().expect("a plain path")])
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("there")).expect("JSON")
}

/// Cluster of every preset of the index in this folder.
fn index(folder: &std::path::Path) -> BTreeMap<String, String> {
    let index = json(&folder.join("aivj-style-index.v1.json"));
    let entries = index["entries"].as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    entries.iter().map(|entry| (text(&entry["presetId"]), text(&entry["authorKey"]))).collect()
}

#[test]
fn a_bake_runs_every_stage_and_a_running_show_uses_its_index() {
    let Some(kitchen) = Kitchen::new() else { return };
    good_presets(&kitchen.library, 10);
    std::fs::write(kitchen.library.join("black.milk"), hostile::BLACK).expect("written");
    let store = Store::open(&kitchen.folder("show"), 1).expect("a store").store;
    let place = LibraryLocation::of(&kitchen.library);
    let before = open(&store, &place, 1, |_| ()).expect("opens").catalogue;
    assert_ne!(before.origin, StyleOrigin::V1);
    let mut show = Show::new(ShowSettings::default(), Arc::new(before));
    let chosen = play(&mut show, 40);
    assert!(chosen.iter().all(|cluster| !is_baked(cluster)), "{chosen:?}");

    let done = night(&kitchen, &[]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let out = kitchen.folder("out");
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
    assert_eq!(index(&kitchen.library), baked, "the show finds it beside the presets");
    let manifest = json(&out.join("library-manifest.json"));
    assert_eq!(manifest["presets"].as_array().map(Vec::len), Some(baked.len()));
    assert!(baked.keys().all(|preset| out.join(preset).exists()), "the pack holds the presets");
    let page = std::fs::read_to_string(out.join("morning.html")).expect("a page");
    assert!(page.contains("black.milk") && page.contains("black: no lit pixels"), "{page}");
    assert!(out.join("audit/report.html").exists());

    // The same show goes on with the new styles, and chooses by them.
    let after = open(&store, &place, 2, |_| ()).expect("opens").catalogue;
    assert_eq!(after.origin, StyleOrigin::V1);
    show.change_library(Arc::new(Pool::new(Arc::new(after))));
    let chosen = play(&mut show, 40);
    let own: BTreeSet<&String> = baked.values().collect();
    assert!(!chosen.is_empty() && chosen.iter().all(|cluster| own.contains(cluster)), "{chosen:?}");

    // Nothing has changed: the second night does nothing again, and the ids stay.
    let again = night(&kitchen, &[]);
    assert!(again.status.success() && again.stdout.contains("skipping the smoke test"), "{}", again.stdout);
    assert_eq!(index(&out), baked);
    let page = std::fs::read_to_string(out.join("morning.html")).expect("a page");
    assert!(page.contains("0 new, 0 removed, 0 moved to another cluster"), "{page}");
}

fn is_baked(cluster: &str) -> bool {
    cluster.strip_prefix('c').is_some_and(|number| number.parse::<u16>().is_ok())
}

/// Plays so many frames with a press of next now and then; the clusters of what was chosen.
fn play(show: &mut Show, frames: usize) -> Vec<String> {
    let mut coming: Vec<Arrived> = Vec::new();
    let mut chosen = Vec::new();
    for frame in 0..frames {
        let commands = if frame % 10 == 9 { vec![Command::Next] } else { Vec::new() };
        let step = show.step(&StepInput {
            dt: 1.0 / 30.0,
            audio: &PresetAudio::default(),
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
    let Some(kitchen) = Kitchen::new() else { return };
    good_presets(&kitchen.library, 8);
    // Killed in the audit, while rendering, and late.
    for (stage, progress) in [("audit presets", 2), ("render frames", 2), ("cluster embeddings", 0)] {
        kitchen.night_killed_in(&SMALL, stage, progress);
    }
    let state = json(&kitchen.folder("out").join("overnight-state.json"));
    assert_eq!(state["finished"], false);
    let done = night(&kitchen, &[]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let other = Kitchen::with_library(kitchen.library.clone());
    std::fs::remove_file(kitchen.library.join("aivj-style-index.v1.json")).expect("it was published");
    let undisturbed = night(&other, &[]);
    assert!(undisturbed.status.success(), "{}", undisturbed.stderr);
    assert_eq!(index(&kitchen.folder("out")), index(&other.folder("out")));
    let rows = |kitchen: &Kitchen| std::fs::read(kitchen.folder("out").join("embeddings.npy")).expect("rows");
    assert!(rows(&kitchen) == rows(&other), "equal rows");
}

#[test]
fn a_bake_out_of_time_still_writes_an_index_and_a_failed_preflight_is_reported() {
    let Some(kitchen) = Kitchen::new() else { return };
    good_presets(&kitchen.library, 4);
    let library = kitchen.library.to_str().expect("a plain path");
    assert!(kitchen.bake(&["audit", "--library", library], &["--out", "PACKS"]).status.success());
    // The verdicts are there; for frames there is no time at all.
    let started = std::time::Instant::now();
    let late = night(&kitchen, &["--hours", "0.0001"]);
    assert!(late.status.success(), "{}{}", late.stdout, late.stderr);
    assert!(late.stdout.contains("time limit for rendering reached"), "{}", late.stdout);
    assert!(index(&kitchen.folder("out")).len() >= 3);
    assert!(started.elapsed() < Duration::from_secs(120));
    let silent = night(&kitchen, &["--audio", "/nowhere.ogg"]);
    assert!(!silent.status.success() && silent.stderr.contains("the bake cannot start"), "{}", silent.stderr);
}

#[test]
fn odd_names_and_bad_presets_are_baked_and_existing_files_are_kept() {
    let Some(kitchen) = Kitchen::new() else { return };
    let library = &kitchen.library;
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
    let done = night(&kitchen, &[]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    let baked: Vec<String> = index(library).into_keys().collect();
    assert_eq!(baked, ["#1 hash.milk", "a/twin.milk", "good 2.milk"]);
    assert!(baked.iter().all(|preset| kitchen.folder("out").join(preset).is_file()), "the pack holds them");
    assert_eq!(json(&library.join("aivj-style-policy.v0.json"))["preferSameAuthorChance"], 0.9);
    assert_eq!(json(&library.join("aivj-style-index.v1.json.before-bake"))["pack"], "run3");

    let other = kitchen.folder("other");
    std::fs::create_dir(&other).expect("made");
    good_presets(&other, 2);
    let folders = ["--out", "OUT", "--library", other.to_str().expect("a plain path")];
    let refused = kitchen.bake(&["overnight", "--pack", "night"], &folders);
    assert!(!refused.status.success() && refused.stderr.contains("holds the pack of"), "{}", refused.stderr);
}
