//! Job files for a cluster: `bake.sh` runs one step of a bake, and the files of an engine run the steps in
//! order.
//!
//! Each job of a sharded step receives the index of its shard. The scheduler reruns lost jobs, and a rerun
//! shard resumes.

mod hyperqueue;
mod kubernetes;
mod slurm;
mod steps;

pub use steps::{ClusterPlan, PlanFile};

use steps::SCRIPT;

/// A job scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Slurm: job arrays with dependencies.
    Slurm,
    /// HyperQueue: one job, submitted through its Python package.
    HyperQueue,
    /// Kubernetes: Indexed Jobs.
    Kubernetes,
}

/// Returns the files for this engine; the last one starts the bake.
pub fn plan_files(plan: &ClusterPlan, engine: Engine) -> Vec<PlanFile> {
    let mut files = vec![PlanFile { name: SCRIPT, text: plan.script() }];
    files.extend(match engine {
        Engine::Slurm => slurm::files(plan),
        Engine::HyperQueue => hyperqueue::files(plan),
        Engine::Kubernetes => kubernetes::files(plan),
    });
    files
}
