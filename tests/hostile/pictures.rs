//! Hostile presets drawn and audited: the probe of an audit plays them in-process, unguarded, with the show's own frame
//! function. Each of them must end in a picture or in a verdict, quickly and within 1 GiB.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use aivj::audit::probe::{ProbeOutcome, ProbeSettings, Prober};
use aivj::facts::PresetId;
use aivj::jobs::wire::WirePreset;
use aivj::stage::Gpu;

use super::kinds::{GREEDY, KINDS};

/// Maximum memory of this process, in KiB.
const MAX_RESIDENT_KIB: u64 = 1 << 20;

/// Opens a device; `None` if `AIVJ_NO_GPU=1` declares that there is none.
fn prober() -> Option<Prober> {
    Gpu::for_test()?;
    let settings = ProbeSettings { size: [96, 54], warm_up: 1, frames: 3, ..ProbeSettings::default() };
    Some(Prober::new(settings).expect("a prober"))
}

/// Probes a preset; returns how long that took, and a description of the outcome.
fn probe(prober: &mut Prober, name: &str, file: &[u8]) -> (Duration, String) {
    let started = Instant::now();
    let preset = WirePreset::of_bytes(PathBuf::from(name), file);
    let report = prober.probe(&preset, PresetId::of(file));
    let took = started.elapsed();
    let verdict = match &report.outcome {
        ProbeOutcome::Drawn => report.evidence.broken.first().cloned().unwrap_or_else(|| "drawn".into()),
        ProbeOutcome::Refused(why) | ProbeOutcome::Endless(why) => why.clone(),
        failure => unreachable!("{name}: {failure:?}"),
    };
    assert!(!prober.lost(), "{name}: the device is lost");
    (took, verdict)
}

/// Returns the peak memory of this process so far, in KiB; `None` where that is unknown.
fn most_resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn check_memory() {
    if let Some(kib) = most_resident_kib() {
        println!("at most {} MiB", kib >> 10);
        assert!(kib <= MAX_RESIDENT_KIB, "{kib} KiB");
    }
}

#[test]
fn a_preset_of_each_greedy_kind_ends_in_a_picture_or_a_verdict() {
    let Some(mut prober) = prober() else { return };
    for (number, (name, file)) in GREEDY.iter().enumerate() {
        let (took, verdict) = probe(&mut prober, name, &file(number % 4 + 1));
        println!("{:6.2} s  {name}: {verdict}", took.as_secs_f64());
        // Generous, because the computer may be busy; the ignored test has a tighter limit.
        assert!(took < Duration::from_secs(20), "{name}: {took:?}: {verdict}");
    }
    check_memory();
}

/// Draws every kind in every size, then audits them as a user would:
/// `cargo test --release --test hostile -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn every_hostile_preset_ends_in_a_picture_and_a_verdict() {
    let Some(mut prober) = prober() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("library");
    std::fs::create_dir(&library).expect("made");
    let (mut times, mut slow) = (Vec::new(), Vec::new());
    for (name, file) in KINDS.iter().chain(GREEDY) {
        for size in 1..=4 {
            let (file, name) = (file(size), format!("{name} {size}"));
            let (took, verdict) = probe(&mut prober, &name, &file);
            println!("{:6.2} s  {name}: {verdict}", took.as_secs_f64());
            times.push(took);
            if took > Duration::from_secs(2) {
                slow.push(name.clone());
            }
            let ending = if name.starts_with("double") { "milk2" } else { "milk" };
            std::fs::write(library.join(format!("{name}.{ending}")), &file).expect("written");
        }
    }
    times.sort();
    let [median, longest] = [times[times.len() / 2], times[times.len() - 1]];
    println!("{} files: median {median:.2?}, longest {longest:.2?}", times.len());
    check_memory();
    assert!(slow.is_empty(), "over two seconds: {slow:?}");
    let started = Instant::now();
    let out = folder.path().join("out");
    let mut audit = Command::new(env!("CARGO_BIN_EXE_aivj"));
    audit.env("AIVJ_DATA", folder.path().join("data")).args(["bake", "audit", "--size", "96x54"]);
    audit.arg("--library").arg(&library).arg("--out").arg(&out);
    let run = audit.output().expect("started");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = std::fs::read_to_string(out.join("preset-audit.json")).expect("an audit");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entries = report["entries"].as_array().expect("a list");
    let judged = entries.iter().filter(|entry| entry["quality"].is_object()).count();
    println!("{judged} verdicts in {:.2?}", started.elapsed());
    assert!(judged >= 100 && judged == entries.len(), "{judged} of {} have a verdict", entries.len());
}
