//! Names of presets, as used in manifests, blacklists and indexes.

use std::borrow::Cow;

use crate::library::numbers::{NumberMap, hash_text};

/// A map from all names of a library's presets to catalogue indices. Names are stored as 64-bit hashes;
/// collisions are negligible.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    indices: NumberMap<u64, u32>,
}

impl NameTable {
    /// Creates an empty table with capacity for `count` names.
    pub fn for_presets(count: usize) -> Self {
        let mut indices = NumberMap::default();
        indices.reserve(count);
        Self { indices }
    }

    /// Adds a name. If several presets have the same name, it refers to the first one added.
    pub fn add(&mut self, name: &str, index: usize) {
        self.add_hash(name_hash(name), index);
    }

    /// Adds the name with this hash.
    pub(in crate::library) fn add_hash(&mut self, number: u64, index: usize) {
        self.indices.entry(number).or_insert(index as u32);
    }

    /// Returns the index of the preset with this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.index_of_hash(name_hash(name))
    }

    /// Returns the index of the preset with this name hash.
    pub(in crate::library) fn index_of_hash(&self, number: u64) -> Option<usize> {
        self.indices.get(&number).map(|&index| index as usize)
    }

    /// Replaces every index with the one in `new_indices`; drops the names of removed presets.
    pub fn reindex(&mut self, new_indices: &[Option<u32>]) {
        self.indices.retain(|_, index| match new_indices[*index as usize] {
            Some(now) => {
                *index = now;
                true
            }
            None => false,
        });
    }
}

/// Normalises a name: removes a leading `./` or `/presets/`, and converts backslashes to forward slashes.
fn tidy(name: &str) -> Cow<'_, str> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let name = name.strip_prefix("/presets/").unwrap_or(name);
    if name.contains('\\') { Cow::Owned(name.replace('\\', "/")) } else { Cow::Borrowed(name) }
}

/// Normalises a name and returns its hash.
pub(in crate::library) fn name_hash(name: &str) -> u64 {
    hash_text(&tidy(name))
}
