//! `aivj bake report`: writes the audit report.

use std::path::PathBuf;
use std::process::ExitCode;

/// Write the HTML report and preset lists of an audit, complete or in progress.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Audit output folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs `aivj bake report`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    println!("{}", crate::audit::report::write(&args.out, super::common::store()?)?.display());
    Ok(ExitCode::SUCCESS)
}
