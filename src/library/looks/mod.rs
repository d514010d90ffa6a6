//! The results of a bake about the look of a library: the map, and similarity by embeddings.
//!
//! The map is small and kept in memory; the embeddings are large and streamed from disk for each similarity query.

mod bake_folder;
mod map;
pub mod npy;

use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

use crate::disk;

pub use bake_folder::{BAKE_FILE, bake_folder, write_bake_folder};
pub use map::{LookMap, MAP_FILE};

use super::Catalogue;
use super::style::NameTable;

/// File names of the embeddings: the matrix, and the preset of each row.
const ROWS_FILE: &str = "embeddings.npy";
const IDS_FILE: &str = "ids.txt";

/// Marks a preset without a row.
const NONE: u32 = u32::MAX;

/// The looks of a library, by catalogue index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looks {
    /// Map coordinates of each preset, -1 to 1; NaN if unknown. Empty without a map.
    pub points: Vec<[f32; 2]>,
    /// The bake folder; `None` for built-in presets.
    pub bake: Option<PathBuf>,
    /// Row of each preset in the embeddings. Empty without embeddings.
    rows: Vec<u32>,
    embeddings: PathBuf,
    /// Files that cannot be used, and why.
    pub problems: Vec<String>,
}

impl Looks {
    /// Loads the newest bake of this library. Takes half a second for 100,000 presets.
    pub fn of(library: &Catalogue) -> Self {
        let Some(root) = &library.folder else { return Self::default() };
        let bake = bake_folder(root);
        let (map, ids) = (bake.join(MAP_FILE), bake.join(IDS_FILE));
        let embeddings = bake.join(ROWS_FILE);
        let mut looks = Self { embeddings, bake: Some(bake), ..Self::default() };
        if !map.is_file() && !ids.is_file() {
            return looks;
        }
        let mut names = NameTable::default();
        library.entries.iter().enumerate().for_each(|(index, entry)| names.add(&entry.path, index));
        let count = library.entries.len();
        if map.is_file() {
            match LookMap::read(&map) {
                Ok(map) => looks.points = points(&map, &names, count),
                Err(error) => looks.problems.push(format!("could not read the map: {error}")),
            }
        }
        if ids.is_file() {
            match disk::read_text(&ids, disk::limit::LIST) {
                Ok(text) => looks.rows = rows(&text, &names, count),
                Err(error) => looks.problems.push(format!("{}: {error}", ids.display())),
            }
        }
        looks
    }

    /// Returns whether there is a map to draw.
    pub fn mapped(&self) -> bool {
        self.points.iter().any(|point| point[0].is_finite())
    }

    /// Returns the map coordinates of a preset.
    pub fn point(&self, index: usize) -> Option<[f32; 2]> {
        self.points.get(index).copied().filter(|point| point[0].is_finite() && point[1].is_finite())
    }

    /// Returns the cosine similarity of every preset to the one at `model`, -1 to 1, with `None` for presets without
    /// an embedding. Returns `None` if `model` has no embedding, and an error if the embeddings cannot be read.
    pub fn similarity(&self, model: usize) -> Option<Result<Vec<Option<f32>>, String>> {
        let row = self.rows.get(model).copied().filter(|&row| row != NONE)?;
        Some(self.compared(row as usize).map_err(|why| format!("{}: {why}", self.embeddings.display())))
    }

    fn compared(&self, row: usize) -> Result<Vec<Option<f32>>, String> {
        let mut table = npy::Rows::open(&self.embeddings)?;
        let model = table.row(row)?;
        let length = dot(&model, &model).sqrt();
        let mut similarity = vec![f32::NAN; table.count];
        table.each(|at, row| similarity[at] = dot(&model, row) / (length * dot(row, row).sqrt()))?;
        let of_row =
            |&row: &u32| similarity.get(row as usize).copied().filter(|similarity| similarity.is_finite());
        Ok(self.rows.iter().map(of_row).collect())
    }
}

fn points(map: &LookMap, names: &NameTable, count: usize) -> Vec<[f32; 2]> {
    let mut points = vec![[f32::NAN; 2]; count];
    for (id, point) in map.ids.iter().zip(&map.points) {
        if let Some(index) = names.index_of(id) {
            points[index] = *point;
        }
    }
    points
}

fn rows(ids: &str, names: &NameTable, count: usize) -> Vec<u32> {
    let mut rows = vec![NONE; count];
    for (row, id) in disk::lines(ids).enumerate() {
        if let Some(index) = names.index_of(id) {
            rows[index] = row as u32;
        }
    }
    rows
}

/// Computes a dot product in eight lanes that the compiler can vectorise.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (wide_a, wide_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = wide_a.remainder().iter().zip(wide_b.remainder()).map(|(a, b)| a * b).sum::<f32>();
    for (a, b) in wide_a.zip(wide_b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f32>() + rest
}

/// Returns the path of a preset's first frame in the bake folder, derived from the hash of the preset's path.
pub fn first_frame(bake: &Path, path: &str) -> PathBuf {
    let digest = Sha1::digest(path.as_bytes());
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    bake.join("frames").join(&hash[..2]).join(&hash[2..4]).join(&hash).join("frame-000.webp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{LibraryLocation, open};
    use crate::store::Store;

    fn library(folder: &Path) -> Catalogue {
        for name in ["a", "b", "c"] {
            std::fs::write(folder.join(format!("{name}.milk")), format!("zoom={name}")).expect("written");
        }
        let store = Store::in_memory().expect("opens");
        open(&store, &LibraryLocation::of(folder), 1, |_| ()).expect("opens").catalogue
    }

    #[test]
    fn map_points_and_similarities_are_matched_to_presets() {
        let (folder, bake) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let library = library(folder.path());
        assert_eq!(Looks::of(&library).similarity(0), None);
        write_bake_folder(folder.path(), bake.path()).expect("written");
        let map = LookMap {
            version: "v0".into(),
            generated_at: String::new(),
            ids: vec!["c.milk".into(), "gone.milk".into(), "a.milk".into()],
            points: vec![[0.5, 0.25], [0.0, 0.0], [-1.0, 1.0]],
            clusters: vec![0, 0, 1],
        };
        std::fs::write(bake.path().join(MAP_FILE), serde_json::to_vec(&map).expect("JSON")).expect("written");
        let rows = ndarray::arr2(&[[1.0, 0.0], [0.0, 0.0], [2.0, 0.1], [0.0, 1.0]]);
        std::fs::write(bake.path().join(ROWS_FILE), npy::encode(&rows)).expect("written");
        std::fs::write(bake.path().join(IDS_FILE), "b.milk\ngone.milk\na.milk\nc.milk\n").expect("written");
        let looks = Looks::of(&library);
        assert_eq!(
            (looks.point(0), looks.point(1), looks.point(2)),
            (Some([-1.0, 1.0]), None, Some([0.5, 0.25]))
        );
        let similarity = looks.similarity(0).expect("embedded").expect("read");
        assert!(similarity[1] > Some(0.99) && similarity[2] < Some(0.1), "{similarity:?}");
        std::fs::write(bake.path().join(ROWS_FILE), "cut").expect("written");
        assert!(looks.similarity(0).expect("embedded").is_err());
    }

    #[test]
    fn an_unreadable_map_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let library = library(folder.path());
        std::fs::write(folder.path().join(MAP_FILE), r#"{"version":"v9"}"#).expect("written");
        let looks = Looks::of(&library);
        assert!(!looks.mapped() && looks.problems.len() == 1, "{:?}", looks.problems);
    }
}
