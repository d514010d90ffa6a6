//! Slurm: one script that submits the steps in order, each sharded step as a job array.

use std::fmt::Write as _;

use super::steps::{ClusterPlan, PlanFile, SCRIPT, quote};

/// Name of the script that submits the jobs.
pub(super) const SUBMIT: &str = "submit.sh";

pub(super) fn files(plan: &ClusterPlan) -> Vec<PlanFile> {
    let work = quote(&plan.work.to_string_lossy());
    let mut text = format!(
        "#!/bin/bash\n# Submits a bake to Slurm. A job that fails or loses its node is run again.\nset -eu\nwork={work}\n\
         mkdir -p \"$work/logs\"\ncommon=(--parsable --requeue --kill-on-invalid-dep=yes --cpus-per-task={} --mem={}M --time={})\n",
        plan.cores,
        plan.memory_mib(),
        plan.minutes
    );
    if plan.gpu {
        text += "common+=(--gres=gpu:1)\n";
    }
    let mut previous = String::new();
    for step in plan.steps() {
        let name = step.name;
        let variable = name.replace('-', "_");
        let after = if previous.is_empty() { previous } else { format!(" --dependency=afterok:${previous}") };
        let (array, log, shard) = if step.sharded {
            let array = format!(" --array=0-{}%{}", plan.shards - 1, plan.machines);
            (array, "%a", " \\$SLURM_ARRAY_TASK_ID")
        } else {
            (String::new(), "0", "")
        };
        writeln!(
            text,
            "{variable}=$(sbatch \"${{common[@]}}\" --job-name={name}{array}{after} --output=\"$work/logs/{name}-{log}.log\" \\\n  \
             --wrap=\"bash $(printf %q \"$work/{SCRIPT}\") {name}{shard}\")"
        )
        .expect("writing to a string");
        previous = variable;
    }
    writeln!(text, "echo \"submitted; the last job is ${previous}\"").expect("writing to a string");
    vec![PlanFile { name: SUBMIT, text }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shards::plan::steps::example;

    #[test]
    fn each_step_waits_for_the_one_before() {
        let text = &files(&example())[0].text;
        assert!(text.contains("--cpus-per-task=8 --mem=12288M --time=90"));
        assert!(text.contains("--job-name=audit --array=0-11%4 --output="));
        assert!(text.contains("--job-name=merge-audit --dependency=afterok:$audit "));
        assert!(text.contains("--job-name=frames --array=0-11%4 --dependency=afterok:$merge_audit "));
        assert!(text.contains("--job-name=publish --dependency=afterok:$merge_frames "));
    }
}
