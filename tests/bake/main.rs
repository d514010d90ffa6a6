//! The bake as a user runs it: interrupted audits that resume, hostile presets among good ones, packs and the report.
//!
//! Everything runs in child processes of the program, with a separate store in a temporary folder.

mod breed;
mod fixture;
mod hostile;
mod ids;
mod overnight;
mod predecessor;
mod shards;

use std::collections::BTreeMap;
use std::time::Duration;

use fixture::{BakeFixture, good_presets};

#[test]
fn a_killed_audit_resumes_and_gives_the_same_verdicts() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 6);
    let mut judged: BTreeMap<String, u32> = BTreeMap::new();
    // Killed after one verdict, several times.
    for _ in 0..3 {
        for path in fixture.audit_killed_after(1) {
            *judged.entry(path).or_default() += 1;
        }
    }
    let last = fixture.audit(&["--json"]);
    assert!(last.status.success(), "{}", last.stderr);
    for path in fixture::judged(&last.stdout) {
        *judged.entry(path).or_default() += 1;
    }
    // A verdict is stored shortly before it is reported, so a kill may suppress the report, but no preset is audited
    // twice.
    assert!(judged.len() >= 4 && judged.values().all(|&times| times == 1), "{judged:?}");
    assert!(
        fixture.entries().values().all(|entry| entry["quality"].is_object()),
        "every preset has a verdict"
    );
    let first = fixture.metrics();
    let fresh = BakeFixture::with_library(fixture.library.clone());
    assert!(fresh.audit(&["--workers", "1"]).status.success());
    assert_eq!(first, fresh.metrics(), "equal seeds give equal metrics");
}

#[test]
fn an_audit_detects_renamed_changed_and_deleted_presets() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 3);
    assert!(fixture.audit(&[]).status.success());
    let file = |name: &str| fixture.library.join(name);
    let presets = fixture.presets();
    std::fs::rename(file(&presets[0]), file("renamed.milk")).expect("renamed");
    let mut text = std::fs::read_to_string(file(&presets[1])).expect("read");
    text.push_str("\nper_frame_999=zoom=1.01;\n");
    std::fs::write(file(&presets[1]), text).expect("changed");
    std::fs::remove_file(file(&presets[2])).expect("removed");
    let again = fixture.audit(&["--json"]);
    assert_eq!(fixture::judged(&again.stdout), [presets[1].clone()]);
    let entries = fixture.entries();
    assert!(entries["renamed.milk"]["quality"].is_object());
    assert_eq!(entries[&presets[2]]["deleted"], true);
}

#[test]
fn a_second_bake_in_the_same_folder_is_rejected() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 4);
    let mut first = fixture.start_audit(&["--json"]);
    fixture.wait_until_locked(Duration::from_secs(60));
    let second = fixture.audit(&[]);
    first.kill().ok(); // It may have ended already.
    first.wait().expect("ended");
    assert!(!second.status.success() && second.stderr.contains("another bake"), "{}", second.stderr);
}

