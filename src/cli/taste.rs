//! `aivj taste`: exports and imports the learnt taste.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{export_taste, import_taste};

/// Export or import the learnt taste.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: TasteCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TasteCommand {
    /// Write taste, favourites, bans and skips to a file
    Export {
        /// JSON file
        file: PathBuf,
    },
    /// Merge a file exported by aivj, or a bandit state or feedback package of its browser-based predecessor
    Import {
        /// JSON file
        file: PathBuf,
        /// Preset folder or pack manifest used to resolve presets [default: built-in presets]
        #[arg(long, value_name = "PATH")]
        presets: Option<PathBuf>,
    },
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        TasteCommand::Export { file } => {
            export_taste(file)?;
            println!("wrote {}", file.display());
        }
        TasteCommand::Import { file, presets } => {
            let done = import_taste(file, presets.as_deref())?;
            println!(
                "added {} styles, {} favourites, {} bans and {} skips; {} presets are not in this library",
                done.clusters, done.favourites, done.banned, done.skipped, done.unknown
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
