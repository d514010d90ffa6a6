//! The steps of a bake on a cluster, and the script that runs one of them.

use std::path::PathBuf;

use crate::shards::trial::PresetCost;
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
    /// Number of presets in the library.
    pub presets: usize,
    /// Measured cost of a preset; `None` if it could not be measured.
    pub cost: Option<PresetCost>,
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
/// Seconds per preset that a merge is expected to take, mostly for verifying, copying and syncing small files on a
/// shared disk. Not measured.
const MERGE_SECS: f64 = 0.05;
/// Seconds per preset that the last step is expected to take without the embeddings: reading and packing the preset,
/// clusters, style index and report. Not measured.
const PUBLISH_SECS: f64 = 0.05;
/// Time limit for `aivj bake overnight` that no bake reaches, in hours; the scheduler limits the time instead.
const UNLIMITED_HOURS: u32 = 999;
/// Time limit of a job for a shard if the cost of a preset is unknown, in minutes.
const DEFAULT_MINUTES: u32 = 240;
/// Name of the script that runs one step.
pub(super) const SCRIPT: &str = "bake.sh";
/// Start of the comment that identifies a script as written by this program.
pub(super) const HEADER: &str = "# Runs one step of a bake:";

/// A step of the bake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// Name in `bake.sh`.
    pub name: &'static str,
    /// Whether the step runs once per shard.
    pub sharded: bool,
    /// Memory to request for a job, in MiB.
    pub memory_mib: u64,
    /// Expected duration of a job, in seconds; `None` if unknown.
    pub secs: Option<f64>,
}

impl Step {
    /// Returns the time limit of a job, in minutes: three times its expected duration, to allow for slower computers,
    /// plus ten minutes for a start with cold caches.
    pub fn minutes(&self) -> u32 {
        self.secs.map_or(DEFAULT_MINUTES, |secs| (3.0 * secs / 60.0).ceil() as u32 + 10)
    }
}

impl ClusterPlan {
    /// Returns the steps in order; each waits for the one before. An embedder that is fitted on the library runs in
    /// the last step.
    pub(super) fn steps(&self) -> Vec<Step> {
        let cores = u64::from(self.cores.max(2));
        let presets = self.presets as f64;
        let sharded = |name, per_core, cost: fn(&PresetCost) -> f64| {
            let shard = presets / f64::from(self.shards) / f64::from(self.cores);
            let secs = self.cost.as_ref().map(|measured| cost(measured) * shard);
            Step { name, sharded: true, memory_mib: cores * per_core, secs }
        };
        let merge = |name| {
            let secs = Some(presets * MERGE_SECS);
            Step { name, sharded: false, memory_mib: cores * MEMORY_MIB, secs }
        };
        let audit = audit::WORKER_MEMORY_MIB + OVERHEAD_MIB;
        let frames = frames::WORKER_MEMORY_MIB + OVERHEAD_MIB;
        let mut steps = vec![
            sharded("audit", audit, |cost| cost.audit),
            merge("merge-audit"),
            sharded("frames", frames, |cost| cost.frames),
            merge("merge-frames"),
        ];
        let mut publish = PUBLISH_SECS;
        if embed::needs_whole_library(&self.embedder) {
            publish += self.cost.map_or(0.0, |cost| cost.embed / f64::from(self.cores));
        } else {
            steps.extend([sharded("embed", MEMORY_MIB, |cost| cost.embed), merge("merge-embed")]);
        }
        steps.push(Step {
            name: "publish",
            sharded: false,
            // Also audits and renders presets that the shards missed.
            memory_mib: cores * audit.max(frames),
            secs: Some(publish * presets),
        });
        steps
    }

