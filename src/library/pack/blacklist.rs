//! `quality-blacklist.json`: presets that an audit rejected, by path, ID or URL.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk::{self, FileError};
use crate::library::numbers::Word;
use crate::library::style::name_hash;

/// File name of the blacklist in a library or pack.
pub const BLACKLIST_FILE: &str = "quality-blacklist.json";

/// A blacklist of presets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QualityBlacklist {
    /// Format version, `v0`.
    pub version: String,
    /// Creation time, in ISO 8601 format.
    pub generated_at: String,
    /// Folder of the library that was audited.
    pub source_root: String,
    /// Paths of rejected presets, relative to `source_root`.
    pub bad_source_rel_paths: Vec<String>,
    /// Reasons for each rejection, by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bad_reasons_by_rel_path: BTreeMap<String, Vec<String>>,
    /// Paths of rejected presets, in blacklists that use this field instead of `bad_source_rel_paths`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bad_rel_paths: Vec<String>,
    /// Manifest IDs of rejected presets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bad_ids: Vec<String>,
    /// Manifest URLs of rejected presets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bad_urls: Vec<String>,
}

/// All names in a blacklist, borrowed from the file.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    #[serde(borrow, rename = "badSourceRelPaths")]
    paths: Vec<Word<'a>>,
    #[serde(borrow, rename = "badRelPaths")]
    others: Vec<Word<'a>>,
    #[serde(borrow, rename = "badIds")]
    ids: Vec<Word<'a>>,
    #[serde(borrow, rename = "badUrls")]
    urls: Vec<Word<'a>>,
}

impl QualityBlacklist {
    /// Reads a blacklist from a file.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        disk::read_json(path)
    }

    /// Reads a blacklist and returns only the hashes of its names, which are all that opening a library
    /// needs.
    pub(in crate::library) fn read_hashes(path: &Path) -> Result<Vec<u64>, FileError> {
        let text = disk::read_text(path, disk::limit::LIST).map_err(|error| FileError::new(path, &error))?;
        let Names { paths, others, ids, urls } =
            serde_json::from_str(&text).map_err(|error| FileError::new(path, &error))?;
        Ok([paths, others, ids, urls].iter().flatten().map(|Word(name)| name_hash(name)).collect())
    }

    /// Writes the file atomically.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        disk::write_json(path, self)
    }

    /// Iterates over all names in the blacklist.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.bad_source_rel_paths, &self.bad_rel_paths, &self.bad_ids, &self.bad_urls];
        lists.into_iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_name_lists_are_read() {
        let text = r#"{"version":"v0","badSourceRelPaths":["a/b.milk"],"badReasonsByRelPath":{"a/b.milk":["too-dark"]},
            "badRelPaths":["p/c.milk"],"badIds":["x"],"badUrls":["/presets/p/d.milk"],"meta":{"scanned":3}}"#;
        let list: QualityBlacklist = serde_json::from_str(text).expect("read");
        assert_eq!(list.names().collect::<Vec<_>>(), ["a/b.milk", "p/c.milk", "x", "/presets/p/d.milk"]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(BLACKLIST_FILE);
        list.write(&path).expect("written");
        assert_eq!(QualityBlacklist::read(&path).expect("read"), list);
        let numbers: Vec<u64> = list.names().map(name_hash).collect();
        assert_eq!(QualityBlacklist::read_hashes(&path).expect("read"), numbers);
    }
}
