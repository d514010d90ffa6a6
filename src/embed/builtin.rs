//! The embedder that needs nothing but the presets: their own text, by the library's yardstick and by concepts learnt
//! once for all, and their frames where they have been rendered.

use std::path::Path;

use ndarray::{Array2, ArrayView1, s};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::concepts::{self, concepts};
use super::looks::{self, LOOKS, LookModel};
use super::text::{self, Reading, TextModel};
use super::visual::look_of;
use super::{BakeItem, Embedder, EmbedderId, Opened, npy, read};
use crate::jobs::{files, parallel};
use crate::units::Rng;

/// Where the yardstick is kept.
const MODEL: &str = "text-model.json";
/// Its directions.
const DIRECTIONS: &str = "text-model.npy";
/// The proportions of looks, once there are frames.
const LOOK_MODEL: &str = "look-model.npy";
/// A library that has grown beyond this many times what the yardstick was fitted on gets a new one.
const REFIT_GROWTH: usize = 4;

/// Numbers and code by a yardstick fitted on the library.
pub struct Builtin {
    model: TextModel,
    looks: Option<LookModel>,
    /// Presets that have frames.
    framed: usize,
    fingerprint: String,
    threads: usize,
}

impl Builtin {
    /// The yardstick of earlier nights in `folder`, or one fitted on these presets and kept there.
    pub fn prepare(subjects: &[BakeItem], folder: &Path, seed: u64, threads: usize) -> Result<Self, String> {
        let kept = load(folder).unwrap_or_else(|why| {
            log::warn!("the text model cannot be used ({why}); a new one is fitted");
            None
        });
        let kept =
            kept.filter(|(model, _)| subjects.len() <= REFIT_GROWTH * model.fitted_on || model.is_large());
        let (model, own) = match kept {
            Some(kept) => kept,
            None => {
                let chosen = TextModel::sample(subjects.len(), seed);
                let paths: Vec<&Path> = chosen.iter().map(|&at| subjects[at].path.as_path()).collect();
                let readings =
                    parallel::map(&paths, threads, |path| read(path).ok().map(|bytes| Reading::of(&bytes)));
                let readings: Vec<Reading> = readings.into_iter().flatten().collect();
                let model = TextModel::fit(&readings, seed, threads);
                let own = keep(&model, folder)?;
                (model, own)
            }
        };
        let looks = look_model(subjects, folder, seed, threads)?;
        let mut hash = Sha256::new();
        hash.update(own);
        hash.update(concepts::file());
        for length in [text::NUMBERS_WEIGHT, concepts::LENGTH, looks::LENGTH] {
            hash.update(length.to_le_bytes());
        }
        if let Some(looks) = &looks {
            hash.update(npy::encode(&looks.0));
        }
        let framed = subjects.iter().filter(|subject| !subject.frames.is_empty()).count();
        Ok(Self { model, looks, framed, fingerprint: hex(hash), threads })
    }

    /// What a preset is told by, for people.
    pub fn told(&self) -> String {
        match &self.looks {
            Some(_) => format!("the presets' text, and the looks of the {} that have frames", self.framed),
            None => format!(
                "the presets' text, without looks: these need frames of {} presets, and {} have some",
                looks::FEWEST,
                self.framed
            ),
        }
    }
}

/// The proportions kept in this folder, or learned from the frames there are; none before there are enough.
fn look_model(
    subjects: &[BakeItem],
    folder: &Path,
    seed: u64,
    threads: usize,
) -> Result<Option<LookModel>, String> {
    let path = folder.join(LOOK_MODEL);
    let kept = npy::read(&path).ok().and_then(LookModel::of);
    let mut framed: Vec<&BakeItem> = subjects.iter().filter(|subject| !subject.frames.is_empty()).collect();
    let enough = |model: &LookModel| {
        let from = model.learnt_from();
        // A few frames of those that were chosen may not have been readable.
        from >= looks::MOST * 9 / 10 || framed.len() <= REFIT_GROWTH * from
    };
    if let Some(kept) = kept.filter(enough) {
        return Ok(Some(kept));
    }
    if framed.len() < looks::FEWEST {
        return Ok(None);
    }
    Rng::new(seed).shuffle(&mut framed);
    framed.truncate(looks::MOST);
    let found = parallel::map(&framed, threads, |subject| look_of(&subject.frames));
    let model = LookModel::fit(&found.into_iter().flatten().collect::<Vec<_>>());
    files::write_whole(&path, &npy::encode(&model.0))?;
    Ok(Some(model))
}

/// The model kept in this folder, with its fingerprint.
fn load(folder: &Path) -> Result<Option<(TextModel, String)>, String> {
    let path = folder.join(MODEL);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
    let mut kept: Kept = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    kept.model.directions = npy::read(&folder.join(DIRECTIONS))?;
    if fingerprint(&kept.model)? != kept.fingerprint {
        return Err("its two files are of different nights".into());
    }
    Ok(Some((kept.model, kept.fingerprint)))
}

/// Writes the model, the file that vouches for the other last; gives back its fingerprint.
fn keep(model: &TextModel, folder: &Path) -> Result<String, String> {
    let fingerprint = fingerprint(model)?;
    files::write_whole(&folder.join(DIRECTIONS), &npy::encode(&model.directions))?;
    let kept = Kept { fingerprint, model: model.clone() };
    let bytes = serde_json::to_vec(&kept).map_err(|error| error.to_string())?;
    files::write_whole(&folder.join(MODEL), &bytes)?;
    Ok(kept.fingerprint)
}

#[derive(Serialize, Deserialize)]
struct Kept {
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

impl Embedder for Builtin {
    fn maker(&self) -> EmbedderId {
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

    fn rows(&mut self, presets: &[Opened]) -> Result<Array2<f32>, String> {
        let readings = parallel::map(presets, self.threads, |preset| Reading::of(&preset.bytes));
        let text = self.model.describe(&readings, self.threads);
        let coded = text.ncols() + concepts::width();
        let width = coded + self.looks.as_ref().map_or(0, |_| LOOKS);
        let mut rows = Array2::zeros((presets.len(), width));
        rows.slice_mut(s![.., ..text.ncols()]).assign(&text);
        rows.slice_mut(s![.., text.ncols()..coded]).assign(&concepts(&readings, self.threads));
        let Some(model) = &self.looks else { return Ok(rows) };
        let looks = parallel::map(presets, self.threads, |preset| {
            look_of(&preset.frames).map(|look| model.place(&look))
        });
        for (mut row, look) in rows.outer_iter_mut().zip(looks) {
            if let Some(look) = look {
                row.slice_mut(s![coded..]).assign(&ArrayView1::from(&look));
            }
        }
        Ok(rows)
    }
}
