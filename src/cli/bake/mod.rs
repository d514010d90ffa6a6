//! `aivj bake`: one file per bake stage.

mod audit;
mod cluster;
mod common;
mod embed;
mod flash;
mod frames;
mod overnight;
mod pack;
mod report;
mod snapshot;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::jobs::now;
use crate::jobs::progress::Progress;
use crate::library::{Store, UserFolders};

pub(super) use audit::work as audit_work;
pub(super) use frames::work as frames_work;

/// Audit, pack and bake preset libraries.
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
    Cluster(cluster::Args),
}

/// Runs the command.
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
        Stage::Cluster(args) => cluster::run(args),
    }
}

/// Opens the performer's store. Fails if it can only be kept in memory, because a bake saves its verdicts there.
fn store() -> anyhow::Result<Store> {
    let places = UserFolders::of_user();
    let data: PathBuf = places.context("no data folder found; set AIVJ_DATA to a folder")?.data;
    let opened = Store::open(&data, now())?;
    anyhow::ensure!(
        opened.store.path().is_some(),
        "{}",
        opened.notice.unwrap_or_else(|| format!("cannot write to {}", data.display()))
    );
    if let Some(notice) = opened.notice {
        eprintln!("aivj: {notice}");
    }
    Ok(opened.store)
}

/// Shows progress as a bar on stderr.
fn bar() -> impl FnMut(&Progress) -> bool {
    let style =
        indicatif::ProgressStyle::with_template("{msg:20} {bar:30} {pos}/{len}  {per_sec}  {eta} left");
    let bar = indicatif::ProgressBar::new(0).with_style(style.expect("the template is valid"));
    move |progress| {
        bar.set_message(progress.stage.clone());
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        true
    }
}
