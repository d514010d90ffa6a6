//! Groups presets that look alike into styles, which the director uses.
//!
//! Clustering reads the embeddings, never a preset. It writes `clusters.v0.json`, `map.v0.json`, both
//! versions of the style index, and the policy.

mod audit_features;
mod buckets;
mod energy;
pub mod kmeans;
mod known;
mod map;
mod matching;
mod names;

use std::collections::HashMap;
use std::path::Path;

pub use audit_features::audit_features;
pub use buckets::index_by_elements;
pub use known::Known;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::embed::Table;

use crate::disk::{self, FileError};
use crate::facts::Energy;
use crate::frames::BandClass;
use crate::library::looks::{LookMap, MAP_FILE, STYLES_FILE};
use crate::library::style::{
    self, INDEX_V0, INDEX_V1, IndexCluster, IndexEntry, IndexVersion, NameFacts, POLICY_V0, StyleIndex,
    StylePolicy,
};
use crate::units::{Rng, counted};

/// Minimum number of clusters.
pub const MIN_CLUSTERS: usize = 8;
/// Maximum number of clusters; a show merges the smallest styles of an index with more.
pub const MAX_CLUSTERS: usize = 256;
/// Number of rows above which mini-batches are used.
const LARGE: usize = 200_000;
/// Default maximum number of passes over all presets.
pub const PASSES: usize = 30;
/// Maximum number of central presets listed per cluster.
const CENTRAL: usize = 12;

/// Settings of the clustering.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// Number of clusters; `None` to keep the previous number, or to derive it from the size of the library
    /// if there is no previous number or the size has changed a lot.
    pub count: Option<usize>,
    /// Random seed.
    pub seed: u64,
    /// Number of threads.
    pub threads: usize,
    /// Name of the pack.
    pub pack: String,
    /// Current time, ISO 8601.
    pub at: String,
    /// Method; `None` to choose it by the size of the library.
    pub method: Option<Method>,
    /// Maximum number of passes over all presets with [`Method::Lloyd`].
    pub passes: usize,
}

/// Clustering method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Lloyd's algorithm over all presets.
    Lloyd,
    /// Mini-batches, less exact, for very large libraries.
    MiniBatch,
}

/// A style in `clusters.v0.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterStyle {
    /// ID, such as `c07`.
    pub id: String,
    /// Name shown on the desk.
    pub label: String,
    /// Number of presets in the style.
    pub count: usize,
    /// Words that are typical of the names of its presets.
    pub words: Vec<String>,
    /// Presets nearest to the centre, nearest first.
    pub central: Vec<String>,
    /// Number of presets by energy: calm, groove, peak.
    pub energies: [usize; 3],
    /// Centre in embedding space.
    pub centroid: Vec<f32>,
}

/// The styles of a library: `clusters.v0.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Styles {
    /// Format version, `v0`.
    pub version: String,
    /// Time of the clustering, ISO 8601.
    #[serde(rename = "generatedAt")]
    pub generated_at: String,
    /// Name of the pack.
    pub pack: String,
    /// Embedding model; centres of different models are not comparable.
    pub model: String,
    /// Random seed.
    pub seed: u64,
    /// Sum of squared distances to the centres.
    pub inertia: f64,
    /// The styles, ordered by ID.
    pub clusters: Vec<ClusterStyle>,
    /// Number of the style of each preset, such as 7 for `c07`, by preset ID.
    pub members: HashMap<String, u32>,
}

/// Why clustering failed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There are no embeddings.
    #[error("the folder contains no embeddings; run the embed stage first")]
    Empty,
    /// The audit cannot be read.
    #[error("cannot read the audit: {0}")]
    Audit(String),
    /// A file cannot be written.
    #[error("{0}; the existing index is unchanged")]
    Write(String),
}

/// Returns the default number of clusters: the square root of half the number of presets, within bounds.
pub fn default_count(presets: usize) -> usize {
    (((presets as f64 / 2.0).sqrt()).round() as usize).clamp(MIN_CLUSTERS, MAX_CLUSTERS).min(presets.max(1))
}

