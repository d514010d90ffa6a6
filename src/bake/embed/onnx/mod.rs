//! Any CLIP-like vision tower as an embedder: a folder with `model.onnx` and `preprocessor_config.json`.
//!
//! Every frame is prepared as the model's makers say, embedded and brought to unit length; a preset is the mean of its
//! frames, again of unit length. OpenCLIP's ViT-B-32 exported by Hugging Face's optimum has this form.

mod prepare;
mod runtime;

use std::path::{Path, PathBuf};

use ndarray::Array2;
use ort::session::Session;
use ort::value::{Tensor, TensorElementType, ValueType};
use sha2::{Digest as _, Sha256};

use self::prepare::Preparation;
use self::runtime::{Provider, Runtime};
use super::text::unit_length;
use super::{Embedder, Maker, Opened};
use crate::bake::parallel;

/// Frames in one run of the model; more gain nothing.
const BATCH: usize = 8;
/// Where a model's file may lie within its folder, the best first: in a repository with both towers of a CLIP model
/// `model.onnx` may be the two together.
pub const MODEL_FILES: [&str; 4] =
    ["vision_model.onnx", "onnx/vision_model.onnx", "model.onnx", "onnx/model.onnx"];
/// Names of the output that is the embedding, the best first.
const OUTPUTS: [&str; 4] = ["image_embeds", "pooler_output", "embedding", "output"];

/// A vision model.
pub struct Onnx {
    session: Session,
    input: String,
    output: String,
    width: usize,
    preparation: Preparation,
    maker: Maker,
    runtime: String,
    threads: usize,
}

impl Onnx {
    /// Opens the model of this folder and tries it on a grey picture; the error says in words what does not fit.
    pub fn open(folder: &Path, threads: usize) -> Result<Self, String> {
        let path = MODEL_FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let path = path.ok_or_else(|| format!("there is no model.onnx in {}", folder.display()))?;
        let preparation = Preparation::read(&folder.join("preprocessor_config.json"))?;
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
        let (input, output) = ends(&session).map_err(told)?;
        let runtime = format!("{} on {provider}", runtime.name);
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let maker = Maker {
            embedder: name.unwrap_or_else(|| "onnx".into()),
            model: hash_of(&path)?,
            preprocessing: preparation.told(),
        };
        let mut model = Self { session, input, output, width: 0, preparation, maker, runtime, threads };
        let side = model.preparation.crop as usize;
        let tried = model.run(&[vec![0.0; 3 * side * side]])?;
        model.width = tried[0].len();
        Ok(model)
    }

    /// Which runtime runs it, and how wide its rows are, for people.
    pub fn told(&self) -> String {
        let Self { width, runtime, threads, .. } = self;
        format!("{width} numbers a preset, runtime {runtime}, {threads} threads")
    }

    /// Embeddings of prepared pictures, at most [`BATCH`] of them, each of unit length.
    fn run(&mut self, planes: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, String> {
        let side = self.preparation.crop as usize;
        let told = |error: ort::Error| format!("the model failed: {error}");
        let tensor = Tensor::from_array(([planes.len(), 3, side, side], planes.concat())).map_err(told)?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => tensor]).map_err(told)?;
        let output = outputs.get(&self.output).ok_or("the model gave no output of the name it told")?;
        let (shape, values) = output.try_extract_tensor::<f32>().map_err(told)?;
        if shape.len() != 2 || shape[0] != planes.len() as i64 {
            return Err(format!("the model gave {shape:?} for {} pictures", planes.len()));
        }
        let width = shape[1] as usize;
        let rows = values.chunks_exact(width.max(1)).map(|row| {
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
}

impl Embedder for Onnx {
    fn maker(&self) -> Maker {
        self.maker.clone()
    }

    fn rows(&mut self, presets: &[Opened]) -> Result<Array2<f32>, String> {
        let frames: Vec<(usize, &PathBuf)> = (0..)
            .zip(presets)
            .flat_map(|(preset, opened)| opened.frames.iter().map(move |frame| (preset, frame)))
            .collect();
        let mut rows = Array2::<f32>::zeros((presets.len(), self.width));
        for batch in frames.chunks(BATCH) {
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

/// The model's picture input and embedding output by name; a model of another kind is told by what it has.
fn ends(session: &Session) -> Result<(String, String), String> {
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
    if !floats(input.dtype(), 4) {
        return Err(other());
    }
    let fitting: Vec<&str> =
        session.outputs().iter().filter(|end| floats(end.dtype(), 2)).map(ort::value::Outlet::name).collect();
    let best = OUTPUTS.iter().find(|name| fitting.contains(name)).copied();
    let output = best.or_else(|| fitting.first().copied()).ok_or_else(other)?;
    Ok((input.name().to_owned(), output.to_owned()))
}

fn hash_of(path: &Path) -> Result<String, String> {
    let told = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path).map_err(told)?, &mut hash).map_err(told)?;
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
