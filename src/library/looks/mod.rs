//! How the presets of a library look, as a bake found out: where each lies on the map, and which look alike.
//!
//! The map is small and kept; the embeddings are large and stay on disk, read from end to end when somebody asks for
//! more like one preset.

mod bake_folder;
mod map;
pub mod npy;

use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

pub use bake_folder::{BAKE_PLACE, bake_place, write_bake_place};
pub use map::{LookMap, MAP_FILE};

use super::Catalogue;
use super::style::NameTable;

/// Files of the embeddings: the rows, and which preset each row is.
const ROWS_FILE: &str = "embeddings.npy";
const IDS_FILE: &str = "ids.txt";

/// Marks a preset of which nothing is known.
const NONE: u32 = u32::MAX;

/// The looks of a library, by place in its catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looks {
    /// Where each preset lies, both from -1 to 1; not a number where nobody knows. Empty without a map.
    pub points: Vec<[f32; 2]>,
    /// Where the bake lies; nowhere for presets that came with the program.
    pub bake: Option<PathBuf>,
    /// The row of each preset among the embeddings. Empty without any.
    rows: Vec<u32>,
    embeddings: PathBuf,
    /// What is there but cannot be used, and why.
    pub problems: Vec<String>,
}

impl Looks {
    /// What the newest bake found out about this library. Takes half a second for a hundred thousand presets.
    pub fn of(library: &Catalogue) -> Self {
        let Some(root) = &library.folder else { return Self::default() };
        let bake = bake_place(root);
        let (map, ids) = (bake.join(MAP_FILE), bake.join(IDS_FILE));
        let embeddings = bake.join(ROWS_FILE);
        let mut looks = Self { embeddings, bake: Some(bake), ..Self::default() };
        if !map.is_file() && !ids.is_file() {
            return looks;
        }
        let mut names = NameTable::default();
        library.entries.iter().enumerate().for_each(|(place, entry)| names.add(&entry.path, place));
        let count = library.entries.len();
        if map.is_file() {
            match LookMap::read(&map) {
                Ok(map) => looks.points = points(&map, &names, count),
                Err(error) => looks.problems.push(format!("there is no map: {error}")),
            }
        }
        if ids.is_file() {
            match std::fs::read_to_string(&ids) {
                Ok(text) => looks.rows = rows(&text, &names, count),
                Err(error) => looks.problems.push(format!("{}: {error}", ids.display())),
            }
        }
        looks
    }

    /// Whether there is a map to draw.
    pub fn mapped(&self) -> bool {
        self.points.iter().any(|point| point[0].is_finite())
    }

    /// Where a preset lies on the map.
    pub fn point(&self, place: usize) -> Option<[f32; 2]> {
        self.points.get(place).copied().filter(|point| point[0].is_finite() && point[1].is_finite())
    }

    /// How much every preset looks like the one at `model`, -1 to 1 by the angle between their embeddings; nothing for
    /// a preset without one. None where the model has none, an error in words where they cannot be read.
    pub fn likeness(&self, model: usize) -> Option<Result<Vec<Option<f32>>, String>> {
        let row = self.rows.get(model).copied().filter(|&row| row != NONE)?;
        Some(self.compared(row as usize).map_err(|why| format!("{}: {why}", self.embeddings.display())))
    }

    fn compared(&self, row: usize) -> Result<Vec<Option<f32>>, String> {
        let mut table = npy::Rows::open(&self.embeddings)?;
        let model = table.row(row)?;
        let length = dot(&model, &model).sqrt();
        let mut likeness = vec![f32::NAN; table.count];
        table.each(|at, row| likeness[at] = dot(&model, row) / (length * dot(row, row).sqrt()))?;
        let of_place =
            |&row: &u32| likeness.get(row as usize).copied().filter(|likeness| likeness.is_finite());
        Ok(self.rows.iter().map(of_place).collect())
    }
}

fn points(map: &LookMap, names: &NameTable, count: usize) -> Vec<[f32; 2]> {
    let mut points = vec![[f32::NAN; 2]; count];
    for (id, point) in map.ids.iter().zip(&map.points) {
        if let Some(place) = names.place(id) {
            points[place] = *point;
        }
    }
    points
}

fn rows(ids: &str, names: &NameTable, count: usize) -> Vec<u32> {
    let mut rows = vec![NONE; count];
    for (row, id) in ids.lines().enumerate() {
        if let Some(place) = names.place(id) {
            rows[place] = row as u32;
        }
    }
    rows
}

/// In eight lanes, so that the compiler can use wide instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (wide_a, wide_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = wide_a.remainder().iter().zip(wide_b.remainder()).map(|(a, b)| a * b).sum::<f32>();
    for (a, b) in wide_a.zip(wide_b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f32>() + rest
}

/// Where a bake keeps the first frame of a preset: below its folder, under the hash of the preset's path.
pub fn first_frame(bake: &Path, path: &str) -> PathBuf {
    let digest = Sha1::digest(path.as_bytes());
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    bake.join("frames").join(&hash[..2]).join(&hash[2..4]).join(&hash).join("frame-000.webp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{LibraryLocation, Store, open};

    fn library(folder: &Path) -> Catalogue {
        for name in ["a", "b", "c"] {
            std::fs::write(folder.join(format!("{name}.milk")), format!("zoom={name}")).expect("written");
        }
        let store = Store::in_memory().expect("opens");
        open(&store, &LibraryLocation::of(folder), 1, |_| ()).expect("opens").catalogue
    }

    #[test]
    fn presets_lie_where_the_map_says_and_the_likest_is_the_one_in_the_same_direction() {
        let (folder, bake) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let library = library(folder.path());
        assert_eq!(Looks::of(&library).likeness(0), None);
        write_bake_place(folder.path(), bake.path()).expect("written");
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
        let likeness = looks.likeness(0).expect("embedded").expect("read");
        assert!(likeness[1] > Some(0.99) && likeness[2] < Some(0.1), "{likeness:?}");
        std::fs::write(bake.path().join(ROWS_FILE), "cut").expect("written");
        assert!(looks.likeness(0).expect("embedded").is_err());
    }

    #[test]
    fn a_map_that_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let library = library(folder.path());
        std::fs::write(folder.path().join(MAP_FILE), r#"{"version":"v9"}"#).expect("written");
        let looks = Looks::of(&library);
        assert!(!looks.mapped() && looks.problems.len() == 1, "{:?}", looks.problems);
    }
}
