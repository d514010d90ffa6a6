//! HyperQueue: a Python program that submits one job with a task for each shard and step.

use super::steps::{ClusterPlan, PlanFile, SCRIPT};

/// Name of the program that submits the job.
pub(super) const SUBMIT: &str = "submit.py";

pub(super) fn files(plan: &ClusterPlan) -> Vec<PlanFile> {
    let steps: Vec<String> = plan
        .steps()
        .iter()
        .map(|step| format!("(\"{}\", {}, {})", step.name, python(step.sharded), step.memory_mib))
        .collect();
    // JSON strings are valid Python strings.
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let resources = if plan.gpu { "{\"gpus/nvidia\": 1}" } else { "{}" };
    let text = format!(
        r#"#!/usr/bin/env python3
"""Submits a bake to HyperQueue, and waits for it. Needs `pip install hyperqueue` and a running server and workers.

A task whose worker is lost is run again."""
import sys

from hyperqueue import Client, Job
from hyperqueue.ffi.protocol import ResourceRequest

WORK = {work}
SHARDS = {shards}
# Name, whether there is a task for each shard, and memory in MiB.
STEPS = [{steps}]


def bake(memory: bool = True) -> Job:
    """Requests memory, unless the workers have no resource "mem", like those of hyperqueue.cluster.LocalCluster."""
    job = Job(name={name}, max_fails=0)
    before = []
    for name, sharded, mib in STEPS:
        tasks = []
        resources = {resources} | ({{"mem": mib}} if memory else {{}})
        for shard in range(SHARDS) if sharded else [None]:
            log = f"{{WORK}}/logs/{{name}}-{{shard or 0}}"
            tasks.append(job.program(
                ["bash", f"{{WORK}}/{script}", name] + ([] if shard is None else [str(shard)]),
                deps=before, stdout=log + ".log", stderr=log + ".err", crash_limit=20,
                resources=ResourceRequest(resources=dict(resources), cpus={cores}),
            ))
        before = tasks
    return job


if __name__ == "__main__":
    # The server's folder, if it is not the default.
    client = Client(sys.argv[1] if len(sys.argv) > 1 else None)
    submitted = client.submit(bake())
    client.wait_for_jobs([submitted])
"#,
        work = string(&plan.work.to_string_lossy()),
        shards = plan.shards,
        steps = steps.join(", "),
        resources = resources,
        name = string(&format!("bake {}", plan.pack)),
        script = SCRIPT,
        cores = plan.cores,
    );
    vec![PlanFile { name: SUBMIT, text }]
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shards::plan::steps::example;

    #[test]
    fn the_program_lists_the_steps_and_the_shards() {
        let text = &files(&example())[0].text;
        assert!(text.contains("SHARDS = 12\n") && text.contains("WORK = \"/work/o'bake\"\n"));
        assert!(text.contains("STEPS = [(\"audit\", True, 12288), (\"merge-audit\", False, 12288), "));
        assert!(text.contains("ResourceRequest(resources=dict(resources), cpus=8)"));
    }

    #[test]
    fn tasks_request_memory_and_a_graphics_card() {
        let requested = "resources = {\"gpus/nvidia\": 1} | ({\"mem\": mib} if memory else {})\n";
        assert!(files(&example())[0].text.contains(requested));
    }
}
