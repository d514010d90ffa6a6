//! `aivj bake cluster`: groups presets into styles and writes the style index.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cluster::{
    self, ClusterSettings, Known, Styles, audit_features, index_by_elements, index_by_names, read,
};
use crate::embed::Table;
use crate::frames::items_in;
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::{iso, now};
use crate::library::looks::keep_index;
use crate::night::{publish_index, same_folder};
use crate::tune::tuned_table;
use crate::units::counted;

/// Group presets into styles and write the style index.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output folder for the style index; also the default location of the embeddings, audit and presets
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What to group presets by
    #[arg(long, value_enum, default_value = "look")]
    mode: Mode,
    /// Preset folder, for every mode except look [default: the --out folder]
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
    /// Folder with the audit for --mode kmeans [default: the --out folder]
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// `base` or `tuned` to use those embeddings in the --out folder, or the path of an embeddings.npy or
    /// embeddings.hf.npy from another program, with the list of IDs next to it [default: tuned if `aivj bake tune`
    /// found them better, otherwise base]
    #[arg(long, value_name = "KIND|FILE")]
    embeddings: Option<PathBuf>,
    /// Number of styles, 8 to 256 [default: as in the previous bake, or based on library size]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(8..=256))]
    k: Option<u16>,
    /// Publish the index to a preset library, where a show finds it; the previous index can be restored
    #[arg(long, value_name = "LIBRARY")]
    publish: Option<PathBuf>,
    /// Name of the pack [default: name of the --out folder]
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// Number of threads
    #[arg(long, value_name = "COUNT", default_value_t = crate::cli::args::default_workers())]
    threads: usize,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Clustering method [default: based on library size]
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Maximum number of passes over all presets
    #[arg(long, value_name = "COUNT", default_value_t = crate::cluster::PASSES)]
    passes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// Embeddings
    Look,
    /// Tags and measurements from an audit, without embeddings
    Kmeans,
    /// Visual elements in the presets' code: wave, liquid, line, dots, abstract, vectors, geometric
    Tag,
    /// Author in the preset's file name
    Name,
}

/// Clustering method.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Method {
    /// Lloyd's algorithm over all presets
    Lloyd,
    /// Mini-batch k-means: less exact, for very large libraries
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
    let Args { out, mode, library, audit, embeddings, k, publish, pack, threads, seed, method, passes } =
        args;
    anyhow::ensure!(
        publish.is_none() || mode != Mode::Name,
        "--mode name writes no v1 index to publish; choose another mode"
    );
    let name = || out.file_name().map(|name| name.to_string_lossy().into_owned());
    let pack = pack.or_else(name).unwrap_or_else(|| "pack".into());
    let at = iso(now());
    let _lock = FolderLock::take(&out)?;
    let items = match mode {
        Mode::Look => Vec::new(),
        Mode::Kmeans | Mode::Tag | Mode::Name => items_in(library.as_ref().unwrap_or(&out), None)?,
    };
    let (mut table, known) = match mode {
        Mode::Tag | Mode::Name => {
            let names = items.iter().map(|item| (item.id.as_str(), item.below.as_str()));
            keep_index(&out)?;
            index_by_names(names, &out, &pack, &at)?;
            if mode == Mode::Tag {
                let styles = index_by_elements(&items, &out, &pack, &at)?;
                styles.iter().for_each(|(name, count)| println!("{count:6}  {name}"));
            }
            let by = if mode == Mode::Tag { "visual element" } else { "author" };
            println!("indexed {} by {by} in {}", counted(items.len(), "preset"), out.display());
            return published(&out, publish.as_deref());
        }
        Mode::Kmeans => {
            let (table, known) = audit_features(audit.as_ref().unwrap_or(&out), &items)?;
            anyhow::ensure!(!table.ids.is_empty(), "the audit has no measurements of these presets");
            if table.ids.len() < items.len() {
                let skipped = counted(items.len() - table.ids.len(), "preset");
                println!("skipped {skipped} without measurements");
            }
            (table, known)
        }
        Mode::Look => {
            let table = embeddings_in(&out, embeddings.as_deref())?;
            let mut known = Known::from_folder(&out);
            // The frames of embeddings from another program are next to them, and the library has the manifest.
            let matrix = embeddings.as_deref().filter(|file| file.is_file()).and_then(Path::parent);
            matrix
                .into_iter()
                .chain(publish.as_deref())
                .for_each(|folder| known.add(Known::from_folder(folder)));
            (table, known)
        }
    };
    if let Some(k) = k.map(usize::from).filter(|k| *k > table.ids.len() && !table.ids.is_empty()) {
        println!("{}", cluster::reduced(k, table.ids.len()));
    }
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
    let clustering = cluster::cluster(&mut table, &known, read(&out).as_ref(), &settings)?;
    let took = started.elapsed().as_secs_f64();
    keep_index(&out)?;
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
    published(&out, publish.as_deref())
}

/// Publishes the index in `out` to `library`, if one is given.
fn published(out: &Path, library: Option<&Path>) -> anyhow::Result<ExitCode> {
    if let Some(library) = library.filter(|library| !same_folder(out, library)) {
        publish_index(out, library, true)?.iter().for_each(|message| println!("{message}"));
        println!("index saved in {}", library.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the embeddings to cluster: those in a file written by another program, or the
/// base or tuned ones in `out`.
fn embeddings_in(out: &Path, kind: Option<&Path>) -> anyhow::Result<Table> {
    let kind = match kind.map(|kind| (kind, kind.to_str())) {
        None => None,
        Some((_, Some(kind @ ("base" | "tuned")))) => Some(kind),
        Some((file, _)) => return Ok(Table::from_matrix(file)?),
    };
    let base = Table::open(out)?.unwrap_or_default();
    if kind == Some("base") {
        return Ok(base);
    }
    match tuned_table(out, &base)? {
        Some(tuned) => {
            println!("using the tuned embeddings");
            Ok(tuned)
        }
        None if kind.is_some() => anyhow::bail!(
            "{} has no tuned embeddings that are better than the base; run `aivj bake tune head`",
            out.display()
        ),
        None => Ok(base),
    }
}
