//! `aivj bake snapshot`: where an audit stands, while it runs or after it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::audit::{Blacklist, MissingQuality, SnapshotSettings, snapshot};

/// Writes a summary and a blacklist of an audit as far as it has come.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the audit.
    #[arg(long)]
    out: PathBuf,
    /// What the blacklist holds: everything that is not ok, only what cannot be played, or nothing.
    #[arg(long, default_value = "quality", value_parser = ["quality", "crash", "none"])]
    blacklist_mode: String,
    /// What becomes of presets without a verdict: not listed, listed, or counted as ok.
    #[arg(long, default_value = "drop", value_parser = ["drop", "unsafe", "safe"])]
    missing_quality: String,
    /// Entries of each top list.
    #[arg(long, default_value_t = 50)]
    top: usize,
    /// Tell the reasons of every listed preset.
    #[arg(long)]
    include_reasons: bool,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let settings = SnapshotSettings {
        out: args.out,
        blacklist: match args.blacklist_mode.as_str() {
            "crash" => Blacklist::Crash,
            "none" => Blacklist::None,
            _ => Blacklist::Quality,
        },
        missing: match args.missing_quality.as_str() {
            "unsafe" => MissingQuality::Unsafe,
            "safe" => MissingQuality::Safe,
            _ => MissingQuality::Drop,
        },
        top: args.top,
        reasons_by_path: args.include_reasons,
    };
    println!("{:#}", snapshot(&settings, super::store()?)?);
    Ok(ExitCode::SUCCESS)
}
