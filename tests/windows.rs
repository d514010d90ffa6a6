//! The program with real windows on a private display server (Xvfb): it continues while its windows are hidden, and
//! leaves nothing unfinished however it is asked to quit.

#![cfg(target_os = "linux")]

mod display;

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, ImageFormat, Window,
};
use x11rb::rust_connection::RustConnection;

use aivj::app::SavedShow;
use aivj::show::setlog::{self, Entry, Event};
use aivj::stage::Gpu;
use aivj::store::Store;
use display::{Process, wait_for};

/// Maximum time from the request to quit to the exit. The program's own limit is two seconds; the rest allows for a
/// busy machine.
const QUIT_TIMEOUT: Duration = Duration::from_secs(8);

/// A running show on its own display, with its own data folder.
struct LiveShow {
    data: tempfile::TempDir,
    display: RustConnection,
    root: Window,
    program: Process,
    server: Process,
    _alone: MutexGuard<'static, ()>,
}

impl LiveShow {
    /// Starts the program and waits until its log contains frames; `None` if there is no graphics device.
    fn start() -> Option<Self> {
        Gpu::for_test()?;
        let alone = display::alone();
        let (server, name) = display::server();
        let data = tempfile::tempdir().expect("a folder");
        let program = Process(display::show(&name, data.path()).spawn().expect("the program starts"));
        let (display, screen) = x11rb::connect(Some(&name)).expect("the display accepts a client");
        let root = display.setup().roots[screen].root;
        let mut show = Self { data, display, root, program, server, _alone: alone };
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

    /// Returns the last step whose frames are in the log.
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

    /// Waits for the exit; fails the test if it takes too long.
    fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        let status = wait_for("the end", || self.program.0.try_wait().expect("its state"));
        assert!(begun.elapsed() < QUIT_TIMEOUT, "quit after {:?}", begun.elapsed());
        status
    }
}

#[test]
fn the_show_continues_while_its_windows_are_hidden() {
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
    // The desk would otherwise cover the output.
    show.display.unmap_window(show.window("aivj desk")).expect("sent").check().expect("done");
    for size in [[1280, 720], [500, 400], [1280, 720], [960, 540], [1280, 720]] {
        let change = ConfigureWindowAux::new().x(0).y(0).width(size[0]).height(size[1]);
        show.display.configure_window(window, &change).expect("sent").check().expect("done");
    }
    // The window is now both wider and taller than at the start.
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
fn quitting_leaves_nothing_unfinished() {
    for signal in [Some(libc::SIGTERM), Some(libc::SIGINT), Some(libc::SIGHUP), None] {
        let Some(mut show) = LiveShow::start() else { return };
        match signal {
            Some(signal) => {
                show.program.signal(signal);
            }
            None => {
                close(&show, "aivj output");
                // The first press only asks for confirmation.
                close(&show, "aivj output: close again to end the show");
            }
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

#[test]
fn a_lost_display_server_does_not_truncate_the_log() {
    let Some(mut show) = LiveShow::start() else { return };
    show.server.signal(libc::SIGKILL);
    wait_for("the end", || show.program.0.try_wait().expect("its state"));
    let text = std::fs::read_to_string(show.log().expect("a log")).expect("readable");
    assert!(text.ends_with('\n'), "the last line is cut off");
    let last = show.entries().pop().expect("entries");
    assert!(matches!(last.event, Event::Frames(_)), "the last frames are not in the log: {last:?}");
}

#[test]
fn a_second_start_raises_the_running_show() {
    let Some(show) = LiveShow::start() else { return };
    let saved = |desk_hidden: bool| {
        wait_for("the saved state", || {
            let state = std::fs::read(show.data.path().join("show-state.json")).ok()?;
            let state: SavedShow = serde_json::from_slice(&state).ok()?;
            (state.surroundings.places.desk_hidden == desk_hidden).then_some(())
        });
    };
    close(&show, "aivj desk");
    saved(true);
    let second = Command::new(env!("CARGO_BIN_EXE_aivj")).env("AIVJ_DATA", show.data.path()).output();
    let second = second.expect("started");
    let output = String::from_utf8_lossy(&second.stderr);
    assert!(second.status.success() && output.contains("already running"), "{}: {output}", second.status);
    saved(false);
    let before = show.steps();
    wait_for("more frames", || (show.steps() > before).then_some(()));
}

#[test]
fn of_two_simultaneous_starts_only_one_opens_a_show() {
    if Gpu::for_test().is_none() {
        return;
    }
    let _alone = display::alone();
    let (_server, name) = display::server();
    let data = tempfile::tempdir().expect("a folder");
    let mut both =
        [0, 1].map(|_| Process(display::show(&name, data.path()).spawn().expect("the program starts")));
    let (second, status) = wait_for("the end of one start", || {
        let ended = |process: &mut Process| process.0.try_wait().expect("its state");
        both.iter_mut().enumerate().find_map(|(number, process)| Some((number, ended(process)?)))
    });
    assert!(status.success(), "{status}");
    let first = &mut both[1 - second];
    wait_for("the show", || {
        assert!(first.0.try_wait().expect("its state").is_none(), "both ended");
        data.path().join("show-state.json").exists().then_some(())
    });
    assert_eq!(std::fs::read_dir(data.path().join("sets")).expect("logs").count(), 1, "one log");
}

/// Closes a window as a window manager's close button does.
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
