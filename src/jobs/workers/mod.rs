//! Runs jobs in worker processes, so that a hang, an abort or excessive memory use affects only one job.
//!
//! A pool thread owns one child process and exchanges JSON lines with it: one request, one answer. The child
//! is this program, started with the hidden `worker` command. A child that dies or exceeds a limit is
//! replaced.

mod child;
mod limits;
mod pool;
mod scale;
mod stall;
mod usage;
#[cfg(windows)]
mod windows;

use std::time::Duration;

pub use child::{init, serve};
pub use limits::Limits;
pub use pool::{Outcome, PoolSettings, Worker, WorkerPool, run_all};
pub use scale::WorkerCount;
pub use usage::{LOW_PRIORITY, can_limit, exited_time, lower_priority};

/// Pauses before each retry when a worker process of a long run does not become ready; a device that is busy or out of
/// memory is usually available again soon.
pub const START_PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];

/// Returns extra environment variables for rendering workers. With at least one process per core, the
/// software rasteriser draws on the calling thread, because more threads would only compete for cores.
pub fn drawing_environment(workers: WorkerCount) -> Vec<(&'static str, &'static str)> {
    let set = std::env::var_os("LP_NUM_THREADS").is_some();
    if workers.threads() >= WorkerCount::Auto.threads() && !set {
        vec![("LP_NUM_THREADS", "0")]
    } else {
        Vec::new()
    }
}
