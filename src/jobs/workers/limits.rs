//! Resource limits of one job.

use std::time::Duration;

/// What one job may use before its worker is killed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum CPU time. Hangs are detected by CPU time, so a preset is never blamed for a busy computer.
    pub cpu: Duration,
    /// Time without an answer or significant CPU use after which a job is abandoned.
    pub wall: Duration,
    /// Maximum resident memory of the worker, in MiB.
    pub memory_mib: u64,
    /// Resident memory, in MiB, above which a worker is replaced between two jobs, so that leaks of earlier
    /// jobs are not blamed on the next one. A worker may always grow by half of this amount after it has started.
    pub recycle_mib: u64,
}
