//! Fault injection for the reliability tests: `AIVJ_FAULT=device-lost@5s,oom@9s,stall@12s:300ms,panic@15s`.
//!
//! Compiled only with the Cargo feature `faults`, which is disabled in releases. Times are measured from the
//! first frame. After a restart by the supervisor, only faults with a trailing `!` are injected again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Environment variable that lists the faults to inject.
pub const VARIABLE: &str = "AIVJ_FAULT";

/// A failure that can be injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The graphics device is lost.
    DeviceLost,
    /// The next allocation on the graphics device fails.
    OutOfMemory,
    /// The surfaces of both windows are lost.
    SurfaceLost,
    /// The show thread sleeps for this long.
    Stall(Duration),
    /// The show thread panics.
    Panic,
    /// The process aborts.
    Abort,
    /// The show thread overflows its stack.
    Overflow,
    /// The show thread blocks forever.
    Hang,
    /// Saving the state of the show fails from now on, as if the disk were full.
    DiskFull,
}

/// Faults still to be injected, each with its time in seconds since the first frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultSchedule {
    faults: Vec<(f64, Fault)>,
    elapsed: f64,
}

impl FaultSchedule {
    /// Reads the faults from [`VARIABLE`]; none if it is not set. `restarted` is whether the supervisor
    /// restarted this process.
    ///
    /// # Errors
    /// Returns a message if they cannot be parsed.
    pub fn from_env(restarted: bool) -> Result<Self, String> {
        std::env::var(VARIABLE).map_or_else(|_| Ok(Self::default()), |text| Self::parse(&text, restarted))
    }

    /// Parses a list such as `oom@9s,stall@12s:300ms`.
    ///
    /// # Errors
    /// Returns a message if it cannot be parsed.
    pub fn parse(text: &str, restarted: bool) -> Result<Self, String> {
        let mut faults = Vec::new();
        for entry in text.split(',').filter(|entry| !entry.is_empty()) {
            let bad = || format!("{VARIABLE}: {entry:?} is not a valid fault, such as device-lost@5s");
            let (entry, again) = entry.strip_suffix('!').map_or((entry, false), |entry| (entry, true));
            let (name, times) = entry.split_once('@').ok_or_else(bad)?;
            let (at, length) = times.split_once(':').map_or((times, None), |(at, length)| (at, Some(length)));
            let fault = match (name, length) {
                ("device-lost", None) => Fault::DeviceLost,
                ("oom", None) => Fault::OutOfMemory,
                ("surface-lost", None) => Fault::SurfaceLost,
                ("stall", Some(length)) => {
                    Fault::Stall(Duration::from_secs_f64(secs(length).ok_or_else(bad)?))
                }
                ("panic", None) => Fault::Panic,
                ("abort", None) => Fault::Abort,
                ("overflow", None) => Fault::Overflow,
                ("hang", None) => Fault::Hang,
                ("disk-full", None) => Fault::DiskFull,
                _ => return Err(bad()),
            };
            let at = secs(at).ok_or_else(bad)?;
            if again || !restarted {
                faults.push((at, fault));
            }
        }
        faults.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(Self { faults, elapsed: 0.0 })
    }

    /// Advances by `dt` seconds, then removes and returns the earliest fault that is due, if any.
    pub fn step(&mut self, dt: f64) -> Option<Fault> {
        self.elapsed += dt;
        self.faults.pop_if(|(at, _)| *at <= self.elapsed).map(|(_, fault)| fault)
    }
}

/// Converts a time such as `5s` or `300ms` to seconds; `None` if it is invalid or negative.
fn secs(text: &str) -> Option<f64> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s')?, 1.0),
    };
    number.parse::<f64>().ok().map(|number| number * unit).filter(|secs| *secs >= 0.0)
}

static DISK_FULL: AtomicBool = AtomicBool::new(false);

/// Makes [`check_disk`] fail from now on.
pub fn fill_disk() {
    DISK_FULL.store(true, Ordering::Relaxed);
}

/// Checks whether the simulated disk is full.
///
/// # Errors
/// Returns an error after [`fill_disk`].
pub fn check_disk() -> std::io::Result<()> {
    if DISK_FULL.load(Ordering::Relaxed) { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

/// Overflows the stack, which aborts the process.
#[expect(unconditional_recursion, reason = "overflowing the stack is its purpose")]
pub fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    overflow(depth + 1) + frame[depth as usize % 512]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_injected_once_in_order_and_marked_ones_again_after_a_restart() {
        let text = "stall@12s:300ms,device-lost@500ms,abort@13s!";
        let mut plan = FaultSchedule::parse(text, false).expect("faults");
        let happened: Vec<_> = (0..200).filter_map(|_| plan.step(0.1)).collect();
        let stall = Fault::Stall(Duration::from_millis(300));
        assert_eq!(happened, [Fault::DeviceLost, stall, Fault::Abort]);
        let mut again = FaultSchedule::parse(text, true).expect("faults");
        assert_eq!((0..200).filter_map(|_| again.step(0.1)).collect::<Vec<_>>(), [Fault::Abort]);
        for bad in ["abort", "abort@x", "stall@5s", "quake@5s", "abort@5s:1s", "abort@-1s"] {
            assert!(FaultSchedule::parse(bad, false).is_err(), "{bad}");
        }
    }
}
