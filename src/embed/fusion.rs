//! Fusion of the built-in embedder with a vision model: both rows of a preset, concatenated.
//!
//! The pictures of a library have much in common, so the rows of a vision model point in nearly the same direction.
//! Their mean over a sample of the library is therefore subtracted before they are scaled to a weight, which is fitted
//! on the same sample ([`super::weight`]).

use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView1, ArrayViewMut1, Axis, concatenate};
use sha2::{Digest as _, Sha256};

use super::model_process::VisionModel;
use super::weight::{DEFAULT, Fit};
use super::{AUTO, BakeItem, BuiltinEmbedder, Embedder, EmbedderId, PresetInput, npy, read};
use crate::disk;
use crate::units::Rng;

/// Maximum number of presets over which the mean is computed, and on which the weight is fitted.
const SAMPLE: usize = 512;
/// Minimum number of presets in a sample that is never replaced.
const SUFFICIENT: usize = 230;
/// Factor by which the presets with frames must outnumber a smaller sample before the mean is computed again.
const RENEWAL_GROWTH: usize = 4;

/// Embedder that joins the built-in embedder with a vision model.
pub(super) struct Fusion {
    builtin: BuiltinEmbedder,
    encoder: Box<dyn VisionModel>,
    mean: Mean,
    /// How the weight was fitted, if that happened in this run.
    fit: Option<Fit>,
}

impl Fusion {
    /// Joins two embedders. The mean of the vision model's rows and their weight are loaded from `folder`. If there are
    /// none, or they are from a much smaller sample, they are computed on a sample of `items` and saved there.
    pub fn prepare(
        mut builtin: BuiltinEmbedder,
        mut encoder: Box<dyn VisionModel>,
        items: &[BakeItem],
        folder: &Path,
        seed: u64,
    ) -> Result<Self, String> {
        let path = mean_path(folder, &encoder.id());
        let framed: Vec<&BakeItem> = items.iter().filter(|item| !item.frames.is_empty()).collect();
        let saved = npy::read(&path).ok().and_then(|matrix| Mean::from_matrix(matrix, encoder.width()));
        let sufficient =
            |mean: &Mean| mean.sample() >= SUFFICIENT || framed.len() <= RENEWAL_GROWTH * mean.sample();
        let (mean, fit) = match saved.filter(sufficient) {
            Some(saved) => (saved, None),
            None => {
                let (mean, fit) = Mean::of(&mut builtin, &mut *encoder, framed, seed)?;
                disk::write(&path, &npy::encode(&mean.0)).map_err(|error| error.to_string())?;
                (mean, fit)
            }
        };
        Ok(Self { builtin, encoder, mean, fit })
    }

    /// Describes both embedders for the log.
    pub fn description(&self) -> String {
        let encoder = self.encoder.id().embedder;
        let weight = match &self.fit {
            Some(fit) => fit.to_string(),
            None => format!("weight {}", self.mean.weight()),
        };
        format!(
            "{}, and the vision model {encoder}: {}, {weight}",
            self.builtin.description(),
            self.encoder.description()
        )
    }
}

/// The mean row of a vision model on a library: a matrix of the mean and, in the first two cells of a second row, the
/// number of presets it was computed on and the weight of the model, which is 0 if none was fitted.
struct Mean(Array2<f32>);

impl Mean {
    /// Wraps a saved matrix; `None` if its shape or values are invalid.
    fn from_matrix(matrix: Array2<f32>, width: usize) -> Option<Self> {
        let valid = matrix.dim() == (2, width) && matrix.iter().all(|value| value.is_finite());
        valid.then_some(Self(matrix))
    }

