//! A compact style index for opening a library, with hashes instead of names, and each style key stored only
//! once. Index files are parsed directly into it without allocating a string per word, which saves time with
//! 100,000 presets.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::index::{IndexCluster, IndexVersion, StyleIndex};
use super::name_table::name_hash;
use crate::disk::{self, FileError};
use crate::facts::{Energy, Tag, Tags};
use crate::library::numbers::Word;

/// A compact style index.
#[derive(Clone, Debug, PartialEq)]
pub struct CompactIndex {
    /// Version of the file.
    pub version: IndexVersion,
    /// The presets in the index.
    pub entries: Vec<CompactEntry>,
    /// Keys of the styles.
    pub keys: Vec<String>,
    /// Label, size and centroid of each style, where the file lists them.
    pub clusters: Vec<IndexCluster>,
    /// Name of the embedding space of the centroids.
    pub space: String,
}

/// A preset of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactEntry {
    /// Hash of the preset's name.
    pub name: u64,
    /// Index of the preset's style key in [`CompactIndex::keys`].
    pub key: u32,
    /// Energy of the preset.
    pub energy: Energy,
    /// Look tags of the preset.
    pub tags: Tags,
}

impl CompactIndex {
    /// Reads an index file of the given version; see [`StyleIndex::parse`].
    pub fn read(path: &Path, version: IndexVersion) -> Result<Self, FileError> {
        let text = disk::read_text(path, disk::limit::LIST).map_err(|error| FileError::new(path, &error))?;
        // The canonical form is parsed directly.
        if let Ok(index) = serde_json::from_str::<CanonicalFile>(&text)
            && index.version == version
            && index.entries.iter().all(|entry| !entry.preset_id.is_empty() && !entry.author_key.is_empty())
        {
            return Ok(index.compact());
        }
        let index = StyleIndex::parse(text.as_bytes(), version).map_err(|why| FileError::new(path, &why))?;
        Ok(Self::of(&index))
    }

    /// Converts a style index.
    pub fn of(index: &StyleIndex) -> Self {
        let mut keys = Keys::default();
        let compact = |entry: &super::index::IndexEntry| CompactEntry {
            name: name_hash(&entry.preset_id),
            key: keys.index_of(entry.cluster().unwrap_or(&entry.author_key)),
            energy: entry.energy,
            tags: entry.tags.iter().filter_map(|word| Tag::of(word)).collect(),
        };
        let entries = index.entries.iter().map(compact).collect();
        let (clusters, space) = (index.clusters.clone(), index.space.clone());
        Self { version: index.version, entries, keys: keys.list, clusters, space }
    }
}

/// Style keys without duplicates.
#[derive(Default)]
struct Keys {
    indices: HashMap<String, u32>,
    list: Vec<String>,
}

impl Keys {
    fn index_of(&mut self, key: &str) -> u32 {
        if let Some(&index) = self.indices.get(key) {
            return index;
        }
        let index = self.list.len() as u32;
        self.indices.insert(key.to_owned(), index);
        self.list.push(key.to_owned());
        index
    }
}

/// The canonical form of an index; strings are borrowed from the file.
#[derive(serde::Deserialize)]
struct CanonicalFile<'a> {
    version: IndexVersion,
    #[serde(borrow)]
    entries: Vec<CanonicalEntry<'a>>,
    #[serde(default)]
    clusters: Vec<IndexCluster>,
    #[serde(default)]
    space: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct CanonicalEntry<'a> {
    #[serde(borrow)]
    preset_id: Cow<'a, str>,
    #[serde(borrow)]
    author_key: Cow<'a, str>,
    energy: Energy,
    #[serde(borrow, default)]
    tags: Words<'a>,
}

impl CanonicalFile<'_> {
    fn compact(self) -> CompactIndex {
        let mut keys = Keys::default();
        let compact = |entry: &CanonicalEntry| CompactEntry {
            name: name_hash(&entry.preset_id),
            key: keys.index_of(entry.tags.cluster.as_deref().unwrap_or(&entry.author_key)),
            energy: entry.energy,
            tags: entry.tags.known,
        };
        let entries = self.entries.iter().map(compact).collect();
        let (clusters, space) = (self.clusters, self.space);
        CompactIndex { version: self.version, entries, keys: keys.list, clusters, space }
    }
}

/// The tags of an entry: the first `cluster:` tag, and the known look tags.
#[derive(Default)]
struct Words<'a> {
    cluster: Option<Cow<'a, str>>,
    known: Tags,
}

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Words<'de>;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("a list of tags")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words<'de>, A::Error> {
                let mut words = Words::default();
                while let Some(Word(word)) = list.next_element::<Word<'de>>()? {
                    if let Some(tag) = Tag::of(&word) {
                        words.known.insert(tag);
                    } else if words.cluster.is_none() {
                        words.cluster = match word {
                            Cow::Borrowed(word) => word.strip_prefix("cluster:").map(Cow::Borrowed),
                            Cow::Owned(word) => {
                                word.strip_prefix("cluster:").map(|key| Cow::Owned(key.to_owned()))
                            }
                        };
                    }
                }
                Ok(words)
            }
        }
        from.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::style::by_name;

    #[test]
    fn both_parsers_agree() {
        let labels = ["Geiss - slow bass rain", "Rovastar - \u{fc}ber \"fire\"", "nobody"];
        let ids = ["a/one.milk", "b\\two \u{e9}.milk", "three.milk"];
        let mut index = by_name(ids.into_iter().zip(labels), "pack", "");
        index.entries[0].tags.extend([
            "cluster:c07".to_owned(),
            "cluster:c08".to_owned(),
            "liquid".to_owned(),
        ]);
        index.space = "s".into();
        index.clusters = vec![IndexCluster { id: "c07".into(), label: "x".into(), ..Default::default() }];
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.json");
        index.write(&path).expect("written");
        let compact = CompactIndex::read(&path, IndexVersion::V0).expect("read");
        assert_eq!(compact, CompactIndex::of(&index));
        assert_eq!(compact.keys[compact.entries[0].key as usize], "c07");
        assert!(compact.entries[0].tags.has(Tag::Liquid) && compact.entries[0].tags.has(Tag::BandLow));
        assert!(CompactIndex::read(&path, IndexVersion::V1).is_err(), "another version");
        // An entry with an unknown energy is skipped.
        let text = std::fs::read_to_string(&path).expect("text").replacen(
            "\"energy\":\"peak\"",
            "\"energy\":\"furious\"",
            1,
        );
        std::fs::write(&path, text).expect("written");
        assert_eq!(CompactIndex::read(&path, IndexVersion::V0).expect("read").entries.len(), 2);
    }
}