    /// Returns the name of each step and how many hours it is expected to take; `None` if the cost of a preset could
    /// not be measured.
    pub fn hours(&self) -> Option<Vec<(&'static str, f64)>> {
        let hours = |step: Step| {
            let rounds = if step.sharded { self.shards.div_ceil(self.machines) } else { 1 };
            Some((step.name, step.secs? * f64::from(rounds) / 3600.0))
        };
        self.steps().into_iter().map(hours).collect()
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
      --shard "$2/$shards" --out "$work/shards/audit-$2-of-$shards" ;;
    merge-audit) aivj bake merge "$work"/shards/audit-*-of-$shards --library "$library" --out "$work/bake/audit" ;;
    frames) aivj bake frames --library "$library"{textures} --workers $workers \
      --rel-paths "$work/bake/audit/accepted.txt" --shard "$2/$shards" --out "$work/shards/frames-$2-of-$shards" ;;
    merge-frames) aivj bake merge "$work"/shards/frames-*-of-$shards --out "$work/bake" ;;
    embed) aivj bake embed --library "$library" --embedder {embedder} --workers $workers \
      --frames "$work/bake" --shard "$2/$shards" --out "$work/shards/embed-$2-of-$shards" ;;
    merge-embed) aivj bake merge "$work"/shards/embed-*-of-$shards --out "$work/bake" ;;
    publish) aivj bake overnight --library "$library"{textures} --workers $workers \
      --pack {pack} --embedder {embedder} --hours {hours} --out "$work/bake" ;;
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
            hours = UNLIMITED_HOURS,
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
        presets: 9_600,
        cost: Some(PresetCost { audit: 0.5, frames: 1.0, embed: 0.1 }),
        image: "registry.example/aivj:1".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the script with an `aivj` program that prints its arguments, and returns the output. The work folder
    /// contains these shard folders.
    fn printed(plan: &ClusterPlan, shards: &[&str], arguments: &[&str]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = ClusterPlan { work: folder.path().join("it's work"), ..plan.clone() };
        for shard in shards {
            std::fs::create_dir_all(plan.work.join("shards").join(shard)).expect("made");
        }
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
        let audit = printed(&example(), &[], &["audit", "3"]);
        assert!(
            audit.starts_with("[bake] [audit] [--library] [/data/my presets] [--textures] [/data/textures]")
        );
        assert!(audit.ends_with("[--shard] [3/12] [--out] [TMP/it's work/shards/audit-3-of-12] "), "{audit}");
        let publish = printed(&example(), &[], &["publish"]);
        let settings = "[--pack] [night] [--embedder] [builtin] [--hours] [999] [--out] [TMP/it's work/bake]";
        assert!(publish.contains(settings), "{publish}");
    }

    #[cfg(unix)]
    #[test]
    fn shards_of_an_earlier_plan_with_more_shards_are_not_merged() {
        let plan = ClusterPlan { shards: 2, ..example() };
        let shards = ["frames-0-of-2", "frames-1-of-2", "frames-0-of-12", "frames-11-of-12"];
        let merge = printed(&plan, &shards, &["merge-frames"]);
        let wanted =
            "[merge] [TMP/it's work/shards/frames-0-of-2] [TMP/it's work/shards/frames-1-of-2] [--out]";
        assert!(merge.contains(wanted), "{merge}");
    }

    #[test]
    fn time_limits_grow_with_the_work_of_each_step() {
        let plan =
            |presets: usize, embedder: &str| ClusterPlan { presets, embedder: embedder.into(), ..example() };
        let minutes = |plan: &ClusterPlan| {
            plan.steps().iter().map(|step| (step.name, step.minutes())).collect::<Vec<_>>()
        };
        let expected =
            [("audit", 13), ("merge-audit", 34), ("frames", 15), ("merge-frames", 34), ("publish", 40)];
        assert_eq!(minutes(&plan(9_600, "builtin")), expected);
        let (small, large) = (minutes(&plan(9_600, "clip")), minutes(&plan(96_000, "clip")));
        assert!(small.len() == 7 && small.iter().zip(&large).all(|(small, large)| large.1 > small.1));
    }

    #[test]
    fn the_estimate_covers_every_step() {
        let hours = example().hours().expect("measured");
        assert_eq!(hours.len(), example().steps().len());
        // 12 shards on 4 computers with 8 cores: 3 rounds of 50 seconds.
        assert!((hours[0].1 - 150.0 / 3600.0).abs() < 1e-9, "{hours:?}");
        assert!(ClusterPlan { cost: None, ..example() }.hours().is_none());
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
