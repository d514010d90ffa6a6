//! Applies a style index to a catalogue.

use std::collections::HashMap;

use super::compact::{CompactEntry, CompactIndex};
use super::index::{IndexCluster, IndexVersion};
use super::name_table::NameTable;
use crate::library::{Catalogue, Cluster, StyleOrigin};

/// Maximum number of styles. If an index has more, such as one built from names, with one style per author,
/// the smallest are merged into [`OTHERS`].
const MAX_CLUSTERS: usize = 256;
/// Key of the style for presets that the index does not list, or whose style was merged.
const OTHERS: &str = "others";

/// How well an index matched a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Number of presets that the index lists.
    pub styled: usize,
    /// Number of presets that the index does not list.
    pub unnamed: usize,
    /// Number of index entries whose presets are missing.
    pub gone: usize,
}

/// Sets the cluster and energy of every preset listed in the index and adds the listed tags; the other
/// presets share one additional cluster. Changes nothing if the index lists none of the presets.
pub(in crate::library) fn apply(
    index: &CompactIndex,
    names: &NameTable,
    catalogue: &mut Catalogue,
) -> Applied {
    let found: Vec<(usize, CompactEntry)> =
        index.entries.iter().filter_map(|entry| Some((names.index_of_hash(entry.name)?, *entry))).collect();
    let gone = index.entries.len() - found.len();
    let mut styled = vec![false; catalogue.entries.len()];
    found.iter().for_each(|(preset, _)| styled[*preset] = true);
    let count = styled.iter().filter(|styled| **styled).count();
    let applied = Applied { styled: count, unnamed: styled.len() - count, gone };
    if count == 0 {
        return applied;
    }
    let (clusters, cluster_of_key) = clusters(index, &found, applied.unnamed > 0);
    let others = clusters.iter().position(|cluster| cluster.key == OTHERS).unwrap_or_default() as u16;
    catalogue.clusters = clusters;
    catalogue.space.clone_from(&index.space);
    catalogue.origin = match index.version {
        IndexVersion::V0 => StyleOrigin::V0,
        IndexVersion::V1 => StyleOrigin::V1,
    };
    for entry in &mut catalogue.entries {
        entry.cluster = others;
    }
    for (preset, listed) in found {
        let entry = &mut catalogue.entries[preset];
        entry.cluster = cluster_of_key[listed.key as usize].unwrap_or(others);
        entry.energy = listed.energy;
        entry.tags.0 |= listed.tags.0;
    }
    applied
}

/// Returns the clusters ordered by key, and the cluster index of every key of the style index; `None` for
/// keys that are merged or unused.
fn clusters(
    index: &CompactIndex,
    found: &[(usize, CompactEntry)],
    unnamed: bool,
) -> (Vec<Cluster>, Vec<Option<u16>>) {
    let mut sizes = vec![0_usize; index.keys.len()];
    found.iter().for_each(|(_, entry)| sizes[entry.key as usize] += 1);
    let mut keys: Vec<(&str, usize)> = index.keys.iter().map(String::as_str).zip(sizes).collect();
    keys.retain(|(_, size)| *size > 0);
    keys.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let dropped = keys.len() > MAX_CLUSTERS;
    keys.truncate(MAX_CLUSTERS - usize::from(dropped || unnamed));
    if (dropped || unnamed) && keys.iter().all(|(key, _)| *key != OTHERS) {
        keys.push((OTHERS, 0));
    }
    keys.sort();
    let known: HashMap<&str, &IndexCluster> =
        index.clusters.iter().map(|cluster| (cluster.id.as_str(), cluster)).collect();
    let cluster = |key: &str| {
        let known = known.get(key);
        let name = known.map(|cluster| cluster.label.as_str()).filter(|label| !label.is_empty());
        Cluster {
            key: key.to_owned(),
            name: name.unwrap_or(key).to_owned(),
            centroid: known.map_or_else(Vec::new, |cluster| cluster.centroid.clone()),
        }
    };
    let clusters = keys.iter().map(|(key, _)| cluster(key)).collect();
    let cluster_index =
        |key: &String| keys.binary_search_by(|(known, _)| (*known).cmp(key)).ok().map(|at| at as u16);
    (clusters, index.keys.iter().map(cluster_index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Energy, Tag};
    use crate::library::style::{IndexEntry, by_name};

    fn built_in() -> (Catalogue, NameTable) {
        let catalogue = Catalogue::built_in();
        let mut names = NameTable::default();
        catalogue.entries.iter().enumerate().for_each(|(preset, entry)| names.add(&entry.path, preset));
        (catalogue, names)
    }

    #[test]
    fn an_index_sets_styles_and_reports_missing_presets() {
        let (mut catalogue, names) = built_in();
        let path = catalogue.entries[0].path.replace('/', "\\");
        let mut index = by_name([], "pack", "");
        index.version = IndexVersion::V1;
        index.entries = vec![
            IndexEntry::of_cluster(path, "c03", Energy::Peak, Some("low")),
            IndexEntry::of_cluster("gone.milk".into(), "c01", Energy::Calm, None),
        ];
        let applied = apply(&CompactIndex::of(&index), &names, &mut catalogue);
        assert_eq!(applied, Applied { styled: 1, unnamed: catalogue.entries.len() - 1, gone: 1 });
        let keys: Vec<_> = catalogue.clusters.iter().map(|cluster| cluster.key.as_str()).collect();
        assert_eq!((keys, catalogue.origin), (vec!["c03", "others"], StyleOrigin::V1));
        let entry = &catalogue.entries[0];
        assert_eq!((entry.cluster, entry.energy, entry.tags.has(Tag::BandLow)), (0, Energy::Peak, true));
        assert_eq!(catalogue.entries[1].cluster, 1);
    }

    #[test]
    fn an_index_of_another_library_is_ignored() {
        let (mut catalogue, names) = built_in();
        let before = catalogue.clusters.clone();
        let index = by_name([("elsewhere.milk", "A - b")], "pack", "");
        assert_eq!(apply(&CompactIndex::of(&index), &names, &mut catalogue).styled, 0);
        assert_eq!((&catalogue.clusters, catalogue.origin), (&before, StyleOrigin::Scene));
    }

    #[test]
    fn excess_styles_are_merged() {
        let mut catalogue = Catalogue::built_in();
        let first = catalogue.entries[0].clone();
        catalogue.entries = (0..600).map(|_| first.clone()).collect();
        let mut names = NameTable::default();
        let labels: Vec<String> = (0..600).map(|at| format!("author {:03} - x", at % 400)).collect();
        labels.iter().enumerate().for_each(|(at, _)| names.add(&at.to_string(), at));
        let ids: Vec<String> = (0..600).map(|at| at.to_string()).collect();
        let pairs = ids.iter().map(String::as_str).zip(labels.iter().map(String::as_str));
        apply(&CompactIndex::of(&by_name(pairs, "pack", "")), &names, &mut catalogue);
        assert_eq!(catalogue.clusters.len(), MAX_CLUSTERS);
        assert!(catalogue.clusters.iter().any(|cluster| cluster.key == OTHERS));
    }
}
