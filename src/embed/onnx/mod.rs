//! Any CLIP-like vision tower as an embedder: a folder with `model.onnx` and `preprocessor_config.json`.
//!
//! Every frame is prepared as the model's makers say, embedded and brought to unit length; a preset is the mean of its
//! frames, again of unit length. OpenCLIP's ViT-B-32 exported by Hugging Face's optimum has this form.

mod beside;
mod prepare;
mod runtime;

use std::path::{Component, Path, PathBuf};

use ndarray::Array2;
use ort::session::Session;
use ort::value::{Tensor, TensorElementType, ValueType};
use sha2::{Digest as _, Sha256};

use self::beside::files_beside;
use self::prepare::Preparation;
use self::runtime::{Provider, Runtime};
use super::text::unit_length;
use super::{Embedder, EmbedderId, Opened};
use crate::jobs::parallel;

/// Frames in one run of the model, where it takes any number; more gain nothing.
const BATCH: usize = 8;
/// Most frames in one run that a model may ask for; a run of them is held in memory.
const LARGEST_BATCH: i64 = 256;
/// Where a model's file may lie within its folder, the best first: in a repository with both towers of a CLIP model
/// `model.onnx` may be the two together.
pub const MODEL_FILES: [&str; 4] =
    ["vision_model.onnx", "onnx/vision_model.onnx", "model.onnx", "onnx/model.onnx"];
/// Names of the output that is the embedding, the best first.
const OUTPUTS: [&str; 4] = ["image_embeds", "pooler_output", "embedding", "output"];
/// What pictures are prepared by.
const CONFIG: &str = "preprocessor_config.json";

/// A vision model.
pub struct Onnx {
    session: Session,
    input: String,
    output: String,
    /// Pictures in every run, no more and no fewer, where the model takes a fixed number of them.
    batch: Option<usize>,
    width: usize,
    preparation: Preparation,
    maker: EmbedderId,
    runtime: String,
    threads: usize,
}

impl Onnx {
    /// Opens the model of this folder and tries it on grey pictures; the error says in words what does not fit.
    pub fn open(folder: &Path, threads: usize) -> Result<Self, String> {
        let path = MODEL_FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let path = path.ok_or_else(|| format!("there is no model.onnx in {}", folder.display()))?;
        let config = folder.join(CONFIG);
        let preparation = Preparation::read(&config)?;
        let runtime = runtime::runtime()?;
        let told = |error: String| format!("{} cannot be used: {error}", path.display());
        let mut found = None;
        for provider in runtime.providers() {
            match session(&runtime, Some(&provider), &path, threads) {
                Ok(session) => {
                    found = Some((session, provider.name));
                    break;
                }
                Err(why) => log::warn!("{} does not run the model ({why}); trying on", provider.name),
            }
        }
        let (session, provider) = match found {
            Some(found) => found,
            None => (session(&runtime, None, &path, threads).map_err(told)?, "processor"),
        };
        let Ends { input, output, sides } = ends(&session).map_err(told)?;
        in_colour(&sides).map_err(told)?;
        let batch = batch_of(&sides).map_err(told)?;
        takes_squares(&sides, preparation.crop).map_err(|wanted| {
            let (path, config, side) = (path.display(), config.display(), preparation.crop);
            format!(
                "{path} wants pictures of {wanted}, {config} makes {side}x{side}; put the {CONFIG} there that belongs \
                 to this model"
            )
        })?;
        let runtime = format!("{} on {provider}", runtime.name);
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let maker = EmbedderId {
            embedder: name.unwrap_or_else(|| "onnx".into()),
            model: fingerprint(&path)?,
            preprocessing: preparation.told(),
        };
        let mut model =
            Self { session, input, output, batch, width: 0, preparation, maker, runtime, threads };
        model.try_out()?;
        Ok(model)
    }

    /// Tries the model on as many grey pictures as one run will have. A graph may hold to one picture although it
    /// declares any number; it is then given one at a time.
    fn try_out(&mut self) -> Result<(), String> {
        let side = self.preparation.crop as usize;
        let grey = vec![vec![0.0; 3 * side * side]; self.batch.unwrap_or(BATCH)];
        let mut tried = self.run(&grey);
        if let (None, Err(why)) = (self.batch, &tried) {
            log::warn!("{BATCH} pictures at once cannot be embedded ({why}); trying one at a time");
            self.batch = Some(1);
            tried = self.run(&grey[..1]);
        }
        self.width = tried?[0].len();
        Ok(())
    }

    /// Which runtime runs it, and how wide its rows are, for people.
    pub fn told(&self) -> String {
        let Self { width, runtime, threads, .. } = self;
        format!("{width} numbers a preset, runtime {runtime}, {threads} threads")
    }

