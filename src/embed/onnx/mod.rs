//! Embedder for vision models: a folder with an ONNX model and its configuration (see [`config`]).
//!
//! Every frame is preprocessed as configured, embedded and normalised; the embedding of a preset is the normalised mean
//! of its frames. The vision towers of CLIP (OpenCLIP, Hugging Face), SigLIP and DINOv2 work as they are; other
//! networks can be cut off at a layer that the configuration names.

mod config;
mod cut;
mod external;
mod pool;
mod prepare;
mod runtime;
mod signature;
mod text;
mod tokenizer;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use image::RgbImage;
use ndarray::Array2;
use ort::session::Session;
use ort::value::Tensor;
use sha2::{Digest as _, Sha256};

pub(crate) use self::config::CONFIG_FILES;
use self::config::ModelConfig;
use self::external::external_files;
use self::prepare::Layout;
pub(super) use self::runtime::library_folders;
use self::runtime::{Provider, Runtime};
use self::signature::Signature;
pub(crate) use self::text::{TEXT_FILES, TextTower};
pub(crate) use self::tokenizer::TOKENIZER_FILES;
use super::text::unit_length;
use super::{Embedder, EmbedderId, PresetInput};
use crate::disk::{self, Input};
use crate::jobs::parallel;
use crate::units::counted;

/// Number of frames per run for models with a dynamic batch size; larger batches are not faster.
const BATCH: usize = 8;
/// Possible paths of the model within its folder, in order of preference. Vision towers come first because
/// `model.onnx` may contain both towers of a CLIP model, and quantised models come last.
pub(crate) const MODEL_FILES: [&str; 10] = [
    "vision_model.onnx",
    "onnx/vision_model.onnx",
    "visual.onnx",
    "visual/model.onnx",
    "model.onnx",
    "onnx/model.onnx",
    "vision_model_quantized.onnx",
    "onnx/vision_model_quantized.onnx",
    "model_quantized.onnx",
    "onnx/model_quantized.onnx",
];

/// A vision model that is ready to run.
pub struct Onnx {
    path: PathBuf,
    session: Session,
    signature: Signature,
    width: usize,
    config: ModelConfig,
    id: EmbedderId,
    runtime: String,
    threads: usize,
}

impl Onnx {
    /// Opens the model in `folder` and tests it on grey pictures.
    pub fn open(folder: &Path, threads: usize) -> Result<Self, String> {
        let config = ModelConfig::read(folder);
        let path = model_file(folder, config.as_ref().ok().and_then(|config| config.model.as_deref()))?;
        // Checked before a runtime reads the file, so that only an ONNX model within the size limit is
        // loaded.
        check_model(&path).map_err(|error| format!("cannot use {}: {error}", path.display()))?;
        let config = config?;
        let runtime = runtime::runtime()?;
        let failed = |error: String| format!("cannot use {}: {error}", path.display());
        let mut found = None;
        for provider in runtime.providers() {
            match session(&runtime, Some(&provider), &path, config.output.as_deref(), threads) {
                Ok(session) => {
                    found = Some((session, provider.name));
                    break;
                }
                Err(why) => {
                    log::warn!("{} cannot run the model ({why}); trying the next provider", provider.name);
                }
            }
        }
        let (session, provider) = match found {
            Some(found) => found,
            None => {
                (session(&runtime, None, &path, config.output.as_deref(), threads).map_err(failed)?, "CPU")
            }
        };
        let signature = Signature::of(&session, &config).map_err(failed)?;
        let runtime = format!("{} on {provider}", runtime.name);
        let id = identity(folder, &path, &config)?;
        let mut model = Self { path, session, signature, width: 0, config, id, runtime, threads };
        model.test()?;
        Ok(model)
    }

    /// Runs the model on a batch of grey pictures. Some graphs declare a dynamic batch size but accept only one
    /// picture; they are then run with one picture at a time.
    fn test(&mut self) -> Result<(), String> {
        let side = self.side();
        let grey = vec![vec![0.0; 3 * side * side]; self.signature.batch.unwrap_or(BATCH)];
        let mut result = self.run(&grey);
        if let (None, Err(why)) = (self.signature.batch, &result) {
            log::warn!("cannot embed {BATCH} pictures at once ({why}); trying one at a time");
            self.signature.batch = Some(1);
            result = self.run(&grey[..1]);
        }
        self.width = result?[0].len();
        Ok(())
    }

    /// Returns the path of the model file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the name of the value from which the embeddings are computed.
    pub fn output(&self) -> &str {
        &self.signature.output
    }

