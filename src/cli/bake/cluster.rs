//! `aivj bake cluster`: points to styles, and the index the director reads.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cluster::{ClusterSettings, Method, Styles, gather, index_by_names, read};
use crate::embed::Table;
use crate::frames::{metrics, subjects_in};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::{iso, now};

/// Gathers embedded presets into styles and writes the style index.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder with the embeddings; the index is written beside them.
    #[arg(long)]
    out: PathBuf,
    /// What the styles are made from: `look` from embeddings, `tag` from names alone.
    #[arg(long, value_enum, default_value = "look")]
    mode: Mode,
    /// A folder of presets, for `--mode tag`.
    #[arg(long)]
    library: Option<PathBuf>,
    /// Clusters, 8 to 256; suggested from the size of the library without.
    #[arg(long, value_parser = clap::value_parser!(u16).range(8..=256))]
    k: Option<u16>,
    /// The name of the pack; that of the folder without.
    #[arg(long)]
    pack: Option<String>,
    /// Threads at work.
    #[arg(long, default_value_t = crate::cli::default_workers())]
    threads: usize,
    /// Decides everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How the centres are found; by the size of the library without.
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Passes over all presets at most.
    #[arg(long, default_value_t = crate::cluster::PASSES)]
    passes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Look,
    Tag,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { out, mode, library, k, pack, threads, seed, method, passes } = args;
    let name = || out.file_name().map(|name| name.to_string_lossy().into_owned());
    let pack = pack.or_else(name).unwrap_or_else(|| "pack".into());
    let at = iso(now());
    let _lock = FolderLock::take(&out)?;
    if mode == Mode::Tag {
        let library = library.as_ref().unwrap_or(&out);
        let subjects = subjects_in(library, None)?;
        let ids: Vec<String> = subjects.into_iter().map(|subject| subject.id).collect();
        index_by_names(&ids, &out, &pack, &at)?;
        println!("{} presets indexed by name in {}", ids.len(), out.display());
        return Ok(ExitCode::SUCCESS);
    }
    let table = Table::open(&out)?.unwrap_or_default();
    let settings = ClusterSettings { count: k.map(usize::from), seed, threads, pack, at, method, passes };
    let started = std::time::Instant::now();
    let gathered = gather(&table, &metrics(&out), read(&out).as_ref(), &settings)?;
    let took = started.elapsed().as_secs_f64();
    gathered.write(&out, &table)?;
    let styles = gathered.styles;
    for style in &styles.clusters {
        let [calm, groove, peak] = style.energies;
        println!(
            "{}  {:5}  {:40} calm {calm}, groove {groove}, peak {peak}",
            style.id, style.count, style.label
        );
    }
    let Styles { members, clusters, inertia, .. } = &styles;
    println!(
        "{} presets in {} clusters, inertia {inertia:.1}, in {took:.1} s",
        members.len(),
        clusters.len()
    );
    Ok(ExitCode::SUCCESS)
}
