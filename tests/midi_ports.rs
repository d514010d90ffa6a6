//! Real MIDI ports: a virtual device on JACK's dummy driver is plugged in, played, unplugged and plugged in again while
//! `aivj midi` runs.
//!
//! Needs a build with JACK instead of ALSA, whose ports are in the kernel: `./test` builds one with `--features jack`.
#![cfg(target_os = "linux")]

mod servers;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use midir::os::unix::VirtualOutput as _;
use midir::{MidiOutput, MidiOutputConnection};
use servers::{Process, expect_ready, in_private, silent};

/// Timeout of any wait; generous, because nothing is measured.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Environment variable that selects the JACK server.
const SERVER: &str = "JACK_DEFAULT_SERVER";

fn server() -> Process {
    let name = std::env::var(SERVER).expect("set for the private run");
    let dummy = ["--name", &name, "--no-realtime", "--no-mlock", "-d", "dummy", "-r", "48000", "-p", "256"];
    let server = Process::start(silent("jackd", &dummy), "jackd2");
    expect_ready("jackd", || MidiOutput::new("probe").is_ok());
    server
}

fn plug_in() -> MidiOutputConnection {
    let output = MidiOutput::new("test-pads").expect("the server runs");
    output.create_virtual("pads").map_err(|error| error.to_string()).expect("a virtual port")
}

fn wait_for(lines: &Receiver<String>, wanted: &str) {
    let started = Instant::now();
    let mut seen: Vec<String> = Vec::new();
    while !seen.last().is_some_and(|line| line.contains(wanted)) {
        assert!(started.elapsed() < TIMEOUT, "'{wanted}' did not arrive; received {seen:#?}");
        seen.extend(lines.recv_timeout(Duration::from_millis(100)));
    }
}

fn ports_come_and_go(_runtime: &Path) {
    let server = server();
    let mut pads = plug_in();
    let mut monitor = Command::new(env!("CARGO_BIN_EXE_aivj"));
    monitor.arg("midi").stdout(Stdio::piped());
    let mut monitor = Process::start(monitor, "aivj");
    let out = BufReader::new(monitor.0.stdout.take().expect("its output"));
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        out.lines().map_while(Result::ok).for_each(|line| sender.send(line).unwrap_or(()))
    });
    wait_for(&lines, "port   test-pads:pads");
    pads.send(&[0xb0, 16, 100]).expect("sent");
    wait_for(&lines, "CC 16 ch 1 = 100");
    pads.send(&[0x99, 36, 80]).expect("sent");
    wait_for(&lines, "Note 36 ch 10 = 80");
    drop(pads);
    wait_for(&lines, "closed test-pads:pads");
    let mut pads = plug_in();
    wait_for(&lines, "port   test-pads:pads");
    pads.send(&[0xb0, 17, 1]).expect("sent");
    wait_for(&lines, "CC 17 ch 1 = 1");
    drop(monitor);
    drop(pads);
    // jackd may hang if stopped while it removes a client.
    std::thread::sleep(Duration::from_millis(500));
    server.stop();
}

#[test]
fn virtual_ports_come_and_go() {
    let server = format!("aivj-test-{}", std::process::id());
    let more = [(SERVER, server.into()), ("JACK_NO_START_SERVER", "1".into())];
    in_private("virtual_ports_come_and_go", &more, ports_come_and_go);
}
