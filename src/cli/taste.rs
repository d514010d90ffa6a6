//! `aivj taste`: what was learnt about the performer's taste, as a file.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{export_taste, import_taste};

/// Takes what was learnt to another machine, or brings it from one.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    deed: TasteCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TasteCommand {
    /// Writes taste, favourites, bans and skips to a file.
    Export {
        /// The file, JSON.
        file: PathBuf,
    },
    /// Adds those of a file: this program's own, or the reference application's bandit state or feedback package.
    Import {
        /// The file, JSON.
        file: PathBuf,
        /// The presets its names are looked for in; the built-in ones without.
        #[arg(long)]
        presets: Option<PathBuf>,
    },
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.deed {
        TasteCommand::Export { file } => {
            export_taste(file)?;
            println!("the taste is in {}", file.display());
        }
        TasteCommand::Import { file, presets } => {
            let done = import_taste(file, presets.as_deref())?;
            println!(
                "{} styles, {} favourites, {} bans and {} skips were added; {} presets are not in this library",
                done.clusters, done.favourites, done.banned, done.skipped, done.unknown
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
