//! The embeddings on disk: `embeddings.npy`, `ids.txt` in row order, `embeddings.meta.json` with what made them.
//!
//! Rows of two models never share a file. The three files are replaced in that order, so that whenever the program
//! ends, the ids and keys that are there describe rows that are there; anything else is done again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView1, s};
use serde::{Deserialize, Serialize};

use super::npy;
use crate::bake::files;

/// What made the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// `builtin`, or the name of a vision model.
    pub embedder: String,
    /// A hash of the model; rows of another one are not comparable.
    pub model: String,
    /// What is done to a preset before it is embedded.
    pub preprocessing: String,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    version: String,
    #[serde(flatten)]
    maker: Maker,
    dimensions: usize,
    rows: usize,
    /// What each row was made from; a preset whose key has changed is done again.
    keys: Vec<String>,
}

/// Why there are no embeddings to be had.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file cannot be read or is broken.
    #[error("{path} cannot be used: {why}; move it away to embed everything again")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file cannot be written.
    #[error("{0}; the embeddings of earlier nights are untouched")]
    Write(String),
}

/// Embeddings of presets, one row each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What made the rows.
    pub maker: Maker,
    /// The presets, in row order.
    pub ids: Vec<String>,
    /// What each row was made from.
    pub keys: Vec<String>,
    /// The rows.
    pub rows: Array2<f32>,
}

impl Table {
    /// The table in this folder; nothing where none was ever written.
    pub fn open(folder: &Path) -> Result<Option<Self>, TableError> {
        let path = |name: &str| folder.join(name);
        let broken = |name: &str, why: String| TableError::Broken { path: path(name), why };
        let meta = match std::fs::read(path(META)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken(META, error.to_string())),
        };
        let meta: Meta = serde_json::from_slice(&meta).map_err(|error| broken(META, error.to_string()))?;
        let ids = std::fs::read_to_string(path(IDS)).map_err(|error| broken(IDS, error.to_string()))?;
        let mut ids: Vec<String> = ids.lines().map(str::to_owned).collect();
        let rows = npy::read(&path(ROWS)).map_err(|why| broken(ROWS, why))?;
        if rows.ncols() != meta.dimensions {
            let why = format!("it has {} dimensions, {META} says {}", rows.ncols(), meta.dimensions);
            return Err(broken(ROWS, why));
        }
        // A night that was cut short between two files leaves more rows than ids or keys.
        let count = ids.len().min(rows.nrows()).min(meta.keys.len());
        ids.truncate(count);
        let mut keys = meta.keys;
        keys.truncate(count);
        let mut table = Self { maker: meta.maker, ids, keys, rows: rows.slice(s![..count, ..]).to_owned() };
        table.drop_broken_rows();
        Ok(Some(table))
    }

    /// Rows that hold no finite numbers are taken out; their presets are done again.
    fn drop_broken_rows(&mut self) {
        let sound: Vec<usize> = (0..self.ids.len())
            .filter(|&row| self.rows.row(row).iter().all(|value| value.is_finite()))
            .collect();
        if sound.len() < self.ids.len() {
            log::warn!("{} embeddings are no numbers and are made again", self.ids.len() - sound.len());
            self.select(&sound);
        }
    }

    /// Writes the table; each file as a whole.
    pub fn save(&self, folder: &Path) -> Result<(), TableError> {
        let meta = Meta {
            version: "v0".into(),
            maker: self.maker.clone(),
            dimensions: self.rows.ncols(),
            rows: self.rows.nrows(),
            keys: self.keys.clone(),
        };
        let meta = serde_json::to_vec(&meta).map_err(|error| TableError::Write(error.to_string()))?;
        let mut ids = self.ids.join("\n");
        ids.push('\n');
        for (name, bytes) in [(ROWS, npy::encode(&self.rows)), (IDS, ids.into_bytes()), (META, meta)] {
            files::write_whole(&folder.join(name), &bytes).map_err(TableError::Write)?;
        }
        Ok(())
    }

    /// Leaves out the rows of all presets but these; the files keep them.
    pub fn keep_only<'a>(&mut self, ids: impl Iterator<Item = &'a str>) {
        let wanted: std::collections::HashSet<&str> = ids.collect();
        let rows: Vec<usize> =
            (0..self.ids.len()).filter(|&at| wanted.contains(self.ids[at].as_str())).collect();
        self.select(&rows);
    }

    fn select(&mut self, rows: &[usize]) {
        self.rows = self.rows.select(ndarray::Axis(0), rows);
        self.ids = rows.iter().map(|&row| self.ids[row].clone()).collect();
        self.keys = rows.iter().map(|&row| self.keys[row].clone()).collect();
    }

    /// Row of every preset.
    pub fn index(&self) -> HashMap<&str, usize> {
        self.ids.iter().map(String::as_str).zip(0..).collect()
    }

    /// Takes in rows; a preset that has one gets the new one in its place.
    pub fn put(&mut self, added: Vec<(String, String)>, rows: &Array2<f32>) {
        let index: HashMap<String, usize> = self.ids.iter().cloned().zip(0..).collect();
        let mut fresh = Vec::new();
        for (at, (id, key)) in added.into_iter().enumerate() {
            match index.get(&id) {
                Some(&row) => {
                    self.rows.row_mut(row).assign(&rows.row(at));
                    self.keys[row] = key;
                }
                None => {
                    fresh.push(at);
                    self.ids.push(id);
                    self.keys.push(key);
                }
            }
        }
        let (before, width) = (self.rows.nrows(), rows.ncols());
        let mut all = Array2::zeros((before + fresh.len(), width));
        if before > 0 {
            all.slice_mut(s![..before, ..]).assign(&self.rows);
        }
        for (offset, &at) in fresh.iter().enumerate() {
            all.row_mut(before + offset).assign(&ArrayView1::from(&rows.row(at)));
        }
        self.rows = all;
    }
}

const ROWS: &str = "embeddings.npy";
const IDS: &str = "ids.txt";
const META: &str = "embeddings.meta.json";

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table =
            Table { maker: Maker { embedder: "test".into(), ..Maker::default() }, ..Table::default() };
        let named = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), format!("key {id}"))).collect();
        table.put(named(&["a", "b"]), &Array2::from_shape_fn((2, 3), |(r, c)| (r * 3 + c) as f32));
        table
    }

    #[test]
    fn a_table_survives_being_written_and_rows_are_replaced_in_place() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Table::open(folder.path()).expect("readable").is_none());
        let mut table = table();
        table.put(vec![("b".into(), "new".into()), ("c".into(), "key c".into())], &Array2::ones((2, 3)));
        assert_eq!(table.ids, ["a", "b", "c"]);
        assert_eq!(table.rows.row(1).to_vec(), [1.0; 3]);
        table.save(folder.path()).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(table));
    }

    #[test]
    fn a_night_cut_short_between_files_and_rows_of_no_numbers_cost_those_rows_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = table();
        table.save(folder.path()).expect("written");
        table.put(vec![("c".into(), "key c".into())], &Array2::ones((1, 3)));
        std::fs::write(folder.path().join(ROWS), npy::encode(&table.rows)).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable").expect("there").ids, ["a", "b"]);
        table.rows[[0, 1]] = f32::NAN;
        table.save(folder.path()).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable").expect("there").ids, ["b", "c"]);
        std::fs::write(folder.path().join(ROWS), b"\x93NUMPY").expect("written");
        assert!(matches!(Table::open(folder.path()), Err(TableError::Broken { .. })));
    }
}
