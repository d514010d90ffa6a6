//! `quality-blacklist.json`: presets that an audit rejected, by path, ID or URL.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk::{self, FileError};
use crate::library::numbers::Word;
use crate::library::style::name_hash;

/// File name of the blacklist in a library or pack.
pub const BLACKLIST_FILE: &str = "quality-blacklist.json";
/// The only format version.
const VERSION: &str = "v0";

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

/// The version and all names in a blacklist, borrowed from the file.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    #[serde(borrow)]
    version: Option<Word<'a>>,
    #[serde(borrow, rename = "badSourceRelPaths")]
    paths: Option<Vec<Word<'a>>>,
    #[serde(borrow, rename = "badRelPaths")]
    others: Option<Vec<Word<'a>>>,
    #[serde(borrow, rename = "badIds")]
    ids: Option<Vec<Word<'a>>>,
    #[serde(borrow, rename = "badUrls")]
    urls: Option<Vec<Word<'a>>>,
}

impl<'a> Names<'a> {
    /// Parses the text of a blacklist; fails if it has another version or no list of names, because it would then
    /// exclude nothing.
    fn parse(text: &'a str) -> Result<Self, String> {
        let names: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some(Word(version)) = &names.version
            && version != VERSION
        {
            return Err(format!("unsupported version {version:?}, expected {VERSION:?}"));
        }
        if names.lists().next().is_none() {
            return Err("no list named badSourceRelPaths, badRelPaths, badIds or badUrls".into());
        }
        Ok(names)
    }

    fn lists(&self) -> impl Iterator<Item = &Vec<Word<'a>>> {
        [&self.paths, &self.others, &self.ids, &self.urls].into_iter().flatten()
    }
}

impl QualityBlacklist {
    /// Reads a blacklist from a file.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = read_text(path)?;
        Names::parse(&text).map_err(|why| FileError::new(path, &why))?;
        serde_json::from_str(&text).map_err(|error| FileError::new(path, &error))
    }

    /// Reads a blacklist and returns only the hashes of its names, which are all that opening a library
    /// needs.
    pub(in crate::library) fn read_hashes(path: &Path) -> Result<Vec<u64>, FileError> {
        let text = read_text(path)?;
        let names = Names::parse(&text).map_err(|why| FileError::new(path, &why))?;
        Ok(names.lists().flatten().map(|Word(name)| name_hash(name)).collect())
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

fn read_text(path: &Path) -> Result<String, FileError> {
    disk::read_text(path, disk::limit::LIST).map_err(|error| FileError::new(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_or_a_file_without_lists_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(BLACKLIST_FILE);
        for (text, why) in [
            (r#"{"version":"v9","badIds":["x"]}"#, "unsupported version \"v9\", expected \"v0\""),
            (r#"{"version":"v9","bad":["x"]}"#, "unsupported version"),
            (r#"{"version":"v0","bad":["x"]}"#, "no list named badSourceRelPaths"),
            ("{}", "no list named badSourceRelPaths"),
        ] {
            std::fs::write(&path, text).expect("written");
            let hashes = QualityBlacklist::read_hashes(&path).expect_err(text).to_string();
            let whole = QualityBlacklist::read(&path).expect_err(text).to_string();
            assert!(hashes.contains(why) && whole.contains(why), "{hashes}; {whole}");
        }
        for text in [r#"{"version":"v0","badSourceRelPaths":[]}"#, r#"{"badIds":[]}"#] {
            std::fs::write(&path, text).expect("written");
            assert!(QualityBlacklist::read_hashes(&path).expect(text).is_empty());
        }
    }

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
