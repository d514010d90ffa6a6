//! A performance is logged, and its log gives the same choices again.

use std::path::Path;
use std::process::Command;

use aivj::stage::Gpu;

/// Runs the program with a data folder of its own; whether it went well, and what it said.
fn aivj(data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_aivj"));
    let out = program.env("AIVJ_DATA", data).args(arguments).output().expect("the program runs");
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    (out.status.success(), text)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

#[test]
fn a_log_gives_the_same_choices_again_and_a_changed_one_does_not() {
    if Gpu::for_test().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (log, frames) = (folder.path().join("set.jsonl"), folder.path().join("frames"));
    let perform =
        ["perform", "--audio", "demo", "--seconds", "45", "--fps", "12", "--size", "32x18", "--seed", "4"];
    let (ok, said) = aivj(&data, &[&perform[..], &["--out", text(&frames), "--log", text(&log)]].concat());
    assert!(ok, "{said}");
    let (ok, said) = aivj(&data, &["replay", text(&log), "--audio", "demo", "--json"]);
    assert!(ok, "{said}");
    let report: serde_json::Value =
        serde_json::from_str(said.lines().last().expect("a line")).expect("the report is JSON");
    assert!(report["choices"].as_u64().expect("a count") >= 4, "{report}");
    assert_eq!(report["choices"], report["same"]);

    // Another seed is another set.
    let written = std::fs::read_to_string(&log).expect("the log");
    assert!(written.contains(r#""seed":4"#));
    std::fs::write(&log, written.replacen(r#""seed":4"#, r#""seed":5"#, 1)).expect("written");
    let (ok, said) = aivj(&data, &["replay", text(&log), "--audio", "demo"]);
    assert!(!ok && said.contains("the first that is not"), "{said}");

    // So is another library, which is said before anything is played.
    let others = folder.path().join("others");
    std::fs::create_dir(&others).expect("a folder");
    std::fs::write(others.join("one.milk"), "[preset00]\nzoom=1.01\n").expect("written");
    let (ok, said) = aivj(&data, &["replay", text(&log), "--audio", "demo", "--presets", text(&others)]);
    assert!(!ok && said.contains("another library"), "{said}");
}
