//! Shutdown: signals end the show cleanly, and no thread can delay the exit for longer than [`LIMIT`].

use std::sync::Arc;
#[cfg(unix)]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

/// Maximum time between the request to exit and the end of the process, whatever is still running.
const LIMIT: Duration = Duration::from_millis(1800);
/// Interval at which the exit timer checks whether an exit has been requested.
const CHECK_INTERVAL: Duration = Duration::from_millis(25);

/// Installs signal handlers that set `stop` when the system or the terminal asks the program to exit.
///
/// # Errors
/// Fails if a signal handler cannot be installed.
pub(super) fn on_signals(stop: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    #[cfg(unix)]
    let signals = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = [SIGINT, SIGTERM];
    signals.into_iter().try_for_each(|signal| signal_hook::flag::register(signal, stop.clone()).map(drop))
}

/// Makes a second signal end the process at once, for commands that may be blocked by another process. Must be called
/// before [`on_signals`], or the first signal already ends the process.
///
/// # Errors
/// Fails if a signal handler cannot be installed.
pub(super) fn exit_on_second_signal(stop: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    [SIGINT, SIGTERM].into_iter().try_for_each(|signal| {
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone()).map(drop)
    })
}

/// Installs an exit handler, because Xlib exits the process when the display server disconnects. The handler sets
/// `stop` and waits up to [`LIMIT`] for `ended`, so that the show can close its log.
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
        // SAFETY: `close` is valid until the process ends, and it returns.
        let failed = unsafe { libc::atexit(close) };
        if failed != 0 {
            log::debug!(
                "cannot install an exit handler; if the display server disconnects, the log is not closed"
            );
        }
    }
}

/// Does nothing, because no library exits the process on this platform.
#[cfg(not(unix))]
pub(super) fn on_exit(_stop: &Arc<AtomicBool>, _ended: &Arc<AtomicBool>) {}

/// Starts a timer that ends the process [`LIMIT`] after `stop` is set, whatever its threads are waiting for.
/// Threads that are blocked in a driver are killed, which is safe because the log and the store are closed first.
pub(super) fn limit(stop: &Arc<AtomicBool>) {
    let stop = stop.clone();
    let end = move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(CHECK_INTERVAL);
        }
        std::thread::sleep(LIMIT);
        log::debug!("some threads are still running; exiting anyway");
        end_process();
    };
    if let Err(error) = std::thread::Builder::new().name("exit timer".into()).spawn(end) {
        log::debug!("could not start the exit timer: {error}; exiting may take longer");
    }
}

/// Ends the process without running libraries' exit handlers, which may crash while threads are running.
#[cfg(unix)]
fn end_process() -> ! {
    // SAFETY: `_exit` has no preconditions and does not return.
    unsafe { libc::_exit(0) }
}

#[cfg(not(unix))]
fn end_process() -> ! {
    std::process::exit(0)
}
