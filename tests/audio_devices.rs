//! Capture through real audio servers, PulseAudio and PipeWire, each with a null sink and restarted after a crash.
//!
//! PipeWire is tested through its PulseAudio socket, as most programs use it; with the feature `pipewire`,
//! through its native library.
#![cfg(target_os = "linux")]

mod servers;

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aivj::audio::{Block, Capture, DeviceChoice, Level, Link, Pcm, Source as _, doctor, wav};
use aivj::units::Seconds;
use servers::{Process, expect_ready, in_private, silent};

/// Function that starts an audio server with a null sink named `vj`.
type Server = fn(&Path) -> Vec<Process>;

/// Starts PulseAudio.
fn pulseaudio(runtime: &Path) -> Vec<Process> {
    // Without rewinds, blocks last 50 ms, as on a sound card; otherwise, the first one takes two seconds.
    let null = "module-null-sink sink_name=vj norewinds=1";
    let socket = "module-native-protocol-unix";
    let arguments = ["-n", "--exit-idle-time=-1", "--disallow-exit", "-L", socket, "-L", null];
    let server = Process::start(silent("pulseaudio", &arguments), "pulseaudio");
    expect_ready("pulseaudio", || UnixStream::connect(runtime.join("pulse/native")).is_ok());
    vec![server]
}

/// Keeps WirePlumber (0.4, 0.5) away from the machine's sound cards.
fn leave_cards_alone(runtime: &Path) {
    let file = |name: &str, text: &str| {
        let path = runtime.join(".config/wireplumber").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for settings");
        std::fs::write(path, text).expect("written");
    };
    file("main.lua.d/51-no-cards.lua", "alsa_monitor.enabled = false\n");
    file(
        "wireplumber.conf.d/no-cards.conf",
        "wireplumber.profiles = { main = { monitor.alsa = disabled } }\n",
    );
}

/// Starts PipeWire, its session manager with the D-Bus it requires, and its PulseAudio socket; returns them
/// in stop order.
fn pipewire(runtime: &Path) -> Vec<Process> {
    leave_cards_alone(runtime);
    let bus = format!("--address=unix:path={}", runtime.join("bus").display());
    let bus =
        Process::start(silent("dbus-daemon", &["--session", "--nofork", "--nopidfile", &bus]), "dbus-daemon");
    expect_ready("dbus-daemon", || UnixStream::connect(runtime.join("bus")).is_ok());
    let graph = Process::start(silent("pipewire", &[]), "pipewire");
    expect_ready("pipewire", || UnixStream::connect(runtime.join("pipewire-0")).is_ok());
    let manager = Process::start(silent("wireplumber", &[]), "wireplumber");
    let pulse = Process::start(silent("pipewire-pulse", &[]), "pipewire-pulse");
    expect_ready("pipewire-pulse", || UnixStream::connect(runtime.join("pulse/native")).is_ok());
    expect_ready("a null sink", || {
        let load = silent("pactl", &["load-module", "module-null-sink", "sink_name=vj"]).status();
        load.expect("pactl runs (package pulseaudio-utils)").success()
    });
    expect_ready("the null sink's monitor", || {
        let info = Command::new("pactl").arg("info").output().expect("pactl runs");
        String::from_utf8_lossy(&info.stdout).contains("Default Source: vj.monitor")
    });
    vec![pulse, manager, graph, bus]
}

/// Minimum share of the audio that must arrive: a busy machine loses some of it, a wrong buffer size loses half.
const MIN_SHARE: f64 = 0.75;

