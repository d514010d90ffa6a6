//! `aivj bake tune`: tunes the embeddings of a bake.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::embed::Table;
use crate::jobs::folder_lock::FolderLock;
use crate::tune::{LabelSource, TuneError, TuneSettings, Tuned, tune_head};

/// Tune the embeddings of a bake, so that presets with the same label are closer together.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Head(HeadArgs),
    #[cfg(feature = "lora")]
    Lora(super::lora::Args),
}

/// Train a head on the embeddings, resuming an interrupted run. `aivj bake cluster` uses the tuned embeddings
/// only if they are better for presets by authors that the head has not seen.
#[derive(Debug, clap::Args)]
struct HeadArgs {
    /// Folder of the bake, with embeddings.npy, ids.txt and embeddings.meta.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What to learn from, comma-separated
    #[arg(
        long,
        value_enum,
        value_name = "LABELS",
        value_delimiter = ',',
        default_value = "folders,tags,taste,clusters"
    )]
    labels: Vec<Labels>,
    /// Number of hidden units, for a head with one hidden layer [default: none, a linear head]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=4096))]
    hidden: Option<u32>,
    /// Number of passes over the presets
    #[arg(long, value_name = "COUNT", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    /// Number of threads for the measurements
    #[arg(long, value_name = "COUNT", default_value_t = crate::cli::args::default_workers())]
    threads: usize,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Kind of labels.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Labels {
    /// Folders of the presets
    Folders,
    /// Your own tags
    Tags,
    /// Favourites, and presets that you usually skip
    Taste,
    /// Clusters from an earlier `aivj bake cluster` run on the same embeddings
    Clusters,
    /// Visual elements in the presets' code
    Elements,
}

impl From<Labels> for LabelSource {
    fn from(labels: Labels) -> Self {
        match labels {
            Labels::Folders => Self::Folders,
            Labels::Tags => Self::Tags,
            Labels::Taste => Self::Taste,
            Labels::Clusters => Self::Clusters,
            Labels::Elements => Self::Elements,
        }
    }
}

/// Runs `aivj bake tune`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.what {
        What::Head(args) => head(args),
        #[cfg(feature = "lora")]
        What::Lora(args) => super::lora::run(args),
    }
}

fn head(args: HeadArgs) -> anyhow::Result<ExitCode> {
    let HeadArgs { out, labels, hidden, epochs, threads, seed } = args;
    let settings = TuneSettings {
        labels: labels.into_iter().map(Into::into).collect(),
        hidden: hidden.map(|hidden| hidden as usize),
        epochs: epochs as usize,
        seed,
        threads,
    };
    anyhow::ensure!(out.is_dir(), "{} is not a folder", out.display());
    let _lock = FolderLock::take_output(&out)?;
    let base = Table::open(&out)?.ok_or(TuneError::Empty)?;
    let store = super::common::store()?;
    let on_note = &mut |note: String| println!("{note}");
    let tuned = tune_head(&base, &out, Some(&store), &settings, on_note, &mut super::common::bar())?;
    match tuned {
        Tuned::Improved(gate, _) | Tuned::Kept(gate) => println!("{gate}"),
        Tuned::Stopped => println!("stopped; run the same command to resume"),
    }
    Ok(ExitCode::SUCCESS)
}
