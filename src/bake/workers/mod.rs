//! Work done in processes of its own, so that a hang, an abort or a memory flood costs one job and nothing else.
//!
//! A pool thread owns one child process and talks to it in JSON lines: one request in, one answer out. The child is
//! this same program, started with the hidden `worker` command. A child that dies or breaks a limit is replaced.

mod child;
mod pool;
mod vitals;

pub use child::{enlist, serve};
pub use pool::{Crew, Limits, Outcome, PoolSettings, Worker, run_all};
pub use vitals::MODEST;

/// Processor time this process has used, where the platform tells.
pub fn own_cpu() -> Option<std::time::Duration> {
    vitals::read(std::process::id()).map(|vitals| vitals.cpu)
}