/// Returns the message for a library with fewer presets than requested clusters.
pub fn reduced(wanted: usize, presets: usize) -> String {
    format!("{wanted} clusters requested for {}; using at most {presets}", counted(presets, "preset"))
}

/// Result of clustering, ready to be written.
pub struct Clustering {
    /// The styles that were found.
    pub styles: Styles,
    energies: Vec<Energy>,
    bands: Vec<Option<BandClass>>,
    /// Path of every preset; the name index and, for unmeasured presets, the band are derived from it.
    paths: Vec<String>,
    map: LookMap,
}

/// Clusters the rows of `table`, reusing the IDs of `old` where possible; the rows are scaled to unit length in place.
/// `known` contains the measurements and paths of the presets.
pub fn cluster(
    table: &mut Table,
    known: &Known,
    old: Option<&Styles>,
    settings: &ClusterSettings,
) -> Result<Clustering, ClusterError> {
    if table.ids.is_empty() {
        return Err(ClusterError::Empty);
    }
    table.rows = unit_rows(std::mem::take(&mut table.rows));
    let table = &*table;
    let rows = &table.rows;
    let wanted = settings.count.unwrap_or_else(|| match old {
        Some(old) if similar_size(old, table) => old.clusters.len(),
        _ => default_count(rows.nrows()),
    });
    let count = wanted.clamp(1, MAX_CLUSTERS).min(rows.nrows());
    let mut rng = Rng::new(settings.seed);
    let by_size = if rows.nrows() > LARGE { Method::MiniBatch } else { Method::Lloyd };
    let method = settings.method.unwrap_or(by_size);
    let per_centre = match method {
        Method::MiniBatch => kmeans::MINI_BATCH_SAMPLE,
        Method::Lloyd => kmeans::LLOYD_SAMPLE,
    };
    // Starting from the previous centres keeps clusters in place.
    let start = old.and_then(|old| centres_of(old, table, count));
    let start = start.unwrap_or_else(|| kmeans::first_centres(rows.view(), count, per_centre, &mut rng));
    let found = match method {
        Method::MiniBatch => kmeans::mini_batch(rows.view(), start, 2, &mut rng, settings.threads),
        Method::Lloyd => kmeans::lloyd(rows.view(), start, settings.passes, settings.threads),
    };
    let empty = HashMap::new();
    let members = table.ids.iter().map(String::as_str).zip(found.labels.iter().copied());
    let ids = matching::ids(old.map_or(&empty, |old| &old.members), members, count);
    let measured = || table.ids.iter().map(|id| known.frames.get(id));
    let motion: Vec<Option<f32>> = measured().map(|facts| facts.and_then(|facts| facts.motion)).collect();
    let bands = measured().map(|facts| facts.and_then(|facts| facts.band_class)).collect();
    let paths: Vec<String> = table.ids.iter().map(|id| known.path(id).to_owned()).collect();
    let energies = energy::energies(&motion, &paths);
    let styles = describe(table, &found, &ids, &energies, &paths, settings);
    let map = map::draw(&table.ids, rows.view(), &found, &ids, &settings.at);
    Ok(Clustering { styles, energies, bands, paths, map })
}

