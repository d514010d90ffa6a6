//! The steps of a bake on a cluster, and the script that runs one of them.

use std::path::PathBuf;

use crate::{audit, embed, frames};

/// A bake on a cluster. Every computer sees the library, the textures and the work folder under the same
/// paths.
#[derive(Clone, Debug)]
pub struct ClusterPlan {
    /// Preset folder.
    pub library: PathBuf,
    /// Texture folders.
    pub textures: Vec<PathBuf>,
    /// Name of the pack.
    pub pack: String,
    /// Shared folder for everything that the bake writes.
    pub work: PathBuf,
    /// Embedder: `builtin`, `auto`, or a vision model.
    pub embedder: String,
    /// Number of shards of each stage.
    pub shards: u32,
    /// Number of computers.
    pub machines: u32,
    /// Number of CPU cores of each computer.
    pub cores: u32,
    /// Whether each computer has a graphics card to request.
    pub gpu: bool,
    /// Time limit of a job, in minutes.
    pub minutes: u32,
    /// Container image with the `aivj` command, for Kubernetes.
    pub image: String,
}

/// A file to write to the work folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFile {
    /// Name of the file.
    pub name: &'static str,
    /// Content of the file.
    pub text: String,
}

/// Memory requested per core of a step without workers, in MiB.
const MEMORY_MIB: u64 = 1536;
/// Memory requested per worker in addition to the worker's limit, in MiB: for the process that supervises the workers,
/// and for what a worker allocates before it is stopped.
const OVERHEAD_MIB: u64 = 576;
/// Name of the script that runs one step.
pub(super) const SCRIPT: &str = "bake.sh";
/// Start of the comment that identifies a script as written by this program.
pub(super) const HEADER: &str = "# Runs one step of a bake:";

/// A step of the bake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Name in `bake.sh`.
    pub name: &'static str,
    /// Whether the step runs once per shard.
    pub sharded: bool,
    /// Memory to request for a job, in MiB.
    pub memory_mib: u64,
}

impl ClusterPlan {
    /// Returns the steps in order; each waits for the one before. An embedder that is fitted on the library runs in
    /// the last step.
    pub(super) fn steps(&self) -> Vec<Step> {
        let cores = u64::from(self.cores.max(2));
        let step = |name, sharded, per_core| Step { name, sharded, memory_mib: cores * per_core };
        let audit = audit::WORKER_MEMORY_MIB + OVERHEAD_MIB;
        let frames = frames::WORKER_MEMORY_MIB + OVERHEAD_MIB;
        let mut steps = vec![
            step("audit", true, audit),
            step("merge-audit", false, MEMORY_MIB),
            step("frames", true, frames),
            step("merge-frames", false, MEMORY_MIB),
        ];
        if !embed::needs_whole_library(&self.embedder) {
            steps.extend([step("embed", true, MEMORY_MIB), step("merge-embed", false, MEMORY_MIB)]);
        }
        // Also audits and renders presets that the shards missed.
        steps.push(step("publish", false, audit.max(frames)));
        steps
    }

    pub(super) fn script(&self) -> String {
        let quoted = |path: &PathBuf| quote(&path.to_string_lossy());
        let textures: String = self.textures.iter().map(|folder| format!(" {}", quoted(folder))).collect();
        let textures = if textures.is_empty() { textures } else { format!(" --textures{textures}") };
        format!(
            r#"#!/bin/bash
{header} {script} STEP [SHARD], with SHARD numbered from 0. Running a step again resumes it.
set -eu
work={work}
library={library}
shards={shards}
workers={cores}
export AIVJ_DATA="$work/data"
mkdir -p "$work/shards" "$work/logs"
run() {{
  case $1 in
    audit) aivj bake audit --library "$library"{textures} --workers $workers \
      --shard "$2/$shards" --out "$work/shards/audit-$2" ;;
    merge-audit) aivj bake merge "$work"/shards/audit-* --library "$library" --out "$work/bake/audit" ;;
    frames) aivj bake frames --library "$library"{textures} --workers $workers \
      --rel-paths "$work/bake/audit/accepted.txt" --shard "$2/$shards" --out "$work/shards/frames-$2" ;;
    merge-frames) aivj bake merge "$work"/shards/frames-* --out "$work/bake" ;;
    embed) aivj bake embed --library "$library" --embedder {embedder} --workers $workers \
      --frames "$work/bake" --shard "$2/$shards" --out "$work/shards/embed-$2" ;;
    merge-embed) aivj bake merge "$work"/shards/embed-* --out "$work/bake" ;;
    publish) aivj bake overnight --library "$library"{textures} --workers $workers \
      --pack {pack} --embedder {embedder} --out "$work/bake" ;;
    *) echo "unknown step: $1" >&2; exit 2 ;;
  esac
}}
for attempt in 1 2 3; do
  if run "$@"; then exit 0; fi
  echo "attempt $attempt of 3 failed" >&2
