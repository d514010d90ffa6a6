//! Kubernetes: an Indexed Job for each step, and a script that applies them in order.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::steps::{ClusterPlan, PlanFile, SCRIPT, Step, quote};

/// Name of the file with all jobs, one YAML document each.
pub(super) const JOBS: &str = "jobs.yaml";
/// Name of the script that applies the jobs.
pub(super) const SUBMIT: &str = "submit.sh";
/// Number of retries of one index before its job fails.
const RETRIES: u32 = 6;
/// Maximum length of the part of a job's name that is taken from the pack; Kubernetes appends the index and a suffix.
const MAX_PACK: usize = 24;

/// Functions of the submitting script: `run STEP` replaces the finished job of an earlier submission and waits for the
/// new one; a job that is still running is only waited for.
const FUNCTIONS: &str = r#"
# Prints the conditions of job $1 that hold, such as Complete or Failed.
conditions() {
  kubectl get "job/$1" --ignore-not-found \
    -o 'jsonpath={range .status.conditions[?(@.status=="True")]}{.type} {end}'
}
run() {
  local job="$prefix-$1" unreachable=0 found pod
  case " $(conditions "$job")" in
    *" Complete "* | *" Failed "*) kubectl delete "job/$job" ;;
  esac
  kubectl apply -f "$jobs" -l "step=$1"
  while true; do
    if found=$(conditions "$job"); then unreachable=0; else unreachable=$((unreachable + 1)); fi
    case " $found" in
      *" Complete "*) return ;;
      *" Failed "*)
        for pod in $(kubectl get pods -l "job-name=$job" --field-selector=status.phase=Failed -o name | tail -n 3); do
          kubectl logs "$pod" --tail=30 >&2 || true
        done
        echo "$job failed; run this script again to resume" >&2
        exit 1 ;;
    esac
    if [ "$unreachable" -ge 30 ]; then exit 1; fi
    sleep 10
  done
}
"#;

pub(super) fn files(plan: &ClusterPlan) -> Vec<PlanFile> {
    let jobs: Vec<String> = plan.steps().into_iter().map(|step| job(plan, step)).collect();
    let mut submit = format!(
        "#!/bin/bash\n# Applies the jobs in {JOBS} one after another. The claim `aivj` must be a volume that all\n\
         # computers can write to (ReadWriteMany), with the library and this folder under the same paths as here.\nset -eu\n\
         jobs={}/{JOBS}\nprefix={}\n{FUNCTIONS}",
        quote(&plan.work.to_string_lossy()),
        prefix(plan)
    );
    for step in plan.steps() {
        writeln!(submit, "run {}", step.name).expect("writing to a string");
    }
    vec![PlanFile { name: JOBS, text: jobs.join("---\n") }, PlanFile { name: SUBMIT, text: submit }]
}

/// Returns the start of the names of a plan's jobs, so that bakes of several packs can run in one namespace. Names of
/// jobs consist of lower-case letters, digits and hyphens (RFC 1123), and have to be short; other names of packs are
/// distinguished by a hash.
fn prefix(plan: &ClusterPlan) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let pack = &plan.pack;
    if pack.len() <= MAX_PACK && pack.chars().all(is_plain) && !pack.ends_with('-') {
        return format!("aivj-{pack}");
    }
    let lower = pack.to_ascii_lowercase();
    let plain: String = lower.chars().filter(|c| is_plain(*c)).take(MAX_PACK).collect();
    let hash: String = Sha256::digest(pack).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("aivj-{plain}-{hash}")
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
  name: {prefix}-{name}
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
        prefix = prefix(plan),
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
        assert!(jobs[0].contains("  name: aivj-night-audit\n"));
        assert!(
            files[1]
                .text
                .ends_with("\nrun audit\nrun merge-audit\nrun frames\nrun merge-frames\nrun publish\n")
        );
    }

    #[test]
    fn jobs_of_different_packs_have_different_valid_names() {
        let prefix = |pack: &str| prefix(&ClusterPlan { pack: pack.into(), ..example() });
        assert_eq!(prefix("night"), "aivj-night");
        let names = ["My Pack", "my pack", "mypack", "-", "pack-", "\u{1f3b5}", "long".repeat(30).as_str()]
            .map(prefix);
        for name in &names {
            let is_valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.len() < 40 && name.chars().all(is_valid) && !name.ends_with('-'), "{name}");
        }
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    /// Runs the script with a `kubectl` that reports the condition `condition` of every job; returns the exit status
    /// and everything printed.
    #[cfg(unix)]
    fn submitted(condition: &str) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join(SUBMIT);
        std::fs::write(&script, &files(&example())[1].text).expect("written");
        let program = folder.path().join("kubectl");
        let text = format!(
            "#!/bin/sh\ncase \"$1 $2\" in\n'get pods') echo pod/lost ;;\n'get '*) echo '{condition} ' ;;\n\
             *) echo \"kubectl $*\" ;;\nesac\n"
        );
        std::fs::write(&program, text).expect("written");
        std::process::Command::new("chmod").arg("+x").arg(&program).status().expect("a shell");
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
        let run =
            std::process::Command::new("bash").arg(&script).env("PATH", path).output().expect("a shell");
        let text = [run.stdout, run.stderr].concat();
        (run.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    #[cfg(unix)]
    #[test]
    fn a_failed_job_ends_the_submission_with_its_logs_and_is_replaced_by_the_next_one() {
        let (code, text) = submitted("Failed");
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("kubectl delete job/aivj-night-audit\n"), "{text}");
        assert!(text.contains("kubectl logs pod/lost") && text.contains("aivj-night-audit failed"), "{text}");
        assert!(!text.contains("merge-audit"), "{text}");
        let (code, text) = submitted("SuccessCriteriaMet Complete");
        assert!(code == Some(0) && text.contains("kubectl apply") && text.contains("step=publish"), "{text}");
    }
}
