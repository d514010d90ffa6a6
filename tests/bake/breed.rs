//! Breeding from built-in presets: killed, resumed, and packed once children become favourites.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use aivj::milk::Program;
use serde_json::Value;

use crate::fixture::{BakeFixture, good_presets};

/// Returns the command-line arguments that breed five children in the folder `out`.
fn arguments(fixture: &BakeFixture, out: &str) -> Vec<String> {
    let library = fixture.library.to_str().expect("a plain path");
    let out = fixture.folder(out);
    let out = out.to_str().expect("a plain path");
    let all =
        ["breed", "--library", library, "--out", out, "--from", library, "--count", "5", "--workers", "2"];
    all.map(str::to_owned).to_vec()
}

fn children(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder.join("children")).into_iter().flatten().flatten();
    let presets = entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "milk"));
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, std::fs::read(entry.path()).expect("read"))
    };
    presets.map(file).collect()
}

#[test]
fn a_killed_breed_run_resumes_and_its_favourites_are_packed() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 5);
    let out = fixture.folder("out");
    let all = arguments(&fixture, "out");
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut started = fixture.start_bake(&all);
    let since = Instant::now();
    while children(&out).len() < 2 {
        assert!(since.elapsed() < Duration::from_secs(300), "no children");
        std::thread::sleep(Duration::from_millis(5));
    }
    started.kill().ok(); // It may have ended already.
    started.wait().expect("ended");

    let resumed = fixture.bake(&[&all[..], &["--json"]].concat(), &[]);
    assert!(resumed.status.success(), "{}{}", resumed.stdout, resumed.stderr);
    let brood: Value = serde_json::from_str(resumed.stdout.trim()).expect("JSON");
    let bred = children(&out);
    assert_eq!((bred.len(), &brood["children"], &brood["parents"]), (5, &Value::from(5), &Value::from(5)));
    for (name, bytes) in &bred {
        let program = Program::compile(bytes).expect("a preset");
        assert!(program.problems.is_empty(), "{name}: {:?}", program.problems);
        assert!(String::from_utf8_lossy(bytes).contains("// Bred from good "), "{name}");
    }
    let kept = brood["kept"].as_array().expect("a list");
    let counts = ["repeats", "far"].map(|kind| brood[kind].as_u64().expect("a number"));
    let rejected: u64 =
        brood["rejected"].as_object().expect("a map").values().filter_map(Value::as_u64).sum();
    assert_eq!(kept.len() as u64 + counts.iter().sum::<u64>() + rejected, 5, "{brood}");
    let page = std::fs::read_to_string(out.join("morning.html")).expect("a page");
    assert!(kept.iter().all(|bred| page.contains(bred["path"].as_str().expect("a path"))), "{page}");

    // An undisturbed brood has the same children.
    let other = arguments(&fixture, "other");
    let undisturbed = fixture.bake(&other.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    assert!(undisturbed.status.success(), "{}", undisturbed.stderr);
    assert_eq!(children(&fixture.folder("other")), bred);

    // A child that became a favourite is packed by the next run.
    assert!(!out.join("favourites").exists());
    let name = bred.keys().next().expect("a child");
    let file = out.join("children").join(name);
    let marked =
        fixture.aivj(&["library", "mark", file.to_str().expect("a plain path"), "--favourite", "yes"]);
    assert!(marked.status.success(), "{}", marked.stderr);
    let again = fixture.bake(&all, &[]);
    assert!(again.status.success(), "{}", again.stderr);
    assert_eq!(std::fs::read(out.join("favourites").join(name)).expect("packed"), bred[name]);

    let differs = fixture.bake(&[&all[..], &["--seed", "2"]].concat(), &[]);
    assert!(
        !differs.status.success() && differs.stderr.contains("choose another --out"),
        "{}",
        differs.stderr
    );
}
