//! `aivj bake embed`: presets to points.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::bake::embed::{embed, open_embedder, subjects_in};
use crate::bake::frames::attach;

/// Embeds the presets of a folder; what earlier nights have done is kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of presets.
    #[arg(long)]
    library: PathBuf,
    /// Where `embeddings.npy`, `ids.txt` and `embeddings.meta.json` go.
    #[arg(long)]
    out: PathBuf,
    /// At most so many presets.
    #[arg(long)]
    limit: Option<usize>,
    /// `builtin`, or a vision model: a folder, or a name given to `aivj models add`.
    #[arg(long, default_value = "builtin")]
    embedder: String,
    /// Threads at work.
    #[arg(long, default_value_t = crate::cli::default_workers())]
    threads: usize,
    /// Decides everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { library, out, limit, embedder, threads, seed } = args;
    let mut subjects = subjects_in(&library, limit)?;
    attach(&mut subjects, &out);
    let models = crate::cli::models::folder();
    let tell = &mut |text: String| println!("{text}");
    let opened = open_embedder(&embedder, models.as_deref(), &subjects, &out, seed, threads, tell);
    let mut embedder = opened.map_err(anyhow::Error::msg)?;
    let done = embed(&subjects, embedder.as_mut(), &out, &mut super::bar())?;
    println!(
        "{} embedded, {} kept, {} unreadable, in {}",
        done.made,
        done.kept,
        done.unreadable,
        out.display()
    );
    Ok(ExitCode::SUCCESS)
}