done
exit 1
"#,
            header = HEADER,
            script = SCRIPT,
            work = quoted(&self.work),
            library = quoted(&self.library),
            shards = self.shards,
            cores = self.cores,
            embedder = quote(&self.embedder),
            pack = quote(&self.pack),
        )
    }
}

/// Quotes a string for a POSIX shell.
pub(super) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns a plan for tests.
#[cfg(test)]
pub(super) fn example() -> ClusterPlan {
    ClusterPlan {
        library: "/data/my presets".into(),
        textures: vec!["/data/textures".into()],
        pack: "night".into(),
        work: "/work/o'bake".into(),
        embedder: "builtin".into(),
        shards: 12,
        machines: 4,
        cores: 8,
        gpu: true,
        minutes: 90,
        image: "registry.example/aivj:1".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the script with an `aivj` program that prints its arguments, and returns the output.
    fn printed(plan: &ClusterPlan, arguments: &[&str]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = ClusterPlan { work: folder.path().join("it's work"), ..plan.clone() };
        let script = folder.path().join(SCRIPT);
        std::fs::write(&script, plan.script()).expect("written");
        let program = folder.path().join("aivj");
        std::fs::write(&program, "#!/bin/sh\nprintf '[%s] ' \"$@\"\n").expect("written");
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
        std::process::Command::new("chmod").arg("+x").arg(&program).status().expect("a shell");
        let run = std::process::Command::new("bash").arg(&script).args(arguments).env("PATH", path).output();
        String::from_utf8_lossy(&run.expect("a shell").stdout)
            .replace(&*folder.path().to_string_lossy(), "TMP")
    }

    #[cfg(unix)]
    #[test]
    fn the_script_runs_each_step_with_its_shard_and_paths_of_any_name() {
        let audit = printed(&example(), &["audit", "3"]);
        assert!(
            audit.starts_with("[bake] [audit] [--library] [/data/my presets] [--textures] [/data/textures]")
        );
        assert!(audit.ends_with("[--shard] [3/12] [--out] [TMP/it's work/shards/audit-3] "), "{audit}");
        let publish = printed(&example(), &["publish"]);
        assert!(publish.contains("[--pack] [night] [--embedder] [builtin] [--out] [TMP/it's work/bake]"));
    }

    #[test]
    fn every_worker_may_use_its_limit_before_the_scheduler_kills_the_job() {
        let plan = ClusterPlan { cores: 1, ..example() };
        for plan in [example(), plan] {
            let memory =
                |name: &str| plan.steps().iter().find(|step| step.name == name).expect("a step").memory_mib;
            let cores = u64::from(plan.cores);
            assert!(memory("audit") > cores * audit::WORKER_MEMORY_MIB);
            assert!(memory("frames").min(memory("publish")) > cores * frames::WORKER_MEMORY_MIB);
        }
    }

    #[test]
    fn only_a_vision_model_is_sharded() {
        let names = |plan: ClusterPlan| plan.steps().iter().map(|step| step.name).collect::<Vec<_>>();
        let builtin = ["audit", "merge-audit", "frames", "merge-frames", "publish"];
        assert_eq!(names(example()), builtin);
        let model = ClusterPlan { embedder: "clip".into(), ..example() };
        assert!(names(model).contains(&"embed"));
    }
}
