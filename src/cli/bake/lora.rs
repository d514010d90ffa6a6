//! `aivj bake tune lora`: tunes a vision model.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::common::Work;
use crate::frames::{attach_frames, items_in};
use crate::jobs::folder_lock::FolderLock;
use crate::lora::{LoraJob, LoraSettings, LoraTuned, Objective, Target, tune_lora};
use crate::models::is_valid_name;

/// Tune a CLIP vision model with LoRA on the frames of a bake, resuming an interrupted run. The tuned model is added to
/// `aivj models list` only if it is better for presets by authors that it has not seen.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    work: Work,
    /// Folder of the bake; the adapter and the embeddings are saved in aivj-lora
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder with the frames [default: the --out folder]
    #[arg(long, value_name = "DIR")]
    frames: Option<PathBuf>,
    /// Model to tune: its folder, or its name in `aivj models list`
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Name of the tuned model [default: name of the model, followed by -lora]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Which pictures the model should embed close together
    #[arg(long, value_enum, default_value = "frames")]
    objective: Pictures,
    /// Layers to train, comma-separated
    #[arg(long, value_enum, value_name = "LAYERS", value_delimiter = ',', default_value = "q_proj,v_proj")]
    layers: Vec<Layer>,
    /// Rank of the adapter matrices
    #[arg(long, value_name = "RANK", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    rank: u32,
    /// LoRA alpha: changes to the weights are scaled by FACTOR divided by the rank
    #[arg(long, value_name = "FACTOR", default_value = "16", value_parser = number(0.01..=1024.0))]
    alpha: f64,
    /// Folder of a PEFT adapter to start from, which determines layers, rank and alpha
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// Number of passes over the presets; with 0, the adapter given by --adapter is merged unchanged
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1000))]
    epochs: u32,
    /// Number of frames per step
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u32).range(4..=4096))]
    batch: u32,
    /// Initial learning rate
    #[arg(long, value_name = "RATE", default_value = "0.0002", value_parser = number(1e-7..=1.0))]
    rate: f64,
    /// Maximum number of frames per preset
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_frames: u32,
    /// Train on the graphics card
    #[cfg(feature = "lora-gpu")]
    #[arg(long)]
    gpu: bool,
}

/// Which pictures the model should embed close together.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Pictures {
    /// Frames of the same preset
    Frames,
    /// Frames of presets in the same cluster, from an earlier `aivj bake cluster` run
    Clusters,
}

/// A layer to train in each block.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Layer {
    /// Query projection of the attention
    QProj,
    /// Key projection of the attention
    KProj,
    /// Value projection of the attention
    VProj,
    /// Output projection of the attention
    OutProj,
    /// First layer of the MLP
    Fc1,
    /// Second layer of the MLP
    Fc2,
}

impl From<Layer> for Target {
    fn from(layer: Layer) -> Self {
        match layer {
            Layer::QProj => Self::Query,
            Layer::KProj => Self::Key,
            Layer::VProj => Self::Value,
            Layer::OutProj => Self::Output,
            Layer::Fc1 => Self::Up,
            Layer::Fc2 => Self::Down,
        }
    }
}

/// Parses a number in `range`.
fn number(
    range: RangeInclusive<f64>,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text: &str| match text.trim().parse::<f64>() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("expected a number from {} to {}", range.start(), range.end())),
    }
}

/// Runs `aivj bake tune lora`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limit = args.work.limit();
    let settings = LoraSettings {
        objective: match args.objective {
            Pictures::Frames => Objective::Frames,
            Pictures::Clusters => Objective::Clusters,
        },
        rank: args.rank as usize,
        alpha: args.alpha,
        targets: args.layers.into_iter().map(Into::into).collect(),
        epochs: args.epochs as usize,
        batch: args.batch as usize,
        rate: args.rate,
        max_frames: args.max_frames as usize,
        #[cfg(feature = "lora-gpu")]
        on_gpu: args.gpu,
        #[cfg(not(feature = "lora-gpu"))]
        on_gpu: false,
        seed: args.work.seed,
        threads: args.work.workers.threads(),
    };
    let out = args.out;
    anyhow::ensure!(out.is_dir(), "{} is not a folder", out.display());
    let models = crate::cli::models::folder().context("no data folder found; set AIVJ_DATA to a folder")?;
    let installed = models.join(&args.model);
    let model = if installed.is_dir() { installed } else { args.model };
    let name = args.name.unwrap_or_else(|| tuned_name(&model));
    anyhow::ensure!(
        is_valid_name(&name),
        "{name:?} is not a valid model name; choose another one with --name"
    );
    let tuned = models.join(&name);
    let is_base = crate::night::same_folder(&tuned, &model);
    anyhow::ensure!(!is_base, "{name} is the model to tune; choose another name with --name");
    let _lock = FolderLock::take_output(&out)?;
    let mut items = items_in(&args.work.library, limit)?;
    attach_frames(&mut items, args.frames.as_deref().unwrap_or(&out));
    let store = super::common::store()?;
    let job = LoraJob {
        items: &items,
        bake: &out,
        model: &model,
        tuned: &tuned,
        adapter: args.adapter.as_deref(),
        store: Some(&store),
    };
    let on_note = &mut |note: String| println!("{note}");
    match tune_lora(&job, &settings, on_note, &mut super::common::bar())? {
        LoraTuned::Improved(gate) => {
            println!("{gate}\nadded the model {name}; use it with --embedder {name}")
        }
        LoraTuned::Kept(gate) => println!("{gate}"),
        LoraTuned::Stopped => println!("stopped; run the same command to resume"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the default name of the tuned model.
fn tuned_name(model: &Path) -> String {
    format!("{}-lora", model.file_name().unwrap_or_default().to_string_lossy())
}
