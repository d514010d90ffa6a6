//! Results of a bake that describe the presets' looks: the map, and embeddings for comparing them.
//!
//! The map is small and kept in memory; the embeddings are large and stay on disk. A similarity query streams them all
//! or, with a sketch of them, reads those of a few thousand presets.

mod bake_folder;
mod map;
mod previous_index;
mod sketch;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

use crate::disk::{self, FileKind, npy};

pub use bake_folder::{BAKE_FILE, bake_folder, write_bake_folder};
pub use map::{LookMap, MAP_FILE};
pub use previous_index::{INDEX_FILES, STYLES_FILE, keep_index, previous_name};
pub use sketch::Sketch;

use super::pack::ManifestNames;
use super::style::NameTable;
use super::{Catalogue, Entry, preset_names};
use crate::facts::PresetId;

/// Pairs of embedding files, the usual pair first: a list with the preset of each row, and the matrix.
const EMBEDDING_FILES: [(&str, &str); 2] =
    [("ids.txt", "embeddings.npy"), ("ids.hf.txt", "embeddings.hf.npy")];

/// Row number that marks a preset without an embedding.
const NO_ROW: u32 = u32::MAX;

/// The looks of a library, by catalogue index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looks {
    /// Map coordinates of each preset, -1 to 1; NaN if unknown. Empty if none is on a map.
    pub points: Vec<[f32; 2]>,
    /// The bake folder; `None` if the library has no folder.
    pub bake: Option<PathBuf>,
    /// Row of each preset in the embeddings, or [`NO_ROW`]. Empty without embeddings.
    rows: Vec<u32>,
    embeddings: PathBuf,
    /// Manifest IDs that differ from the preset's path. A preset's frame folder is named after the hash of its
    /// manifest ID if that is listed here, otherwise after the hash of its path.
    ids: HashMap<PresetId, String>,
    /// Messages about files that cannot be used.
    pub problems: Vec<String>,
}

impl Looks {
    /// Loads the results of the library's bake. Takes about half a second for 100,000 presets.
    pub fn of(library: &Catalogue) -> Self {
        let Some(root) = &library.folder else { return Self::default() };
        let bake = bake_folder(root);
        let (map, (ids, embeddings)) = (bake.join(MAP_FILE), embedding_files(&bake));
        let mut looks = Self { embeddings, bake: Some(bake), ..Self::default() };
        let (mapped, embedded) = (is_file(&map), is_file(&ids));
        if !mapped && !embedded {
            return looks;
        }
        let names = preset_names(library);
        looks.ids = manifest_ids(root, library);
        let count = library.entries.len();
        if mapped {
            match LookMap::read(&map) {
                Ok(map) => looks.points = points(&map, &names, count),
                Err(error) => looks.problems.push(format!("could not read the map: {error}")),
            }
        }
        if embedded {
            match disk::read_text(&ids, disk::limit::LIST) {
                Ok(text) => looks.rows = rows(&text, &names, count),
                Err(error) => looks.problems.push(format!("{}: {error}", ids.display())),
            }
        }
        looks
    }

    /// Returns the paths at which the first frame of a preset may be, the most likely first; empty without a bake.
    pub fn frames(&self, entry: &Entry) -> Vec<PathBuf> {
        let Some(bake) = &self.bake else { return Vec::new() };
        let names = self.ids.get(&entry.id).into_iter().chain([&entry.path]);
        names.flat_map(|name| frame_places(bake, name)).collect()
    }

    /// Returns whether there is a map to draw.
    pub fn mapped(&self) -> bool {
        !self.points.is_empty()
    }

    /// Returns the map coordinates of a preset, -1 to 1; `None` if unknown.
    pub fn point(&self, index: usize) -> Option<[f32; 2]> {
        self.points.get(index).copied().filter(|point| point[0].is_finite() && point[1].is_finite())
    }

    /// Returns the cosine similarity of every preset to the one at index `model`, -1 to 1, with `None` for
    /// presets without an embedding. Returns `None` if `model` has no embedding, and an error if the
    /// embeddings cannot be read.
    pub fn similarity(&self, model: usize) -> Option<Result<Vec<Option<f32>>, String>> {
        Some(self.compared(self.row(model)?).map_err(|why| self.unreadable(&why)))
    }

    /// Returns the row of a preset in the embeddings, if it has one.
    fn row(&self, preset: usize) -> Option<usize> {
        self.rows.get(preset).filter(|row| **row != NO_ROW).map(|row| *row as usize)
    }

    fn unreadable(&self, why: &str) -> String {
        format!("{}: {why}", self.embeddings.display())
    }

    fn compared(&self, row: usize) -> Result<Vec<Option<f32>>, String> {
        let table = npy::Rows::open(&self.embeddings)?;
        let model = table.row(row)?;
        self.compared_with(table, &model)
    }

