//! Child processes that end with the test, and a private display server (Xvfb).

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Timeout of any wait; generous, because other tests may keep the machine busy.
const TIMEOUT: Duration = Duration::from_secs(180);

/// Waits until no other test of this binary runs a show: two at once would compete for the CPU.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner) // Poisoned if another test failed.
}

/// A process that is killed when it is dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok(); // It may have ended already.
        self.0.wait().ok();
    }
}

impl Process {
    /// Sends a signal to the process.
    pub fn signal(&self, number: i32) {
        signal(self.0.id(), number);
    }
}

/// Sends a signal to a child process.
pub fn signal(process: u32, number: i32) {
    // SAFETY: the test started the process and has not waited for it.
    unsafe { libc::kill(i32::try_from(process).expect("a process number"), number) };
}

/// Waits until `ready` returns something; fails the test if it takes too long.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(begun.elapsed() < TIMEOUT, "waited {} s for {what}", TIMEOUT.as_secs());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts a display server and returns it with the name of its display.
pub fn server() -> (Process, String) {
    let mut server = Command::new("Xvfb");
    server.args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
    server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Process(server.spawn().expect("Xvfb starts; install the package xvfb (./test does)"));
    let mut number = String::new();
    BufReader::new(server.0.stdout.take().expect("piped")).read_line(&mut number).expect("a display");
    let name = format!(":{}", number.trim());
    (server, name)
}

/// Returns a command that plays a small, repeatable show on `display` with the data folder `data`.
pub fn show(display: &str, data: &std::path::Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_aivj"));
    program.args(["play", "--audio", "demo", "--seed", "7", "--size", "96x54"]);
    program.env("DISPLAY", display).env_remove("WAYLAND_DISPLAY").env("AIVJ_DATA", data);
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    program
}
