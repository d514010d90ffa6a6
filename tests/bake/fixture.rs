//! Folders for one bake, and helpers that run the program on them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use aivj::stage::Gpu;
use serde_json::Value;

/// A library, an output folder, packs and a store, deleted on drop.
pub struct BakeFixture {
    root: tempfile::TempDir,
    pub library: PathBuf,
}

/// The result of one run.
pub struct Run {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// Writes `count` copies of built-in presets, named `good ...`.
pub fn good_presets(folder: &Path, count: usize) {
    let all: Vec<_> = aivj::library::built_in().collect();
    for number in 0..count {
        let preset = all[number * all.len() / count];
        std::fs::write(folder.join(format!("good {number}.milk")), preset.text).expect("written");
    }
}

/// Returns the paths of the presets whose verdicts are in a run's JSON Lines.
pub fn judged(lines: &str) -> Vec<String> {
    let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let verdicts = events.filter(|event| event["event"] == "judged");
    verdicts.filter_map(|event| event["path"].as_str().map(str::to_owned)).collect()
}

impl BakeFixture {
    /// Creates the folders; `None` if `AIVJ_NO_GPU=1` declares that there is no graphics device, which every bake
    /// needs.
    pub fn new() -> Option<Self> {
        Gpu::for_test()?;
        let root = tempfile::tempdir().expect("a folder");
        let library = root.path().join("library");
        std::fs::create_dir(&library).expect("made");
        Some(Self { root, library })
    }

    pub fn with_library(library: PathBuf) -> Self {
        Self { root: tempfile::tempdir().expect("a folder"), library }
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aivj"));
        command.env("AIVJ_DATA", self.folder("data")).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn command(&self) -> Command {
        let mut command = self.program();
        command.arg("bake");
        command
    }

    /// Runs the program with these arguments.
    pub fn aivj(&self, arguments: &[&str]) -> Run {
        let mut command = self.program();
        command.args(arguments);
        run(command)
    }

    fn audit_command(&self, more: &[&str]) -> Command {
        let mut command = self.command();
        command.arg("audit").arg("--library").arg(&self.library).arg("--out").arg(self.folder("out"));
        command.args(["--size", "96x54", "--frames", "12"]).args(more);
        command
    }

    pub fn audit(&self, more: &[&str]) -> Run {
        run(self.audit_command(more))
    }

    pub fn start_audit(&self, more: &[&str]) -> Child {
        self.audit_command(more).spawn().expect("started")
    }

    /// Runs a stage; `OUT` and `PACKS` in `folders` stand for the fixture's folders.
    pub fn bake(&self, arguments: &[&str], folders: &[&str]) -> Run {
        let mut command = self.command();
        command.args(arguments);
        for argument in folders {
            match *argument {
                "OUT" => command.arg(self.folder("out")),
                "PACKS" => command.arg(self.folder("packs")),
                other => command.arg(other),
            };
        }
        run(command)
    }

    /// Starts a stage.
    pub fn start_bake(&self, arguments: &[&str]) -> Child {
        self.command().args(arguments).spawn().expect("started")
    }

    /// Starts an audit with one worker and kills it after `verdicts` verdicts; returns the presets' paths.
    pub fn audit_killed_after(&self, verdicts: usize) -> Vec<String> {
        let mut child = self.start_audit(&["--json", "--workers", "1"]);
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut paths = Vec::new();
        for line in lines {
            paths.extend(judged(&line));
            if paths.len() >= verdicts {
                break;
            }
        }
        child.kill().ok(); // It may have ended already.
        child.wait().expect("ended");
        paths
    }

    /// Starts an overnight bake with one worker and kills it once `stage` has processed `presets` presets; 0
    /// kills it when the stage starts.
    pub fn night_killed_in(&self, frames: &[&str], stage: &str, presets: u64) {
        let mut command = self.command();
        command.args(["overnight", "--pack", "night", "--k", "8", "--json", "--workers", "1"]).args(frames);
        command.arg("--library").arg(&self.library).arg("--out").arg(self.folder("out"));
        let mut child = command.stdin(Stdio::piped()).spawn().expect("started");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut in_stage = false;
        for event in lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok()) {
            match event["event"].as_str() {
                Some("stage") => in_stage = event["stage"] == stage,
                Some("progress") if in_stage && event["done"].as_u64() >= Some(presets) => break,
                _ => {}
            }
            if in_stage && presets == 0 {
                break;
            }
        }
        child.kill().ok(); // It may have ended already.
        child.wait().expect("ended");
    }

    pub fn wait_until_locked(&self, patience: Duration) {
        let started = Instant::now();
        while !self.folder("out").join("audit-run.json").exists() {
            assert!(started.elapsed() < patience, "the audit never began");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the names of the library's files.
    pub fn presets(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.library).expect("read").flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Returns the audit's entries by path.
    pub fn entries(&self) -> BTreeMap<String, Value> {
        let text = std::fs::read_to_string(self.folder("out").join("preset-audit.json")).expect("an audit");
        let audit: Value = serde_json::from_str(&text).expect("JSON");
        let entries = audit["entries"].as_array().expect("a list").clone();
        entries.into_iter().map(|e| (e["relPath"].as_str().expect("a path").to_owned(), e)).collect()
    }

    /// Returns, by path, every value that must be equal when the audit is repeated.
    pub fn metrics(&self) -> BTreeMap<String, Value> {
        let values = |entry: Value| {
            let verdict = &entry["verdict"];
            let parts = ["safety", "completeness", "look", "metrics", "likeness", "flash"];
            Value::from(parts.map(|part| verdict[part].clone()).to_vec())
        };
        self.entries().into_iter().map(|(path, entry)| (path, values(entry))).collect()
    }
}

fn run(mut command: Command) -> Run {
    let output = command.output().expect("started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}
