//! The command line: options that could have no effect, presets in no scanned library, unusual file names, and
//! interruption.

use std::path::Path;
use std::process::{Command, Output};

const PRESET: &str = "[preset00]\nzoom=1.01\n";

/// Returns the program with its own data folder in `folder`.
fn aivj(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aivj"));
    command.env("AIVJ_DATA", folder.join("data")).current_dir(folder);
    command
}

/// Runs the program; returns its exit status and what it printed on stdout and stderr.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("aivj starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn options_that_could_have_no_effect_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.milk"), PRESET).expect("written");
    for (line, why) in [
        ("render --save 0 --out o a.milk", "0 is not in 1.."),
        ("render --save 1,70 --frames 2 --out o a.milk", "--save 70 is after the last frame"),
        ("render --save 1 a.milk", "choose one with --out"),
        ("perform --seconds 1 --action 99=next", "--action at 99 s would never run"),
        ("perform --seconds 1e300", "from 0.001 to 86400"),
        ("perform --seconds 1 --audio a.milk --out a.milk", "a.milk is the audio file"),
        ("perform --seconds 1 --audio a.milk --log ./a.milk", "a.milk is the audio file"),
        ("bake pack --audit . --size 0", "0 is not in 1.."),
        ("bench --json missing/b.json", "the folder missing does not exist"),
        ("taste export missing/t.json", "the folder missing does not exist"),
        ("listen --seconds nan", "expected a number of seconds"),
        ("doctor --listen nan", "from 0.1 to 10"),
        ("bake audit --library . --out o --seconds nan", "expected a number of seconds"),
        ("bake tune head --out missing", "missing is not a folder"),
    ] {
        let (status, _, errors) = run(aivj(folder.path()).args(line.split(' ')));
        assert!(status.is_some_and(|status| status != 0) && errors.contains(why), "{line}: {errors}");
    }
    assert!(!folder.path().join("missing").exists() && !folder.path().join("o").exists());
}

#[test]
fn every_line_about_an_input_is_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = ["listen", "--json", "--audio", "no such input", "--seconds", "0.5"];
    let (status, lines, errors) = run(aivj(folder.path()).args(options));
    assert_eq!(status, Some(0), "{errors}");
    let invalid = lines.lines().find(|line| serde_json::from_str::<serde_json::Value>(line).is_err());
    assert_eq!(invalid, None, "{lines}");
}

#[test]
fn a_performance_creates_the_folders_of_its_video_and_its_log() {
    if aivj::stage::Gpu::for_test().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let line = "perform --seconds 0.2 --fps 10 --size 32x18 --log out/logs/a.jsonl --out out/frames";
    let (status, _, errors) = run(aivj(folder.path()).args(line.split(' ')));
    assert_eq!(status, Some(0), "{errors}");
    assert!(folder.path().join("out/logs/a.jsonl").is_file() && folder.path().join("out/frames").is_dir());
}

#[test]
fn a_mark_of_an_unknown_preset_is_kept_and_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = "0123456789abcdef0123456789abcdef";
    let (status, shown, errors) =
        run(aivj(folder.path()).args(["library", "mark", id, "--favourite", "yes"]));
    assert_eq!(status, Some(0), "{errors}");
    assert!(shown.contains("favourite: yes") && errors.contains("no scanned library contains"), "{errors}");
}

#[test]
fn a_description_without_a_known_word_finds_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, found, errors) = run(aivj(folder.path()).args(["library", "find", "xyzzyqq"]));
    assert!(status == Some(0) && found.is_empty() && errors.contains("not understood: xyzzyqq"), "{errors}");
}

#[test]
fn a_description_refers_to_a_preset_of_the_last_list_by_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let find = |text: &str| run(aivj(folder.path()).args(["library", "find", text, "--limit", "3"]));
    let (status, found, errors) = find("tunnel");
    assert_eq!(status, Some(0), "{errors}");
    let names: Vec<&str> = found.lines().map(|line| line.rsplit("  ").next().unwrap_or("")).collect();
    assert!(
        names.len() == 3 && found.lines().nth(1).is_some_and(|line| line.starts_with("   2  ")),
        "{found}"
    );
    let (status, similar, errors) = find("more like 2 but slower");
    assert!(status == Some(0) && !similar.contains(names[1]), "{similar}{errors}");
    let (status, _, errors) = find("like this, calmer");
    assert!(status == Some(1) && errors.contains("\"this\" refers to"), "{errors}");
}

