//! How long a child is waited for by the clock: as long as it gets work done, though it be slowly on a busy machine.

use std::time::Duration;

use super::Limits;

/// What was last seen of a child's work. Times count from when it was asked.
pub(super) struct Patience {
    /// Its processor time when it last counted as at work.
    cpu: Duration,
    /// When that was.
    since: Duration,
    /// Less work than this is none.
    least: Duration,
    wall: Duration,
}

impl Patience {
    /// For a child that has used `cpu` before it was asked.
    pub fn new(cpu: Duration, limits: &Limits) -> Self {
        Self { cpu, since: Duration::ZERO, least: limits.cpu / 8, wall: limits.wall }
    }

    /// The child has used `cpu` altogether, now.
    pub fn saw(&mut self, cpu: Duration, now: Duration) {
        if cpu >= self.cpu + self.least {
            (self.cpu, self.since) = (cpu, now);
        }
    }

    /// Whether it has done nothing worth speaking of for too long.
    pub fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) > self.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_works_slowly_is_waited_for_and_who_sleeps_is_not() {
        let secs = Duration::from_secs;
        let limits = Limits { cpu: secs(20), wall: secs(180), memory_mib: 1, recycle_mib: 1 };
        let (mut slow, mut asleep) = (Patience::new(secs(7), &limits), Patience::new(secs(7), &limits));
        for tenth in 1..=4000 {
            let now = Duration::from_millis(100 * tenth);
            slow.saw(secs(7) + now / 20, now);
            asleep.saw(secs(7) + now / 1000, now);
            assert!(!slow.is_over(now), "{now:?}");
            assert_eq!(asleep.is_over(now), now > secs(180), "{now:?}");
        }
    }
}
