//! Presets that look alike, gathered into styles the director can steer by.
//!
//! Reads the embeddings, never a preset. Writes `clusters.v0.json`, the style index in both versions and the policy.

mod energy;
pub mod kmeans;
mod map;
mod matching;
mod names;

use std::collections::HashMap;
use std::path::Path;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::embed::Table;
use crate::frames::{BandClass, FrameMetrics};
use crate::jobs::files;
use crate::library::Energy;
use crate::library::looks::{LookMap, MAP_FILE};
use crate::library::style::{
    self, INDEX_V0, INDEX_V1, IndexCluster, IndexEntry, IndexVersion, NameFacts, POLICY_V0, StyleIndex,
    StylePolicy,
};
use crate::units::Rng;

/// Fewest clusters worth having.
pub const MIN_CLUSTERS: usize = 8;
/// Most clusters the ids have room for on the desk.
pub const MAX_CLUSTERS: usize = 256;
/// Rows beyond which mini-batches are used.
const LARGE: usize = 200_000;
/// Passes over all presets at most, where nobody says otherwise.
pub const PASSES: usize = 30;
/// Most central presets told of a cluster.
const CENTRAL: usize = 12;

/// How presets are gathered.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// Clusters wanted; suggested from the size of the library without.
    pub count: Option<usize>,
    /// Decides everything random.
    pub seed: u64,
    /// Threads at work.
    pub threads: usize,
    /// The name of the pack.
    pub pack: String,
    /// Now, as written in files.
    pub at: String,
    /// How centres are found; by the size of the library without.
    pub method: Option<Method>,
    /// Passes over all presets at most.
    pub passes: usize,
}

/// How centres are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// Lloyd's iterations over all presets.
    Lloyd,
    /// Mini-batches: less exact, for very large libraries.
    MiniBatch,
}

/// One style as told in `clusters.v0.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterStyle {
    /// `c07`.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Presets in it.
    pub count: usize,
    /// Words typical of it.
    pub words: Vec<String>,
    /// Presets nearest its centre, nearest first.
    pub central: Vec<String>,
    /// Presets by energy: calm, groove, peak.
    pub energies: [usize; 3],
    /// Where its centre lies.
    pub centroid: Vec<f32>,
}

/// The styles of a library: `clusters.v0.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Styles {
    /// `v0`.
    pub version: String,
    /// When.
    #[serde(rename = "generatedAt")]
    pub generated_at: String,
    /// The name of the pack.
    pub pack: String,
    /// What the rows were made by; centres of another model are not comparable.
    pub model: String,
    /// Decided everything random.
    pub seed: u64,
    /// Sum of squared distances to the centres.
    pub inertia: f64,
    /// The styles, in order of their id.
    pub clusters: Vec<ClusterStyle>,
    /// Id number of every preset's style.
    pub members: HashMap<String, u32>,
}

/// Why there are no clusters.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Nothing to gather.
    #[error("there are no embeddings in the folder; run the embed stage first")]
    Empty,
    /// A file cannot be written.
    #[error("{0}; the index of earlier nights is untouched")]
    Write(String),
}

/// So many clusters suit a library of this size: one for each pair of presets' square root, within bounds.
pub fn suggested(presets: usize) -> usize {
    (((presets as f64 / 2.0).sqrt()).round() as usize).clamp(MIN_CLUSTERS, MAX_CLUSTERS).min(presets.max(1))
}

/// A library gathered into styles, ready to be written.
pub struct Clustering {
    /// The styles.
    pub styles: Styles,
    energies: Vec<Energy>,
    bands: Vec<Option<BandClass>>,
    map: LookMap,
}

/// Gathers the rows of `table`. `frames` tell what is known of each preset's frames. `old` are the styles whose ids live
/// on.
pub fn gather(
    table: &Table,
    frames: &HashMap<String, FrameMetrics>,
    old: Option<&Styles>,
    settings: &ClusterSettings,
) -> Result<Clustering, ClusterError> {
    if table.ids.is_empty() {
        return Err(ClusterError::Empty);
    }
    let rows = unit_rows(&table.rows);
    let wanted = settings.count.unwrap_or_else(|| match old {
        Some(old) if grown_little(old, table) => old.clusters.len(),
        _ => suggested(rows.nrows()),
    });
    let count = wanted.clamp(1, MAX_CLUSTERS).min(rows.nrows());
    let mut rng = Rng::new(settings.seed);
    let by_size = if rows.nrows() > LARGE { Method::MiniBatch } else { Method::Lloyd };
    let method = settings.method.unwrap_or(by_size);
    let per_centre = match method {
        Method::MiniBatch => kmeans::QUICK,
        Method::Lloyd => kmeans::CAREFUL,
    };
    // Beginning where the last night ended keeps clusters where they are.
    let start = old.and_then(|old| centres_of(old, table, count));
    let start = start.unwrap_or_else(|| kmeans::first_centres(rows.view(), count, per_centre, &mut rng));
    let found = match method {
        Method::MiniBatch => kmeans::mini_batch(rows.view(), start, 2, &mut rng, settings.threads),
        Method::Lloyd => kmeans::lloyd(rows.view(), start, settings.passes, settings.threads),
    };
    let nobody = HashMap::new();
    let members = table.ids.iter().map(String::as_str).zip(found.labels.iter().copied());
    let ids = matching::ids(old.map_or(&nobody, |old| &old.members), members, count);
    let motion: Vec<Option<f32>> =
        table.ids.iter().map(|id| frames.get(id).map(|facts| facts.motion)).collect();
    let bands = table.ids.iter().map(|id| frames.get(id).and_then(|facts| facts.band_class)).collect();
    let energies = energy::energies(&motion, &table.ids);
    let styles = tell(table, &found, &ids, &energies, settings);
    let map = map::draw(&table.ids, rows.view(), &found, &ids, &settings.at);
    Ok(Clustering { styles, energies, bands, map })
}

