//! The supervisor with a real show in a real child process, on a private display server (Xvfb): however the child ends,
//! the picture returns, the state of the show is kept, and quitting still ends everything. Needs the feature `faults`.

#![cfg(target_os = "linux")]

mod display;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use aivj::app::SavedShow;
use aivj::stage::Gpu;
use display::{Process, signal, wait_for};

/// A supervised show on its own display, with its own data folder.
struct Supervised {
    data: tempfile::TempDir,
    lines: Arc<Mutex<Vec<String>>>,
    program: Process,
    _server: Process,
    _alone: MutexGuard<'static, ()>,
}

impl Supervised {
    /// Starts the program and waits for its first preset; `None` if there is no graphics device.
    fn start(faults: &str) -> Option<Self> {
        Gpu::for_test()?;
        let alone = display::alone();
        let (server, display) = display::server();
        let data = tempfile::tempdir().expect("a folder");
        let mut program = display::show(&display, data.path());
        program.env("AIVJ_FAULT", faults).stderr(Stdio::piped());
        let mut program = Process(program.spawn().expect("the program starts"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (errors, kept) = (program.0.stderr.take().expect("piped"), lines.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                kept.lock().expect("lines").push(line);
            }
        });
        let mut show = Self { data, lines, program, _server: server, _alone: alone };
        wait_for("the first preset", || {
            assert!(show.program.0.try_wait().expect("its state").is_none(), "ended: {:?}", show.lines);
            show.state().filter(|state| !state.show.history.is_empty())
        });
        Some(show)
    }

    fn state(&self) -> Option<SavedShow> {
        serde_json::from_slice(&std::fs::read(self.data.path().join("show-state.json")).ok()?).ok()
    }

    /// Returns the output lines that contain `part`.
    fn output_lines(&self, part: &str) -> Vec<String> {
        self.lines.lock().expect("lines").iter().filter(|line| line.contains(part)).cloned().collect()
    }

    /// Returns the IDs of the supervisor's running child processes, and whether each runs a show.
    fn children(&self) -> Vec<(u32, bool)> {
        let parent = self.program.0.id().to_string();
        let processes = std::fs::read_dir("/proc").expect("processes").flatten();
        let children = processes.filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let mut fields = stat.rsplit(')').next()?.split_whitespace();
            let (state, of) = (fields.next()?, fields.next()?);
            (state != "Z" && of == parent).then(|| (number, has_show(&entry.path())))
        });
        children.collect()
    }

    /// Returns the ID of the show's process.
    fn child(&self) -> u32 {
        wait_for("the show's process", || {
            self.children().into_iter().find(|(_, show)| *show).map(|(id, _)| id)
        })
    }

    /// Returns the ID of the standby's process, once it is ready and idle.
    fn standby(&self) -> u32 {
        wait_for("the standby", || {
            let (id, _) = self.children().into_iter().find(|(_, show)| !show)?;
            let before = cpu_ticks(id)?;
            std::thread::sleep(Duration::from_millis(500));
            (cpu_ticks(id)? == before && before > 0).then_some(id)
        })
    }

    /// Sends a signal to the child and waits until the picture is back. Returns the seconds since the signal, and the
    /// milliseconds since the restart as counted by the supervisor.
    fn send_signal(&self, number: i32) -> (f64, f64) {
        let before = self.output_lines("ms after the restart").len();
        let begun = Instant::now();
        signal(self.child(), number);
        self.wait_for_picture(before, begun)
    }

    fn wait_for_picture(&self, before: usize, begun: Instant) -> (f64, f64) {
        let line = wait_for("the picture", || {
            let lines = self.output_lines("ms after the restart");
            (lines.len() > before).then(|| lines[before].clone())
        });
        let restart_ms = line.split_whitespace().find_map(|word| word.parse().ok()).expect("a number");
        (begun.elapsed().as_secs_f64(), restart_ms)
    }
}

/// Returns the CPU time that a process has used, in the system's ticks.
fn cpu_ticks(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Returns whether a process, given by its folder in `/proc`, has a show thread.
fn has_show(process: &std::path::Path) -> bool {
    let threads = std::fs::read_dir(process.join("task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
        .any(|name| name == "show\n")
}

#[test]
fn a_crashed_or_hung_show_is_restarted_with_its_state() {
    let Some(mut show) = Supervised::start("overflow@1s") else { return };
    let first = show.state().expect("a state");
    show.wait_for_picture(0, Instant::now());
    assert_eq!(show.output_lines("the show crashed").len(), 1);
    let grown = |show: &Supervised, than: usize| {
        wait_for("the state", || show.state().filter(|state| state.show.history.len() > than))
    };
    let second = grown(&show, first.show.history.len());
    assert!(second.show.history.starts_with(&first.show.history), "the history is lost");
    assert!(second.show.now >= first.show.now && second.supervisor == first.supervisor);
    assert_eq!(second.surroundings, first.surroundings);
    let standby = show.standby();
    show.send_signal(libc::SIGKILL);
    assert_eq!(show.child(), standby, "the standby did not take over");
    let third = grown(&show, second.show.history.len());
    // A stopped process sends no heartbeats, like one blocked in a driver.
    show.send_signal(libc::SIGSTOP);
    assert_eq!(show.output_lines("the show hung").len(), 1);
    grown(&show, third.show.history.len());
    assert_eq!(std::fs::read_dir(show.data.path().join("sets")).expect("logs").count(), 4, "one log per run");
    let (child, standby) = (show.child(), show.standby());
    show.program.signal(libc::SIGTERM);
    let status = wait_for("the end", || show.program.0.try_wait().expect("its state"));
    assert!(status.success(), "{status}: {:?}", show.lines);
    for (name, id) in [("show", child), ("standby", standby)] {
        wait_for(name, || (!std::path::Path::new(&format!("/proc/{id}")).exists()).then_some(()));
    }
}

/// The long form: `cargo test --release --features faults --test supervisor -- --ignored --nocapture`; `AIVJ_KILLS`
/// sets the number of signals of each kind.
#[test]
#[ignore = "takes many minutes; results are in docs/reliability.md"]
fn many_crashes_and_hangs_are_recovered() {
    let count = std::env::var("AIVJ_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(50);
    for (name, number) in [
        ("kill", libc::SIGKILL),
        ("abort", libc::SIGABRT),
        ("illegal instruction", libc::SIGILL), // The runtime would catch a first SIGSEGV.
        ("hang", libc::SIGSTOP),
    ] {
        let Some(show) = Supervised::start("") else { return };
        let (mut total, mut restart) = (Vec::new(), Vec::new());
        let mut kept = 0;
        for _ in 0..count {
            let before = show.state().expect("a state").show.history;
            let (secs, ms) = show.send_signal(number);
            total.push(secs * 1000.0);
            restart.push(ms);
            let after = wait_for("the state", || {
                let history = show.state()?.show.history;
                (history.last() != before.last() || history.len() > before.len()).then_some(history)
            });
            let shared = before.len().min(58);
            kept += usize::from(after.windows(shared).any(|part| part == &before[before.len() - shared..]));
        }
        for times in [&mut total, &mut restart] {
            times.sort_by(f64::total_cmp);
        }
        let summary = |times: &[f64]| {
            let within = times.iter().filter(|ms| **ms <= 1500.0).count();
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
            format!("median {:.0}, most {:.0}, {within} of {} within 1500", at(0.5), at(1.0), times.len())
        };
        println!(
            "{name}: ms from signal to picture: {}; from restart: {}; state kept {kept} of {count}",
            summary(&total),
            summary(&restart)
        );
    }
}
