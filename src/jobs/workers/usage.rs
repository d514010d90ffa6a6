//! Resource usage and priority of a worker process, and its termination together with the supervisor.

use std::sync::OnceLock;
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Memory and CPU time of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Resident memory, in MiB.
    pub memory_mib: u64,
    /// CPU time used by all threads of the process since it started.
    pub cpu: Duration,
}

/// A meter that measures one process repeatedly.
pub(super) struct UsageMeter {
    system: System,
    process: Pid,
}

impl UsageMeter {
    /// Returns a meter for process `id`, or `None` on a platform without process statistics.
    pub fn of(id: u32) -> Option<Self> {
        Some(Self { system: System::new().ok()?, process: Pid::from_u32(id) })
    }

    /// Returns the current usage, or `None` if the process has exited.
    pub fn read(&mut self) -> Option<Usage> {
        let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        let process = ProcessesToUpdate::Some(&[self.process]);
        self.system.refresh_processes_specifics(process, true, wanted);
        let process = self.system.process(self.process)?;
        Some(Usage {
            memory_mib: process.memory() >> 20,
            cpu: Duration::from_millis(process.accumulated_cpu_time()),
        })
    }
}

/// Returns the CPU time of all worker processes that have exited; zero on a platform other than Unix.
pub fn exited_time() -> Duration {
    #[cfg(unix)]
    {
        // SAFETY: zeros are a valid value of this structure of numbers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the call only writes to the structure.
        if unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) } == 0 {
            let time = |time: libc::timeval| {
                Duration::new(time.tv_sec.max(0) as u64, 0)
                    + Duration::from_micros(time.tv_usec.max(0) as u64)
            };
            return time(usage.ru_utime) + time(usage.ru_stime);
        }
    }
    Duration::ZERO
}

/// Returns whether process usage is available on this platform, so that memory and CPU time can be limited.
pub fn can_limit() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| UsageMeter::of(std::process::id()).is_some_and(|mut meter| meter.read().is_some()))
}

/// Environment variable that makes a worker run at low priority.
pub const LOW_PRIORITY: &str = "AIVJ_LOW_PRIORITY";

/// Lowers the priority of this process if [`LOW_PRIORITY`] is set.
pub(super) fn lower_priority_if_requested() {
    if std::env::var_os(LOW_PRIORITY).is_some() {
        lower_priority();
    }
}

/// Lowers the priority of this process and of everything it starts from now on; on Linux, of the calling thread
/// and of everything it starts.
pub fn lower_priority() {
    #[cfg(unix)]
    // SAFETY: takes an integer and touches no memory.
    unsafe {
        libc::nice(10)
    };
    #[cfg(windows)]
    super::windows::lower_priority();
}

/// Environment variable with the process ID of a worker's supervisor.
pub(super) const SUPERVISOR: &str = "AIVJ_SUPERVISOR";

/// Returns the process ID of the supervisor, if set.
#[cfg(any(target_os = "linux", windows))]
fn supervisor() -> Option<u32> {
    std::env::var(SUPERVISOR).ok().and_then(|id| id.parse().ok())
}

/// Makes the system kill this process when its parent exits, even in an endless loop. Returns `false` if the
/// parent has already exited.
#[cfg(target_os = "linux")]
pub(super) fn die_with_parent() -> bool {
    // SAFETY: this option takes a signal number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    supervisor().is_none_or(|id| std::os::unix::process::parent_id() == id)
}

/// Makes this process end when its parent exits. Returns `false` if the parent has already exited.
#[cfg(windows)]
pub(super) fn die_with_parent() -> bool {
    super::windows::crash_without_dialog();
    supervisor().is_none_or(super::windows::end_with)
}

/// Does nothing: on this platform, a worker exits when it next reads its closed pipe.
#[cfg(not(any(target_os = "linux", windows)))]
pub(super) fn die_with_parent() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{process_time, thread_time};

    #[cfg(unix)]
    #[test]
    fn the_time_of_a_process_counts_once_it_has_exited() {
        let before = exited_time();
        let work = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
        let status = std::process::Command::new("sh").args(["-c", work]).status();
        assert!(status.expect("a shell").success());
        assert!(exited_time() > before);
    }

    #[test]
    fn a_meter_sees_memory_and_cpu_time_of_a_process() {
        let mut meter = UsageMeter::of(std::process::id()).expect("supported");
        let before = meter.read().expect("alive");
        let started = process_time();
        let flood = std::hint::black_box(vec![1_u8; 64 << 20]);
        let mut sum = 0_u64;
        while process_time() - started < Duration::from_millis(200) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let after = meter.read().expect("alive");
        drop(flood);
        assert!(after.cpu - before.cpu >= Duration::from_millis(100), "{before:?} {after:?}");
        assert!(after.memory_mib > 64, "{after:?}");
        assert!(can_limit());
    }

    #[test]
    fn a_reading_is_cheap() {
        const READINGS: u32 = 500;
        let mut meter = UsageMeter::of(std::process::id()).expect("supported");
        let before = thread_time();
        for _ in 0..READINGS {
            std::hint::black_box(meter.read());
        }
        let cost = (thread_time() - before) / READINGS;
        println!("a reading takes {cost:?} of CPU time");
        assert!(cost < super::super::pool::CHECK_EVERY / 100, "{cost:?}");
    }

    #[test]
    fn an_exited_process_has_no_usage() {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this test"))
            .arg("--list")
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("started");
        let mut meter = UsageMeter::of(child.id()).expect("supported");
        child.wait().expect("ended");
        assert_eq!(meter.read(), None);
    }
}
