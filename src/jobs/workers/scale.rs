//! How many workers run at once. The automatic number grows while more workers speed up the work and fit into memory,
//! which is measured while they run.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sysinfo::{MemoryRefreshKind, System};

/// Number of worker processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerCount {
    /// One per core at first, then as many as speed up the work.
    Auto,
    /// This many.
    Fixed(usize),
}

impl WorkerCount {
    /// Returns the number of threads for work that needs no processes: one per core unless it is fixed.
    pub fn threads(self) -> usize {
        match self {
            Self::Auto => cores(),
            Self::Fixed(count) => count.max(1),
        }
    }

    /// Returns the maximum number of workers. More than one per core is useful if workers wait for a graphics card.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Auto => 2 * cores(),
            Self::Fixed(count) => count.max(1),
        }
    }
}

impl fmt::Display for WorkerCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => write!(f, "{AUTO}"),
            Self::Fixed(count) => write!(f, "{count}"),
        }
    }
}

impl FromStr for WorkerCount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == AUTO {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Fixed).map_err(|_| format!("expected a number or {AUTO}"))
    }
}

const AUTO: &str = "auto";

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Memory that is left to other programs, in MiB.
const RESERVE_MIB: u64 = 1024;
/// Memory that a worker usually occupies at most, in MiB.
const USUAL_MIB: u64 = 512;
/// Available memory below which a worker is stopped, in MiB.
const LOW_MIB: u64 = RESERVE_MIB / 2;
/// Time before each measurement, during which new workers start.
const START_UP: Duration = Duration::from_secs(3);
/// Minimum time of a measurement.
const MEASURED: Duration = Duration::from_secs(8);
/// Minimum number of jobs per worker in a measurement.
const JOBS: usize = 8;
/// Time after which a number of workers that was not worthwhile, or did not fit into memory, is tried again.
const RETRY: Duration = Duration::from_secs(600);
/// Minimum share of the ideal speed-up, which is proportional to the number of workers, that makes more of them
/// worthwhile.
const WORTHWHILE: f64 = 0.5;

/// The number of workers that run at once. All times are measured from the start of the pool.
#[derive(Debug)]
pub(super) struct Scale {
    running: usize,
    most: usize,
    is_auto: bool,
    /// Memory that another worker needs, in MiB.
    worker_mib: u64,
    /// The previous number of workers and the work that they did per second.
    before: Option<(usize, f64)>,
    /// Start of the measurement.
    since: Duration,
    /// Number of jobs measured.
    jobs: usize,
    /// Work measured.
    work: Duration,
    /// Time before which no worker is added.
    settled_until: Duration,
}

impl Scale {
    /// Creates a scale for `count` workers, which are replaced when they occupy more than `recycle_mib` of memory.
    /// `available_mib` is the memory of the computer that is not in use, if known.
    pub fn new(count: WorkerCount, recycle_mib: u64, available_mib: Option<u64>) -> Self {
        let worker_mib = recycle_mib.clamp(1, USUAL_MIB);
        let fit = available_mib.map_or(usize::MAX, |mib| {
            (mib.saturating_sub(RESERVE_MIB) / worker_mib).try_into().unwrap_or(usize::MAX)
        });
        let is_auto = count == WorkerCount::Auto;
        let running = if is_auto { count.threads().min(fit).max(1) } else { count.most() };
        Self {
            running,
            most: count.most(),
            is_auto,
            worker_mib,
            before: None,
            since: START_UP,
            jobs: 0,
            work: Duration::ZERO,
            settled_until: Duration::ZERO,
        }
    }

    /// Starts a measurement at `now`, when the workers get jobs.
    pub fn restart(&mut self, now: Duration) {
        self.before = None;
        self.run(self.running, now);
    }

    /// Returns the number of workers that run at once.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Records that a job with this amount of work ended at `now`.
    pub fn record(&mut self, work: Duration, now: Duration) {
        if now >= self.since {
            self.jobs += 1;
            self.work += work;
        }
    }

