//! Styles by visual element, from the source of the presets alone: no audit, frames or embeddings are needed.

use std::path::Path;

use super::{ClusterError, cluster_key};
use crate::facts::{PresetFacts, Tag};
use crate::frames::BakeItem;
use crate::library::PresetSource;
use crate::library::style::{INDEX_V1, IndexCluster, IndexEntry, IndexVersion, NameFacts, StyleIndex};

/// The elements that name a style, in the order of the style IDs. One more style contains the presets without
/// any of them.
const ELEMENTS: [Tag; 7] =
    [Tag::Wave, Tag::Liquid, Tag::Line, Tag::Dots, Tag::Abstract, Tag::Vectors, Tag::Geometric];

/// Name of the style of presets without any element.
const OTHER: &str = "other";

/// Writes a v1 style index with one style per visual element. A preset belongs to the rarest of its elements: nearly
/// every preset has a wave, but in those with dots, the dots stand out. Returns the name and size of every style.
pub fn index_by_elements(
    items: &[BakeItem],
    folder: &Path,
    pack: &str,
    at: &str,
) -> Result<Vec<(String, usize)>, ClusterError> {
    let facts: Vec<PresetFacts> = items.iter().map(facts_of).collect();
    let mut counts = [0_usize; ELEMENTS.len()];
    for facts in &facts {
        for (count, tag) in counts.iter_mut().zip(ELEMENTS) {
            *count += usize::from(facts.tags.has(tag));
        }
    }
    let style = |facts: &PresetFacts| {
        let own = (0..ELEMENTS.len()).filter(|&element| facts.tags.has(ELEMENTS[element]));
        own.min_by_key(|&element| (counts[element], element)).unwrap_or(ELEMENTS.len())
    };
    let mut sizes = [0_usize; ELEMENTS.len() + 1];
    let mut entries: Vec<IndexEntry> = Vec::with_capacity(items.len());
    for (item, facts) in items.iter().zip(&facts) {
        let style = style(facts);
        sizes[style] += 1;
        let key = cluster_key(style as u32);
        let band = NameFacts::of(&item.below).band;
        let mut entry = IndexEntry::of_cluster(item.id.clone(), &key, facts.energy, band);
        entry.tags.extend(ELEMENTS.get(style).map(|tag| tag.word().to_owned()));
        entries.push(entry);
    }
    entries.sort_by(|a, b| a.preset_id.cmp(&b.preset_id));
    let name = |style: usize| ELEMENTS.get(style).map_or(OTHER, |tag| tag.word()).to_owned();
    let used: Vec<(usize, usize)> = (0..).zip(sizes).filter(|(_, size)| *size > 0).collect();
    let cluster = |&(style, count): &(usize, usize)| IndexCluster {
        id: cluster_key(style as u32),
        label: name(style),
        count,
        centroid: Vec::new(),
    };
    let index = StyleIndex {
        version: IndexVersion::V1,
        generated_at: at.to_owned(),
        pack: pack.to_owned(),
        entries,
        clusters: used.iter().map(cluster).collect(),
        space: String::new(),
    };
    index.write(&folder.join(INDEX_V1)).map_err(|error| ClusterError::Write(error.to_string()))?;
    Ok(used.into_iter().map(|(style, size)| (name(style), size)).collect())
}

/// Analyses a preset; one that cannot be read has no elements.
fn facts_of(item: &BakeItem) -> PresetFacts {
    let name = item.path.file_stem().unwrap_or_default().to_string_lossy();
    let bytes = PresetSource::File(item.path.clone()).read();
    bytes.map(|bytes| PresetFacts::of(&bytes, &name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::items_in;
    use crate::library::style::find_index;

    #[test]
    fn presets_are_grouped_by_their_rarest_element() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(format!("{name}.milk")), text).expect("written");
        };
        (0..5).for_each(|number| write(&format!("wave {number}"), "fWaveAlpha=0.9\nwarp=0"));
        write("dots", "fWaveAlpha=0.9\nbWaveDots=1\nwarp=0");
        write("vectors", "fWaveAlpha=0\nwarp=0\nmv_a=1\nnMotionVectorsX=12\nnMotionVectorsY=9");
        write("empty", "fWaveAlpha=0\nwarp=0");
        let items = items_in(folder.path(), None).expect("presets");
        let styles = index_by_elements(&items, folder.path(), "p", "").expect("written");
        let expected = [("wave", 5), ("dots", 1), ("vectors", 1), ("other", 1)];
        assert_eq!(styles, expected.map(|(name, size)| (name.to_owned(), size)));
        let index = find_index(folder.path()).index.expect("a valid index");
        assert_eq!((index.version, index.entries.len(), index.keys.len()), (IndexVersion::V1, 8, 4));
    }
}
