//! Real MIDI ports: a virtual device over JACK with its dummy driver is plugged in, played, unplugged and plugged in
//! again while `aivj midi` listens.
//!
//! Opt-in, because it needs `jackd` and a build that speaks JACK instead of ALSA:
//! `cargo test --release --features jack --test midi_ports -- --nocapture`.

#[cfg(not(all(unix, feature = "jack")))]
#[test]
fn virtual_ports() {
    println!("skipped: virtual MIDI ports need --features jack and jackd");
}

#[cfg(all(unix, feature = "jack"))]
mod jack {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc::{self, Receiver};
    use std::time::{Duration, Instant};

    use midir::os::unix::VirtualOutput as _;
    use midir::{MidiOutput, MidiOutputConnection};

    /// Long enough for the slowest machine; nothing is measured by it.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Killed when dropped, so that a failed test leaves nothing behind.
    struct Process(Child);

    impl Drop for Process {
        fn drop(&mut self) {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }

    fn server() -> Option<Process> {
        let quiet = || Stdio::null();
        let mut jackd = Command::new("jackd");
        jackd.args(["--no-realtime", "-d", "dummy", "-r", "48000", "-p", "256"]);
        let server = Process(jackd.stdout(quiet()).stderr(quiet()).spawn().ok()?);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if MidiOutput::new("probe").is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    fn plug_in() -> MidiOutputConnection {
        let output = MidiOutput::new("test-pads").expect("the server runs");
        output.create_virtual("pads").map_err(|error| error.to_string()).expect("a virtual port")
    }

    fn wait_for(lines: &Receiver<String>, wanted: &str) {
        let begun = Instant::now();
        let mut seen = Vec::new();
        while begun.elapsed() < PATIENCE {
            if let Ok(line) = lines.recv_timeout(Duration::from_millis(100)) {
                if line.contains(wanted) {
                    return;
                }
                seen.push(line);
            }
        }
        panic!("'{wanted}' did not come; what came: {seen:#?}");
    }

    #[test]
    fn virtual_ports() {
        let Some(_server) = server() else {
            println!("skipped: jackd does not start here");
            return;
        };
        let mut pads = plug_in();
        let mut listener = Command::new(env!("CARGO_BIN_EXE_aivj"));
        listener.arg("midi").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut listener = Process(listener.spawn().expect("aivj midi starts"));
        let out = BufReader::new(listener.0.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).for_each(|line| sender.send(line).unwrap_or(()))
        });
        wait_for(&lines, "port   test-pads:pads");
        pads.send(&[0xb0, 16, 100]).expect("sent");
        wait_for(&lines, "CC 16 ch 1 = 100");
        pads.send(&[0x99, 36, 80]).expect("sent");
        wait_for(&lines, "note 36 ch 10 = 80");
        drop(pads);
        wait_for(&lines, "gone   test-pads:pads");
        let mut pads = plug_in();
        wait_for(&lines, "port   test-pads:pads");
        pads.send(&[0xb0, 17, 1]).expect("sent");
        wait_for(&lines, "CC 17 ch 1 = 1");
    }
}
