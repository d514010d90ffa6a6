//! `aivj index`: checks a style index, or restores the previous one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::frames::{item_names, items_in};
use crate::library::style;
use crate::night;

/// Exit code if there is no usable index.
const NONE: u8 = 2;

/// Check a style index, or restore the previous one.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: IndexCommand,
}

#[derive(Debug, clap::Subcommand)]
enum IndexCommand {
    /// Print which index a show with this library would use: `HIT: v1` (baked styles), `HIT: v0` (styles by
    /// author) or `NONE`; exit with status 2 for `NONE`
    Check {
        /// Library folder, or its manifest or index file
        #[arg(value_name = "PATH")]
        place: PathBuf,
    },
    /// Swap a library's style index with the one from before the last bake; run again to undo
    Restore {
        /// Library folder
        library: PathBuf,
    },
}

/// Runs `aivj index`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let place = match args.command {
        IndexCommand::Check { place } => place,
        IndexCommand::Restore { library } => {
            night::restore_index(&library)?;
            println!("restored the previous index of {}", library.display());
            library
        }
    };
    anyhow::ensure!(place.exists(), "{} does not exist", place.display());
    let folder = if place.is_dir() { place.as_path() } else { place.parent().unwrap_or(Path::new(".")) };
    let mut sought = style::find_index(&place);
    // As in a show, an index that lists none of the library's presets is ignored.
    if let Ok(items) = items_in(folder, None) {
        let names = item_names(&items, false);
        let others = sought.lists_others(&names);
        sought = sought.matching(&if others { item_names(&items, true) } else { names });
    }
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
