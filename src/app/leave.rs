//! Leaving: signals end the show like the close button, and nothing that still runs delays the end of the program.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time between the request to leave and the end of the program, whatever is still running.
const LIMIT: Duration = Duration::from_millis(1800);

/// Sets `stop` when the system or the terminal asks the program to end.
///
/// # Errors
/// Fails if the system does not accept the handlers.
pub(super) fn on_signals(stop: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    #[cfg(unix)]
    let signals = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = [SIGINT, SIGTERM];
    signals.into_iter().try_for_each(|signal| signal_hook::flag::register(signal, stop.clone()).map(drop))
}

/// Sets `stop` when a library ends the process, as Xlib does when the display server is gone, and lets the show close its
/// log first. `ended` is set once it has.
#[cfg(unix)]
pub(super) fn on_exit(stop: &Arc<AtomicBool>, ended: &Arc<AtomicBool>) {
    static SHOW: OnceLock<[Arc<AtomicBool>; 2]> = OnceLock::new();
    extern "C" fn close() {
        let Some([stop, ended]) = SHOW.get() else { return };
        stop.store(true, Ordering::Relaxed);
        let since = Instant::now();
        while !ended.load(Ordering::Relaxed) && since.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    if SHOW.set([stop.clone(), ended.clone()]).is_ok() {
        // SAFETY: the function stays, and returns.
        let failed = unsafe { libc::atexit(close) };
        if failed != 0 {
            log::debug!("a lost display server will end the show without closing its log");
        }
    }
}

/// Nothing ends the process there.
#[cfg(not(unix))]
pub(super) fn on_exit(_stop: &Arc<AtomicBool>, _ended: &Arc<AtomicBool>) {}

/// Ends the program after [`LIMIT`] at the latest; the first call counts. Threads that are inside a driver then are cut
/// off, which is safe because log and store are closed by then.
pub(super) fn limit() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let end = || {
            std::thread::sleep(LIMIT);
            log::debug!("some threads are still running; exiting anyway");
            end_process();
        };
        if let Err(error) = std::thread::Builder::new().name("exit limit".into()).spawn(end) {
            log::debug!("could not start the exit limit: {error}; exiting may take longer");
        }
    });
}

/// Ends the process without running destructors of libraries, which may crash while their threads run.
#[cfg(unix)]
fn end_process() -> ! {
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(0) }
}

#[cfg(not(unix))]
fn end_process() -> ! {
    std::process::exit(0)
}
