//! `aivj bake embed`: computes embeddings.

use std::path::PathBuf;
use std::process::ExitCode;

use super::common::{Embedding, Work};
use crate::embed::{embed, open_embedder};
use crate::frames::attach;
use crate::frames::subjects_in;
use crate::jobs::folder_lock::FolderLock;

/// Compute embeddings of new and changed presets.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    work: Work,
    /// Folder for embeddings.npy, ids.txt and embeddings.meta.json
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    embedding: Embedding,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limit = args.work.limit();
    let Args { work: Work { library, workers, seed, .. }, out, embedding } = args;
    let _lock = FolderLock::take(&out)?;
    let mut subjects = subjects_in(&library, limit)?;
    attach(&mut subjects, &out);
    let models = crate::cli::models::folder();
    let tell = &mut |text: String| println!("{text}");
    let opened = open_embedder(&embedding.embedder, models.as_deref(), &subjects, &out, seed, workers, tell);
    let mut embedder = opened.map_err(anyhow::Error::msg)?;
    let done = embed(&subjects, embedder.as_mut(), &out, &mut super::common::bar())?;
    done.notes.iter().for_each(|note| println!("{note}"));
    println!(
        "{} embedded, {} kept, {} unreadable, {} empty, in {}",
        done.made,
        done.kept,
        done.unreadable,
        done.blank,
        out.display()
    );
    Ok(ExitCode::SUCCESS)
}
