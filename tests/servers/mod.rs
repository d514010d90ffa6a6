//! Sound and MIDI servers of a test's own: started in a private runtime folder, stopped with the test.
//!
//! Nothing here meets the user's servers: a test runs itself once more with an environment in which only its own
//! can be found. A server that is not installed fails the test, and `AIVJ_NO_AUDIO=1` says that this is on purpose.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Set for the second run of a test: its private runtime folder.
const RUNTIME: &str = "AIVJ_TEST_RUNTIME";
/// How long a server may take to be ready, and to stop when it is asked to.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that is killed when it is dropped, and when its test is.
pub struct Process(pub Child);

impl Process {
    /// Starts `command` in silence; `package` is what to install when it is missing.
    pub fn start(mut command: Command, package: &str) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stderr(Stdio::null());
        // SAFETY: prctl is async-signal-safe and touches nothing but the new process.
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

    /// Asks it to stop, so that it removes what it shared with its clients, and waits until it has.
    pub fn stop(mut self) {
        let id = i32::try_from(self.0.id()).expect("a process number");
        // SAFETY: the child has not been waited for, so the number is still its own.
        unsafe { libc::kill(id, libc::SIGTERM) };
        expect_ready("the end of a server", || self.0.try_wait().is_ok_and(|status| status.is_some()));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok(); // it may have ended already
        self.0.wait().ok();
    }
}

/// A command that says nothing.
pub fn silent(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null());
    command
}

/// Waits until `ready`; fails the test when that takes too long.
pub fn expect_ready(what: &str, mut ready: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs `test` in a process of its own with a private runtime folder, and `more` in its environment.
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
    // The user's settings and the addresses of the user's servers.
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
    let output = own.output().expect("this program starts twice");
    for text in [output.stdout, output.stderr] {
        println!("{}", String::from_utf8_lossy(&text));
    }
    assert!(output.status.success(), "{name}: see above");
}
