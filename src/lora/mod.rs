//! Tunes the vision tower of a CLIP model with LoRA (Hu et al., 2021). Requires the cargo feature `lora`.
//!
//! The weights come from the model's ONNX file. Training runs on `burn-tensor`, and its result, a PEFT adapter, is
//! merged into a copy of the file, which is used like any other model. As in `tune`, presets by some authors are held
//! out, and the tuned model is installed only if it is better for them. A run that was interrupted, even by a crash,
//! can be resumed.

mod adapter;
mod error;
mod graph;
mod settings;
mod tower;
mod train;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn_tensor::Device;
use ndarray::Array2;
use sha2::{Digest as _, Sha256};

use crate::disk::{self, FileError};
use crate::embed::onnx::{CONFIG_FILES, weight_files};
use crate::embed::{Onnx, PART, Table, embed};
use crate::frames::BakeItem;
use crate::jobs::progress::OnProgress;
use crate::store::Store;
use crate::tune::{Gate, Trial};
use crate::units::Rng;
use adapter::Adapter;
use graph::Graph;
use tower::{Tower, difference};
use train::{Subject, Training};

pub use adapter::Target;
pub use error::LoraError;
pub use settings::{LoraSettings, Objective};

/// Folder of all results, in the folder of a bake. The pack mirrors the folders of the library, so this name must not
/// clash with one of them.
const FOLDER: &str = "aivj-lora";
const CHECKPOINT: &str = "part.safetensors";
/// Maximum size of a model file; larger models keep their weights in separate files.
const MAX_MODEL: u64 = 2 << 30;
/// Number of noise pictures on which a tower is compared with the ONNX model.
const TEST_PICTURES: usize = 2;
/// Maximum difference between the embeddings of a merged model and those of the tower with its adapter.
const TOLERANCE: f32 = 1e-3;

/// What is tuned, and with which presets.
#[derive(Clone, Copy)]
pub struct LoraJob<'a> {
    /// The presets, with their frames.
    pub items: &'a [BakeItem],
    /// Folder of the bake.
    pub bake: &'a Path,
    /// Folder of the model.
    pub model: &'a Path,
    /// Folder of the tuned model.
    pub tuned: &'a Path,
    /// Folder of an adapter to start from.
    pub adapter: Option<&'a Path>,
    /// The performer's data.
    pub store: Option<&'a Store>,
}

/// Result of tuning.
#[derive(Clone, Debug, PartialEq)]
pub enum LoraTuned {
    /// Cancelled; the next run resumes.
    Stopped,
    /// The tuned model is not better, and was deleted.
    Kept(Gate),
    /// The tuned model is better, and was installed.
    Improved(Gate),
}

/// Tunes a vision model and installs the result if it is better. `on_note` receives messages.
pub fn tune_lora(
    job: &LoraJob,
    settings: &LoraSettings,
    on_note: &mut dyn FnMut(String),
    on_progress: OnProgress,
) -> Result<LoraTuned, LoraError> {
    let work = job.bake.join(FOLDER);
    let mut base = open(job.model, settings)?;
    let items = limited(job.items, settings.max_frames);
    let Some(base_table) = embeddings(&items, &mut base, &work.join("base"), on_progress)? else {
        return Ok(LoraTuned::Stopped);
    };
    let trial = Trial::new(&base_table, job.bake, job.store, settings.seed)?;
    let subjects = subjects(&items, &base_table, trial.train(), job.bake, settings)?;
    let unusable = |why: String| LoraError::Model { path: base.path().to_owned(), why };
    let graph = read_graph(base.path()).map_err(unusable)?;
    let tower = open_tower(&graph, &mut base, settings)?;
    let start = start(&tower, job.adapter, settings)?;
    on_note(format!("training {} pairs of matrices on {} presets", start.pairs.len(), subjects.len()));
    let preprocess = base.preprocessing();
    let load = |path: &Path| match disk::picture(path) {
        Ok(picture) => Some(preprocess(&picture.to_rgb8())),
        Err(error) => {
            log::warn!("skipping a frame: {error} ({})", path.display());
            None
        }
    };
    let fingerprint = fingerprint(&base_table, &subjects, &start, settings);
    let training =
        Training { tower: &tower, subjects: &subjects, load: &load, settings, fingerprint: &fingerprint };
    let checkpoint = work.join(CHECKPOINT);
    let trained = training.run(start, &checkpoint, on_note, on_progress).map_err(LoraError::Training)?;
    let Some(adapter) = trained else { return Ok(LoraTuned::Stopped) };
    let name = job.model.file_name().unwrap_or_default().to_string_lossy();
    adapter.write(&work.join("adapter"), &name)?;
    let part = part_of(job.tuned);
    merge(graph, &tower, &adapter, job.model, base.path(), &part)?;
    let mut tuned = open(&part, settings)?;
    check_merged(&tower, &adapter, &mut tuned)?;
    let Some(tuned_table) = embeddings(&items, &mut tuned, &work.join("tuned"), on_progress)? else {
        return Ok(LoraTuned::Stopped);
    };
    drop(tuned);
    if tuned_table.ids != base_table.ids {
        return Err(LoraError::Training("the tuned model did not embed the same presets".into()));
    }
    let gate = trial.gate([&base_table.rows, &tuned_table.rows], settings.threads);
    if gate.passed() {
        replace_folder(&part, job.tuned)?;
    } else {
        remove_folder(&part)?;
    }
    disk::remove_if_exists(&checkpoint).map_err(|error| FileError::new(&checkpoint, &error))?;
    Ok(if gate.passed() { LoraTuned::Improved(gate) } else { LoraTuned::Kept(gate) })
}

