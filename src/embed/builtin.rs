//! The built-in embedder, which needs no vision model: it describes a preset's numbers and code with a text
//! model fitted on the library and with pretrained concepts, and, if the preset has frames, its look with a
//! look model.

use std::path::Path;

use ndarray::{Array2, ArrayView1, s};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::concepts::{self, concepts};
use super::looks::{self, LOOKS, LookModel};
use super::text::{self, Reading, TextModel};
use super::visual::look_of;
use super::{BakeItem, Embedder, EmbedderId, PresetInput, npy, read};
use crate::disk;
use crate::jobs::parallel;
use crate::units::Rng;
use crate::units::counted;

/// File name of the text model.
const MODEL: &str = "text-model.json";
/// File name of the directions of the text model.
const DIRECTIONS: &str = "text-model.npy";
/// File name of the look model.
const LOOK_MODEL: &str = "look-model.npy";
/// Factor by which the library must outgrow the number of presets a model was fitted on before the model is
/// fitted again.
const REFIT_GROWTH: usize = 4;

/// Embedder that uses pretrained concepts, and a text model and a look model fitted on the library.
pub struct BuiltinEmbedder {
    model: TextModel,
    looks: Option<LookModel>,
    /// Number of presets with frames.
    framed: usize,
    fingerprint: String,
    threads: usize,
}

impl BuiltinEmbedder {
    /// Loads the models saved in `folder`; fits new ones on `items` and saves them if there are none or the
    /// library has outgrown them.
    pub fn prepare(items: &[BakeItem], folder: &Path, seed: u64, threads: usize) -> Result<Self, String> {
        let saved = load(folder).unwrap_or_else(|why| {
            log::warn!("cannot use the saved text model ({why}); fitting a new one");
            None
        });
        let saved =
            saved.filter(|(model, _)| items.len() <= REFIT_GROWTH * model.fitted_on || model.is_large());
        let (model, own) = match saved {
            Some(saved) => saved,
            None => {
                let chosen = TextModel::sample(items.len(), seed);
                let paths: Vec<&Path> = chosen.iter().map(|&at| items[at].path.as_path()).collect();
                let readings =
                    parallel::map(&paths, threads, |path| read(path).ok().map(|bytes| Reading::of(&bytes)));
                let readings: Vec<Reading> = readings.into_iter().flatten().collect();
                let model = TextModel::fit(&readings, seed, threads);
                let own = save(&model, folder)?;
                (model, own)
            }
        };
        let looks = look_model(items, folder, seed, threads)?;
        let mut hash = Sha256::new();
        hash.update(own);
        hash.update(concepts::file());
        hash.update(text::READING_VERSION.to_le_bytes());
        for length in [text::NUMBERS_WEIGHT, concepts::LENGTH, looks::LENGTH] {
            hash.update(length.to_le_bytes());
        }
        if let Some(looks) = &looks {
            hash.update(npy::encode(&looks.0));
        }
        let framed = items.iter().filter(|item| !item.frames.is_empty()).count();
        Ok(Self { model, looks, framed, fingerprint: hex(hash), threads })
    }

    /// Describes the embedder for the log.
    pub fn description(&self) -> String {
        match &self.looks {
            Some(_) => format!("preset code, and the look of {} with frames", counted(self.framed, "preset")),
            None => format!(
                "preset code only; the look model needs at least {} presets with frames, found {}",
                looks::MIN_LOOKS,
                self.framed
            ),
        }
    }
}