    /// Embeddings of prepared pictures, each of unit length, in as many runs as it takes.
    fn run(&mut self, planes: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, String> {
        let mut rows = Vec::with_capacity(planes.len());
        for batch in planes.chunks(self.batch.unwrap_or(BATCH)) {
            rows.extend(self.run_once(batch)?);
        }
        Ok(rows)
    }

    /// Embeddings of the pictures of one run; a batch of a fixed number is filled up with grey ones.
    fn run_once(&mut self, planes: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, String> {
        let side = self.preparation.crop as usize;
        let count = self.batch.unwrap_or(planes.len());
        let told = |error: ort::Error| format!("the model failed: {error}");
        let mut values = planes.concat();
        values.resize(count * 3 * side * side, 0.0);
        let tensor = Tensor::from_array(([count, 3, side, side], values)).map_err(told)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => tensor]).map_err(told)?;
        let output = outputs.get(&self.output).ok_or("the model gave no output of the name it told")?;
        let (shape, values) = output.try_extract_tensor::<f32>().map_err(told)?;
        if shape.len() != 2 || shape[0] != count as i64 || shape[1] < 1 {
            return Err(format!("the model gave {shape:?} for {count} pictures"));
        }
        let rows = values.chunks_exact(shape[1] as usize).take(planes.len()).map(|row| {
            let mut row = row.to_vec();
            unit_length(&mut row, 1.0);
            row
        });
        let rows: Vec<Vec<f32>> = rows.collect();
        match rows.iter().all(|row| row.iter().all(|value| value.is_finite())) {
            true => Ok(rows),
            false => Err("the model gives numbers that are none (NaN or infinite)".into()),
        }
    }

    /// Frames that are prepared together: about [`BATCH`], and whole runs of the model.
    fn at_once(&self) -> usize {
        self.batch.map_or(BATCH, |fixed| BATCH.next_multiple_of(fixed))
    }
}

impl Embedder for Onnx {
    fn maker(&self) -> EmbedderId {
        self.maker.clone()
    }

    fn rows(&mut self, presets: &[Opened]) -> Result<Array2<f32>, String> {
        let frames: Vec<(usize, &PathBuf)> = (0..)
            .zip(presets)
            .flat_map(|(preset, opened)| opened.frames.iter().map(move |frame| (preset, frame)))
            .collect();
        let mut rows = Array2::<f32>::zeros((presets.len(), self.width));
        for batch in frames.chunks(self.at_once()) {
            let preparation = &self.preparation;
            let prepared = parallel::map(batch, self.threads, |(preset, frame)| match image::open(frame) {
                Ok(picture) => Some((*preset, preparation.planes(&picture.to_rgb8()))),
                Err(error) => {
                    log::warn!("a frame is left out: {error} ({})", frame.display());
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

/// The model of this file, run by `provider` or by the processor.
fn session(
    runtime: &Runtime,
    provider: Option<&Provider>,
    path: &Path,
    threads: usize,
) -> Result<Session, String> {
    let told = |error: ort::Error| error.to_string();
    let builder = Session::builder(&runtime.environment).map_err(told)?;
    let mut builder = builder.with_intra_threads(threads.max(1)).map_err(|error| error.to_string())?;
    if let Some(provider) = provider {
        let providers = [provider.dispatch.clone()];
        builder = builder.with_execution_providers(providers).map_err(|error| error.to_string())?;
    }
    builder.commit_from_file(path).map_err(told)
}

/// A model's picture input and embedding output by name, and the input's sides; one that is free is below 1.
struct Ends {
    input: String,
    output: String,
    sides: [i64; 4],
}

/// The ends of a vision tower; a model of another kind is told by what it has.
fn ends(session: &Session) -> Result<Ends, String> {
    let floats = |kind: &ValueType, sides: usize| matches!(kind, ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } if shape.len() == sides);
    let list = |ends: &[ort::value::Outlet]| {
        ends.iter().map(|end| format!("{}: {}", end.name(), end.dtype())).collect::<Vec<_>>().join(", ")
    };
    let other = || {
        format!(
            "it is no vision tower: one input of pictures and one output of embeddings are needed; found inputs [{}], \
             outputs [{}]",
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
    Ok(Ends { input: input.name().to_owned(), output: output.to_owned(), sides })
}

/// How many pictures an input of these sides takes in every run, where it is a fixed number.
fn batch_of(sides: &[i64; 4]) -> Result<Option<usize>, String> {
    match sides[0] {
        ..1 => Ok(None),
        fixed @ 1..=LARGEST_BATCH => Ok(Some(fixed as usize)),
        fixed => Err(format!(
            "it takes {fixed} pictures at once, and at most {LARGEST_BATCH} can be given; export it with a free first \
             side, or one of 1"
        )),
    }
}

/// Whether an input of these sides takes pictures in three planes.
fn in_colour(sides: &[i64; 4]) -> Result<(), String> {
    match sides[1] {
        ..1 | 3 => Ok(()),
        _ => Err(format!(
            "it takes pictures as {sides:?}; only such can be used as lie in three planes of colour, \
             [.., 3, height, width]"
        )),
    }
}

/// Whether an input of these sides takes squares of this side; the error tells the width and height it wants.
fn takes_squares(sides: &[i64; 4], side: u32) -> Result<(), String> {
    let side = i64::from(side);
    let [height, width] = [sides[2], sides[3]].map(|told| if told < 1 { side } else { told });
    match (width, height) == (side, side) {
        true => Ok(()),
        false => Err(format!("{width}x{height}")),
    }
}

/// A hash of a model: of its file and of those with weights beside it.
fn fingerprint(path: &Path) -> Result<String, String> {
    let told = |path: &Path, error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let mut hash = Sha256::new();
    let add = |hash: &mut Sha256, path: &Path| {
        let copied = std::fs::File::open(path).and_then(|mut file| std::io::copy(&mut file, hash));
        copied.map_err(|error| told(path, error))
    };
    add(&mut hash, path)?;
    for name in files_beside(path).map_err(|error| told(path, error))? {
        let weights = path.with_file_name(&name);
        let within = Path::new(&name)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !within || !weights.is_file() {
            return Err(format!("{} names weights that are no file beside it: {name}", path.display()));
        }
        let length = add(&mut hash, &weights)?;
        hash.update(name.as_bytes());
        hash.update(length.to_le_bytes());
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
