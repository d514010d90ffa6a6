//! `aivj bake plan`: writes job files for a cluster.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::disk;
use crate::frames::items_in;
use crate::shards::{self, ClusterPlan, Engine, PresetCost};
use crate::units::counted;

/// Write job files for a bake on several computers, and estimate how long it will take.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Job scheduler
    #[arg(long, value_enum)]
    engine: EngineName,
    /// Number of computers
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    machines: u32,
    /// Preset folder, at the same path on every computer
    #[arg(long, value_name = "DIR")]
    library: PathBuf,
    /// Texture folders, at the same paths on every computer
    #[arg(long, value_name = "DIR", num_args = 1..)]
    textures: Vec<PathBuf>,
    /// Name of the pack
    #[arg(long, value_name = "NAME")]
    pack: String,
    /// Folder shared by all computers, for the job files, the shards and the finished bake
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// `builtin`, a vision model (its folder, or its name in `aivj models list`), or `auto` for both: the built-in
    /// embedder and the first model of the list, if there is one
    #[arg(long, value_name = "MODEL", default_value = "builtin")]
    embedder: String,
    /// CPU cores of each computer
    #[arg(long, value_name = "COUNT", default_value_t = crate::cli::args::default_workers() as u32,
        value_parser = clap::value_parser!(u32).range(1..=1024))]
    cores: u32,
    /// Request a GPU on each computer
    #[arg(long)]
    gpu: bool,
    /// Number of shards [default: about 20 minutes of work per shard]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    shards: Option<u32>,
    /// Container image with the aivj command, for Kubernetes
    #[arg(long, default_value = "aivj")]
    image: String,
}

/// A job scheduler.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum EngineName {
    Slurm,
    Hyperqueue,
    Kubernetes,
}

/// Target duration of a shard, in seconds.
const SHARD_SECS: f64 = 20.0 * 60.0;

/// Runs `aivj bake plan`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let whole = |path: &PathBuf| std::path::absolute(path).with_context(|| path.display().to_string());
    let (library, work) = (whole(&args.library)?, whole(&args.out)?);
    let textures = args.textures.iter().map(whole).collect::<anyhow::Result<Vec<_>>>()?;
    anyhow::ensure!(library.is_dir(), "{} is not a folder", library.display());
    shards::check_plan_folder(&work)?;
    let items = items_in(&library, None)?;
    let models = crate::cli::models::folder();
    let measured = shards::measure(&library, &items, &textures, &args.embedder, models.as_deref());
    let (cost, shards) = match (measured, args.shards) {
        (Ok(cost), count) => {
            (Some(cost), count.unwrap_or_else(|| shard_count(&cost, items.len(), args.machines, args.cores)))
        }
        // The computer that submits the jobs may be unable to bake.
        (Err(error), Some(count)) => {
            eprintln!(
                "aivj: cannot estimate how long the bake will take: {error:#}; using fixed time limits"
            );
            (None, count)
        }
        (Err(error), None) => return Err(error.context("measuring the cost of a preset; choose --shards")),
    };
    let plan = ClusterPlan {
        library,
        textures,
        pack: args.pack,
        work,
        embedder: args.embedder,
        shards,
        machines: args.machines,
        cores: args.cores,
        gpu: args.gpu,
        presets: items.len(),
        cost,
        image: args.image,
    };
    print_estimate(&plan);
    let engine = match args.engine {
        EngineName::Slurm => Engine::Slurm,
        EngineName::Hyperqueue => Engine::HyperQueue,
        EngineName::Kubernetes => Engine::Kubernetes,
    };
    let mut last = plan.work.clone();
    for file in shards::plan_files(&plan, engine) {
        last = plan.work.join(file.name);
        disk::write(&last, file.text.as_bytes())?;
        println!("wrote {}", last.display());
    }
    println!("{}; start the bake with {}", counted(shards as usize, "shard"), last.display());
    Ok(ExitCode::SUCCESS)
}

/// Returns a number of shards that keeps every computer busy, with shards of about twenty minutes each.
fn shard_count(cost: &PresetCost, presets: usize, machines: u32, cores: u32) -> u32 {
    let seconds = cost.audit.max(cost.frames) * presets as f64 / f64::from(cores);
    let rounds = (seconds / SHARD_SECS / f64::from(machines)).ceil().clamp(1.0, 100.0);
    (rounds as u32 * machines).min(presets.max(1) as u32)
}

fn print_estimate(plan: &ClusterPlan) {
    let (Some(cost), Some(steps)) = (&plan.cost, plan.hours()) else { return };
    println!(
        "{}; measured on this computer with one worker: {:.2} s for an audit, {:.2} s for frames, {:.2} s for an \
         embedding",
        counted(plan.presets, "preset"),
        cost.audit,
        cost.frames,
        cost.embed
    );
    let total: f64 = steps.iter().map(|(_, hours)| hours).sum();
    let steps: Vec<String> = steps.iter().map(|(name, hours)| format!("{name} {hours:.1} h")).collect();
    println!(
        "estimate for {} like this one, with {} each: {}; {total:.1} h in total (the times of the merges and of \
         the rest of the publish step are assumed, not measured)",
        counted(plan.machines as usize, "computer"),
        counted(plan.cores as usize, "core"),
        steps.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_keep_every_machine_busy_for_about_twenty_minutes() {
        let cost = PresetCost { audit: 0.5, frames: 1.5, embed: 0.1 };
        assert_eq!(shard_count(&cost, 136_109, 4, 8), 24);
        assert_eq!(shard_count(&cost, 10, 4, 8), 4);
        assert_eq!(shard_count(&cost, 2, 4, 8), 2);
    }
}