    /// Computes the mean on a sample of presets with frames, and fits the weight.
    fn of(
        builtin: &mut BuiltinEmbedder,
        encoder: &mut dyn VisionModel,
        mut framed: Vec<&BakeItem>,
        seed: u64,
    ) -> Result<(Self, Option<Fit>), String> {
        Rng::new(seed).shuffle(&mut framed);
        framed.truncate(SAMPLE);
        let open = |item: &BakeItem| {
            let bytes = read(&item.path).ok()?;
            Some(PresetInput { bytes, frames: item.frames.clone() })
        };
        let opened = framed.into_iter().filter_map(|item| Some((item, open(item)?)));
        let (items, inputs): (Vec<&BakeItem>, Vec<PresetInput>) = opened.unzip();
        let mut seen = encoder.rows(&inputs)?;
        let sample = seen.outer_iter().filter(|row| !is_empty(*row)).count();
        let mut matrix = Array2::zeros((2, seen.ncols()));
        matrix.row_mut(0).assign(&(seen.sum_axis(Axis(0)) / sample.max(1) as f32));
        matrix[[1, 0]] = sample as f32;
        let mut mean = Self(matrix);
        mean.apply_to(&mut seen);
        let fit = Fit::of(&items, &builtin.rows(&inputs)?, &seen);
        if let (Some(fit), Some(weight)) = (&fit, mean.0.get_mut([1, 1])) {
            *weight = fit.weight;
        }
        Ok((mean, fit))
    }

    /// Returns a hash of the vision model and its mean.
    fn hash(&self, encoder: &EmbedderId) -> String {
        let mut weights = self.weight().to_le_bytes().to_vec();
        weights.extend(self.0.row(0).iter().flat_map(|value| value.to_le_bytes()));
        hash(encoder, &weights)
    }

    fn sample(&self) -> usize {
        self.0[[1, 0]] as usize
    }

    /// Returns the norm of the vision model's part of a row.
    fn weight(&self) -> f32 {
        self.0.get([1, 1]).copied().filter(|weight| *weight > 0.0).unwrap_or(DEFAULT)
    }

    /// Subtracts the mean from the rows of presets with frames and scales them to the weight.
    fn apply_to(&self, rows: &mut Array2<f32>) {
        rows.outer_iter_mut().filter(|row| !is_empty(row.view())).for_each(|row| self.apply(row));
    }

    fn apply(&self, mut row: ArrayViewMut1<f32>) {
        row -= &self.0.row(0);
        let length = row.dot(&row).sqrt();
        row *= self.weight() / length.max(f32::MIN_POSITIVE);
    }
}

/// Returns the path of the mean of a vision model. The name identifies the model, so that the means of several models
/// can be kept.
fn mean_path(folder: &Path, encoder: &EmbedderId) -> PathBuf {
    folder.join(format!("encoder-mean-{}.npy", hash(encoder, &[])))
}

/// Returns the mean that was subtracted from the rows of the vision model `encoder` in the embeddings of `fusion` in
/// `folder`; `None` if they were made with another model.
pub(super) fn saved_mean(folder: &Path, encoder: &EmbedderId, fusion: &EmbedderId) -> Option<Vec<f32>> {
    let matrix = npy::read(&mean_path(folder, encoder)).ok()?;
    let width = matrix.ncols();
    let mean = Mean::from_matrix(matrix, width)?;
    let made_them = fusion.model.split(' ').next_back() == Some(mean.hash(encoder).as_str());
    made_them.then(|| mean.0.row(0).to_vec())
}

/// Returns whether a row is that of a preset without readable frames.
fn is_empty(row: ArrayView1<f32>) -> bool {
    row.iter().all(|value| *value == 0.0)
}

/// Returns a hash of an embedder's ID and `more`.
fn hash(id: &EmbedderId, more: &[u8]) -> String {
    let EmbedderId { embedder: _, model, preprocessing } = id;
    let mut hash = Sha256::new();
    for part in [model.as_bytes(), preprocessing.as_bytes(), more] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Embedder for Fusion {
    fn id(&self) -> EmbedderId {
        let (builtin, encoder) = (self.builtin.id(), self.encoder.id());
        EmbedderId {
            embedder: AUTO.into(),
            model: format!("{} {}", hash(&builtin, &[]), self.mean.hash(&encoder)),
            preprocessing: format!(
                "{}; {} of frames, {}",
                builtin.preprocessing, encoder.embedder, encoder.preprocessing
            ),
        }
    }

    fn rows(&mut self, presets: &[PresetInput]) -> Result<Array2<f32>, String> {
        let described = self.builtin.rows(presets)?;
        let mut seen = self.encoder.rows(presets)?;
        self.mean.apply_to(&mut seen);
        concatenate(Axis(1), &[described.view(), seen.view()]).map_err(|error| error.to_string())
    }
}
