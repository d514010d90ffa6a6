//! Work done in processes of its own, so that a hang, an abort or a memory flood costs one job and nothing else.
//!
//! A pool thread owns one child process and talks to it in JSON lines: one request in, one answer out. The child is
//! this same program, started with the hidden `worker` command. A child that dies or breaks a limit is replaced.

mod child;
mod patience;
mod pool;
mod vitals;
#[cfg(windows)]
mod windows;

pub use child::{enlist, serve};
pub use pool::{Limits, Outcome, PoolSettings, Worker, WorkerPool, run_all};
pub use vitals::{MODEST, can_limit, give_way};

/// With a process for every core, the software rasteriser draws on the thread that asks: threads of its own would only
/// get in each other's way.
pub fn drawing_environment(workers: usize) -> Vec<(&'static str, &'static str)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let set = std::env::var_os("LP_NUM_THREADS").is_some();
    if workers >= cores && !set { vec![("LP_NUM_THREADS", "0")] } else { Vec::new() }
}
