//! `aivj models`: vision models for `aivj bake`, kept in the data folder.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::embed::models::{self, Hub};
use crate::jobs::progress::Progress;
use crate::library::UserFolders;

/// Keeps vision models for baking.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Takes a model, `model.onnx` with `preprocessor_config.json`, from a folder or fetches it, and tries it.
    Add {
        /// A folder, or OWNER/NAME of a repository on Hugging Face or on the hub that HF_ENDPOINT names.
        from: String,
        /// What it will be called; the folder's or the repository's name without.
        #[arg(long)]
        name: Option<String>,
    },
    /// Tells which models there are.
    List,
}

/// Where models are kept, where a place for data is known.
pub fn folder() -> Option<PathBuf> {
    UserFolders::of_user().map(|places| places.data.join("models"))
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let models = folder().context("there is no home for data; set AIVJ_DATA to a folder")?;
    match args.what {
        What::Add { from, name } => {
            let hub = Hub::of_user();
            let added = models::add(&from, name, &models, &hub, super::default_workers(), &mut bar())?;
            println!("{}: {}", added.name, added.told);
        }
        What::List => models::list(&models).iter().for_each(|name| println!("{name}")),
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows bytes on standard error, as a bar where somebody watches.
fn bar() -> impl FnMut(&Progress) -> bool {
    let style =
        ProgressStyle::with_template("{msg:28} {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is right"));
    move |progress| {
        bar.set_message(progress.stage.clone());
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        true
    }
}