impl Clustering {
    /// Writes the styles, the map, both indexes and the policy to `folder`. The v1 index is written last, so
    /// that the other files are in place when a watcher sees it change.
    pub fn write(&self, folder: &Path, table: &Table) -> Result<(), ClusterError> {
        let put = |name: &str, bytes: Result<Vec<u8>, String>| {
            bytes
                .and_then(|bytes| disk::write(&folder.join(name), &bytes).map_err(|error| error.to_string()))
                .map_err(ClusterError::Write)
        };
        put(MAP_FILE, serde_json::to_vec(&self.map).map_err(|error| error.to_string()))?;
        put(STYLES_FILE, sorted_json(&self.styles))?;
        let Styles { pack, generated_at, clusters, members, .. } = &self.styles;
        let clusters = clusters.iter().map(|style| IndexCluster {
            id: style.id.clone(),
            label: style.label.clone(),
            count: style.count,
            centroid: style.centroid.clone(),
        });
        let facts = table.ids.iter().zip(&self.energies).zip(&self.bands).zip(&self.paths);
        let mut entries: Vec<IndexEntry> = facts
            .filter_map(|(((id, &energy), band), path)| {
                let cluster = cluster_key(*members.get(id)?);
                // The measured band, otherwise the band suggested by the name.
                let band = band.map(BandClass::label).or_else(|| NameFacts::of(path).band);
                Some(IndexEntry::of_cluster(id.clone(), &cluster, energy, band))
            })
            .collect();
        entries.sort_by(|a, b| a.preset_id.cmp(&b.preset_id));
        let names = table.ids.iter().zip(&self.paths).map(|(id, path)| (id.as_str(), path.as_str()));
        index_by_names(names, folder, pack, generated_at)?;
        let index = StyleIndex {
            version: IndexVersion::V1,
            generated_at: generated_at.clone(),
            pack: pack.clone(),
            entries,
            clusters: clusters.collect(),
            space: self.styles.model.clone(),
        };
        index.write(&folder.join(INDEX_V1)).map_err(|error| ClusterError::Write(error.to_string()))
    }
}

/// Reads the styles in `folder`; `None` if they are missing or invalid.
pub fn read(folder: &Path) -> Option<Styles> {
    read_file(&folder.join(STYLES_FILE))
}

/// Reads the styles that [`save_previous`] saved when the current bake started; `None` if there are none.
pub fn previous(folder: &Path) -> Option<Styles> {
    read_file(&folder.join(PREVIOUS))
}

/// Saves a copy of the styles in `folder`, for comparison with new ones; called when a bake starts.
pub fn save_previous(folder: &Path) -> Result<(), FileError> {
    let (path, previous) = (folder.join(STYLES_FILE), folder.join(PREVIOUS));
    let bytes = disk::read_if_exists(&path, disk::limit::LIST);
    match bytes.map_err(|error| FileError::new(&path, &error))? {
        Some(bytes) => disk::write(&previous, &bytes),
        None => disk::remove_if_exists(&previous).map_err(|error| FileError::new(&previous, &error)),
    }
}

fn read_file(path: &Path) -> Option<Styles> {
    if !path.exists() {
        return None;
    }
    match disk::read_json(path) {
        Ok(styles) => Some(styles),
        Err(error) => {
            log::warn!("cannot read {error}; assigning new cluster IDs");
            None
        }
    }
}

const PREVIOUS: &str = "clusters.before.v0.json";

/// Returns whether the library has changed so little that the number of clusters can stay.
fn similar_size(old: &Styles, table: &Table) -> bool {
    let (before, now) = (old.members.len(), table.ids.len());
    now < before * 3 / 2 && now > before / 2
}

fn centres_of(old: &Styles, table: &Table, count: usize) -> Option<Array2<f32>> {
    let width = table.rows.ncols();
    let fits = old.model == table.embedder_id.model
        && old.clusters.len() == count
        && old.clusters.iter().all(|style| style.centroid.len() == width);
    let cells = || old.clusters.iter().flat_map(|style| style.centroid.iter().copied()).collect();
    fits.then(|| Array2::from_shape_vec((count, width), cells()).ok()).flatten()
}

/// Normalises rows to unit length: only the direction matters.
pub fn unit_rows(mut rows: Array2<f32>) -> Array2<f32> {
    for mut row in rows.axis_iter_mut(Axis(0)) {
        let length = row.dot(&row).sqrt();
        if length > 0.0 {
            row /= length;
        }
    }
    rows
}

