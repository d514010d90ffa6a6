//! Every command that opens files, given hostile ones: it must exit with a message or a result, and touch nothing
//! outside the folders it was given.
#![cfg(unix)]

mod corpus;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use corpus::{TRAPS, hostile_images, hostile_sounds, hostile_tree};

/// Time after which a command counts as stuck; generous, because the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A data folder, a folder for hostile files, and one outside both that must stay untouched.
struct Sandbox {
    root: tempfile::TempDir,
}

struct Run {
    status: ExitStatus,
    /// Standard output and error.
    text: String,
}

impl Sandbox {
    fn new() -> Self {
        let sandbox = Self { root: tempfile::tempdir().expect("a folder") };
        for name in ["data", "files", "outside"] {
            std::fs::create_dir(sandbox.at(name)).expect("made");
        }
        corpus::write(&sandbox.at("outside/precious.milk"), b"precious");
        sandbox
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Creates an empty folder with this name.
    fn fresh(&self, name: &str) -> PathBuf {
        let folder = self.at(name);
        std::fs::remove_dir_all(&folder).ok(); // It may not exist.
        std::fs::create_dir(&folder).expect("made");
        folder
    }

    /// Runs a command; fails the test if it does not exit, or exits by a signal or a panic.
    fn run(&self, what: &str, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aivj"));
        command.args(arguments.iter().map(|argument| argument.as_ref())).env("AIVJ_DATA", self.at("data"));
        let output = tempfile::tempfile().expect("a file");
        let errors = output.try_clone().expect("a handle");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a handle"))
            .stderr(errors)
            .spawn()
            .expect("started");
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a status") {
                break status;
            }
            let stuck = started.elapsed() > TIMEOUT;
            if stuck {
                child.kill().ok();
                child.wait().ok();
            }
            assert!(!stuck, "{what}: stuck");
            std::thread::sleep(Duration::from_millis(20));
        };
        let (mut output, mut bytes) = (output, Vec::new());
        std::io::Seek::rewind(&mut output).expect("a place");
        output.read_to_end(&mut bytes).expect("read");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        println!("{:6.2} s  {what}", started.elapsed().as_secs_f64());
        assert!(matches!(status.code(), Some(0..=2)), "{what}: {status}: {text}");
        assert!(!text.contains("panicked"), "{what}: {text}");
        assert_eq!(std::fs::read(self.at("outside/precious.milk")).expect("there"), b"precious", "{what}");
        assert_eq!(
            std::fs::read_dir(self.at("outside")).expect("read").count(),
            1,
            "{what}: written outside"
        );
        Run { status, text }
    }

    /// Runs a command that must fail with a message that contains `named`.
    fn refused(&self, what: &str, named: &str, arguments: &[&dyn AsRef<std::ffi::OsStr>]) {
        let run = self.run(what, arguments);
        assert!(!run.status.success(), "{what}: {}", run.text);
        assert!(run.text.contains(named), "{what}: the message lacks {named:?}: {}", run.text);
    }
}

/// Returns true for traps that are regular files and merely empty or meaningless.
fn is_plain(trap: &str) -> bool {
    ["empty file", "noise"].contains(&trap)
}

#[test]
fn a_scan_of_hostile_files_reports_each_of_them() {
    let sandbox = Sandbox::new();
    let library = sandbox.at("files");
    for (number, trap) in TRAPS.iter().enumerate() {
        (trap.set)(&library.join(format!("trap {number:02}.milk")));
    }
    let names = hostile_tree(&library);
    corpus::write(&library.join("good.milk"), b"[preset00]\nzoom=1.01\n");
    let run = sandbox.run("library scan", &[&"library", &"scan", &library]);
    assert!(run.status.success(), "{}", run.text);
    for (number, trap) in TRAPS.iter().enumerate() {
        // A folder with the name of a preset is entered like any other.
        if !is_plain(trap.name) && !trap.name.contains("folder") {
            assert!(run.text.contains(&format!("trap {number:02}.milk")), "{}: {}", trap.name, run.text);
        }
    }
    assert!(names >= 13 && run.text.contains("too large.milk"), "{}", run.text);
    assert!(
        !run.text.contains("/proc/self") && !run.text.contains("/sys/"),
        "left the library: {}",
        run.text
    );
    let found = sandbox.run("library search", &[&"library", &"search", &"good"]);
    assert!(found.status.success(), "{}", found.text);
}

