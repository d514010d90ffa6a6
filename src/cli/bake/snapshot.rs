//! `aivj bake snapshot`: summarises an audit, complete or in progress.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::audit::{Blacklist, MissingQuality, SnapshotSettings, snapshot};

/// Write a summary and a blacklist from an audit, complete or in progress.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Audit output folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Presets to blacklist: all that are not ok (quality), only unplayable ones (crash), or none
    #[arg(long, default_value = "quality", value_parser = ["quality", "crash", "none"])]
    blacklist_mode: String,
    /// Presets without a verdict: count them as missing (drop), blacklist them (unsafe), or count them as ok
    /// (safe)
    #[arg(long, default_value = "drop", value_parser = ["drop", "unsafe", "safe"])]
    missing_quality: String,
    /// Number of entries in each ranking in the summary
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    top: usize,
    /// Include the reasons why each preset is blacklisted
    #[arg(long)]
    include_reasons: bool,
}

/// Runs `aivj bake snapshot`.
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
    println!("{:#}", snapshot(&settings, super::common::store()?)?);
    Ok(ExitCode::SUCCESS)
}
