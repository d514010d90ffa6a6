//! Embedder for CLIP-like vision towers: a folder with `model.onnx` and `preprocessor_config.json`.
//!
//! Every frame is preprocessed as configured, embedded and normalised; the embedding of a preset is the normalised mean
//! of its frames. OpenCLIP's ViT-B-32 exported by Hugging Face Optimum has this form.

mod external;
mod prepare;
mod runtime;

use std::path::{Component, Path, PathBuf};

use ndarray::Array2;
use ort::session::Session;
use ort::value::{Tensor, TensorElementType, ValueType};
use sha2::{Digest as _, Sha256};

use self::external::external_files;
use self::prepare::Preparation;
use self::runtime::{Provider, Runtime};
use super::text::unit_length;
use super::{Embedder, EmbedderId, PresetInput};
use crate::disk::{self, Input};
use crate::jobs::parallel;
use crate::units::counted;

/// Number of frames per run for models with a dynamic batch size; larger batches are not faster.
const BATCH: usize = 8;
/// Maximum fixed batch size of a model; limited because a batch must fit in memory.
const LARGEST_BATCH: i64 = 256;
/// Possible paths of the model within its folder, in order of preference; `vision_model.onnx` comes first
/// because `model.onnx` may contain both towers of a CLIP model.
pub const MODEL_FILES: [&str; 4] =
    ["vision_model.onnx", "onnx/vision_model.onnx", "model.onnx", "onnx/model.onnx"];
/// Names of the embedding output, in order of preference.
const OUTPUTS: [&str; 4] = ["image_embeds", "pooler_output", "embedding", "output"];
/// File name of the preprocessing configuration.
const CONFIG: &str = "preprocessor_config.json";

/// A vision model that is ready to run.
pub struct Onnx {
    session: Session,
    input: String,
    output: String,
    /// Batch size, if the model has a fixed one.
    batch: Option<usize>,
    width: usize,
    preparation: Preparation,
    id: EmbedderId,
    runtime: String,
    threads: usize,
}

