//! Distinguishes a worker that no longer makes progress from one that is merely slow on a busy computer.

use std::time::Duration;

use super::limits::Limits;

/// A timer that measures a worker's progress by its CPU time. All other times are measured from the start of the
/// request.
pub(super) struct StallTimer {
    /// Total CPU time of the worker when it last made progress.
    cpu: Duration,
    /// Time at which the worker last made progress.
    since: Duration,
    /// Minimum CPU time that counts as progress.
    least: Duration,
    wall: Duration,
}

impl StallTimer {
    /// Starts the timer for a worker that has used `cpu` so far.
    pub fn new(cpu: Duration, limits: &Limits) -> Self {
        Self { cpu, since: Duration::ZERO, least: limits.cpu / 8, wall: limits.wall }
    }

    /// Records that the worker has used `cpu` of CPU time in total by time `now`.
    pub fn record(&mut self, cpu: Duration, now: Duration) {
        if cpu >= self.cpu + self.least {
            (self.cpu, self.since) = (cpu, now);
        }
    }

    /// Returns whether the wall limit has passed without progress.
    pub fn is_stalled(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) > self.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_worker_stalls_and_a_slow_one_does_not() {
        let secs = Duration::from_secs;
        let limits = Limits { cpu: secs(20), wall: secs(180), memory_mib: 1, recycle_mib: 1 };
        let (mut slow, mut asleep) = (StallTimer::new(secs(7), &limits), StallTimer::new(secs(7), &limits));
        for tenth in 1..=4000 {
            let now = Duration::from_millis(100 * tenth);
            slow.record(secs(7) + now / 20, now);
            asleep.record(secs(7) + now / 1000, now);
            assert!(!slow.is_stalled(now), "{now:?}");
            assert_eq!(asleep.is_stalled(now), now > secs(180), "{now:?}");
        }
    }
}
