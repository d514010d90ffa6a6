//! Job files for a cluster: `bake.sh` runs one step of a bake, and the files of an engine run the steps in
//! order.
//!
//! Each job of a sharded step receives the index of its shard. The scheduler reruns lost jobs, and a rerun
//! shard resumes.

mod hyperqueue;
mod kubernetes;
mod slurm;
mod steps;

use std::path::Path;

pub use steps::{ClusterPlan, PlanFile};

use crate::disk::{self, limit};
use steps::{HEADER, SCRIPT};

/// Names of the files of all engines.
const NAMES: [&str; 5] = [SCRIPT, slurm::SUBMIT, hyperqueue::SUBMIT, kubernetes::JOBS, kubernetes::SUBMIT];

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

/// Fails if the job files would replace a file in `folder` that is not from an earlier plan.
pub fn check_plan_folder(folder: &Path) -> anyhow::Result<()> {
    let script = disk::read_text(&folder.join(SCRIPT), limit::TEXT);
    if script.is_ok_and(|script| script.contains(HEADER)) {
        return Ok(());
    }
    if let Some(name) = NAMES.into_iter().find(|name| folder.join(name).exists()) {
        let path = folder.join(name);
        anyhow::bail!("{} exists and is not from an earlier plan; choose another folder", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_files_of_an_earlier_plan_are_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("notes.txt"), "mine").expect("written");
        check_plan_folder(folder.path()).expect("nothing is replaced");
        std::fs::write(folder.path().join("submit.sh"), "mine").expect("written");
        let refused = check_plan_folder(folder.path()).expect_err("refused").to_string();
        assert!(refused.contains("submit.sh exists"), "{refused}");
        std::fs::write(folder.path().join(SCRIPT), steps::example().script()).expect("written");
        check_plan_folder(folder.path()).expect("a plan");
        std::fs::write(folder.path().join(SCRIPT), "mine").expect("written");
        assert!(check_plan_folder(folder.path()).is_err());
    }
}
