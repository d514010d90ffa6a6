//! Leaving: signals end the show like the close button, and nothing that still runs delays the end of the program.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

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
