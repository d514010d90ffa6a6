//! A trained head on disk, with the measurement that decided whether it is used.

use std::path::{Path, PathBuf};

use super::error::TuneError;
use super::measure::Gate;
use super::network::Head;
use super::tensors::Tensors;
use crate::cluster::unit_rows;
use crate::embed::{EmbedderId, Table};

/// Folder of the head and the tuned embeddings, in the folder of a bake. The pack mirrors the folders of the
/// library, so this name must not clash with one of them.
pub(super) const FOLDER: &str = "aivj-tuned";
const HEAD: &str = "head.safetensors";
const CHECKPOINT: &str = "head.part.safetensors";
/// Number of hexadecimal digits of the head's hash in the name of the model.
const HASH_DIGITS: usize = 16;

/// Returns the path of the checkpoint in the folder of a bake.
pub(super) fn checkpoint_path(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join(CHECKPOINT)
}

/// A trained head.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SavedHead {
    pub head: Head,
    /// Embedder of the embeddings that the head was trained on. The head is not applied to any others.
    pub base: EmbedderId,
    /// Hash of everything that the head was trained on.
    pub fingerprint: String,
    pub gate: Gate,
}

impl SavedHead {
    /// Reads the head in the folder of a bake; `None` if there is none.
    pub fn read(folder: &Path) -> Result<Option<Self>, TuneError> {
        let path = folder.join(FOLDER).join(HEAD);
        if !path.exists() {
            return Ok(None);
        }
        let saved = Tensors::read(&path).and_then(Self::of);
        saved.map(Some).map_err(|why| TuneError::Head { path: path.display().to_string(), why })
    }

    fn of(mut tensors: Tensors) -> Result<Self, String> {
        let metadata = tensors.metadata;
        let text = |key: &str| metadata.get(key).ok_or_else(|| format!("{key} is missing"));
        let invalid = |error: serde_json::Error| error.to_string();
        let (base, gate) = (text("base")?, text("gate")?);
        let head = Head::of(|name| tensors.matrices.remove(name));
        Ok(Self {
            head: head.ok_or("a matrix is missing or has the wrong shape")?,
            base: serde_json::from_str(base).map_err(invalid)?,
            fingerprint: text("fingerprint")?.clone(),
            gate: serde_json::from_str(gate).map_err(invalid)?,
        })
    }

    /// Writes the head atomically to the folder of a bake.
    pub fn write(&self, folder: &Path) -> Result<(), TuneError> {
        let json = |value: serde_json::Result<String>| value.unwrap_or_default(); // Numbers and text always serialise.
        let entries = [
            ("format", "aivj head v0".to_owned()),
            ("base", json(serde_json::to_string(&self.base))),
            ("fingerprint", self.fingerprint.clone()),
            ("gate", json(serde_json::to_string(&self.gate))),
            ("accepted", self.gate.passed().to_string()),
        ];
        let mut tensors = self.tensors();
        tensors.metadata.extend(entries.map(|(key, value)| (key.to_owned(), value)));
        Ok(tensors.write(&folder.join(FOLDER).join(HEAD))?)
    }

    fn tensors(&self) -> Tensors {
        let named =
            self.head.parameters().into_iter().map(|(name, values)| (name.to_owned(), values.clone()));
        Tensors { matrices: named.collect(), ..Tensors::default() }
    }

    /// Returns the tuned embeddings of the presets in `base`, after saving them in the folder of the bake; `None` if
    /// the head was not accepted or belongs to other embeddings.
    pub fn table(&self, folder: &Path, base: &Table) -> Result<Option<Table>, TuneError> {
        let fits = self.base == base.embedder_id && self.head.width() == base.rows.ncols();
        if !fits || !self.gate.passed() {
            return Ok(None);
        }
        let (tuned, own) = (self.apply(base), folder.join(FOLDER));
        if Table::open(&own)?.as_ref() != Some(&tuned) {
            tuned.save(&own)?;
        }
        Ok(Some(tuned))
    }

    /// Applies the head to the embeddings in `base`. The result gets its own embedder ID, so its
    /// rows are never compared with those of `base`.
    fn apply(&self, base: &Table) -> Table {
        let EmbedderId { embedder, model, preprocessing } = base.embedder_id.clone();
        let hash = self.tensors().hash();
        let embedder_id = EmbedderId {
            embedder: format!("{embedder} with a tuned head"),
            model: format!("{model}+head:{}", &hash[..HASH_DIGITS]),
            preprocessing,
        };
        Table { embedder_id, rows: self.head.apply(&unit_rows(base.rows.clone())), ..base.clone() }
    }
}
