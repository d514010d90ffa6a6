//! Processor time, which a busy machine does not stretch.

use std::time::Duration;

/// Whether this system tells processor time; elapsed time stands for it where it does not.
pub const PROCESSOR_TIME_IS_TOLD: bool = cfg!(unix);

#[cfg(unix)]
fn clock(which: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec that the call fills.
    let failed = unsafe { libc::clock_gettime(which, &mut time) } != 0;
    if failed { Duration::ZERO } else { Duration::new(time.tv_sec as u64, time.tv_nsec as u32) }
}

/// Processor time that all threads of this process took so far; time since the first call where it is not told.
#[cfg(unix)]
pub fn process_time() -> Duration {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Processor time that the calling thread took so far; like [`process_time`] where it is not told.
#[cfg(unix)]
pub fn thread_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Where processor time is not told, elapsed time stands for it.
#[cfg(not(unix))]
pub fn process_time() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// As above: time since the first call.
#[cfg(not(unix))]
pub fn thread_time() -> Duration {
    process_time()
}