/// Reads until `done`, for at most ten seconds; returns the audio of the last `keep` seconds and the elapsed time.
fn listen(
    capture: &mut Capture,
    start: Instant,
    keep: f64,
    done: impl Fn(&[[f32; 2]], Duration) -> bool,
) -> (Vec<[f32; 2]>, Duration) {
    let started = Instant::now();
    let (mut block, mut received) = (Block::with_capacity(Seconds(1.0)), Vec::new());
    let most = (keep * 44_100.0) as usize;
    while started.elapsed() < Duration::from_secs(10) {
        capture.read(Seconds(start.elapsed().as_secs_f64()), &mut block);
        received.extend_from_slice(&block.frames);
        let surplus = received.len().saturating_sub(most);
        received.drain(..surplus);
        if done(&received, started.elapsed()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    (received, started.elapsed())
}

fn loud(frames: &[[f32; 2]]) -> bool {
    frames.len() > 441 && Level::of(&frames[frames.len() - 441..]).rms_dbfs > -30.0
}

/// Measurement of a captured tone.
#[derive(Debug)]
struct Tone {
    /// Median pitch, which gaps do not affect.
    pitch_hz: f64,
    /// Median level of parts of 10 ms.
    rms_dbfs: f32,
    /// Share of the expected cycles that arrived.
    share: f64,
}

impl Tone {
    /// Measures a tone with an expected pitch of `hz`.
    fn of(frames: &[[f32; 2]], hz: f64) -> Self {
        // Upward zero crossings of the left channel, interpolated between samples.
        let rises: Vec<f64> = (1..frames.len())
            .map(|n| (n, frames[n - 1][0], frames[n][0]))
            .filter(|(_, before, after)| *before < 0.0 && *after >= 0.0)
            .map(|(n, before, after)| n as f64 - f64::from(after / (after - before)))
            .collect();
        let mut cycles: Vec<f64> = rises.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mut levels: Vec<f32> = frames.chunks_exact(441).map(|part| Level::of(part).rms_dbfs).collect();
        cycles.sort_by(f64::total_cmp);
        levels.sort_by(f32::total_cmp);
        let expected = hz * frames.len() as f64 / 44_100.0;
        Self {
            pitch_hz: cycles.get(cycles.len() / 2).map_or(0.0, |cycle| 44_100.0 / cycle),
            rms_dbfs: levels.get(levels.len() / 2).copied().unwrap_or(f32::MIN),
            share: rises.len() as f64 / expected,
        }
    }
}

/// Captures a 1 kHz tone through `host`, then again after server outages of several lengths.
fn sound_is_captured_and_returns(runtime: &Path, start_server: Server, host: &str) {
    let tone = runtime.join("tone.wav");
    let step = std::f64::consts::TAU * 1_000.0 / 48_000.0;
    let frames = (0..48_000 * 60).map(|n| [0.353_553_4 * (step * f64::from(n)).sin() as f32; 2]).collect();
    wav::write(&tone, &Pcm { rate_hz: 48_000, frames }).expect("a wav in the temporary folder");
    let tone = tone.to_string_lossy();
    let play = || {
        let player = silent("paplay", &["--device=vj", "--latency-msec=30", &tone]);
        Process::start(player, "pulseaudio-utils")
    };

    let mut server = start_server(runtime);
    let mut player = play();
    std::thread::sleep(Duration::from_millis(500));

    let started = Instant::now();
    let reports = doctor::examine(Seconds(0.5));
    reports.iter().for_each(|report| println!("doctor: {report}"));
    let diagnosis = doctor::diagnose(&reports);
    println!("doctor after {:.2} s: {}", started.elapsed().as_secs_f64(), diagnosis.message);
    assert!(diagnosis.picked.is_some(), "{}", diagnosis.message);
    let through_host = reports.iter().any(|report| report.input.host == host && report.has_signal());
    assert!(through_host, "no input of {host} has a signal");

    let start = Instant::now();
    let clock = Arc::new(move || Seconds(start.elapsed().as_secs_f64()));
    let mut capture = Capture::open(DeviceChoice::Automatic, clock).expect("the audio thread starts");
    let (_, first) = listen(&mut capture, start, 1.0, |frames, _| loud(frames));
    println!("first audio after {:.2} s: {:?}", first.as_secs_f64(), capture.state().read());
    let (frames, elapsed) = listen(&mut capture, start, 2.0, |_, elapsed| elapsed.as_secs_f64() > 3.0);
    let tone = Tone::of(&frames, 1_000.0);
    println!("after {:.2} s: {tone:?}", elapsed.as_secs_f64());
    assert!((tone.pitch_hz - 1_000.0).abs() < 2.0 && (tone.rms_dbfs + 12.04).abs() < 0.3, "{tone:?}");
    assert!(tone.share > MIN_SHARE, "{tone:?}");

    for gone_secs in [0.3, 1.0, 4.0] {
        drop((player, server)); // Simulates a crash of both.
        let (silence, _) = listen(&mut capture, start, gone_secs, |_, t| t.as_secs_f64() > gone_secs);
        let gone = capture.state().read();
        println!("down for {gone_secs} s: {} frames, {:?}: {}", silence.len(), gone.link, gone.message);
        server = start_server(runtime);
        player = play();
        let (_, back) = listen(&mut capture, start, 1.0, |frames, _| loud(frames));
        println!("audio returned {:.2} s after the server: {:?}", back.as_secs_f64(), capture.state().read());
        assert!(back.as_secs_f64() <= 2.0 && capture.state().read().link == Link::Running);
    }
    drop((player, capture));
    server.into_iter().for_each(Process::stop);
}

#[test]
fn capture_recovers_from_a_pulseaudio_crash() {
    let name = "capture_recovers_from_a_pulseaudio_crash";
    in_private(name, &[], |runtime| sound_is_captured_and_returns(runtime, pulseaudio, "PulseAudio"));
}

#[test]
fn capture_recovers_from_a_pipewire_crash() {
    let name = "capture_recovers_from_a_pipewire_crash";
    let host = if cfg!(feature = "pipewire") { "PipeWire" } else { "PulseAudio" };
    in_private(name, &[], |runtime| sound_is_captured_and_returns(runtime, pipewire, host));
}
