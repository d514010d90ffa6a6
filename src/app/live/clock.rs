//! The clock of the show's thread: the time of the show, and suspensions of the computer.

use std::time::Instant;

/// Minimum growth of the difference between two clocks that counts as a suspension, in seconds.
const SUSPENDED_SECS: f64 = 0.5;
/// On Windows, minimum time between two checks that counts as a suspension, in seconds.
const LONG_GAP_SECS: f64 = 2.0;
/// Maximum time between readings of two clocks that may be compared, in seconds.
const COMPARABLE_SECS: f64 = 0.05;

/// The time since the start of a show, without suspensions of the computer.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShowClock {
    start: Instant,
    /// Seconds since the start that do not count, because [`Instant`] ran on during suspensions.
    suspended: f64,
    /// Time of the last check for suspensions, in seconds.
    checked: f64,
    /// How far a clock that runs on during suspensions was ahead at the last check, in seconds.
    ahead: Option<f64>,
}

impl ShowClock {
    /// Starts the clock at 0.
    pub fn start() -> Self {
        Self { start: Instant::now(), suspended: 0.0, checked: 0.0, ahead: None }
    }

    /// Returns the time, in seconds.
    pub fn secs(&self) -> f64 {
        self.start.elapsed().as_secs_f64() - self.suspended
    }

    /// Returns for how many seconds the computer was suspended since the last call; 0 if it was not.
    pub fn check(&mut self) -> f64 {
        let before = self.secs();
        let other = uninterrupted_secs();
        let after = self.secs();
        if cfg!(windows) {
            // `Instant` runs on during a suspension, which looks like a stall of this thread.
            let gap = before - std::mem::replace(&mut self.checked, before);
            let suspended = if gap >= LONG_GAP_SECS { gap } else { 0.0 };
            self.suspended += suspended;
            suspended
        } else {
            other.map_or(0.0, |other| self.compare(before, other, after))
        }
    }

    /// Returns for how many seconds the computer was suspended since the last call, given the time before and after
    /// `other` was read, the time on a clock that runs on during suspensions.
    fn compare(&mut self, before: f64, other: f64, after: f64) -> f64 {
        if after - before > COMPARABLE_SECS {
            return 0.0; // This thread stalled between the readings; the next ones will reveal any suspension.
        }
        let ahead = other - before;
        let grown = self.ahead.replace(ahead).map_or(0.0, |last| ahead - last);
        if grown >= SUSPENDED_SECS { grown } else { 0.0 }
    }
}

/// Returns the seconds on a clock that, unlike [`Instant`], runs on while the computer is suspended; `None` if there is
/// none.
#[cfg(target_os = "linux")]
fn uninterrupted_secs() -> Option<f64> {
    read(libc::CLOCK_BOOTTIME)
}

/// Returns the seconds on the wall clock, which runs on while the computer is suspended.
#[cfg(not(target_os = "linux"))]
fn uninterrupted_secs() -> Option<f64> {
    Some(std::time::UNIX_EPOCH.elapsed().ok()?.as_secs_f64())
}

#[cfg(target_os = "linux")]
fn read(clock: libc::clockid_t) -> Option<f64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one `timespec`.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (failed == 0).then_some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::ShowClock;

    #[test]
    fn only_a_clock_that_gets_ahead_reveals_a_suspension() {
        let mut clock = ShowClock::start();
        assert_eq!(clock.compare(1.0, 101.0, 1.0), 0.0, "the first reading");
        assert_eq!(clock.compare(11.0, 111.0, 11.0), 0.0, "a stall of ten seconds");
        assert_eq!(clock.compare(12.0, 115.0, 15.0), 0.0, "a stall between the readings");
        assert_eq!(clock.compare(15.0, 115.0, 15.0), 0.0);
        assert_eq!(clock.compare(16.0, 3716.0, 16.0), 3600.0);
        assert_eq!(clock.compare(17.0, 3717.0, 17.0), 0.0, "reported once");
    }

    #[test]
    fn a_running_computer_is_not_suspended() {
        let mut clock = ShowClock::start();
        clock.check();
        std::thread::sleep(std::time::Duration::from_millis(700));
        assert_eq!(clock.check(), 0.0);
        assert!(clock.secs() >= 0.7);
    }
}
