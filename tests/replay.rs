//! Replaying a set log reproduces the choices of the performance.

use std::path::Path;
use std::process::Command;

use aivj::stage::Gpu;

/// Runs the program with its own data folder; returns whether it succeeded, and its output.
fn aivj(data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_aivj"));
    let out = program.env("AIVJ_DATA", data).args(arguments).output().expect("the program runs");
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    (out.status.success(), text)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

#[test]
fn a_log_replays_identically_and_a_changed_log_does_not() {
    if Gpu::for_test().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (log, frames) = (folder.path().join("set.jsonl"), folder.path().join("frames"));
    let perform =
        ["perform", "--audio", "demo", "--seconds", "45", "--fps", "12", "--size", "32x18", "--seed", "4"];
    let (ok, output) = aivj(&data, &[&perform[..], &["--out", text(&frames), "--log", text(&log)]].concat());
    assert!(ok, "{output}");
    let (ok, output) = aivj(&data, &["replay", text(&log), "--audio", "demo", "--json"]);
    assert!(ok, "{output}");
    let report: serde_json::Value =
        serde_json::from_str(output.lines().last().expect("a line")).expect("the report is JSON");
    assert!(report["choices"].as_u64().expect("a count") >= 4, "{report}");
    assert_eq!(report["choices"], report["same"]);

    // Another seed gives another set.
    let written = std::fs::read_to_string(&log).expect("the log");
    assert!(written.contains(r#""seed":4"#));
    std::fs::write(&log, written.replacen(r#""seed":4"#, r#""seed":5"#, 1)).expect("written");
    let (ok, output) = aivj(&data, &["replay", text(&log), "--audio", "demo"]);
    assert!(!ok && output.contains("first difference:"), "{output}");

    // A different library is reported before anything is replayed.
    let others = folder.path().join("others");
    std::fs::create_dir(&others).expect("a folder");
    std::fs::write(others.join("one.milk"), "[preset00]\nzoom=1.01\n").expect("written");
    let (ok, output) = aivj(&data, &["replay", text(&log), "--audio", "demo", "--presets", text(&others)]);
    assert!(!ok && output.contains("a different library"), "{output}");
}

#[test]
fn a_performance_with_memory_obeys_bans_and_logs_its_macros() {
    if Gpu::for_test().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (data, presets) = (folder.path().join("data"), folder.path().join("presets"));
    let (log, frames) = (folder.path().join("set.jsonl"), folder.path().join("frames"));
    std::fs::create_dir(&presets).expect("a folder");
    for (number, name) in ["one", "two", "three", "four"].into_iter().enumerate() {
        let preset = format!("[preset00]\nfWaveAlpha=1\nnWaveMode={number}\nzoom=1.0{number}\n");
        std::fs::write(presets.join(format!("{name}.milk")), preset).expect("written");
        if name != "three" {
            let file = presets.join(format!("{name}.milk"));
            let (ok, output) = aivj(&data, &["library", "mark", text(&file), "--ban", "yes"]);
            assert!(ok, "{output}");
        }
    }
    let perform = [
        "perform",
        "--audio",
        "demo",
        "--seconds",
        "3",
        "--fps",
        "12",
        "--size",
        "32x18",
        "--memory",
        "--no-audit",
    ];
    let files = ["--out", text(&frames), "--log", text(&log), "--presets", text(&presets)];
    let (ok, output) = aivj(&data, &[&perform[..], &files].concat());
    assert!(ok, "{output}");
    let played: Vec<&str> =
        output.lines().filter_map(|line| line.split_once(" s  ")).map(|(_, name)| name).collect();
    assert!(played.contains(&"three"), "{output}");
    assert!(["one", "two", "four"].iter().all(|name| !played.contains(name)), "{output}");
    let written = std::fs::read_to_string(&log).expect("the log");
    assert!(
        written.lines().next().is_some_and(|header| !header.contains(r#""banned":[]"#)),
        "the memory is logged"
    );
    let macros = written.lines().filter(|line| line.contains(r#""event":"macros""#)).count();
    assert!((3..=4).contains(&macros), "{macros}");
}

#[test]
fn a_performance_with_layers_repeats_its_pictures() {
    if Gpu::for_test().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (data, log) = (folder.path().join("data"), folder.path().join("set.jsonl"));
    let layers = ["--layers", "tests/golden/layers/files", "--title", "Live tonight"];
    let actions = ["0.25=sprite.08", "0.25=message.01", "1=launch_title", "1.5=clear_sprites"];
    let perform = |name: &str, actions: &[&str]| {
        let frames = folder.path().join(name);
        let mut all = vec!["perform", "--seconds", "2", "--fps", "12", "--size", "64x36", "--no-audit"];
        all.extend(["--out", text(&frames), "--log", text(&log)].into_iter().chain(layers));
        actions.iter().for_each(|action| all.extend(["--action", action]));
        let (ok, output) = aivj(&data, &all);
        assert!(ok && !output.contains("layers:"), "{output}");
        let mut names: Vec<_> =
            std::fs::read_dir(&frames).expect("frames").flatten().map(|file| file.path()).collect();
        names.sort();
        let read = |path: &std::path::PathBuf| std::fs::read(path).expect("a frame");
        names
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "png"))
            .map(read)
            .collect::<Vec<_>>()
    };
    let plain = perform("plain", &[]);
    let (first, again) = (perform("first", &actions), perform("again", &actions));
    assert!(first == again, "the same seed, audio and actions give other pictures");
    let changed: Vec<bool> = plain.iter().zip(&first).map(|(plain, layered)| plain != layered).collect();
    assert!(changed.len() == 24 && changed[..3].iter().all(|changed| !changed), "{changed:?}");
    assert!(changed[4..22].iter().all(|changed| *changed), "{changed:?}");
    let written = std::fs::read_to_string(&log).expect("the log");
    for command in
        [r#"{"sprite":8}"#, r#"{"message":1}"#, r#"{"set_title":"Live tonight"}"#, r#""launch_title""#]
    {
        assert!(written.contains(command), "{command} is not in the log");
    }
    let (ok, output) = aivj(&data, &["replay", text(&log)]);
    assert!(!ok && output.contains("--audio"), "{output}");
    let (ok, output) = aivj(&data, &["replay", text(&log), "--audio", "demo"]);
    assert!(ok, "{output}");
}