#[test]
fn a_picture_is_a_description_and_any_other_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notes.txt"), "not a picture").expect("written");
    image::RgbImage::new(64, 36).save(folder.path().join("black.png")).expect("saved");
    let find =
        |file: &str| run(aivj(folder.path()).args(["library", "find", "--picture", file, "--limit", "3"]));
    let (status, found, errors) = find("black.png");
    assert_eq!((status, found.lines().count()), (Some(0), 3), "{errors}");
    for file in ["notes.txt", "missing.png"] {
        let (status, found, errors) = find(file);
        assert!(status == Some(1) && found.is_empty(), "{found}{errors}");
        assert!(errors.contains(&format!("cannot use {file} as a picture")), "{errors}");
    }
    let (status, _, errors) = run(aivj(folder.path()).args(["library", "find"]));
    assert_eq!(status, Some(2), "{errors}");
}

#[test]
fn a_library_that_is_held_back_is_searched_with_a_note() {
    let folder = tempfile::tempdir().expect("a folder");
    let presets = folder.path().join("presets");
    std::fs::create_dir(&presets).expect("made");
    std::fs::write(presets.join("xyzzyqq.milk"), PRESET).expect("written");
    std::fs::write(presets.join("quality-blacklist.json"), "{").expect("written");
    let (status, found, errors) =
        run(aivj(folder.path()).args(["library", "find", "xyzzyqq", "--presets", "presets"]));
    assert_eq!((status, found.lines().count()), (Some(0), 1), "{found}{errors}");
    assert!(
        found.contains("xyzzyqq.milk") && errors.contains("cannot read the quality blacklist"),
        "{errors}"
    );
}

#[cfg(unix)]
#[test]
fn file_names_are_printed_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let presets = folder.path().join("presets");
    std::fs::create_dir(&presets).expect("made");
    std::fs::write(presets.join("escape\x1b[2J\nfalse.milk"), PRESET).expect("written");
    let (status, _, errors) = run(aivj(folder.path()).args(["library", "scan", "presets"]));
    assert_eq!(status, Some(0), "{errors}");
    let (_, found, _) = run(aivj(folder.path()).args(["library", "search", "escape"]));
    assert!(found.contains(r"escape\u{1b}[2J\nfalse.milk") && found.lines().count() == 1, "{found:?}");
}

#[cfg(unix)]
#[test]
fn a_preset_whose_name_is_not_unicode_has_a_report() {
    use std::os::unix::ffi::OsStrExt as _;
    if aivj::stage::Gpu::for_test().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let name = b"a\xff.milk";
    let file = folder.path().join(std::ffi::OsStr::from_bytes(name));
    if std::fs::write(file, PRESET).is_err() {
        println!("skipped: this file system rejects such names");
        return;
    }
    let mut command = aivj(folder.path());
    command.args(["render", "--size", "32x32", "--frames", "1", "--workers", "1"]);
    let (status, reports, errors) = run(command.arg(std::ffi::OsStr::from_bytes(name)));
    assert_eq!(status, Some(0), "{errors}");
    let report: serde_json::Value = serde_json::from_str(reports.trim()).expect("a report");
    assert_eq!((&report["preset"], &report["status"]), (&serde_json::json!(name), &"ok".into()));
}

#[cfg(unix)]
#[test]
fn an_interrupted_performance_keeps_the_partial_video_and_leaves_no_scratch_folder() {
    use std::time::{Duration, Instant};
    if aivj::stage::Gpu::for_test().is_none() {
        return;
    }
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        let names = || -> Vec<String> {
            let entries = std::fs::read_dir(&out).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        let mut command = aivj(folder.path());
        command.args([
            "perform",
            "--seconds",
            "3600",
            "--fps",
            "10",
            "--size",
            "32x18",
            "--out",
            "out/show.mkv",
        ]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let show = command.spawn().expect("aivj starts");
        let since = Instant::now();
        while !names().iter().any(|name| name.starts_with(".aivj-")) {
            assert!(since.elapsed() < Duration::from_secs(300), "no scratch folder");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        let sent = Command::new("kill").args([signal, &show.id().to_string()]).status().expect("sent");
        assert!(sent.success());
        let Output { status, stderr, .. } = show.wait_with_output().expect("ended");
        let errors = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(3), "{errors}");
        assert!(errors.contains("the video is partial"), "{errors}");
        // Without ffmpeg, the video is a WebP file.
        assert!(matches!(&names()[..], [only] if only.starts_with("show.")), "{:?}", names());
    }
}
