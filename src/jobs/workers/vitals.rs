//! What a running child costs: memory and processor time.

use std::sync::OnceLock;
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Memory and processor time of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    /// Resident memory, MiB.
    pub memory_mib: u64,
    /// Processor time of all its threads since it started.
    pub cpu: Duration,
}

/// Reads the vitals of one process, again and again.
pub(super) struct Gauge {
    system: System,
    process: Pid,
}

impl Gauge {
    /// A gauge of process `id`; `None` on a system whose processes cannot be measured.
    pub fn of(id: u32) -> Option<Self> {
        Some(Self { system: System::new().ok()?, process: Pid::from_u32(id) })
    }

    /// Its vitals now; `None` when it has ended.
    pub fn read(&mut self) -> Option<Vitals> {
        let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        let process = ProcessesToUpdate::Some(&[self.process]);
        self.system.refresh_processes_specifics(process, true, wanted);
        let process = self.system.process(self.process)?;
        Some(Vitals {
            memory_mib: process.memory() >> 20,
            cpu: Duration::from_millis(process.accumulated_cpu_time()),
        })
    }
}

/// Whether processes can be measured here, and so limited in memory and processor time.
pub fn can_limit() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| Gauge::of(std::process::id()).is_some_and(|mut gauge| gauge.read().is_some()))
}

/// Environment variable of a worker that lets everything else on the machine go first.
pub const MODEST: &str = "AIVJ_MODEST_WORKER";

/// Lets everything else go first, where [`MODEST`] asks for it.
pub(super) fn be_modest() {
    if std::env::var_os(MODEST).is_some() {
        give_way();
    }
}

/// Lets everything else on the machine go before this process and all that it starts from now on.
pub fn give_way() {
    #[cfg(unix)]
    // SAFETY: the call takes a number and touches no memory.
    unsafe {
        libc::nice(10)
    };
    #[cfg(windows)]
    super::windows::lower_priority();
}

/// Environment variable with the process number of whoever supervises a worker.
pub(super) const SUPERVISOR: &str = "AIVJ_SUPERVISOR";

/// The process that supervises this worker, where it named itself.
#[cfg(any(target_os = "linux", windows))]
fn supervisor() -> Option<u32> {
    std::env::var(SUPERVISOR).ok().and_then(|id| id.parse().ok())
}

/// Ends this process when the one that started it ends, even in the middle of an endless loop; false when that one has
/// ended before this could be arranged.
#[cfg(target_os = "linux")]
pub(super) fn die_with_parent() -> bool {
    // SAFETY: this option takes a signal number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    supervisor().is_none_or(|id| std::os::unix::process::parent_id() == id)
}

/// As above.
#[cfg(windows)]
pub(super) fn die_with_parent() -> bool {
    super::windows::crash_without_dialog();
    supervisor().is_none_or(super::windows::end_with)
}

/// Elsewhere a child ends when it next reads its closed pipe.
#[cfg(not(any(target_os = "linux", windows)))]
pub(super) fn die_with_parent() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{process_time, thread_time};

    #[test]
    fn a_gauge_sees_memory_and_work_of_a_process() {
        let mut gauge = Gauge::of(std::process::id()).expect("supported");
        let before = gauge.read().expect("alive");
        let started = process_time();
        let flood = std::hint::black_box(vec![1_u8; 64 << 20]);
        let mut sum = 0_u64;
        while process_time() - started < Duration::from_millis(200) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let after = gauge.read().expect("alive");
        drop(flood);
        assert!(after.cpu - before.cpu >= Duration::from_millis(100), "{before:?} {after:?}");
        assert!(after.memory_mib > 64, "{after:?}");
        assert!(can_limit());
    }

    #[test]
    fn a_reading_costs_little() {
        const READINGS: u32 = 500;
        let mut gauge = Gauge::of(std::process::id()).expect("supported");
        let before = thread_time();
        for _ in 0..READINGS {
            std::hint::black_box(gauge.read());
        }
        let cost = (thread_time() - before) / READINGS;
        println!("a reading takes {cost:?} of processor time");
        assert!(cost < super::super::pool::LOOK_EVERY / 100, "{cost:?}");
    }

    #[test]
    fn a_process_that_ended_has_no_vitals() {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this test"))
            .arg("--list")
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("started");
        let mut gauge = Gauge::of(child.id()).expect("supported");
        child.wait().expect("ended");
        assert_eq!(gauge.read(), None);
    }
}
