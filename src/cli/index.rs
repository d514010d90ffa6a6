//! `aivj index`: looking at a style index.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::library::style;

/// Exit code when there is no index that can be used.
const NONE: u8 = 2;

/// Looks at a style index.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    deed: IndexCommand,
}

#[derive(Debug, clap::Subcommand)]
enum IndexCommand {
    /// Says which index a library would use: prints `HIT: v1` or `HIT: v0` and ends with 0, or with 2 when there is none.
    Check {
        /// The library's folder, or a file in it: its manifest or an index.
        place: PathBuf,
    },
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let IndexCommand::Check { place } = args.deed;
    anyhow::ensure!(place.exists(), "there is nothing at {}", place.display());
    let sought = style::seek(&place);
    for problem in &sought.problems {
        eprintln!("aivj: passed over: {problem}");
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
