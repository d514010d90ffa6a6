//! Slurm: one script that submits the steps in order, each sharded step as a job array.

use std::fmt::Write as _;

use super::steps::{ClusterPlan, PlanFile, SCRIPT, Step, quote};

/// Name of the script that submits the jobs.
pub(super) const SUBMIT: &str = "submit.sh";

pub(super) fn files(plan: &ClusterPlan) -> Vec<PlanFile> {
    let work = quote(&plan.work.to_string_lossy());
    let mut text = format!(
        "#!/bin/bash\n# Submits a bake to Slurm. A job that fails or loses its node is run again.\nset -eu\nwork={work}\n\
         mkdir -p \"$work/logs\"\ncommon=(--parsable --requeue --kill-on-invalid-dep=yes --cpus-per-task={})\n",
        plan.cores
    );
    if plan.gpu {
        text += "common+=(--gres=gpu:1)\n";
    }
    let mut previous = String::new();
    for step in plan.steps() {
        let Step { name, sharded, memory_mib, .. } = step;
        let variable = name.replace('-', "_");
        let after = if previous.is_empty() { previous } else { format!(" --dependency=afterok:${previous}") };
        let (array, log, shard) = if sharded {
            let array = format!(" --array=0-{}%{}", plan.shards - 1, plan.machines);
            (array, "%a", " \\$SLURM_ARRAY_TASK_ID")
        } else {
            (String::new(), "0", "")
        };
        writeln!(
            text,
            "{variable}=$(sbatch \"${{common[@]}}\" --job-name={name} --mem={memory_mib}M --time={minutes}{array}{after} \
             --output=\"$work/logs/{name}-{log}.log\" \\\n  \
             --wrap=\"bash $(printf %q \"$work/{SCRIPT}\") {name}{shard}\")",
            minutes = step.minutes()
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
        assert!(text.contains("--cpus-per-task=8)"));
        assert!(text.contains("--job-name=audit --mem=12288M --time=13 --array=0-11%4 --output="));
        assert!(text.contains("--job-name=merge-audit --mem=12288M --time=34 --dependency=afterok:$audit "));
        let frames =
            "--job-name=frames --mem=20992M --time=15 --array=0-11%4 --dependency=afterok:$merge_audit ";
        assert!(text.contains(frames));
        assert!(
            text.contains("--job-name=publish --mem=20992M --time=40 --dependency=afterok:$merge_frames ")
        );
    }
}
