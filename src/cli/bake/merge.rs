//! `aivj bake merge`: merges shards baked on several computers.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::jobs::shard::Shard;
use crate::shards::{self, Merged, ShardStage};
use crate::units::counted;

/// Merge the shards of one stage; exit with status 3 if shards are missing or unfinished.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shard folders
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Output folder; to continue with `bake overnight --out DIR`, use DIR/audit for audit shards and DIR for
    /// all others
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Preset folders that were audited [default: those recorded in the shards]
    #[arg(long, value_name = "DIR", num_args = 1..)]
    library: Vec<PathBuf>,
}

/// Runs `aivj bake merge`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let merged = shards::merge(&args.folders, &args.out, &args.library, super::common::store)?;
    let Merged { stage, results, pending, missing, unfinished } = &merged;
    let what = match stage {
        ShardStage::Audit => "verdict",
        ShardStage::Frames => "rendered preset",
        ShardStage::Embed => "embedding",
    };
    println!("{} in {}", counted(*results, what), args.out.display());
    if *pending > 0 {
        let presets = counted(*pending, "preset");
        println!("no result for {presets} in the merged shards; rerun the affected shards to retry");
    }
    let names = |shards: &[Shard]| shards.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !missing.is_empty() {
        println!("missing shards: {}", names(missing));
    }
    if !unfinished.is_empty() {
        println!(
            "unfinished shards: {}; run them again, without a limit on time or presets",
            names(unfinished)
        );
    }
    Ok(if merged.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