/// Loads the look model in `folder`, or fits one on the available frames and saves it; `None` if there are
/// too few presets with frames.
fn look_model(
    items: &[BakeItem],
    folder: &Path,
    seed: u64,
    threads: usize,
) -> Result<Option<LookModel>, String> {
    let path = folder.join(LOOK_MODEL);
    let saved = npy::read(&path).ok().and_then(LookModel::from_matrix);
    let mut framed: Vec<&BakeItem> = items.iter().filter(|item| !item.frames.is_empty()).collect();
    let sufficient = |model: &LookModel| {
        let fitted_on = model.fitted_on();
        // Some of the sampled frames may have been unreadable.
        fitted_on >= looks::MAX_LOOKS * 9 / 10 || framed.len() <= REFIT_GROWTH * fitted_on
    };
    if let Some(saved) = saved.filter(sufficient) {
        return Ok(Some(saved));
    }
    if framed.len() < looks::MIN_LOOKS {
        return Ok(None);
    }
    Rng::new(seed).shuffle(&mut framed);
    framed.truncate(looks::MAX_LOOKS);
    let found = parallel::map(&framed, threads, |item| look_of(&item.frames));
    let model = LookModel::fit(&found.into_iter().flatten().collect::<Vec<_>>());
    disk::write(&path, &npy::encode(&model.0)).map_err(|error| error.to_string())?;
    Ok(Some(model))
}

/// Loads the text model in `folder` and its fingerprint; `None` if there is none.
fn load(folder: &Path) -> Result<Option<(TextModel, String)>, String> {
    let path = folder.join(MODEL);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = disk::read(&path, disk::limit::LIST).map_err(|error| error.to_string())?;
    let mut saved: SavedModel = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    saved.model.directions = npy::read(&folder.join(DIRECTIONS))?;
    if fingerprint(&saved.model)? != saved.fingerprint {
        return Err("its JSON and NPY files do not match".into());
    }
    Ok(Some((saved.model, saved.fingerprint)))
}

/// Saves the text model and returns its fingerprint; the file with the fingerprint is written last.
fn save(model: &TextModel, folder: &Path) -> Result<String, String> {
    let fingerprint = fingerprint(model)?;
    disk::write(&folder.join(DIRECTIONS), &npy::encode(&model.directions))
        .map_err(|error| error.to_string())?;
    let saved = SavedModel { fingerprint, model: model.clone() };
    let bytes = serde_json::to_vec(&saved).map_err(|error| error.to_string())?;
    disk::write(&folder.join(MODEL), &bytes).map_err(|error| error.to_string())?;
    Ok(saved.fingerprint)
}

#[derive(Serialize, Deserialize)]
struct SavedModel {
    fingerprint: String,
    model: TextModel,
}

fn fingerprint(model: &TextModel) -> Result<String, String> {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(model).map_err(|error| error.to_string())?);
    hash.update(npy::encode(&model.directions));
    Ok(hex(hash))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Embedder for BuiltinEmbedder {
    fn id(&self) -> EmbedderId {
        EmbedderId {
            embedder: "builtin".into(),
            model: self.fingerprint.clone(),
            preprocessing: match &self.looks {
                Some(_) => "numbers by rank, token runs by TF-IDF and SVD, concepts of both, looks of frames",
                None => "numbers by rank, token runs by TF-IDF and SVD, concepts of both",
            }
            .into(),
        }
    }

    fn rows(&mut self, presets: &[PresetInput]) -> Result<Array2<f32>, String> {
        let readings = parallel::map(presets, self.threads, |preset| Reading::of(&preset.bytes));
        let text = self.model.describe(&readings, self.threads);
        let coded = text.ncols() + concepts::width();
        let width = coded + self.looks.as_ref().map_or(0, |_| LOOKS);
        let mut rows = Array2::zeros((presets.len(), width));
        rows.slice_mut(s![.., ..text.ncols()]).assign(&text);
        rows.slice_mut(s![.., text.ncols()..coded]).assign(&concepts(&readings, self.threads));
        let Some(model) = &self.looks else { return Ok(rows) };
        let looks = parallel::map(presets, self.threads, |preset| {
            look_of(&preset.frames).map(|look| model.normalise(&look))
        });
        for (mut row, look) in rows.outer_iter_mut().zip(looks) {
            if let Some(look) = look {
                row.slice_mut(s![coded..]).assign(&ArrayView1::from(&look));
            }
        }
        Ok(rows)
    }
}
