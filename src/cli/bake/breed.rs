//! `aivj bake breed`: breeds new presets from favourites.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::breed::{self, BreedSettings, Brood};
use crate::jobs::show_lock;
use crate::jobs::workers::WorkerCount;
use crate::night::write_brood_page;
use crate::units::counted;

/// Breed new presets from your favourites, resuming an earlier run; run the command again to pack children
/// that became favourites.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Preset library to compare the children with; must contain the presets in the --from list
    #[arg(long, value_name = "DIR")]
    library: PathBuf,
    /// Folder for the children, the packs `new` and `favourites`, and the report: empty, new, or that of an earlier bake
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Breed from the presets in a folder, or those listed in a file, one path, ID or content hash per line
    /// [default: your favourites]
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,
    /// Number of children; in a later run, a higher COUNT adds children, and a lower one removes none
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Presets to pair: any two (any), those that look alike (near), or those that look different (far)
    #[arg(long, value_enum, default_value = "any")]
    mates: Mates,
    /// Texture folders
    #[arg(long, value_name = "DIR", num_args = 1..)]
    textures: Vec<PathBuf>,
    /// Number of worker processes and threads; `auto` starts one per core if there is enough memory, and adds processes
    /// as long as that speeds up the work
    #[arg(long, value_name = "COUNT", default_value_t = WorkerCount::Auto)]
    workers: WorkerCount,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Mates {
    Any,
    Near,
    Far,
}

impl From<Mates> for breed::Mates {
    fn from(mates: Mates) -> Self {
        match mates {
            Mates::Any => Self::Any,
            Mates::Near => Self::Near,
            Mates::Far => Self::Far,
        }
    }
}

/// Runs `aivj bake breed`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    crate::cli::args::check_textures(&args.textures);
    let settings = BreedSettings {
        library: args.library,
        folder: args.out,
        from: args.from,
        count: args.count as usize,
        mates: args.mates.into(),
        textures: args.textures,
        workers: args.workers,
        seed: args.seed,
        pause_for: show_lock::user_path(),
        stop: Arc::default(),
    };
    let store = super::common::store()?;
    let brood = breed::breed(&settings, &store, &mut super::common::bar())?;
    let page = write_brood_page(&settings.folder, &brood)?;
    if args.json {
        println!("{}", serde_json::to_string(&brood)?);
        return Ok(ExitCode::SUCCESS);
    }
    let Brood { parents, children, rejected, repeats, far, kept, notes, .. } = &brood;
    notes.iter().for_each(|note| println!("{note}"));
    let lost: usize = rejected.values().sum();
    println!(
        "{children} children of {}: {} kept, {lost} rejected, {}, {far} too different from the favourites",
        counted(*parents, "parent"),
        kept.len(),
        counted(*repeats, "duplicate")
    );
    println!("report: {}", page.display());
    Ok(ExitCode::SUCCESS)
}
