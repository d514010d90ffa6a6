//! Confines code that reads untrusted files: presets, textures, models and audio.
//!
//! A confined thread, and every process and thread that it starts, has no network access and can open only the files
//! and folders in its [`Rights`] and those of the system, such as drivers, fonts and shader caches. On Linux
//! this is enforced by Landlock (files; since kernel 5.13) and seccomp (network). Features that the kernel lacks
//! are silently skipped. On other systems, nothing is enforced.

#[cfg(target_os = "linux")]
mod linux;
mod rights;

use std::io;
use std::process::{Child, Command};

pub use rights::{Enforced, Rights};

/// Restricts the calling thread, and every thread and process it starts from now on, to `rights` and the
/// system's folders, without network access. Threads that are already running are not restricted, so call
/// this before starting any.
pub fn confine(rights: &Rights) -> Enforced {
    #[cfg(target_os = "linux")]
    let enforced = linux::confine(rights);
    #[cfg(not(target_os = "linux"))]
    let enforced = {
        let Rights { read: _, write: _ } = rights;
        Enforced::default()
    };
    log::debug!("confined: {enforced:?}");
    enforced
}

/// Starts a confined program.
///
/// # Errors
/// Returns an error if the program cannot be started.
pub fn spawn(command: &mut Command, rights: &Rights) -> io::Result<Child> {
    // A process inherits the restrictions of the thread that starts it.
    std::thread::scope(|scope| {
        let start = || {
            confine(rights);
            command.spawn()
        };
        let thread = std::thread::Builder::new().name("confined start".into()).spawn_scoped(scope, start)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the program could not be started")))
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::path::Path;

    /// Runs `work` on a confined thread, and returns what was enforced. Fails if the kernel does not enforce
    /// everything, unless `AIVJ_NO_SANDBOX=1` is set.
    fn confined(rights: &Rights, work: impl FnOnce(Enforced) + Send) -> Enforced {
        let run = || {
            let enforced = confine(rights);
            work(enforced);
            enforced
        };
        let enforced = std::thread::scope(|scope| scope.spawn(run).join().expect("finished"));
        let lacking = std::env::var("AIVJ_NO_SANDBOX").is_ok_and(|value| value == "1");
        assert!(
            lacking || enforced.files && enforced.network,
            "{enforced:?}: this test needs a kernel with Landlock and seccomp, or AIVJ_NO_SANDBOX=1"
        );
        enforced
    }

    #[test]
    fn a_confined_thread_reaches_only_its_folders() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        for folder in ["read", "write", "other"] {
            std::fs::create_dir(at(folder)).expect("made");
            std::fs::write(at(folder).join("file"), "1").expect("written");
        }
        let rights = Rights { read: vec![at("read"), at("missing")], write: vec![at("write")] };
        let can_read = |folder: &str| std::fs::read(at(folder).join("file")).is_ok();
        let can_write = |folder: &str| std::fs::write(at(folder).join("new"), "2").is_ok();
        confined(&rights, |enforced| {
            if !enforced.files {
                return; // `confined` fails the test unless this is permitted.
            }
            assert!(can_read("read") && !can_write("read"));
            assert!(can_read("write") && can_write("write"));
            assert!(std::fs::create_dir_all(at("write/a/b")).is_ok());
            assert!(std::fs::rename(at("write/new"), at("write/a/b/moved")).is_ok());
            assert!(std::fs::remove_dir_all(at("write/a")).is_ok());
            assert!(!can_read("other") && !can_write("other"));
            assert!(
                std::fs::read(Path::new("/etc/hostname")).is_ok() || !Path::new("/etc/hostname").exists()
            );
        });
        assert!(can_read("other") && can_write("other"), "other threads keep their rights");
    }

    #[test]
    fn a_confined_process_has_no_network_and_cannot_leave_its_folders() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
        let address = server.local_addr().expect("an address");
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("secret"), "1").expect("written");
        let enforced = confined(&Rights::default(), |enforced| {
            let connected = std::net::TcpStream::connect(address);
            assert!(!enforced.network || connected.is_err());
            let bound = std::net::UdpSocket::bind("127.0.0.1:0");
            assert!(!enforced.network || bound.is_err());
        });
        let read = |path: &Path| {
            let mut command = Command::new("cat");
            command.arg(path).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            let mut child = spawn(&mut command, &Rights::default()).expect("started");
            child.wait().expect("ended").success()
        };
        assert!(read(Path::new("/proc/self/status")), "system programs still run");
        assert!(!enforced.files || !read(&root.path().join("secret")));
        assert!(std::net::TcpStream::connect(address).is_ok(), "other threads keep their rights");
    }
}