    /// Returns the side length of preprocessed pictures, in pixels.
    pub fn side(&self) -> usize {
        self.config.preparation.crop as usize
    }

    /// Returns a function that preprocesses pictures for this model.
    pub fn preprocessing(&self) -> impl Fn(&RgbImage) -> Vec<f32> + Sync {
        let (preparation, layout) = (&self.config.preparation, self.signature.layout);
        move |picture| preparation.values(picture, layout)
    }

    /// Returns the number of dimensions of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Describes the output size, the runtime and the number of threads.
    pub fn description(&self) -> String {
        let Self { width, runtime, threads, .. } = self;
        format!("{width} dimensions, runtime {runtime}, {}", counted(*threads, "thread"))
    }

    /// Returns normalised embeddings of preprocessed pictures, in as many runs as needed.
    pub fn run(&mut self, pictures: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, String> {
        let mut rows = Vec::with_capacity(pictures.len());
        for batch in pictures.chunks(self.signature.batch.unwrap_or(BATCH)) {
            rows.extend(self.run_once(batch)?);
        }
        Ok(rows)
    }

    /// Embeds the pictures of one run; a fixed batch is padded with grey pictures.
    fn run_once(&mut self, pictures: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, String> {
        let side = self.side();
        let Signature { input, output, layout, batch } = &self.signature;
        let count = batch.unwrap_or(pictures.len());
        let failed = |error: ort::Error| format!("the model failed: {error}");
        let mut values = pictures.concat();
        values.resize(count * 3 * side * side, 0.0);
        let sides = match layout {
            Layout::Nchw => [count, 3, side, side],
            Layout::Nhwc => [count, side, side, 3],
        };
        let tensor = Tensor::from_array((sides, values)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![input.as_str() => tensor]).map_err(failed)?;
        let output = outputs.get(output).ok_or("the model did not return its declared output")?;
        let (shape, values) = output.try_extract_tensor::<f32>().map_err(failed)?;
        let rows = pool::pool(shape, values, self.config.pool, *layout);
        let mut rows = rows
            .filter(|rows| rows.len() == count)
            .ok_or_else(|| format!("the model returned shape {shape:?} for {count} pictures"))?;
        rows.truncate(pictures.len());
        rows.iter_mut().for_each(|row| unit_length(row, 1.0));
        match rows.iter().all(|row| row.iter().all(|value| value.is_finite())) {
            true => Ok(rows),
            false => Err("the model returned NaN or infinite values".into()),
        }
    }

    /// Returns the normalised embedding of a picture.
    pub(super) fn picture(&mut self, picture: &RgbImage) -> Result<Vec<f32>, String> {
        let values = self.config.preparation.values(picture, self.signature.layout);
        Ok(self.run_once(&[values])?.swap_remove(0))
    }

    /// Returns the number of frames that are preprocessed together: [`BATCH`], rounded up to a multiple of
    /// the model's batch size if it is fixed.
    fn chunk_size(&self) -> usize {
        self.signature.batch.map_or(BATCH, |fixed| BATCH.next_multiple_of(fixed))
    }
}

impl Embedder for Onnx {
    fn id(&self) -> EmbedderId {
        self.id.clone()
    }

    fn rows(&mut self, presets: &[PresetInput]) -> Result<Array2<f32>, String> {
        let frames: Vec<(usize, &PathBuf)> = (0..)
            .zip(presets)
            .flat_map(|(preset, opened)| opened.frames.iter().map(move |frame| (preset, frame)))
            .collect();
        let mut rows = Array2::<f32>::zeros((presets.len(), self.width));
        for batch in frames.chunks(self.chunk_size()) {
            let (preparation, layout) = (&self.config.preparation, self.signature.layout);
            let prepared = parallel::map(batch, self.threads, |(preset, frame)| match disk::picture(frame) {
                Ok(picture) => Some((*preset, preparation.values(&disk::middle(picture).to_rgb8(), layout))),
                Err(error) => {
                    log::warn!("skipping a frame: {error} ({})", frame.display());
                    None
                }
            });
            let (owners, pictures): (Vec<usize>, Vec<Vec<f32>>) = prepared.into_iter().flatten().unzip();
            if pictures.is_empty() {
                continue;
            }
            for (owner, row) in owners.into_iter().zip(self.run(&pictures)?) {
                rows.row_mut(owner).iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
        for mut row in rows.outer_iter_mut() {
            let length = row.dot(&row).sqrt();
            if length > 0.0 {
                row /= length;
            }
        }
        Ok(rows)
    }
}

/// Returns the ID of the embedder that [`Onnx::open`] opens, without opening it.
pub(super) fn id_of(folder: &Path) -> Result<EmbedderId, String> {
    let config = ModelConfig::read(folder)?;
    let path = model_file(folder, config.model.as_deref())?;
    identity(folder, &path, &config)
}

fn identity(folder: &Path, path: &Path, config: &ModelConfig) -> Result<EmbedderId, String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(EmbedderId {
        embedder: name.unwrap_or_else(|| "onnx".into()),
        model: fingerprint(path)?,
        preprocessing: config.description(),
    })
}

/// Checks that a file is an ONNX model, without reading its weights.
///
/// # Errors
/// Fails if the file cannot be read, is too large or is not an ONNX model.
pub fn check_model(path: &Path) -> std::io::Result<()> {
    external_files(path).map(|_| ())
}

/// Checks the configuration files of the model in `folder`, and describes its preprocessing.
///
/// # Errors
/// Fails if there is no such file, or if one is invalid.
pub fn check_config(folder: &Path) -> Result<String, String> {
    ModelConfig::read(folder).map(|config| config.preparation.description())
}

/// Returns the model file in `folder`: the one named in the configuration, one with a usual name, or the only one.
fn model_file(folder: &Path, configured: Option<&str>) -> Result<PathBuf, String> {
    if let Some(name) = configured {
        let path = folder.join(name);
        return match is_within(name) && path.is_file() {
            true => Ok(path),
            false => Err(format!("{} has no model {name}", folder.display())),
        };
    }
    let usual = MODEL_FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    usual.or_else(|| only_model(folder)).ok_or_else(|| format!("no model.onnx in {}", folder.display()))
}

/// Returns the ONNX file in `folder`, if there is exactly one.
fn only_model(folder: &Path) -> Option<PathBuf> {
    let items = disk::list(folder).ok()?;
    let mut models =
        items.iter().map(|item| folder.join(&item.name)).filter(|path| is_model(path) && path.is_file());
    models.next().filter(|_| models.next().is_none())
}

/// Returns whether a file name is that of an ONNX model.
pub(crate) fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "onnx")
}

/// Returns whether a relative path stays within its folder.
fn is_within(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Opens a session on `provider`, or on the CPU if it is `None`; `output` is the name of an output or of an
/// intermediate value that becomes one.
fn session(
    runtime: &Runtime,
    provider: Option<&Provider>,
    path: &Path,
    output: Option<&str>,
    threads: usize,
) -> Result<Session, String> {
    let failed = |error: ort::Error| error.to_string();
    let builder = Session::builder(&runtime.environment).map_err(failed)?;
    let mut builder = builder.with_intra_threads(threads.max(1)).map_err(|error| error.to_string())?;
    if let Some(provider) = provider {
        let providers = [provider.dispatch.clone()];
        builder = builder.with_execution_providers(providers).map_err(|error| error.to_string())?;
    }
    let session = builder.commit_from_file(path).map_err(failed)?;
    match output {
        Some(name) if session.outputs().iter().all(|end| end.name() != name) => {
            builder.commit_from_memory(&cut::with_output(path, name)?).map_err(failed)
        }
        _ => Ok(session),
    }
}

/// Returns a hash of a model's file and external data.
fn fingerprint(path: &Path) -> Result<String, String> {
    let mut hash = Sha256::new();
    let add = |hash: &mut Sha256, path: &Path| {
        let input = Input::open(path, disk::limit::MODEL);
        let copied = input.and_then(|mut input| std::io::copy(&mut input, hash));
        copied.map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    add(&mut hash, path)?;
    for name in weight_files(path)? {
        let length = add(&mut hash, &path.with_file_name(&name))?;
        hash.update(name.as_bytes());
        hash.update(length.to_le_bytes());
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Returns the sorted names of a model's external data files, which must be in the model's folder or its subfolders.
///
/// # Errors
/// Fails if the model cannot be read, or refers to a file that does not exist or is outside that folder.
pub(crate) fn weight_files(path: &Path) -> Result<BTreeSet<String>, String> {
    let names = external_files(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    match names.iter().find(|name| !is_within(name) || !path.with_file_name(name).is_file()) {
        Some(name) => Err(format!("{} refers to weights that are not next to it: {name}", path.display())),
        None => Ok(names),
    }
}

#[cfg(test)]
pub(crate) mod tests;
