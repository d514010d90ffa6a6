//! `aivj bake embed`: computes embeddings.

use std::path::PathBuf;
use std::process::ExitCode;

use super::common::{Embedding, Work};
use crate::embed::{EmbedderId, ModelHost, embed, needs_whole_library, open_embedder};
use crate::frames::{attach_frames, items_in, items_of_shard};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::shard::Shard;
use crate::shards::{self, ShardInfo, ShardStage};

/// Compute embeddings of new and changed presets.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    work: Work,
    /// Folder for embeddings.npy, ids.txt and embeddings.meta.json: empty, new, or that of an earlier bake
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    embedding: Embedding,
    /// Folder with the frames [default: the --out folder]
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,
    /// Embed only this shard of the library, for `aivj bake merge`; vision models only
    #[arg(long, value_name = "INDEX/COUNT")]
    shard: Option<Shard>,
}

/// Runs `aivj bake embed`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limit = args.work.limit();
    let Args { work: Work { library, workers, seed, .. }, out, embedding, frames, shard } = args;
    anyhow::ensure!(
        shard.is_none() || !needs_whole_library(&embedding.embedder),
        "the embedder {} needs the whole library; run it without --shard after the merge",
        embedding.embedder
    );
    let _lock = FolderLock::take_output(&out)?;
    let mut items = items_in(&library, limit)?;
    let is_limited = limit.is_some_and(|limit| items.len() >= limit);
    if let Some(shard) = shard {
        shards::break_seal(&out)?;
        items = items_of_shard(items, shard);
    }
    attach_frames(&mut items, frames.as_deref().unwrap_or(&out));
    let models = crate::cli::models::folder();
    let threads = workers.threads();
    let on_note = &mut |text: String| println!("{text}");
    let host = ModelHost::Worker(threads);
    let opened = open_embedder(&embedding.embedder, models.as_deref(), &items, &out, seed, host, on_note);
    let mut embedder = opened?;
    let done = embed(&items, embedder.as_mut(), &out, &mut super::common::bar())?;
    done.notes.iter().for_each(|note| println!("{note}"));
    println!(
        "{} embedded, {} up to date, {} unreadable, {} without an embedding, in {}",
        done.computed,
        done.reused,
        done.unreadable,
        done.without_embedding,
        out.display()
    );
    if let Some(shard) = shard {
        let EmbedderId { embedder, model, preprocessing } = embedder.id();
        let settings = format!("{embedder} {model} {preprocessing}");
        let counts = [done.computed + done.reused, items.len()];
        let info = ShardInfo::new(ShardStage::Embed, shard, settings, counts, done.finished && !is_limited);
        shards::seal(&out, &info)?;
    }
    Ok(ExitCode::SUCCESS)
}
