//! Giving presets the style an index says they have.

use std::borrow::Cow;
use std::collections::HashMap;

use super::compact::{CompactEntry, CompactIndex};
use super::index::{IndexCluster, IndexVersion};
use crate::library::numbers::{NumberMap, number_of};
use crate::library::{Catalogue, Cluster, StyleOrigin};

/// Most styles a show chooses among. An index by names has a style for each author; those with the fewest presets share
/// one.
const MAX_CLUSTERS: usize = 256;
/// The key of the style for presets an index does not name, or names as one of too many.
const OTHERS: &str = "others";

/// Everything the presets of a library are called in files, and where each is in the catalogue. Names are kept as numbers
/// of 64 bits: two that share one would have to be looked for.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    places: NumberMap<u64, u32>,
}

impl NameTable {
    /// An empty table with room for the names of so many presets.
    pub fn for_presets(count: usize) -> Self {
        let mut places = NumberMap::default();
        places.reserve(count);
        Self { places }
    }

    /// Adds a name; the first preset of a name keeps it.
    pub fn add(&mut self, name: &str, place: usize) {
        self.add_number(name_number(name), place);
    }

    /// Adds the name of this number.
    pub(in crate::library) fn add_number(&mut self, number: u64, place: usize) {
        self.places.entry(number).or_insert(place as u32);
    }

    /// The place of the preset with this name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.place_of(name_number(name))
    }

    /// The place of the preset with the name of this number.
    pub(in crate::library) fn place_of(&self, number: u64) -> Option<usize> {
        self.places.get(&number).map(|&place| place as usize)
    }

    /// Follows presets to their new places; those that have none are forgotten.
    pub fn moved(&mut self, place_now: &[Option<u32>]) {
        self.places.retain(|_, place| match place_now[*place as usize] {
            Some(now) => {
                *place = now;
                true
            }
            None => false,
        });
    }
}

/// A name as all files write it: forward slashes, nothing before the path.
fn tidy(name: &str) -> Cow<'_, str> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let name = name.strip_prefix("/presets/").unwrap_or(name);
    if name.contains('\\') { Cow::Owned(name.replace('\\', "/")) } else { Cow::Borrowed(name) }
}

/// The number of a name, however files write it.
pub(in crate::library) fn name_number(name: &str) -> u64 {
    number_of(&tidy(name))
}

/// How well an index fits a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Presets that got their style from the index.
    pub styled: usize,
    /// Presets of the library the index does not name.
    pub unnamed: usize,
    /// Entries of the index whose presets are gone.
    pub gone: usize,
}

/// Gives every preset the index names its cluster, energy and band; the others share one more cluster. Nothing changes
/// when the index names none of them.
pub(in crate::library) fn apply(
    index: &CompactIndex,
    names: &NameTable,
    catalogue: &mut Catalogue,
) -> Applied {
    let found: Vec<(usize, CompactEntry)> =
        index.entries.iter().filter_map(|entry| Some((names.place_of(entry.name)?, *entry))).collect();
    let gone = index.entries.len() - found.len();
    let mut styled = vec![false; catalogue.entries.len()];
    found.iter().for_each(|(place, _)| styled[*place] = true);
    let count = styled.iter().filter(|styled| **styled).count();
    let applied = Applied { styled: count, unnamed: styled.len() - count, gone };
    if count == 0 {
        return applied;
    }
    let (clusters, place_of) = clusters(index, &found, applied.unnamed > 0);
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
    for (place, said) in found {
        let entry = &mut catalogue.entries[place];
        entry.cluster = place_of[said.key as usize].unwrap_or(others);
        entry.energy = said.energy;
        entry.tags.0 |= said.tags.0;
    }
    applied
}

/// The clusters in order of their keys, and for every key of the index the place of its cluster, if it has one of its own.
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
    let told: HashMap<&str, &IndexCluster> =
        index.clusters.iter().map(|cluster| (cluster.id.as_str(), cluster)).collect();
    let cluster = |key: &str| {
        let told = told.get(key);
        let name = told.map(|cluster| cluster.label.as_str()).filter(|label| !label.is_empty());
        Cluster {
            key: key.to_owned(),
            name: name.unwrap_or(key).to_owned(),
            centroid: told.map_or_else(Vec::new, |cluster| cluster.centroid.clone()),
        }
    };
    let clusters = keys.iter().map(|(key, _)| cluster(key)).collect();
    let place = |key: &String| keys.binary_search_by(|(known, _)| (*known).cmp(key)).ok().map(|at| at as u16);
    (clusters, index.keys.iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::style::{IndexEntry, by_name};
    use crate::library::{Energy, Tag};

    fn built_in() -> (Catalogue, NameTable) {
        let catalogue = Catalogue::built_in();
        let mut names = NameTable::default();
        catalogue.entries.iter().enumerate().for_each(|(place, entry)| names.add(&entry.path, place));
        (catalogue, names)
    }

    #[test]
    fn an_index_decides_and_says_what_is_gone() {
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
    fn an_index_of_another_library_changes_nothing() {
        let (mut catalogue, names) = built_in();
        let before = catalogue.clusters.clone();
        let index = by_name([("elsewhere.milk", "A - b")], "pack", "");
        assert_eq!(apply(&CompactIndex::of(&index), &names, &mut catalogue).styled, 0);
        assert_eq!((&catalogue.clusters, catalogue.origin), (&before, StyleOrigin::Tags));
    }

    #[test]
    fn too_many_authors_share_a_style() {
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