fn open(folder: &Path, settings: &LoraSettings) -> Result<Onnx, LoraError> {
    Onnx::open(folder, settings.threads).map_err(|why| LoraError::Model { path: folder.to_owned(), why })
}

/// Returns the items with at most `max_frames` frames each.
fn limited(items: &[BakeItem], max_frames: usize) -> Vec<BakeItem> {
    let mut items = items.to_vec();
    items.iter_mut().for_each(|item| item.frames.truncate(max_frames));
    items
}

/// Embeds the presets and returns their rows in a fixed order; `None` if `on_progress` cancels. Rows that an
/// interrupted run left in `folder` are reused.
fn embeddings(
    items: &[BakeItem],
    model: &mut Onnx,
    folder: &Path,
    on_progress: OnProgress,
) -> Result<Option<Table>, LoraError> {
    if !embed(items, model, folder, on_progress)?.finished {
        return Ok(None);
    }
    let mut table = Table::open(folder)?.unwrap_or_default();
    table.keep_only(items.iter().map(|item| item.id.as_str()));
    table.sort();
    Ok(Some(table))
}

/// Returns the presets to learn from: those among the rows `train` whose pictures can be compared.
fn subjects(
    items: &[BakeItem],
    table: &Table,
    train: &[usize],
    bake: &Path,
    settings: &LoraSettings,
) -> Result<Vec<Subject>, LoraError> {
    let by_id: HashMap<&str, &BakeItem> = items.iter().map(|item| (item.id.as_str(), item)).collect();
    let clusters = match settings.objective {
        Objective::Frames => HashMap::new(),
        Objective::Clusters => crate::cluster::read(bake).map(|styles| styles.members).unwrap_or_default(),
    };
    let subject = |&row: &usize| {
        let id = table.ids[row].as_str();
        let frames = by_id.get(id)?.frames.clone();
        let (group, needed) = match settings.objective {
            Objective::Frames => (row, 2),
            Objective::Clusters => (*clusters.get(id)? as usize, 1),
        };
        (frames.len() >= needed).then_some(Subject { group, frames })
    };
    let subjects: Vec<Subject> = train.iter().filter_map(subject).collect();
    match (subjects.len() >= 2, settings.objective) {
        (true, _) => Ok(subjects),
        (false, Objective::Frames) => {
            Err(LoraError::NoSubjects("fewer than two presets have two or more frames".into()))
        }
        (false, Objective::Clusters) => Err(LoraError::NoSubjects(
            "fewer than two presets with frames are in clusters; run `aivj bake cluster` first".into(),
        )),
    }
}

/// Reads the graph of a model whose weights are all in its own file.
fn read_graph(path: &Path) -> Result<Graph, String> {
    if !weight_files(path)?.is_empty() {
        return Err("its weights are in external files".into());
    }
    Graph::parse(disk::read(path, MAX_MODEL).map_err(|error| error.to_string())?)
}

/// Opens the tower in `graph`, and checks that its results match those of `model`, which has the same graph.
fn open_tower(graph: &Graph, model: &mut Onnx, settings: &LoraSettings) -> Result<Tower, LoraError> {
    let path = model.path().to_owned();
    let mut read = || -> Result<Tower, String> {
        let mut tower = Tower::new(graph, model.output(), model.side(), device(settings))?;
        let pictures = test_pictures(model.side());
        tower.fit_heads(&pictures, &model.run(&pictures)?)?;
        Ok(tower)
    };
    read().map_err(|why| LoraError::Model { path, why })
}