fn describe(
    table: &Table,
    found: &kmeans::Assignment,
    ids: &[u32],
    energies: &[Energy],
    paths: &[String],
    settings: &ClusterSettings,
) -> Styles {
    let names = names::names(paths, &found.labels, energies, ids.len());
    let mut nearest: Vec<usize> = (0..table.ids.len()).collect();
    nearest.sort_by(|&a, &b| found.distances[a].total_cmp(&found.distances[b]).then(a.cmp(&b)));
    let mut clusters: Vec<ClusterStyle> = names
        .into_iter()
        .enumerate()
        .map(|(cluster, (label, words))| {
            let own = || nearest.iter().copied().filter(|&row| found.labels[row] as usize == cluster);
            let mut by_energy = [0; 3];
            own().for_each(|row| by_energy[energies[row] as usize] += 1);
            ClusterStyle {
                id: cluster_key(ids[cluster]),
                label,
                count: own().count(),
                words,
                central: own().take(CENTRAL).map(|row| table.ids[row].clone()).collect(),
                energies: by_energy,
                centroid: found.centres.row(cluster).to_vec(),
            }
        })
        .collect();
    // With identical presets, there may be fewer distinct rows than centres.
    clusters.retain(|style| style.count > 0);
    clusters.sort_by(|a, b| a.id.len().cmp(&b.id.len()).then_with(|| a.id.cmp(&b.id)));
    let members = table.ids.iter().zip(&found.labels).map(|(id, &label)| (id.clone(), ids[label as usize]));
    Styles {
        version: "v0".into(),
        generated_at: settings.at.clone(),
        pack: settings.pack.clone(),
        model: table.embedder_id.model.clone(),
        seed: settings.seed,
        inertia: found.inertia(),
        clusters,
        members: members.collect(),
    }
}

/// Formats a cluster ID, such as `c07` for 7.
pub fn cluster_key(id: u32) -> String {
    format!("c{id:02}")
}

/// Serialises to JSON with sorted map keys, so that equal bakes give equal files.
fn sorted_json(value: &impl Serialize) -> Result<Vec<u8>, String> {
    let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
    serde_json::to_vec(&value).map_err(|error| error.to_string())
}

