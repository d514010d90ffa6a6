//! Private audio and MIDI servers for a test: started in a private runtime folder, stopped with the test.
//!
//! Tests never touch the user's servers: each runs itself again in an environment where only its own servers can be
//! found. A missing server fails the test, unless `AIVJ_NO_AUDIO=1` declares that it is intentional.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Environment variable with the private runtime folder of a test, set for its second run.
const RUNTIME: &str = "AIVJ_TEST_RUNTIME";
/// Timeout for starting and stopping a server.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that is killed when it is dropped, and when its test ends.
pub struct Process(pub Child);

impl Process {
    /// Starts `command` with its output discarded; `package` is the package to install if it is missing.
    pub fn start(mut command: Command, package: &str) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stderr(Stdio::null());
        // SAFETY: prctl is async-signal-safe and affects only the new process.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let advice = |error: std::io::Error| {
            format!(
                "{program}: {error}; install the package {package} (./test does), or set AIVJ_NO_AUDIO=1 to test \
                 without sound and MIDI servers"
            )
        };
        Self(command.spawn().map_err(advice).expect("a program that the test needs starts"))
    }

    /// Asks the process to stop, so that it removes its shared resources, and waits until it has.
    pub fn stop(mut self) {
        let id = i32::try_from(self.0.id()).expect("a process number");
        // SAFETY: the child has not been waited for, so its process ID is still valid.
        unsafe { libc::kill(id, libc::SIGTERM) };
        expect_ready("the end of a server", || self.0.try_wait().is_ok_and(|status| status.is_some()));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok(); // It may have ended already.
        self.0.wait().ok();
    }
}

/// Returns a command whose output is discarded.
pub fn silent(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null());
    command
}

/// Waits until `ready` returns true; fails the test if that takes too long.
pub fn expect_ready(what: &str, mut ready: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs `test` in a separate process with a private runtime folder and the variables `more` in its environment.
///
/// `name` is the name of the calling test; the environment is read by the libraries of sound servers and cannot be
/// changed while threads run.
pub fn in_private(name: &str, more: &[(&str, OsString)], test: impl FnOnce(&Path)) {
    if std::env::var_os("AIVJ_NO_AUDIO").is_some_and(|value| value == "1") {
        println!("skipped: AIVJ_NO_AUDIO=1 states that there are no sound and MIDI servers");
        return;
    }
    if let Some(runtime) = std::env::var_os(RUNTIME) {
        test(&PathBuf::from(runtime));
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut own = Command::new(std::env::current_exe().expect("this program has a path"));
    own.args([name, "--exact", "--nocapture"]).env(RUNTIME, folder.path());
    own.env("HOME", folder.path()).env("XDG_RUNTIME_DIR", folder.path());
    // These lead to the user's settings and servers.
    for name in [
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "PULSE_SERVER",
        "PULSE_RUNTIME_PATH",
        "PIPEWIRE_REMOTE",
        "PIPEWIRE_RUNTIME_DIR",
        "DISPLAY",
    ] {
        own.env_remove(name);
    }
    let bus = format!("unix:path={}", folder.path().join("bus").display());
    own.env("DBUS_SESSION_BUS_ADDRESS", bus).envs(more.iter().cloned());
    let output = own.output().expect("this program starts again");
    for text in [output.stdout, output.stderr] {
        println!("{}", String::from_utf8_lossy(&text));
    }
    assert!(output.status.success(), "{name}: see above");
}
