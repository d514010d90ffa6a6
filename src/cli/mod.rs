//! Arguments to plain structs: one file per subcommand, each with its `Args` and its `run`.
//!
//! Never holds logic of its own; a command fills a struct and calls the room that does the work.

use std::process::ExitCode;

use clap::Parser as _;

/// aivj: a VJ that listens. Without a command it opens the show.
#[derive(Debug, clap::Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {}

/// Parses the process's arguments and runs the command.
pub fn run() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    match cli.command {
        None => Ok(ExitCode::SUCCESS),
        Some(command) => match command {},
    }
}