#[test]
#[cfg(unix)]
fn a_library_without_usable_presets_is_reported() {
    let Some(fixture) = BakeFixture::new() else { return };
    std::os::unix::fs::symlink("nowhere", fixture.library.join("a.milk")).expect("linked");
    let run = fixture.audit(&[]);
    assert!(
        !run.status.success() && run.stderr.contains("no usable file in "),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_pack_never_follows_a_link() {
    use std::os::unix::fs::symlink;
    let Some(fixture) = BakeFixture::new() else { return };
    let good = fixture.library.join("good");
    std::fs::create_dir(&good).expect("made");
    good_presets(&good, 2);
    assert!(fixture.audit(&["--no-thumbs"]).status.success());
    let elsewhere = fixture.folder("elsewhere");
    std::fs::create_dir(&elsewhere).expect("made");
    let untouched = || {
        let names = std::fs::read_dir(&elsewhere).expect("read").flatten().map(|entry| entry.file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["precious.milk"]);
        assert_eq!(std::fs::read(elsewhere.join("precious.milk")).expect("there"), b"precious");
    };
    std::fs::write(elsewhere.join("precious.milk"), "precious").expect("written");
    let pack = |name: &str| {
        fixture
            .bake(&["pack", "--name", name, "--from", "crashsafe"], &["--packs", "PACKS", "--audit", "OUT"])
    };
    // A linked folder in the pack, whose file the manifest lists with or without the pack's name, and a link as the
    // pack itself.
    for (name, link, listed) in [
        ("folder", "folder/good", "folder/good/precious.milk"),
        ("whole", "whole", "precious.milk"),
        ("deep", "deep/good", "good/precious.milk"),
    ] {
        let link = fixture.folder("packs").join(link);
        std::fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink(&elsewhere, &link).expect("linked");
        let manifest =
            format!(r#"{{"version":"v0","target":"{name}","presets":[{{"relPath":"{listed}"}}]}}"#);
        if name != "whole" {
            std::fs::write(fixture.folder("packs").join(name).join("library-manifest.json"), manifest)
                .expect("written");
        }
        let run = pack(name);
        assert!(!run.status.success() && run.stderr.contains("is a link"), "{name}: {}", run.stderr);
        untouched();
    }
    // A linked file is replaced, not followed; paths that leave the pack are ignored.
    let folder = fixture.folder("packs").join("file");
    std::fs::create_dir_all(folder.join("good")).expect("made");
    let name = std::fs::read_dir(&good).expect("read").flatten().next().expect("a preset").file_name();
    symlink(elsewhere.join("precious.milk"), folder.join("good").join(&name)).expect("linked");
    let leaving =
        r#"{"version":"v0","target":"file","presets":[{"relPath":"../../elsewhere/precious.milk"}]}"#;
    std::fs::write(folder.join("library-manifest.json"), leaving).expect("written");
    let run = pack("file");
    assert!(run.status.success(), "{}", run.stderr);
    assert!(!folder.join("good").join(&name).is_symlink());
    untouched();
}

#[test]
fn a_pack_contains_good_presets_and_the_report_all_verdicts() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 6);
    std::fs::write(fixture.library.join("black.milk"), hostile::BLACK).expect("written");
    assert!(fixture.audit(&[]).status.success());
    let pack =
        fixture.bake(&["pack", "--name", "night", "--size", "4"], &["--packs", "PACKS", "--audit", "OUT"]);
    assert!(pack.status.success(), "{}", pack.stderr);
    let manifest = std::fs::read_to_string(fixture.folder("packs").join("night/library-manifest.json"));
    let manifest: serde_json::Value = serde_json::from_str(&manifest.expect("a manifest")).expect("JSON");
    let presets = manifest["presets"].as_array().expect("a list");
    assert_eq!(presets.len(), 4);
    for preset in presets {
        let path = preset["relPath"].as_str().expect("a path");
        assert!(fixture.folder("packs").join(path).exists() && !path.contains("black"), "{path}");
    }
    // A file that is not part of the pack is never replaced.
    let mut good = (0..6).map(|number| fixture.folder("packs/night").join(format!("good {number}.milk")));
    let own = good.find(|path| !path.exists()).expect("two are not selected");
    let pack_all = || {
        fixture.bake(
            &["pack", "--name", "night", "--from", "crashsafe"],
            &["--packs", "PACKS", "--audit", "OUT"],
        )
    };
    std::fs::write(&own, "zoom=1").expect("written");
    let all = pack_all();
    assert!(!all.status.success() && all.stderr.contains("is not part of the pack"), "{}", all.stderr);
    assert_eq!(std::fs::read(&own).expect("there"), b"zoom=1");
    std::fs::remove_file(&own).expect("removed");
    let all = pack_all();
    assert!(own.exists(), "{}", all.stderr);
    let page = std::fs::read_to_string(fixture.folder("out").join("report.html")).expect("a page");
    assert!(page.contains("Look: black (1)") && page.contains("data:image/jpeg;base64,"));
    assert_eq!(
        std::fs::read_to_string(fixture.folder("out").join("ban.txt")).expect("a list"),
        "black.milk\n"
    );
    let snapshot = fixture.bake(&["snapshot", "--blacklist-mode", "quality"], &["--out", "OUT"]);
    assert!(snapshot.status.success(), "{}", snapshot.stderr);
    let list = std::fs::read_to_string(fixture.folder("out").join("preset-audit.blacklist.json"));
    let list: serde_json::Value = serde_json::from_str(&list.expect("a list")).expect("JSON");
    assert_eq!(list["badSourceRelPaths"], serde_json::json!(["black.milk"]));
    let library = fixture.library.to_str().expect("a plain path");
    let small = ["--size", "48x32", "--out-size", "24", "--warmup-frames", "2", "--capture-every", "2"];
    let frames = [&["frames", "--capture-count", "1"], &small[..]].concat();
    let frames = fixture.bake(&frames, &["--library", library, "--out", "OUT"]);
    assert!(frames.status.success(), "{}", frames.stderr);
    let lines = std::fs::read_to_string(fixture.folder("out").join("frames-index.jsonl")).expect("frames");
    let has_bands =
        |line: &str| line.contains("\"bandResponse\":{\"low\":") && line.contains("\"bandClass\":");
    assert!(
        lines.lines().count() == 7 && lines.lines().all(has_bands),
        "each of the 7 lines has the audit's bands: {lines}"
    );
}

#[test]
fn hostile_presets_do_not_affect_the_verdicts_on_good_ones() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 3);
    let cases = hostile::write_all(&fixture.library);
    let audit = fixture.audit(&["--timeout", "4"]);
    assert!(audit.status.success(), "{}", audit.stderr);
    let entries = fixture.entries();
    for case in &cases {
        let Some(entry) = entries.get(case.name) else {
            assert!(case.expected.contains(&"excluded"), "{} has no verdict", case.name);
            continue;
        };
        let (safety, parts) = (&entry["verdict"]["safety"], &entry["verdict"]["completeness"]["brokenParts"]);
        let found = format!("{safety} {parts}");
        assert!(case.expected.iter().any(|expected| found.contains(expected)), "{}: {found}", case.name);
    }
    for name in fixture.presets().iter().filter(|name| name.starts_with("good")) {
        assert_eq!(entries[name]["verdict"]["safety"], "ok", "{name}");
        assert_eq!(entries[name]["verdict"]["look"], "ok", "{name}");
    }
}