impl Clustering {
    /// Writes the styles, the map, both indexes and the policy into `folder`. The newest index comes last: who watches
    /// it finds the others in place.
    pub fn write(&self, folder: &Path, table: &Table) -> Result<(), ClusterError> {
        let put = |name: &str, bytes: Result<Vec<u8>, String>| {
            bytes
                .and_then(|bytes| files::write_whole(&folder.join(name), &bytes))
                .map_err(ClusterError::Write)
        };
        put(MAP_FILE, serde_json::to_vec(&self.map).map_err(|error| error.to_string()))?;
        put(CLUSTERS, sorted_json(&self.styles))?;
        let Styles { pack, generated_at, clusters, members, .. } = &self.styles;
        let clusters = clusters.iter().map(|style| IndexCluster {
            id: style.id.clone(),
            label: style.label.clone(),
            count: style.count,
            centroid: style.centroid.clone(),
        });
        let facts = table.ids.iter().zip(&self.energies).zip(&self.bands);
        let mut entries: Vec<IndexEntry> = facts
            .filter_map(|((id, &energy), band)| {
                let cluster = cluster_key(*members.get(id)?);
                // What the picture answers to, or else what the name speaks of.
                let band = band.map(BandClass::word).or_else(|| NameFacts::of(id).band);
                Some(IndexEntry::of_cluster(id.clone(), &cluster, energy, band))
            })
            .collect();
        entries.sort_by(|a, b| a.preset_id.cmp(&b.preset_id));
        index_by_names(&table.ids, folder, pack, generated_at)?;
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

/// The styles written in this folder; nothing where there are none that can be read.
pub fn read(folder: &Path) -> Option<Styles> {
    read_file(&folder.join(CLUSTERS))
}

/// The styles that were set aside when this night began.
pub(super) fn before(folder: &Path) -> Option<Styles> {
    read_file(&folder.join(BEFORE))
}

/// Sets the styles of this folder aside, for a night that begins.
pub(super) fn set_aside(folder: &Path) -> Result<(), String> {
    match std::fs::read(folder.join(CLUSTERS)) {
        Ok(bytes) => files::write_whole(&folder.join(BEFORE), &bytes),
        Err(_) => {
            std::fs::remove_file(folder.join(BEFORE)).ok(); // Most often there is none.
            Ok(())
        }
    }
}

fn read_file(path: &Path) -> Option<Styles> {
    let bytes = std::fs::read(path).ok()?;
    match serde_json::from_slice(&bytes) {
        Ok(styles) => Some(styles),
        Err(error) => {
            log::warn!("{} cannot be used ({error}); clusters get new ids", path.display());
            None
        }
    }
}

const CLUSTERS: &str = "clusters.v0.json";
const BEFORE: &str = "clusters.before.v0.json";

/// Whether the number of clusters of last time still suits.
fn grown_little(old: &Styles, table: &Table) -> bool {
    let (before, now) = (old.members.len(), table.ids.len());
    now < before * 3 / 2 && now > before / 2
}

fn centres_of(old: &Styles, table: &Table, count: usize) -> Option<Array2<f32>> {
    let width = table.rows.ncols();
    let fits = old.model == table.maker.model
        && old.clusters.len() == count
        && old.clusters.iter().all(|style| style.centroid.len() == width);
    let cells = || old.clusters.iter().flat_map(|style| style.centroid.iter().copied()).collect();
    fits.then(|| Array2::from_shape_vec((count, width), cells()).ok()).flatten()
}

/// Rows of unit length: what counts is the direction.
fn unit_rows(rows: &Array2<f32>) -> Array2<f32> {
    let mut rows = rows.clone();
    for mut row in rows.axis_iter_mut(Axis(0)) {
        let length = row.dot(&row).sqrt();
        if length > 0.0 {
            row /= length;
        }
    }
    rows
}

fn tell(
    table: &Table,
    found: &kmeans::Assignment,
    ids: &[u32],
    energies: &[Energy],
    settings: &ClusterSettings,
) -> Styles {
    let names = names::names(&table.ids, &found.labels, energies, ids.len());
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
    clusters.sort_by(|a, b| a.id.len().cmp(&b.id.len()).then_with(|| a.id.cmp(&b.id)));
    let members = table.ids.iter().zip(&found.labels).map(|(id, &label)| (id.clone(), ids[label as usize]));
    Styles {
        version: "v0".into(),
        generated_at: settings.at.clone(),
        pack: settings.pack.clone(),
        model: table.maker.model.clone(),
        seed: settings.seed,
        inertia: found.inertia(),
        clusters,
        members: members.collect(),
    }
}

/// `c07` for 7.
pub fn cluster_key(id: u32) -> String {
    format!("c{id:02}")
}

/// JSON with map keys in order, so that equal nights give equal files.
fn sorted_json(value: &impl Serialize) -> Result<Vec<u8>, String> {
    let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
    serde_json::to_vec(&value).map_err(|error| error.to_string())
}

/// Writes the policy and a style index for presets whose pictures nobody has seen: energies and authors by name.
pub fn index_by_names(ids: &[String], folder: &Path, pack: &str, at: &str) -> Result<(), ClusterError> {
    let failed = |error: crate::library::whole_file::FileError| ClusterError::Write(error.to_string());
    // What somebody has set there stays.
    let set = StylePolicy::read(&folder.join(POLICY_V0)).unwrap_or_default();
    let policy = StylePolicy { generated_at: at.to_owned(), pack: pack.to_owned(), ..set };
    policy.write(&folder.join(POLICY_V0)).map_err(failed)?;
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    let index = style::by_name(ids.into_iter().map(|id| (id, id)), pack, at);
    index.write(&folder.join(INDEX_V0)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::EmbedderId;

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

    /// Presets round twelve directions, with noise.
    fn table(presets: usize, seed: u64) -> Table {
        let mut rng = Rng::new(seed);
        let rows = Array2::from_shape_fn((presets, 24), |(row, column)| {
            let on = if row * 7 % 12 == column % 12 { 1.0 } else { 0.0 };
            (on + 0.15 * rng.normal()) as f32
        });
        let names =
            (0..presets).map(|row| (format!("a/{row} - x{}.milk", row % 12), "key".to_owned())).collect();
        let mut table =
            Table { maker: EmbedderId { model: "m".into(), ..EmbedderId::default() }, ..Table::default() };
        table.put(names, &rows, &mut HashMap::new());
        table
    }

    fn cluster(
        table: &Table,
        frames: &HashMap<String, FrameMetrics>,
        folder: &Path,
        settings: &ClusterSettings,
    ) -> Result<Styles, ClusterError> {
        let gathered = gather(table, frames, read(folder).as_ref(), settings)?;
        gathered.write(folder, table)?;
        Ok(gathered.styles)
    }

    #[test]
    fn most_presets_keep_their_cluster_when_a_tenth_is_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut all, none) = (table(660, 3), HashMap::new());
        let whole = all.clone();
        all.ids.truncate(600);
        all.keys.truncate(600);
        all.rows = all.rows.slice(ndarray::s![..600, ..]).to_owned();
        let before = cluster(&all, &none, folder.path(), &settings(Some(12))).expect("clustered");
        let after = cluster(&whole, &none, folder.path(), &settings(Some(12))).expect("clustered");
        let kept =
            before.members.iter().filter(|(id, cluster)| after.members.get(*id) == Some(cluster)).count();
        assert!(kept >= 540, "{kept} of 600 presets kept their cluster");
        assert_eq!(after.members.len(), 660);
    }

    #[test]
    fn equal_nights_give_equal_files() {
        let folders = [1, 2].map(|_| tempfile::tempdir().expect("a folder"));
        let facts = |row: u16| FrameMetrics {
            motion: f32::from(row),
            band_class: (row > 200).then_some(BandClass::High),
            ..FrameMetrics::default()
        };
        let frames = (0..300).map(|row| (format!("a/{row} - x{}.milk", row % 12), facts(row))).collect();
        for folder in &folders {
            cluster(&table(300, 9), &frames, folder.path(), &settings(None)).expect("clustered");
        }
        for name in [CLUSTERS, INDEX_V0, INDEX_V1, POLICY_V0] {
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
    fn a_library_of_one_preset_has_one_cluster() {
        let folder = tempfile::tempdir().expect("a folder");
        let styles =
            cluster(&table(1, 1), &HashMap::new(), folder.path(), &settings(None)).expect("clustered");
        assert_eq!(styles.clusters.len(), 1);
        let none = cluster(&Table::default(), &HashMap::new(), folder.path(), &settings(None));
        assert!(matches!(none, Err(ClusterError::Empty)));
    }
}
