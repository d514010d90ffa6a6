//! `aivj index`: checks a style index.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::library::style;

/// Exit code if no index is valid.
const NONE: u8 = 2;

/// Check a style index.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: IndexCommand,
}

#[derive(Debug, clap::Subcommand)]
enum IndexCommand {
    /// Print which index a show would use: `HIT: v1` (styles by look), `HIT: v0` (by name) or `NONE`; exit with 2 for
    /// NONE
    Check {
        /// Library folder, or its manifest or index file
        #[arg(value_name = "PATH")]
        place: PathBuf,
    },
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let IndexCommand::Check { place } = args.command;
    anyhow::ensure!(place.exists(), "{} does not exist", place.display());
    let sought = style::find_index(&place);
    for problem in &sought.problems {
        eprintln!("aivj: skipped: {problem}");
    }
    let Some(index) = sought.index else {
        println!("NONE");
        return Ok(ExitCode::from(NONE));
    };
    println!("HIT: {}", index.version.word());
    println!("presets: {}", index.entries.len());
    println!("styles: {}", index.keys.len());
    println!("policy: {}", if sought.policy.is_some() { "v0" } else { "none" });
    Ok(ExitCode::SUCCESS)
}
