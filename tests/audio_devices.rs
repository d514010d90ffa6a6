//! Real sound through a real server: PulseAudio with a null sink, started, killed and started again.
//!
//! Opt-in, because it needs `pulseaudio` and `paplay` and takes half a minute: `AIVJ_AUDIO_TEST=1 cargo test
//! --release --test audio_devices -- --nocapture`. The server gets a runtime folder of its own and never meets
//! the user's.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aivj::audio::{Block, Capture, DeviceChoice, Level, Link, Pcm, Source as _, doctor, wav};
use aivj::units::Seconds;

/// Killed when dropped, so that a failed test leaves nothing behind.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn spawn(program: &str, arguments: &[&str]) -> Option<Process> {
    let child = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.ok().map(Process)
}

/// A server with the null sink `vj`, ready when its socket is there.
fn server(runtime: &str) -> Option<Process> {
    // Without rewinds its blocks are 50 ms, like a card; otherwise the first one takes two seconds.
    let null = "module-null-sink sink_name=vj norewinds=1";
    let arguments =
        ["-n", "--exit-idle-time=-1", "--disallow-exit", "-L", "module-native-protocol-unix", "-L", null];
    let started = spawn("pulseaudio", &arguments)?;
    for _ in 0..200 {
        if std::os::unix::net::UnixStream::connect(format!("{runtime}/pulse/native")).is_ok() {
            return Some(started);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Reads until `done`, giving up after ten seconds; the sound of the last `keep` seconds is returned.
fn listen(
    capture: &mut Capture,
    start: Instant,
    keep: f64,
    done: impl Fn(&[[f32; 2]], Duration) -> bool,
) -> (Vec<[f32; 2]>, Duration) {
    let begun = Instant::now();
    let (mut block, mut heard) = (Block::with_room_for(Seconds(1.0)), Vec::new());
    let most = (keep * 44_100.0) as usize;
    while begun.elapsed() < Duration::from_secs(10) {
        capture.read(Seconds(start.elapsed().as_secs_f64()), &mut block);
        heard.extend_from_slice(&block.frames);
        let surplus = heard.len().saturating_sub(most);
        heard.drain(..surplus);
        if done(&heard, begun.elapsed()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    (heard, begun.elapsed())
}

fn loud(frames: &[[f32; 2]]) -> bool {
    frames.len() > 441 && Level::of(&frames[frames.len() - 441..]).rms_dbfs > -30.0
}

/// Frequency by rising zero crossings of the left channel.
fn pitch_hz(frames: &[[f32; 2]]) -> f64 {
    let rises: Vec<usize> =
        (1..frames.len()).filter(|&n| frames[n - 1][0] < 0.0 && frames[n][0] >= 0.0).collect();
    match rises.as_slice() {
        [first, .., last] => (rises.len() - 1) as f64 * 44_100.0 / (last - first) as f64,
        _ => 0.0,
    }
}

#[test]
fn sound_is_captured_and_is_back_soon_after_the_server() {
    if std::env::var_os("AIVJ_AUDIO_TEST").is_none() {
        println!("skipped: set AIVJ_AUDIO_TEST=1 to run a PulseAudio server in this test");
        return;
    }
    // The runtime folder has to be in the environment from the start: the test runs itself once more with it.
    let Some(runtime) = std::env::var_os("AIVJ_AUDIO_RUNTIME") else {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let status = Command::new(std::env::current_exe().expect("this program has a path"))
            .arg("--nocapture")
            .env("AIVJ_AUDIO_RUNTIME", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("PULSE_SERVER")
            .status()
            .expect("this program starts twice");
        assert!(status.success(), "see above");
        return;
    };
    scenario(&runtime.to_string_lossy());
}

fn scenario(runtime: &str) {
    let tone = format!("{runtime}/tone.wav");
    let step = std::f64::consts::TAU * 1_000.0 / 48_000.0;
    let frames = (0..48_000 * 60).map(|n| [0.353_553_4 * (step * f64::from(n)).sin() as f32; 2]).collect();
    wav::write(tone.as_ref(), &Pcm { rate_hz: 48_000, frames }).expect("a wav in the temporary folder");
    let play = || spawn("paplay", &["--device=vj", "--latency-msec=30", &tone]);

    let Some(mut pulse) = server(runtime) else {
        println!("skipped: pulseaudio is not installed or does not start");
        return;
    };
    let mut player = play();
    std::thread::sleep(Duration::from_millis(500));

    let begun = Instant::now();
    let reports = doctor::examine(Seconds(0.5));
    reports.iter().for_each(|report| println!("doctor: {report}"));
    let diagnosis = doctor::diagnose(&reports);
    println!("doctor after {:.2} s: {}", begun.elapsed().as_secs_f64(), diagnosis.line);
    assert!(diagnosis.picked.is_some(), "{}", diagnosis.line);

    let start = Instant::now();
    let clock = Arc::new(move || Seconds(start.elapsed().as_secs_f64()));
    let mut capture = Capture::open(DeviceChoice::Automatic, clock).expect("the audio thread starts");
    let (_, first) = listen(&mut capture, start, 1.0, |heard, _| loud(heard));
    println!("first sound after {:.2} s: {:?}", first.as_secs_f64(), capture.state().read());
    let (heard, passed) = listen(&mut capture, start, 2.0, |_, passed| passed.as_secs_f64() > 3.0);
    let (level, pitch) = (Level::of(&heard), pitch_hz(&heard));
    println!("after {:.2} s: {pitch:.2} Hz, {:.2} dBFS rms", passed.as_secs_f64(), level.rms_dbfs);
    assert!((pitch - 1_000.0).abs() < 2.0, "{pitch} Hz");
    assert!((level.rms_dbfs + 12.04).abs() < 0.3, "{level:?}");

    for gone_secs in [0.3, 1.0, 4.0] {
        drop((player, pulse)); // the server dies, and its player with it
        let (silence, _) = listen(&mut capture, start, gone_secs, |_, t| t.as_secs_f64() > gone_secs);
        let gone = capture.state().read();
        println!("away for {gone_secs} s: {} frames, {:?}: {}", silence.len(), gone.link, gone.message);
        pulse = server(runtime).expect("the server starts again");
        player = play();
        let (_, back) = listen(&mut capture, start, 1.0, |heard, _| loud(heard));
        println!("sound is back {:.2} s after the server: {:?}", back.as_secs_f64(), capture.state().read());
        assert!(back.as_secs_f64() <= 2.0 && capture.state().read().link == Link::Running);
    }
    drop((player, pulse));
}
