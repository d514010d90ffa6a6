//! `aivj bake report`: the page about an audit.

use std::path::PathBuf;
use std::process::ExitCode;

/// Writes the page about an audit, and the lists to act on, as far as it has come.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the audit.
    #[arg(long)]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    println!("{}", crate::audit::report::write(&args.out, super::store()?)?.display());
    Ok(ExitCode::SUCCESS)
}
