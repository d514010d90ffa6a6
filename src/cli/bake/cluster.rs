//! `aivj bake cluster`: clusters embeddings and writes the style index.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cluster::{self, ClusterSettings, Styles, index_by_names, read};
use crate::embed::Table;
use crate::frames::{items_in, metrics};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::{iso, now};
use crate::units::counted;

/// Cluster embedded presets into styles and write the style index.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with the embeddings; the index is written there too
    #[arg(long)]
    out: PathBuf,
    /// `look` clusters embeddings; `tag` uses only preset names
    #[arg(long, value_enum, default_value = "look")]
    mode: Mode,
    /// Preset folder for --mode tag [default: the --out folder]
    #[arg(long)]
    library: Option<PathBuf>,
    /// Number of styles, 8 to 256 [default: based on library size]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(8..=256))]
    k: Option<u16>,
    /// Name of the pack [default: name of the folder]
    #[arg(long)]
    pack: Option<String>,
    /// Number of threads
    #[arg(long, default_value_t = crate::cli::args::default_workers())]
    threads: usize,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Clustering method [default: based on library size]
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Maximum number of passes over all presets
    #[arg(long, default_value_t = crate::cluster::PASSES)]
    passes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Look,
    Tag,
}

/// Clustering method.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Method {
    /// Lloyd's algorithm over all presets
    Lloyd,
    /// Mini-batches, less exact, for very large libraries
    MiniBatch,
}

impl From<Method> for cluster::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Lloyd => Self::Lloyd,
            Method::MiniBatch => Self::MiniBatch,
        }
    }
}

/// Runs `aivj bake cluster`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { out, mode, library, k, pack, threads, seed, method, passes } = args;
    let name = || out.file_name().map(|name| name.to_string_lossy().into_owned());
    let pack = pack.or_else(name).unwrap_or_else(|| "pack".into());
    let at = iso(now());
    let _lock = FolderLock::take(&out)?;
    if mode == Mode::Tag {
        let library = library.as_ref().unwrap_or(&out);
        let items = items_in(library, None)?;
        let ids: Vec<String> = items.into_iter().map(|item| item.id).collect();
        index_by_names(&ids, &out, &pack, &at)?;
        println!("indexed {} by name in {}", counted(ids.len(), "preset"), out.display());
        return Ok(ExitCode::SUCCESS);
    }
    let table = Table::open(&out)?.unwrap_or_default();
    let settings = ClusterSettings {
        count: k.map(usize::from),
        seed,
        threads,
        pack,
        at,
        method: method.map(Into::into),
        passes,
    };
    let started = std::time::Instant::now();
    let clustering = cluster::cluster(&table, &metrics(&out), read(&out).as_ref(), &settings)?;
    let took = started.elapsed().as_secs_f64();
    clustering.write(&out, &table)?;
    let styles = clustering.styles;
    for style in &styles.clusters {
        let [calm, groove, peak] = style.energies;
        println!(
            "{}  {:5}  {:40} calm {calm}, groove {groove}, peak {peak}",
            style.id, style.count, style.label
        );
    }
    let Styles { members, clusters, inertia, .. } = &styles;
    println!(
        "{} in {}, inertia {inertia:.1}, in {took:.1} s",
        counted(members.len(), "preset"),
        counted(clusters.len(), "style")
    );
    Ok(ExitCode::SUCCESS)
}