impl Onnx {
    /// Opens the model in `folder` and tests it on grey pictures.
    pub fn open(folder: &Path, threads: usize) -> Result<Self, String> {
        let path = MODEL_FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let path = path.ok_or_else(|| format!("no model.onnx in {}", folder.display()))?;
        // Checked before a runtime reads the file, so that only an ONNX model within the size limit is
        // loaded.
        check_model(&path).map_err(|error| format!("cannot use {}: {error}", path.display()))?;
        let config = folder.join(CONFIG);
        let preparation = Preparation::read(&config)?;
        let runtime = runtime::runtime()?;
        let failed = |error: String| format!("cannot use {}: {error}", path.display());
        let mut found = None;
        for provider in runtime.providers() {
            match session(&runtime, Some(&provider), &path, threads) {
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
            None => (session(&runtime, None, &path, threads).map_err(failed)?, "CPU"),
        };
        let Signature { input, output, sides } = signature(&session).map_err(failed)?;
        check_channels(&sides).map_err(failed)?;
        let batch = batch_of(&sides).map_err(failed)?;
        check_size(&sides, preparation.crop).map_err(|expected| {
            let (path, config, side) = (path.display(), config.display(), preparation.crop);
            format!(
                "{path} expects {expected} pictures, but {config} produces {side}x{side}; use the {CONFIG} of this model"
            )
        })?;
        let runtime = format!("{} on {provider}", runtime.name);
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let id = EmbedderId {
            embedder: name.unwrap_or_else(|| "onnx".into()),
            model: fingerprint(&path)?,
            preprocessing: preparation.description(),
        };
        let mut model = Self { session, input, output, batch, width: 0, preparation, id, runtime, threads };
        model.test()?;
        Ok(model)
    }

    /// Runs the model on a batch of grey pictures. Some graphs declare a dynamic batch size but accept only one
    /// picture; they are then run with one picture at a time.
    fn test(&mut self) -> Result<(), String> {
        let side = self.preparation.crop as usize;
        let grey = vec![vec![0.0; 3 * side * side]; self.batch.unwrap_or(BATCH)];
        let mut result = self.run(&grey);
        if let (None, Err(why)) = (self.batch, &result) {
            log::warn!("cannot embed {BATCH} pictures at once ({why}); trying one at a time");
            self.batch = Some(1);
            result = self.run(&grey[..1]);
        }
        self.width = result?[0].len();
        Ok(())
    }

    /// Describes the output size, the runtime and the number of threads.
    pub fn description(&self) -> String {
        let Self { width, runtime, threads, .. } = self;
        format!("{width} dimensions, runtime {runtime}, {}", counted(*threads, "thread"))
    }

    /// Returns normalised embeddings of preprocessed pictures, in as many runs as needed.
    fn run(&mut self, planes: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, String> {
        let mut rows = Vec::with_capacity(planes.len());
        for batch in planes.chunks(self.batch.unwrap_or(BATCH)) {
            rows.extend(self.run_once(batch)?);
        }
        Ok(rows)
    }

    /// Embeds the pictures of one run; a fixed batch is padded with grey pictures.
    fn run_once(&mut self, planes: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, String> {
        let side = self.preparation.crop as usize;
        let count = self.batch.unwrap_or(planes.len());
        let failed = |error: ort::Error| format!("the model failed: {error}");
        let mut values = planes.concat();
        values.resize(count * 3 * side * side, 0.0);
        let tensor = Tensor::from_array(([count, 3, side, side], values)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => tensor]).map_err(failed)?;
        let output = outputs.get(&self.output).ok_or("the model did not return its declared output")?;
        let (shape, values) = output.try_extract_tensor::<f32>().map_err(failed)?;
        if shape.len() != 2 || shape[0] != count as i64 || shape[1] < 1 {
            return Err(format!("the model returned shape {shape:?} for {count} pictures"));
        }
        let rows = values.chunks_exact(shape[1] as usize).take(planes.len()).map(|row| {
            let mut row = row.to_vec();
            unit_length(&mut row, 1.0);
            row
        });
        let rows: Vec<Vec<f32>> = rows.collect();
        match rows.iter().all(|row| row.iter().all(|value| value.is_finite())) {
            true => Ok(rows),
            false => Err("the model returned NaN or infinite values".into()),
        }
    }

    /// Returns the number of frames that are preprocessed together: [`BATCH`], rounded up to a multiple of
    /// the model's batch size if it is fixed.
    fn chunk_size(&self) -> usize {
        self.batch.map_or(BATCH, |fixed| BATCH.next_multiple_of(fixed))
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
            let preparation = &self.preparation;
            let prepared = parallel::map(batch, self.threads, |(preset, frame)| match disk::picture(frame) {
                Ok(picture) => Some((*preset, preparation.planes(&picture.to_rgb8()))),
                Err(error) => {
                    log::warn!("skipping a frame: {error} ({})", frame.display());
                    None
                }
            });
            let (owners, planes): (Vec<usize>, Vec<Vec<f32>>) = prepared.into_iter().flatten().unzip();
            if planes.is_empty() {
                continue;
            }
            for (owner, row) in owners.into_iter().zip(self.run(&planes)?) {
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

/// Checks that a file is an ONNX model, without reading its weights.
///
/// # Errors
/// Fails if the file cannot be read, is too large or is not an ONNX model.
pub fn check_model(path: &Path) -> std::io::Result<()> {
    external_files(path).map(|_| ())
}

/// Opens a session on `provider`, or on the CPU if it is `None`.
fn session(
    runtime: &Runtime,
    provider: Option<&Provider>,
    path: &Path,
    threads: usize,
) -> Result<Session, String> {
    let failed = |error: ort::Error| error.to_string();
    let builder = Session::builder(&runtime.environment).map_err(failed)?;
    let mut builder = builder.with_intra_threads(threads.max(1)).map_err(|error| error.to_string())?;
    if let Some(provider) = provider {
        let providers = [provider.dispatch.clone()];
        builder = builder.with_execution_providers(providers).map_err(|error| error.to_string())?;
    }
    builder.commit_from_file(path).map_err(failed)
}

/// Names of a model's picture input and embedding output, and the shape of the input, in which dynamic
/// dimensions are below 1.
struct Signature {
    input: String,
    output: String,
    sides: [i64; 4],
}

/// Returns the signature of a vision tower; for any other model, the error lists its inputs and outputs.
fn signature(session: &Session) -> Result<Signature, String> {
    let floats = |kind: &ValueType, sides: usize| matches!(kind, ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } if shape.len() == sides);
    let list = |ends: &[ort::value::Outlet]| {
        ends.iter().map(|end| format!("{}: {}", end.name(), end.dtype())).collect::<Vec<_>>().join(", ")
    };
    let other = || {
        format!(
            "not a vision tower: it needs one input of pictures and one output of embeddings; found inputs [{}], outputs \
            [{}]",
            list(session.inputs()),
            list(session.outputs())
        )
    };
    let [input] = session.inputs() else { return Err(other()) };
    let sides = input.dtype().tensor_shape().and_then(|shape| <[i64; 4]>::try_from(&shape[..]).ok());
    let sides = sides.filter(|_| floats(input.dtype(), 4)).ok_or_else(other)?;
    let fitting: Vec<&str> =
        session.outputs().iter().filter(|end| floats(end.dtype(), 2)).map(ort::value::Outlet::name).collect();
    let best = OUTPUTS.iter().find(|name| fitting.contains(name)).copied();
    let output = best.or_else(|| fitting.first().copied()).ok_or_else(other)?;
    Ok(Signature { input: input.name().to_owned(), output: output.to_owned(), sides })
}

/// Returns the batch size of an input, or `None` if it is dynamic; fails above [`LARGEST_BATCH`].
fn batch_of(sides: &[i64; 4]) -> Result<Option<usize>, String> {
    match sides[0] {
        ..1 => Ok(None),
        fixed @ 1..=LARGEST_BATCH => Ok(Some(fixed as usize)),
        fixed => Err(format!(
            "its batch size of {fixed} exceeds the maximum of {LARGEST_BATCH}; export it with a dynamic batch size, or 1"
        )),
    }
}

/// Checks that an input accepts three colour planes.
fn check_channels(sides: &[i64; 4]) -> Result<(), String> {
    match sides[1] {
        ..1 | 3 => Ok(()),
        _ => Err(format!("its input shape is {sides:?}; it must be [.., 3, height, width]")),
    }
}

/// Checks that an input accepts pictures of `side` x `side` pixels; the error is the expected width and
/// height.
fn check_size(sides: &[i64; 4], side: u32) -> Result<(), String> {
    let side = i64::from(side);
    let [height, width] = [sides[2], sides[3]].map(|size| if size < 1 { side } else { size });
    match (width, height) == (side, side) {
        true => Ok(()),
        false => Err(format!("{width}x{height}")),
    }
}

/// Returns a hash of a model's file and external data.
fn fingerprint(path: &Path) -> Result<String, String> {
    let failed = |path: &Path, error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut hash = Sha256::new();
    let add = |hash: &mut Sha256, path: &Path| {
        let input = Input::open(path, disk::limit::MODEL);
        let copied = input.and_then(|mut input| std::io::copy(&mut input, hash));
        copied.map_err(|error| failed(path, error))
    };
    add(&mut hash, path)?;
    for name in external_files(path).map_err(|error| failed(path, error))? {
        let weights = path.with_file_name(&name);
        let within = Path::new(&name)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !within || !weights.is_file() {
            return Err(format!("{} refers to weights that are not next to it: {name}", path.display()));
        }
        let length = add(&mut hash, &weights)?;
        hash.update(name.as_bytes());
        hash.update(length.to_le_bytes());
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