/// Writes the policy, unless there is one that cannot be read, and the v0 style index, which is derived from
/// names alone and needs no embeddings. `presets` yields pairs of preset ID and path.
pub fn index_by_names<'a>(
    presets: impl Iterator<Item = (&'a str, &'a str)>,
    folder: &Path,
    pack: &str,
    at: &str,
) -> Result<(), ClusterError> {
    let failed = |error: FileError| ClusterError::Write(error.to_string());
    // Keep values set by the user.
    let path = folder.join(POLICY_V0);
    match StylePolicy::read(&path) {
        Err(error) if path.try_exists().unwrap_or(true) => {
            log::warn!("{error}; leaving the policy unchanged");
        }
        set => {
            let set = set.unwrap_or_default();
            let policy = StylePolicy { generated_at: at.to_owned(), pack: pack.to_owned(), ..set };
            policy.write(&path).map_err(failed)?;
        }
    }
    let mut presets: Vec<(&str, &str)> = presets.collect();
    presets.sort_unstable();
    let index = style::by_name(presets, pack, at);
    index.write(&folder.join(INDEX_V0)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::EmbedderId;
    use crate::frames::FrameMetrics;

    fn settings(count: Option<usize>) -> ClusterSettings {
        ClusterSettings {
            count,
            seed: 1,
            threads: 2,
            pack: "test".into(),
            at: "2026-01-01T00:00:00Z".into(),
            method: None,
            passes: PASSES,
        }
    }

    /// Returns a table of noisy embeddings scattered around twelve directions.
    fn table(presets: usize, seed: u64) -> Table {
        let mut rng = Rng::new(seed);
        let rows = Array2::from_shape_fn((presets, 24), |(row, column)| {
            let on = if row * 7 % 12 == column % 12 { 1.0 } else { 0.0 };
            (on + 0.15 * rng.normal()) as f32
        });
        let names =
            (0..presets).map(|row| (format!("a/{row} - x{}.milk", row % 12), "key".to_owned())).collect();
        let mut table = Table {
            embedder_id: EmbedderId { model: "m".into(), ..EmbedderId::default() },
            ..Table::default()
        };
        table.put(names, &rows, &mut HashMap::new());
        table
    }

    fn write_clusters(
        table: &Table,
        known: &Known,
        folder: &Path,
        settings: &ClusterSettings,
    ) -> Result<Styles, ClusterError> {
        let clustering = cluster(&mut table.clone(), known, read(folder).as_ref(), settings)?;
        clustering.write(folder, table)?;
        Ok(clustering.styles)
    }

    #[test]
    fn most_presets_keep_their_cluster_when_a_tenth_is_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut all, none) = (table(660, 3), Known::default());
        let whole = all.clone();
        all.ids.truncate(600);
        all.keys.truncate(600);
        all.rows = all.rows.slice(ndarray::s![..600, ..]).to_owned();
        let before = write_clusters(&all, &none, folder.path(), &settings(Some(12))).expect("clustered");
        let after = write_clusters(&whole, &none, folder.path(), &settings(Some(12))).expect("clustered");
        let kept =
            before.members.iter().filter(|(id, cluster)| after.members.get(*id) == Some(cluster)).count();
        assert!(kept >= 540, "{kept} of 600 presets kept their cluster");
        assert_eq!(after.members.len(), 660);
    }

    #[test]
    fn equal_bakes_give_equal_files() {
        let folders = [1, 2].map(|_| tempfile::tempdir().expect("a folder"));
        let facts = |row: u16| FrameMetrics {
            motion: Some(f32::from(row)),
            band_class: (row > 200).then_some(BandClass::High),
            ..FrameMetrics::default()
        };
        let frames = (0..300).map(|row| (format!("a/{row} - x{}.milk", row % 12), facts(row))).collect();
        let frames = Known { frames, ..Known::default() };
        for folder in &folders {
            write_clusters(&table(300, 9), &frames, folder.path(), &settings(None)).expect("clustered");
        }
        for name in [STYLES_FILE, INDEX_V0, INDEX_V1, POLICY_V0] {
            let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(name)).expect("written");
            assert_eq!(read(&folders[0]), read(&folders[1]), "{name}");
        }
        let index = std::fs::read_to_string(folders[0].path().join(INDEX_V1)).expect("written");
        for energy in ["calm", "groove", "peak"] {
            assert!(index.contains(&format!("energy:{energy}")));
        }
        assert_eq!(index.matches("band:high").count(), 99);
    }

    #[test]
    fn unreadable_styles_and_policies_are_neither_lost_nor_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let previous = || std::fs::read_to_string(folder.join(PREVIOUS)).ok();
        std::fs::write(folder.join(STYLES_FILE), "1").expect("written");
        save_previous(folder).expect("saved");
        std::fs::remove_file(folder.join(STYLES_FILE)).expect("removed");
        std::fs::create_dir(folder.join(STYLES_FILE)).expect("a folder cannot be read as a file");
        save_previous(folder).expect_err("unreadable");
        assert_eq!(previous().as_deref(), Some("1"));
        std::fs::remove_dir(folder.join(STYLES_FILE)).expect("removed");
        save_previous(folder).expect("nothing to save");
        assert_eq!(previous(), None);
        std::fs::write(folder.join(POLICY_V0), "{").expect("written");
        index_by_names(std::iter::once(("a.milk", "Geiss - storm")), folder, "test", "").expect("written");
        assert_eq!(std::fs::read_to_string(folder.join(POLICY_V0)).expect("there"), "{");
    }

    #[test]
    fn a_library_of_one_preset_has_one_cluster() {
        let folder = tempfile::tempdir().expect("a folder");
        let styles = write_clusters(&table(1, 1), &Known::default(), folder.path(), &settings(None))
            .expect("clustered");
        assert_eq!(styles.clusters.len(), 1);
        assert_eq!(reduced(8, 1), "8 clusters requested for 1 preset; using at most 1");
        let none = write_clusters(&Table::default(), &Known::default(), folder.path(), &settings(None));
        assert!(matches!(none, Err(ClusterError::Empty)));
    }
}
