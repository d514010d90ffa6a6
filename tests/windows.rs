//! The program with real windows on a display server of the test's own (Xvfb): it goes on while nobody sees them, and
//! leaves nothing unfinished, however it is asked to leave.

#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, ImageFormat, Window,
};
use x11rb::rust_connection::RustConnection;

use aivj::library::Store;
use aivj::show::setlog::{self, Entry, Event};
use aivj::stage::Gpu;

/// How long anything may take before the test fails: other tests may keep the machine busy.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest time between the request to leave and the end, with some for a busy machine: the program's limit is two
/// seconds.
const LEAVES_WITHIN: Duration = Duration::from_secs(8);

/// A process that is killed when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok(); // It may have ended already.
        self.0.wait().ok();
    }
}

fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A running show on its own display, with its own data folder.
struct LiveShow {
    data: tempfile::TempDir,
    display: RustConnection,
    root: Window,
    program: Process,
    _server: Process,
}

impl LiveShow {
    /// Starts the program and waits until its log holds frames; `None` without a graphics device.
    fn start() -> Option<Self> {
        Gpu::for_test()?;
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
        server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server =
            Process(server.spawn().expect("Xvfb starts; install the package xvfb (./test does)"));
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().expect("piped")).read_line(&mut number).expect("a display");
        let name = format!(":{}", number.trim());
        let data = tempfile::tempdir().expect("a folder");
        let mut program = Command::new(env!("CARGO_BIN_EXE_aivj"));
        program.args(["play", "--audio", "demo", "--seed", "7", "--size", "96x54"]);
        program.env("DISPLAY", &name).env_remove("WAYLAND_DISPLAY").env("AIVJ_DATA", data.path());
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = Process(program.spawn().expect("the program starts"));
        let (display, screen) = x11rb::connect(Some(&name)).expect("the display accepts a client");
        let root = display.setup().roots[screen].root;
        let mut show = Self { data, display, root, program, _server: server };
        wait_for("the first frames", || {
            assert!(show.program.0.try_wait().expect("its state").is_none(), "the program ended");
            (show.steps() > 0).then_some(())
        });
        Some(show)
    }

    fn log(&self) -> Option<PathBuf> {
        std::fs::read_dir(self.data.path().join("sets")).ok()?.flatten().map(|entry| entry.path()).max()
    }

    fn entries(&self) -> Vec<Entry> {
        let text = self.log().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        if text.is_empty() { Vec::new() } else { setlog::parse(&text).expect("a log").1 }
    }

    /// The step up to which the log holds the frames.
    fn steps(&self) -> u64 {
        let frames = |entry: &Entry| matches!(entry.event, Event::Frames(_));
        self.entries().iter().rev().find(|entry| frames(entry)).map_or(0, |entry| entry.step)
    }

    fn window(&self, title: &str) -> Window {
        wait_for(title, || {
            let tree = self.display.query_tree(self.root).ok()?.reply().ok()?;
            tree.children.into_iter().find(|window| {
                let name = self.display.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64);
                let name = name.ok().and_then(|name| name.reply().ok());
                name.is_some_and(|name| name.value == title.as_bytes())
            })
        })
    }

    /// Waits for the end; fails the test if it takes too long.
    fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        let status = wait_for("the end", || self.program.0.try_wait().expect("its state"));
        assert!(begun.elapsed() < LEAVES_WITHIN, "left after {:?}", begun.elapsed());
        status
    }
}

#[test]
fn the_show_goes_on_while_its_windows_are_not_shown() {
    let Some(show) = LiveShow::start() else { return };
    for title in ["aivj output", "aivj desk"] {
        show.display.unmap_window(show.window(title)).expect("sent").check().expect("done");
    }
    let before = show.steps();
    wait_for("more frames", || (show.steps() >= before + 90).then_some(()));
}

#[test]
fn the_output_fills_its_window_after_every_change_of_size() {
    let Some(show) = LiveShow::start() else { return };
    let window = show.window("aivj output");
    // Else it would cover the output.
    show.display.unmap_window(show.window("aivj desk")).expect("sent").check().expect("done");
    for size in [[1280, 720], [500, 400], [1280, 720], [960, 540], [1280, 720]] {
        let change = ConfigureWindowAux::new().x(0).y(0).width(size[0]).height(size[1]);
        show.display.configure_window(window, &change).expect("sent").check().expect("done");
    }
    // Wider and higher than the window was at first.
    wait_for("light in the new parts of the window", || {
        let format = ImageFormat::Z_PIXMAP;
        let lit = |x, y, width, height| {
            let image = show.display.get_image(format, window, x, y, width, height, !0).ok()?.reply().ok()?;
            Some(
                image.data.chunks_exact(4).filter(|pixel| pixel[..3].iter().any(|value| *value > 24)).count(),
            )
        };
        (lit(970, 0, 300, 720)? > 100 && lit(0, 550, 1280, 160)? > 100).then_some(())
    });
}

#[test]
fn the_show_leaves_nothing_unfinished() {
    for signal in [Some(libc::SIGTERM), Some(libc::SIGINT), Some(libc::SIGHUP), None] {
        let Some(mut show) = LiveShow::start() else { return };
        match signal {
            Some(signal) => {
                let id = i32::try_from(show.program.0.id()).expect("a process number");
                // SAFETY: the child has not been waited for, so the number is still its own.
                unsafe { libc::kill(id, signal) };
            }
            None => close(&show, "aivj output"),
        }
        let status = show.ended();
        assert!(status.success(), "{signal:?}: {status}");
        let text = std::fs::read_to_string(show.log().expect("a log")).expect("readable");
        assert!(text.ends_with('\n'), "{signal:?}: the last line is cut off");
        let entries = show.entries();
        let cut = entries.iter().find_map(|entry| match &entry.event {
            Event::Cut(cut) => Some(cut.preset),
            _ => None,
        });
        let last = entries.last().expect("entries");
        assert!(
            matches!(last.event, Event::Frames(_)) && last.step > 0,
            "{signal:?}: the last frames are not in the log"
        );
        let opened = Store::open(show.data.path(), 0).expect("opens");
        assert_eq!(opened.notice, None, "{signal:?}: the store was damaged");
        let plays = opened.store.plays().expect("read");
        assert!(
            cut.is_none_or(|preset| plays.contains_key(&preset)),
            "{signal:?}: the last play is not saved"
        );
    }
}

/// Does what a window manager does when its close button is pressed.
fn close(show: &LiveShow, title: &str) {
    let atom = |name: &str| {
        show.display.intern_atom(false, name.as_bytes()).expect("sent").reply().expect("an atom").atom
    };
    let (protocols, delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
    let window = show.window(title);
    let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
    show.display
        .send_event(false, window, EventMask::NO_EVENT, message)
        .expect("sent")
        .check()
        .expect("done");
}
