//! Kubernetes: an Indexed Job for each step, and a script that applies them in order.

use std::fmt::Write as _;

use super::steps::{ClusterPlan, PlanFile, SCRIPT, Step, quote};

/// Name of the file with all jobs, one YAML document each.
pub(super) const JOBS: &str = "jobs.yaml";
/// Name of the script that applies the jobs.
pub(super) const SUBMIT: &str = "submit.sh";
/// Number of retries of one index before its job fails.
const RETRIES: u32 = 6;

pub(super) fn files(plan: &ClusterPlan) -> Vec<PlanFile> {
    let jobs: Vec<String> = plan.steps().into_iter().map(|step| job(plan, step)).collect();
    let mut submit = format!(
        "#!/bin/bash\n# Applies the jobs in {JOBS} one after another. The claim `aivj` must be a volume that all\n\
         # computers can write to (ReadWriteMany), with the library and this folder under the same paths as here.\nset -eu\n\
         jobs={}/{JOBS}\n",
        quote(&plan.work.to_string_lossy())
    );
    for step in plan.steps() {
        let name = step.name;
        writeln!(
            submit,
            "kubectl apply -f \"$jobs\" -l step={name}\nkubectl wait --for=condition=complete job/aivj-{name} --timeout=-1s"
        )
        .expect("writing to a string");
    }
    vec![PlanFile { name: JOBS, text: jobs.join("---\n") }, PlanFile { name: SUBMIT, text: submit }]
}

fn job(plan: &ClusterPlan, step: Step) -> String {
    // JSON strings are valid YAML strings.
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let name = step.name;
    let count = if step.sharded { plan.shards } else { 1 };
    let parallel = count.min(plan.machines);
    let script = string(&plan.work.join(SCRIPT).to_string_lossy());
    let shard = if step.sharded { ", \"$(JOB_COMPLETION_INDEX)\"" } else { "" };
    let gpu = if plan.gpu { "\n            limits: {nvidia.com/gpu: 1}" } else { "" };
    // The library, the texture folders and the work folder are subfolders of the volume.
    let mounts: String = std::iter::once(&plan.work)
        .chain(std::iter::once(&plan.library))
        .chain(&plan.textures)
        .map(|path| {
            let path = path.to_string_lossy();
            let below = string(path.trim_start_matches('/'));
            format!("\n        - {{name: files, mountPath: {}, subPath: {below}}}", string(&path))
        })
        .collect();
    format!(
        r"apiVersion: batch/v1
kind: Job
metadata:
  name: aivj-{name}
  labels: {{app: aivj, step: {name}}}
spec:
  completionMode: Indexed
  completions: {count}
  parallelism: {parallel}
  backoffLimitPerIndex: {RETRIES}
  activeDeadlineSeconds: {seconds}
  template:
    metadata:
      labels: {{app: aivj, step: {name}}}
    spec:
      restartPolicy: Never
      containers:
      - name: aivj
        image: {image}
        command: [bash, {script}, {name}{shard}]
        resources:
          requests: {{cpu: {cores}, memory: {memory}Mi}}{gpu}
        volumeMounts:{mounts}
      volumes:
      - name: files
        persistentVolumeClaim: {{claimName: aivj}}
",
        seconds = u64::from(step.minutes()) * 60 * u64::from(count.div_ceil(parallel)),
        image = string(&plan.image),
        cores = plan.cores,
        memory = step.memory_mib,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shards::plan::steps::example;

    #[test]
    fn sharded_steps_are_indexed_jobs() {
        let files = files(&example());
        let jobs: Vec<&str> = files[0].text.split("---\n").collect();
        assert_eq!(jobs.len(), 5);
        assert!(jobs[0].contains("completions: 12\n  parallelism: 4\n"));
        assert!(jobs[0].contains("[bash, \"/work/o'bake/bake.sh\", audit, \"$(JOB_COMPLETION_INDEX)\"]"));
        assert!(jobs[1].contains("completions: 1\n  parallelism: 1\n"));
        assert!(jobs[0].contains("memory: 12288Mi}") && jobs[2].contains("memory: 20992Mi}"));
        assert!(files[1].text.contains("-l step=audit\nkubectl wait"));
    }
}
