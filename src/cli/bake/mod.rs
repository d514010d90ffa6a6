//! `aivj bake`: one file per subcommand.

mod audit;
mod breed;
mod cluster;
mod common;
mod embed;
mod flash;
mod frames;
#[cfg(feature = "lora")]
mod lora;
mod merge;
mod overnight;
mod pack;
mod plan;
mod report;
mod snapshot;
mod tune;

use std::process::ExitCode;

pub(super) use audit::work as audit_work;
pub(super) use frames::work as frames_work;
pub(super) use frames::work_shared as audit_frames_work;

/// Bake a preset library: all stages overnight, or one at a time.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    stage: Stage,
}

#[derive(Debug, clap::Subcommand)]
enum Stage {
    Overnight(overnight::Args),
    Audit(audit::Args),
    Snapshot(snapshot::Args),
    Pack(pack::Args),
    Report(report::Args),
    Flash(flash::Args),
    Frames(frames::Args),
    Embed(embed::Args),
    Tune(tune::Args),
    Cluster(cluster::Args),
    Merge(merge::Args),
    Breed(breed::Args),
    Plan(plan::Args),
}

/// Runs `aivj bake`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.stage {
        Stage::Audit(args) => audit::run(args),
        Stage::Snapshot(args) => snapshot::run(args),
        Stage::Pack(args) => pack::run(args),
        Stage::Report(args) => report::run(args),
        Stage::Flash(args) => flash::run(args),
        Stage::Overnight(args) => overnight::run(args),
        Stage::Frames(args) => frames::run(args),
        Stage::Embed(args) => embed::run(args),
        Stage::Tune(args) => tune::run(args),
        Stage::Cluster(args) => cluster::run(args),
        Stage::Breed(args) => breed::run(args),
        Stage::Merge(args) => merge::run(args),
        Stage::Plan(args) => plan::run(args),
    }
}
