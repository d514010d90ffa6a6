//! `aivj models`: manages the vision models in the data folder.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::embed::installed_models;
use crate::jobs::progress::Progress;
use crate::library::UserFolders;
use crate::models::{self, Hub};

/// Manage vision models for embedding.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ModelsCommand {
    /// Add a model (an ONNX file and its configuration) from a folder, a file or Hugging Face, and test it
    Add {
        /// Folder, ONNX file, or OWNER/NAME of a repository on Hugging Face (or the hub in HF_ENDPOINT)
        #[arg(value_name = "SOURCE")]
        from: String,
        /// Name of the model [default: name of the folder, file or repository]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// List the models
    List,
}

/// Returns the folder of the models; `None` if there is no data folder.
pub fn folder() -> Option<PathBuf> {
    UserFolders::of_user().map(|places| places.data.join("models"))
}

/// Runs `aivj models`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let models = folder().context("no data folder found; set AIVJ_DATA to a folder")?;
    match args.command {
        ModelsCommand::Add { from, name } => {
            let hub = Hub::of_user();
            let added =
                models::add(&from, name, &models, &hub, crate::cli::args::default_workers(), &mut bar())?;
            println!("{}: {}", added.name, added.description);
        }
        ModelsCommand::List => {
            let names = installed_models(&models);
            names.iter().for_each(|name| println!("{name}"));
            if names.is_empty() {
                eprintln!("no models are installed; add one with `aivj models add SOURCE`");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns a callback that shows the bytes transferred as a progress bar on stderr.
fn bar() -> impl FnMut(&Progress) -> bool {
    let style =
        ProgressStyle::with_template("{msg:28} {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is valid"));
    move |progress| {
        bar.set_message(progress.stage.clone());
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        true
    }
}
