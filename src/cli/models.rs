//! `aivj models`: vision models for `aivj bake`, kept in the data folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::bake::embed::Onnx;
use crate::library::Places;

/// Keeps vision models for baking.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Checks the model in a folder and copies it: `model.onnx` with `preprocessor_config.json`.
    Add {
        /// The folder.
        from: PathBuf,
        /// What it will be called; the folder's name without.
        #[arg(long)]
        name: Option<String>,
    },
    /// Tells which models there are.
    List,
}

/// Where models are kept, where a place for data is known.
pub fn folder() -> Option<PathBuf> {
    Places::of_user().map(|places| places.data.join("models"))
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let models = folder().context("there is no home for data; set AIVJ_DATA to a folder")?;
    match args.what {
        What::Add { from, name } => {
            let model = Onnx::open(&from, super::default_workers()).map_err(anyhow::Error::msg)?;
            let own = from.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.or(own).context("give the model a name with --name")?;
            anyhow::ensure!(
                !name.contains(['/', '\\']) && !name.starts_with('.'),
                "--name is a name, not a path"
            );
            copy(&from, &models.join(&name)).with_context(|| format!("copying to {}", models.display()))?;
            println!("{name}: {}", model.told());
        }
        What::List => {
            for entry in std::fs::read_dir(&models).into_iter().flatten().flatten() {
                println!("{}", entry.file_name().to_string_lossy());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies every file below a folder; the model's name exists only once all of it is there.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let part = to.with_extension("part");
    if part.exists() {
        std::fs::remove_dir_all(&part)?;
    }
    for entry in walkdir::WalkDir::new(from).max_depth(3) {
        let entry = entry?;
        let target = part.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::rename(&part, to)?;
    Ok(())
}