    /// Makes a sketch of the embeddings; `None` if there are none, or so few that all can be read for every query.
    ///
    /// # Errors
    /// Fails if the embeddings cannot be read.
    pub fn sketch(&self) -> Result<Option<Sketch>, String> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        Sketch::of(&self.embeddings).map_err(|why| self.unreadable(&why))
    }

    /// Returns approximate similarities like [`Self::similarity`], without reading the embeddings.
    pub fn rough_similarity(&self, sketch: &Sketch, model: usize) -> Option<Vec<Option<f32>>> {
        Some(self.by_preset(&sketch.similarity(self.row(model)?)))
    }

    /// Replaces the approximate similarities of these presets to `model` with exact ones; reads only the embeddings
    /// that are needed.
    ///
    /// # Errors
    /// Fails if the embeddings cannot be read.
    pub fn refine(
        &self,
        model: usize,
        presets: &[u32],
        similarity: &mut [Option<f32>],
    ) -> Result<(), String> {
        self.compare_some(model, presets, similarity).map_err(|why| self.unreadable(&why))
    }

    fn compare_some(
        &self,
        model: usize,
        presets: &[u32],
        similarity: &mut [Option<f32>],
    ) -> Result<(), String> {
        let Some(model) = self.row(model) else { return Ok(()) };
        let row = |&preset: &u32| Some((self.row(preset as usize)?, preset as usize));
        let mut compared: Vec<(usize, usize)> = presets.iter().filter_map(row).collect();
        // Rows are read in file order.
        compared.sort_unstable();
        let (rows, presets): (Vec<usize>, Vec<usize>) = compared.into_iter().unzip();
        let table = npy::Rows::open(&self.embeddings)?;
        let model = table.row(model)?;
        let (cosine, mut presets) = (cosine_to(&model), presets.into_iter());
        table.some(&rows, |_, row| {
            if let Some(preset) = presets.next() {
                similarity[preset] = Some(cosine(row)).filter(|cosine| cosine.is_finite());
            }
        })
    }

    /// Returns the cosine similarity of every preset to a vector, -1 to 1, with `None` for presets without an
    /// embedding. Longer embeddings, which concatenate those of several embedders, are compared by their last
    /// dimensions.
    ///
    /// # Errors
    /// Fails if the embeddings cannot be read, or are shorter than the vector.
    pub fn similarity_to(&self, vector: &[f32]) -> Result<Vec<Option<f32>>, String> {
        let similarity =
            npy::Rows::open(&self.embeddings).and_then(|table| self.compared_with(table, vector));
        similarity.map_err(|why| self.unreadable(&why))
    }

    fn compared_with(&self, mut table: npy::Rows, model: &[f32]) -> Result<Vec<Option<f32>>, String> {
        let skipped = table.width.checked_sub(model.len()).ok_or("the embeddings are from another model")?;
        let (cosine, mut similarity) = (cosine_to(model), vec![f32::NAN; table.count]);
        table.each(|at, row| similarity[at] = cosine(&row[skipped..]))?;
        Ok(self.by_preset(&similarity))
    }

    /// Maps values by row to values by preset; `None` for presets without a finite value.
    fn by_preset(&self, rows: &[f32]) -> Vec<Option<f32>> {
        let of_row = |&row: &u32| rows.get(row as usize).copied().filter(|value| value.is_finite());
        self.rows.iter().map(of_row).collect()
    }
}

/// Returns a function that computes the cosine similarity of a row to `model`, -1 to 1; not finite if either has no
/// direction.
fn cosine_to(model: &[f32]) -> impl Fn(&[f32]) -> f32 {
    let length = dot(model, model).sqrt();
    move |row| dot(model, row) / (length * dot(row, row).sqrt())
}

/// Returns the paths of the ID list and the embeddings in a bake folder. The files of the predecessor's
/// second embedder are used only if the usual ID list is missing.
fn embedding_files(bake: &Path) -> (PathBuf, PathBuf) {
    let all = EMBEDDING_FILES.map(|(ids, rows)| (bake.join(ids), bake.join(rows)));
    let [own, other] = all;
    if !is_file(&own.0) && is_file(&other.0) { other } else { own }
}

fn is_file(path: &Path) -> bool {
    matches!(disk::kind(path), Ok(FileKind::Regular))
}

/// Returns the manifest IDs that differ from the paths of the presets.
fn manifest_ids(root: &Path, library: &Catalogue) -> HashMap<PresetId, String> {
    let Some(names) = ManifestNames::from_folder(root) else { return HashMap::new() };
    let id = |entry: &Entry| {
        let id = names.preset(&entry.path)?.id.clone();
        (!id.is_empty() && id != entry.path).then_some((entry.id, id))
    };
    library.entries.iter().filter_map(id).collect()
}