#[test]
fn traps_in_place_of_style_indexes_are_harmless() {
    let sandbox = Sandbox::new();
    let lists = [
        "library-manifest.json",
        "quality-blacklist.json",
        "aivj-style-index.v1.json",
        "aivj-style-index.v0.json",
        "aivj-style-policy.v0.json",
        "aivj-bake.v0.json",
    ];
    for trap in &TRAPS {
        let library = sandbox.fresh("files");
        corpus::write(&library.join("good.milk"), b"[preset00]\nzoom=1.01\n");
        lists.iter().for_each(|name| (trap.set)(&library.join(name)));
        sandbox.run(&format!("index check: {}", trap.name), &[&"index", &"check", &library]);
    }
    let library = sandbox.fresh("files");
    corpus::write(&library.join("good.milk"), b"[preset00]\nzoom=1.01\n");
    let deep = "[".repeat(200_000);
    let leaving = [
        "../outside/precious.milk",
        "/etc/passwd",
        "..\\outside\\precious.milk",
        "\\\\server\\share\\a.milk",
    ];
    let listed: Vec<String> = leaving.iter().map(|path| format!("{{\"relPath\":{path:?}}}")).collect();
    for (name, text) in [
        ("library-manifest.json", format!(r#"{{"version":"v0","presets":[{}]}}"#, listed.join(","))),
        ("quality-blacklist.json", deep.clone()),
        ("aivj-style-index.v1.json", deep),
        ("aivj-bake.v0.json", r#"{"version":"v0","folder":"/"}"#.into()),
    ] {
        corpus::write(&library.join(name), text.as_bytes());
    }
    sandbox.run("index check: paths that leave, deep nesting", &[&"index", &"check", &library]);
}

#[test]
fn traps_in_place_of_audio_logs_packages_and_models_are_harmless() {
    let sandbox = Sandbox::new();
    for trap in &TRAPS {
        let files = sandbox.fresh("files");
        let file = files.join("the trap.wav");
        (trap.set)(&file);
        let what = |command: &str| format!("{command}: {}", trap.name);
        sandbox.refused(&what("listen"), "the trap.wav", &[&"listen", &"--json", &"--seconds", &"1", &file]);
        sandbox.refused(&what("replay"), "the trap.wav", &[&"replay", &file]);
        sandbox.refused(&what("taste import"), "the trap.wav", &[&"taste", &"import", &file]);
        let model = files.join("model");
        std::fs::create_dir(&model).expect("made");
        (trap.set)(&model.join("model.onnx"));
        corpus::write(&model.join("preprocessor_config.json"), b"{}");
        sandbox.refused(&what("models add"), "model", &[&"models", &"add", &model]);
        std::fs::remove_dir_all(sandbox.at("data/models")).ok(); // It normally does not exist.
    }
    for sound in hostile_sounds(&sandbox.fresh("files")) {
        let what = format!("listen: {}", sound.display());
        sandbox.run(&what, &[&"listen", &"--json", &"--seconds", &"1", &sound]);
    }
}

#[test]
fn traps_in_place_of_settings_and_keys_are_harmless() {
    for trap in &TRAPS {
        let sandbox = Sandbox::new();
        let data = sandbox.at("data");
        for name in ["settings.toml", "keys.toml"] {
            (trap.set)(&data.join(name));
        }
        sandbox.run(&format!("settings: {}", trap.name), &[&"settings"]);
        sandbox.run(&format!("keys: {}", trap.name), &[&"keys"]);
    }
}

#[test]
fn no_code_is_loaded_from_the_data_folder() {
    let sandbox = Sandbox::new();
    let source = sandbox.at("code.c");
    let code = "#include <stdio.h>\n__attribute__((constructor)) static void f(void){ puts(\"CODE RAN\"); fflush(stdout); }";
    corpus::write(&source, code.as_bytes());
    let library = sandbox.at("data/libonnxruntime.so");
    let compiler = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    let compiled = compiler.expect("cc starts; install the package build-essential (./test does)").success();
    assert!(compiled, "cc builds a library");
    std::fs::copy(&library, sandbox.at("data/libonnxruntime-readme.so.txt")).expect("copied");
    let model = sandbox.fresh("files");
    corpus::write(&model.join("model.onnx"), &corpus::noise(1000));
    corpus::write(&model.join("preprocessor_config.json"), b"{}");
    let run = sandbox.run("models add", &[&"models", &"add", &model]);
    assert!(!run.text.contains("CODE RAN"), "{}", run.text);
    // A bake opens the model in a worker process, which reports why it cannot be used.
    let (library, out) = (sandbox.fresh("library"), sandbox.at("out"));
    corpus::write(&library.join("a.milk"), b"zoom=1");
    sandbox.refused(
        "bake embed",
        "cannot use",
        &[&"bake", &"embed", &"--library", &library, &"--out", &out, &"--embedder", &model],
    );
}

#[test]
fn hostile_textures_are_harmless() {
    if aivj::stage::Gpu::for_test().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let textures = sandbox.at("files");
    let mut names = Vec::new();
    for (number, trap) in TRAPS.iter().enumerate() {
        (trap.set)(&textures.join(format!("trap{number}.png")));
        names.push(format!("trap{number}"));
    }
    for image in hostile_images(&textures) {
        names.push(image.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    let sound = sandbox.at("sound.wav");
    aivj::audio::wav::write(&sound, &aivj::audio::Pcm { rate_hz: 44_100, frames: vec![[0.1, 0.1]; 22_050] })
        .expect("written");
    // A shader can use at most 16 images, so they are divided among several presets.
    let mut presets = Vec::new();
    for (number, names) in names.chunks(8).enumerate() {
        let samplers =
            names.iter().enumerate().map(|(n, name)| format!("comp_{}=`sampler sampler_{name};", n + 1));
        let sums = names.iter().map(|name| format!("+tex2D(sampler_{name},uv).xyz"));
        let body = format!("comp_{}=`shader_body {{ ret=0{}; }}", names.len() + 1, sums.collect::<String>());
        let head = [
            "MILKDROP_PRESET_VERSION=201",
            "PSVERSION=2",
            "PSVERSION_WARP=2",
            "PSVERSION_COMP=2",
            "[preset00]",
        ];
        let preset = sandbox.at(&format!("images {number}.milk"));
        corpus::lines(&preset, head.into_iter().map(str::to_owned).chain(samplers).chain([body]));
        presets.push(preset);
    }
    let out = sandbox.at("out");
    let mut arguments: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![
        &"render",
        &"--size",
        &"48x32",
        &"--frames",
        &"1",
        &"--audio",
        &sound,
        &"--textures",
        &textures,
        &"--out",
        &out,
    ];
    presets.iter().for_each(|preset| arguments.push(preset));
    let run = sandbox.run("render", &arguments);
    assert!(run.status.success(), "{}", run.text);
    for name in ["trap0", "vast", "bomb", "cut"] {
        assert!(run.text.contains(&format!("missing texture: {name}")), "{name}: {}", run.text);
    }
}

#[test]
fn nothing_is_written_or_deleted_through_links() {
    if aivj::stage::Gpu::for_test().is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let (library, out) = (sandbox.at("files"), sandbox.at("out"));
    corpus::write(&library.join("good.milk"), b"[preset00]\nzoom=1.01\n");
    let sound = sandbox.at("sound.wav");
    aivj::audio::wav::write(&sound, &aivj::audio::Pcm { rate_hz: 44_100, frames: vec![[0.1, 0.1]; 44_100] })
        .expect("written");
    // The output of `bake frames`.
    std::fs::create_dir(&out).expect("made");
    std::fs::write(out.join("overnight.log"), "").expect("written"); // Makes it the output folder of a bake.
    std::os::unix::fs::symlink(sandbox.at("outside"), out.join("frames")).expect("linked");
    std::os::unix::fs::symlink(sandbox.at("outside/index"), out.join("frames-index.jsonl")).expect("linked");
    let frames: [&dyn AsRef<std::ffi::OsStr>; 14] = [
        &"bake",
        &"frames",
        &"--library",
        &library,
        &"--out",
        &out,
        &"--audio",
        &sound,
        &"--size",
        &"48x32",
        &"--warmup-frames",
        &"2",
        &"--limit",
        &"1",
    ];
    sandbox.refused("bake frames: linked index", "is a link", &frames);
    std::fs::remove_file(out.join("frames-index.jsonl")).expect("removed");
    let run = sandbox.run("bake frames: linked folder", &frames);
    assert!(run.text.contains("is a link"), "{}", run.text);
}

#[test]
fn a_bake_refuses_links_in_place_of_its_lock_log_and_folders() {
    let sandbox = Sandbox::new();
    let library = sandbox.at("files");
    corpus::write(&library.join("good.milk"), b"[preset00]\nzoom=1.01\n");
    let outside = sandbox.at("outside");
    let out = |link: &str, target: &str| {
        let out = sandbox.fresh("out");
        corpus::write(&out.join("audit-run.json"), b"{}"); // Makes it the output folder of a bake.
        std::os::unix::fs::symlink(outside.join(target), out.join(link)).expect("linked");
        out
    };
    for (link, target) in [("overnight.log", "precious.milk"), (".aivj-bake.lock", "precious.milk")] {
        let out = out(link, target);
        let arguments: [&dyn AsRef<std::ffi::OsStr>; 8] =
            [&"bake", &"overnight", &"--pack", &"night", &"--library", &library, &"--out", &out];
        sandbox.refused(&format!("bake overnight: {link}"), "is a link", &arguments);
    }
    for (link, target) in [(".aivj-bake.lock", "new"), ("thumbs", "")] {
        let out = out(link, target);
        let arguments: [&dyn AsRef<std::ffi::OsStr>; 6] =
            [&"bake", &"audit", &"--library", &library, &"--out", &out];
        sandbox.refused(&format!("bake audit: {link}"), "is a link", &arguments);
    }
    let out = out("parents", "");
    let arguments: [&dyn AsRef<std::ffi::OsStr>; 8] =
        [&"bake", &"breed", &"--library", &library, &"--from", &library, &"--out", &out];
    sandbox.refused("bake breed: parents", "is a link", &arguments);
}

#[test]
fn the_corpus_has_at_least_fifty_kinds_of_hostile_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let kinds = TRAPS.len()
        + hostile_tree(&{
            let tree = folder.path().join("tree");
            std::fs::create_dir(&tree).expect("made");
            tree
        })
        + hostile_images(folder.path()).len()
        + hostile_sounds(folder.path()).len();
    assert!(kinds >= 50, "{kinds}");
    assert!(Path::new(env!("CARGO_BIN_EXE_aivj")).is_file());
}