    /// Adjusts the number of workers at `now`.
    pub fn adjust(&mut self, now: Duration, available_mib: Option<u64>) {
        let measured = now.saturating_sub(self.since);
        if !self.is_auto || measured.is_zero() {
            return;
        }
        if self.running > 1 && available_mib.is_some_and(|mib| mib < LOW_MIB) {
            self.before = None;
            self.settled_until = now + RETRY;
            self.run(self.running - 1, now);
            return;
        }
        if measured < MEASURED || self.jobs < JOBS * self.running {
            return;
        }
        let rate = self.work.as_secs_f64() / measured.as_secs_f64();
        if let Some((fewer, slower)) = self.before.take() {
            let ideal = self.running as f64 / fewer as f64 - 1.0;
            if rate < slower * (1.0 + WORTHWHILE * ideal) {
                self.settled_until = now + RETRY;
                self.run(fewer, now);
                return;
            }
        }
        let more = (self.running + self.running.div_ceil(4)).min(self.most);
        let needed = RESERVE_MIB + (more - self.running) as u64 * self.worker_mib;
        if more > self.running && now >= self.settled_until && available_mib.is_none_or(|mib| mib >= needed) {
            self.before = Some((self.running, rate));
        }
        self.run(if self.before.is_some() { more } else { self.running }, now);
    }

    /// Sets the number of workers, and starts a measurement.
    fn run(&mut self, count: usize, now: Duration) {
        if count != self.running {
            log::info!("running {count} workers instead of {}", self.running);
        }
        (self.running, self.since, self.jobs, self.work) = (count, now + START_UP, 0, Duration::ZERO);
    }
}

/// Measures the memory that is not in use, on the computer and in the control group of this process.
pub(super) struct MemoryMeter(Option<System>);

impl MemoryMeter {
    pub fn new() -> Self {
        Self(System::new().ok())
    }

    /// Returns the memory that is not in use, in MiB; `None` if it is unknown.
    pub fn available_mib(&mut self) -> Option<u64> {
        let system = self.0.as_mut()?;
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let available = system.available_memory();
        // The file cache of a group counts as used but is freed when needed.
        let group = system.cgroup_limits().map(|group| group.total_memory.saturating_sub(group.rss));
        let available = group.map_or(available, |group| group.min(available));
        (available > 0).then_some(available >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const WORKER_MIB: u64 = 400;

    /// Simulates two minutes on a computer that can keep up to `useful` workers busy; returns the number of workers
    /// after each second.
    fn history(scale: &mut Scale, from: u32, useful: usize, available_mib: u64) -> Vec<usize> {
        let step = |second: u32| {
            let now = SECOND * second;
            // Each job takes a fifth of a second.
            let jobs = 5 * scale.running().min(useful);
            (0..jobs).for_each(|_| scale.record(SECOND / 5, now));
            scale.adjust(now, Some(available_mib));
            scale.running()
        };
        (from..from + 120).map(step).collect()
    }

    #[test]
    fn workers_are_added_while_they_speed_up_the_work() {
        let mut scale = Scale::new(WorkerCount::Auto, WORKER_MIB, Some(1 << 16));
        (scale.running, scale.most) = (4, 16);
        let counts = history(&mut scale, 0, 8, 1 << 16);
        assert_eq!(counts[0], 4);
        assert!(counts.contains(&7) && counts.iter().all(|count| *count <= 12), "{counts:?}");
        let settled = *counts.last().expect("two minutes");
        assert!((7..=9).contains(&settled), "{counts:?}");
        assert!(counts[60..].iter().all(|count| *count == settled), "{counts:?}");
    }

    #[test]
    fn workers_that_do_not_fit_into_memory_are_not_started() {
        let small = Scale::new(WorkerCount::Auto, WORKER_MIB, Some(RESERVE_MIB + WORKER_MIB));
        assert_eq!(small.running(), 1);
        let mut scale = Scale::new(WorkerCount::Auto, WORKER_MIB, None);
        (scale.running, scale.most) = (4, 16);
        let counts = history(&mut scale, 0, 16, RESERVE_MIB);
        assert!(counts.iter().all(|count| *count == 4), "{counts:?}");
        let counts = history(&mut scale, 200, 16, LOW_MIB - 1);
        assert_eq!(counts.last(), Some(&1), "workers are stopped one by one");
    }

    #[test]
    fn a_fixed_number_of_workers_is_never_changed() {
        let mut scale = Scale::new(WorkerCount::Fixed(3), WORKER_MIB, Some(1));
        assert!(history(&mut scale, 0, 16, 1).iter().all(|count| *count == 3));
        assert_eq!(Scale::new(WorkerCount::Fixed(0), WORKER_MIB, None).running(), 1);
    }

    #[test]
    fn a_count_round_trips_through_text() {
        for count in [WorkerCount::Auto, WorkerCount::Fixed(12)] {
            assert_eq!(count.to_string().parse::<WorkerCount>(), Ok(count));
        }
        assert!("many".parse::<WorkerCount>().is_err());
    }

    #[test]
    fn the_available_memory_is_measured() {
        let available = MemoryMeter::new().available_mib().expect("supported");
        assert!(available > 1, "{available}");
    }
}
