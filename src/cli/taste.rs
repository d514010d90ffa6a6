//! `aivj taste`: exports and imports the learnt taste.

use std::path::PathBuf;
use std::process::ExitCode;

use super::taste_transfer::{export_taste, import_taste};
use crate::units::counted;

/// Export or import the learnt taste.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: TasteCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TasteCommand {
    /// Write the learnt taste, favourites, bans and skips to a file
    Export {
        /// JSON file to write; its folder must exist
        #[arg(value_parser = super::args::output_file())]
        file: PathBuf,
    },
    /// Merge an aivj export, or a bandit state or feedback package from aivj's browser-based predecessor,
    /// into the learnt taste, favourites, bans and skips
    Import {
        /// JSON file
        file: PathBuf,
        /// Preset folder or pack manifest in which to look up the presets named in the file [default: built-in
        /// presets]
        #[arg(long, value_name = "PATH")]
        presets: Option<PathBuf>,
    },
}

/// Runs `aivj taste`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        TasteCommand::Export { file } => {
            export_taste(file)?;
            println!("wrote {}", file.display());
        }
        TasteCommand::Import { file, presets } => {
            let done = import_taste(file, presets.as_deref())?;
            println!(
                "merged {}, {}, {} and {}; not in this library: {}",
                counted(done.clusters, "style"),
                counted(done.favourites, "favourite"),
                counted(done.banned, "ban"),
                counted(done.skipped, "skip"),
                counted(done.unknown, "preset")
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
