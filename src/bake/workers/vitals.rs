//! What a running child costs: memory and processor time, read from `/proc` where there is one.

use std::time::Duration;

/// Memory and processor time of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    /// Resident memory, MiB.
    pub memory_mib: u64,
    /// Processor time of all its threads since it started.
    pub cpu: Duration,
}

/// Reads the vitals of process `id`; `None` where the platform does not tell.
pub(super) fn read(id: u32) -> Option<Vitals> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    parse(&status, &stat)
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

fn parse(status: &str, stat: &str) -> Option<Vitals> {
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.split_whitespace().next()?.parse().ok()?;
    // The name in brackets may hold spaces; the numbers follow the last bracket.
    let mut numbers = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let ticks: u64 = numbers.next()?.parse::<u64>().ok()? + numbers.next()?.parse::<u64>().ok()?;
    // Linux counts in hundredths of a second (USER_HZ).
    Some(Vitals { memory_mib: kib / 1024, cpu: Duration::from_millis(ticks * 10) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_numbers() {
        let stat = "42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        let vitals = parse("Name: x\nVmRSS:\t  2048 kB\n", stat);
        assert_eq!(vitals, Some(Vitals { memory_mib: 2, cpu: Duration::from_secs(2) }));
    }
}