/// Returns the device on which the training runs.
fn device(settings: &LoraSettings) -> Device {
    #[cfg(feature = "lora-gpu")]
    if settings.on_gpu {
        return Device::wgpu(burn_tensor::DeviceKind::DefaultDevice).autodiff();
    }
    #[cfg(not(feature = "lora-gpu"))]
    let _ = settings;
    Device::flex().autodiff()
}

/// Returns preprocessed pictures of noise, of `side` x `side` pixels.
fn test_pictures(side: usize) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(1);
    let mut picture = || (0..3 * side * side).map(|_| rng.normal() as f32).collect();
    (0..TEST_PICTURES).map(|_| picture()).collect()
}

/// Returns the adapter to start from: the one in `folder`, or a new one.
fn start(tower: &Tower, folder: Option<&Path>, settings: &LoraSettings) -> Result<Adapter, LoraError> {
    let LoraSettings { rank, alpha, targets, seed, .. } = settings;
    let adapter = match folder {
        Some(folder) => Adapter::read(folder).map_err(LoraError::Adapter)?,
        None => Adapter::new(tower.layers(targets), *rank, *alpha, &mut Rng::new(*seed)),
    };
    tower.adapt(&adapter).map_err(LoraError::Adapter)?;
    Ok(adapter)
}

/// Returns a hash of everything that determines the trained adapter.
fn fingerprint(table: &Table, subjects: &[Subject], start: &Adapter, settings: &LoraSettings) -> String {
    let LoraSettings { epochs, batch, rate, seed, .. } = settings;
    let mut digest = Sha256::new();
    digest.update(format!("v0 {:?} {epochs} {batch} {rate} {seed} {}\n", table.embedder_id, start.scale));
    for Subject { group, frames } in subjects {
        digest.update(format!("{group} {frames:?}\n"));
    }
    table.keys.iter().for_each(|key| digest.update(format!("{key}\n")));
    for (place, parameters) in start.pairs.keys().flat_map(|place| [place; 2]).zip(start.parameters()) {
        digest.update(format!("{place:?} {:?}\n", parameters.dim()));
        digest.update(parameters.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Replaces `folder` with a copy of the model and its configuration, with the adapter merged into the weights. The copy
/// has no text tower, because its embeddings would not match those of the tuned vision tower.
fn merge(
    mut graph: Graph,
    tower: &Tower,
    adapter: &Adapter,
    model: &Path,
    path: &Path,
    folder: &Path,
) -> Result<(), LoraError> {
    for (place, pair) in &adapter.pairs {
        let change = adapter.change(pair);
        let merged = tower.source(*place).is_some_and(|source| {
            let change: Array2<f32> = if source.by_output { change } else { change.reversed_axes() };
            graph.add(&source.name, &change)
        });
        if !merged {
            return Err(LoraError::Adapter(format!(
                "it does not fit {} of block {}",
                place.target.path(),
                place.block
            )));
        }
    }
    remove_folder(folder)?;
    let below = path.strip_prefix(model).unwrap_or(path);
    disk::write_below(folder, below, &graph.into_bytes())?;
    for name in CONFIG_FILES {
        let from = model.join(name);
        let config = disk::read_if_exists(&from, disk::limit::TEXT);
        if let Some(bytes) = config.map_err(|error| FileError::new(&from, &error))? {
            disk::write_below(folder, Path::new(name), &bytes)?;
        }
    }
    Ok(())
}

/// Checks that the results of a merged model match those of the tower with its adapter.
fn check_merged(tower: &Tower, adapter: &Adapter, model: &mut Onnx) -> Result<(), LoraError> {
    let pictures = test_pictures(model.side());
    let mut compare = || -> Result<f32, String> {
        let adapted = tower.adapt(adapter)?;
        Ok(difference(&tower.rows(&pictures, Some(&adapted))?, &model.run(&pictures)?))
    };
    match compare().map_err(LoraError::Training)? {
        difference if difference < TOLERANCE => Ok(()),
        difference => Err(LoraError::Training(format!(
            "the embeddings of the merged model differ by {difference} from those of the model with its adapter"
        ))),
    }
}

/// Returns the folder in which a model is built until it is complete.
fn part_of(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(PART);
    folder.with_file_name(name)
}

fn replace_folder(from: &Path, to: &Path) -> Result<(), LoraError> {
    remove_folder(to)?;
    std::fs::rename(from, to).map_err(|error| FileError::new(to, &error).into())
}

fn remove_folder(folder: &Path) -> Result<(), LoraError> {
    match folder.exists() {
        true => std::fs::remove_dir_all(folder).map_err(|error| FileError::new(folder, &error).into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
