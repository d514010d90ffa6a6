//! `aivj bake embed`: computes embeddings.

use std::path::PathBuf;
use std::process::ExitCode;

use super::common::{Embedding, Work};
use crate::embed::{embed, open_embedder};
use crate::frames::attach_frames;
use crate::frames::items_in;
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
    let mut items = items_in(&library, limit)?;
    attach_frames(&mut items, &out);
    let models = crate::cli::models::folder();
    let on_note = &mut |text: String| println!("{text}");
    let opened = open_embedder(&embedding.embedder, models.as_deref(), &items, &out, seed, workers, on_note);
    let mut embedder = opened?;
    let done = embed(&items, embedder.as_mut(), &out, &mut super::common::bar())?;
    done.notes.iter().for_each(|note| println!("{note}"));
    println!(
        "{} embedded, {} kept, {} unreadable, {} without an embedding, in {}",
        done.made,
        done.kept,
        done.unreadable,
        done.blank,
        out.display()
    );
    Ok(ExitCode::SUCCESS)
}