fn points(map: &LookMap, names: &NameTable, count: usize) -> Vec<[f32; 2]> {
    let mut points = vec![[f32::NAN; 2]; count];
    for (id, point) in map.ids.iter().zip(&map.points) {
        if let Some(index) = names.index_of(id) {
            points[index] = *point;
        }
    }
    if points.iter().any(|point| point[0].is_finite()) { points } else { Vec::new() }
}

fn rows(ids: &str, names: &NameTable, count: usize) -> Vec<u32> {
    let mut rows = vec![NO_ROW; count];
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

/// Returns the path of a preset's first frame in the bake folder, derived from the hash of `path`, which is
/// the preset's path or manifest ID.
pub fn first_frame(bake: &Path, path: &str) -> PathBuf {
    let [first, ..] = frame_places(bake, path);
    first
}

/// Returns the paths of a preset's first frame in nested folders, as this program saves it, and in the other layouts and
/// formats of the predecessor.
fn frame_places(bake: &Path, path: &str) -> [PathBuf; 4] {
    let digest = Sha1::digest(path.as_bytes());
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let frames = bake.join("frames");
    let (nested, flat) = (frames.join(&hash[..2]).join(&hash[2..4]).join(&hash), frames.join(&hash));
    let [webp, png] = ["frame-000.webp", "frame-000.png"];
    [nested.join(webp), nested.join(png), flat.join(webp), flat.join(png)]
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
        let [(ids_file, rows_file), _] = EMBEDDING_FILES;
        std::fs::write(bake.path().join(rows_file), npy::encode(&rows)).expect("written");
        std::fs::write(bake.path().join(ids_file), "b.milk\ngone.milk\na.milk\nc.milk\n").expect("written");
        let looks = Looks::of(&library);
        assert_eq!(
            (looks.point(0), looks.point(1), looks.point(2)),
            (Some([-1.0, 1.0]), None, Some([0.5, 0.25]))
        );
        let similarity = looks.similarity(0).expect("embedded").expect("read");
        assert!(similarity[1] > Some(0.99) && similarity[2] < Some(0.1), "{similarity:?}");
        let by_vector = looks.similarity_to(&[0.0, 3.0]).expect("read");
        assert!(by_vector[2] > Some(0.99) && by_vector[1] == Some(0.0), "{by_vector:?}");
        let by_last = looks.similarity_to(&[-1.0]).expect("read");
        assert_eq!(by_last[2], Some(-1.0), "only the last dimension");
        assert!(looks.similarity_to(&[1.0; 3]).is_err());
        std::fs::write(bake.path().join(rows_file), "cut").expect("written");
        assert!(looks.similarity(0).expect("embedded").is_err());
    }

    #[test]
    fn frames_and_embeddings_of_a_pack_are_found_by_manifest_id() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = r#"{"version":"v0","target":"run3","presets":[
            {"id":"run3-a-1b2c3d","label":"a.milk","relPath":"run3/a.milk"},{"id":"b.milk"}]}"#;
        std::fs::write(folder.path().join("library-manifest.json"), manifest).expect("written");
        let rows = ndarray::arr2(&[[1.0, 0.0], [0.0, 1.0]]);
        std::fs::write(folder.path().join("embeddings.hf.npy"), npy::encode(&rows)).expect("written");
        std::fs::write(folder.path().join("ids.hf.txt"), "b.milk\nrun3-a-1b2c3d\n").expect("written");
        let library = library(folder.path());
        let looks = Looks::of(&library);
        let frames = looks.frames(&library.entries[0]);
        assert_eq!(frames[0], first_frame(folder.path(), "run3-a-1b2c3d"));
        assert_eq!(frames[4], first_frame(folder.path(), "a.milk"), "a bake without the manifest");
        assert_eq!(looks.frames(&library.entries[1])[0], first_frame(folder.path(), "b.milk"));
        let similarity = looks.similarity(0).expect("embedded").expect("read");
        assert_eq!(similarity, [Some(1.0), Some(0.0)]);
    }

    #[test]
    fn an_unreadable_map_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let library = library(folder.path());
        std::fs::write(folder.path().join(MAP_FILE), r#"{"version":"v9"}"#).expect("written");
        let looks = Looks::of(&library);
        assert!(!looks.mapped() && looks.problems.len() == 1, "{:?}", looks.problems);
        let of_another =
            r#"{"version":"v0","generatedAt":"","ids":["gone.milk"],"points":[[0,0]],"clusters":[0]}"#;
        std::fs::write(folder.path().join(MAP_FILE), of_another).expect("written");
        let looks = Looks::of(&library);
        assert!(!looks.mapped() && looks.problems.is_empty(), "a map of other presets");
    }
}
