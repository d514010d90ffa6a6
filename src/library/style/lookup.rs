//! Finds the style index of a library: v1, otherwise v0, otherwise none.

use std::path::{Path, PathBuf};

use super::compact::CompactIndex;
use super::index::IndexVersion;
use super::name_table::NameTable;
use super::policy::StylePolicy;
use crate::disk::{self, FileKind};

/// File name of a v1 style index.
pub const INDEX_V1: &str = "aivj-style-index.v1.json";
/// File name of a v0 style index.
pub const INDEX_V0: &str = "aivj-style-index.v0.json";
/// File name of a style policy.
pub const POLICY_V0: &str = "aivj-style-policy.v0.json";

/// The result of a lookup.
#[derive(Clone, Debug, Default)]
pub struct IndexLookup {
    /// The index to use, if any.
    pub index: Option<CompactIndex>,
    /// The file that the index was read from.
    pub path: Option<PathBuf>,
    /// The policy in the same folder, if any.
    pub policy: Option<StylePolicy>,
    /// Messages about files that cannot be used.
    pub problems: Vec<String>,
}

impl IndexLookup {
    /// Falls back from an index that lists none of the presets in `names`: from v1 to v0, and from v0 to no
    /// index.
    pub fn matching(mut self, names: &NameTable) -> Self {
        while let Some(index) = &self.index {
            if index.entries.iter().any(|entry| names.index_of_hash(entry.name).is_some()) {
                return self;
            }
            let version = index.version;
            self.problems.push(format!("style index {} lists none of the library's presets", version.word()));
            let folder = self.path.take().and_then(|path| path.parent().map(Path::to_owned));
            self.index = None;
            if let (IndexVersion::V1, Some(folder)) = (version, folder) {
                self.read(&folder, INDEX_V0, IndexVersion::V0);
            }
        }
        self
    }

    /// Returns whether the index lists presets by names that are not in `names`.
    pub fn lists_others(&self, names: &NameTable) -> bool {
        let entries = self.index.iter().flat_map(|index| &index.entries);
        entries.map(|entry| entry.name).any(|name| names.index_of_hash(name).is_none())
    }

    /// Reads the index `name` in `folder`; returns whether it exists and is valid.
    fn read(&mut self, folder: &Path, name: &str, version: IndexVersion) -> bool {
        let path = folder.join(name);
        if disk::is_missing(&path) {
            return false;
        }
        match CompactIndex::read(&path, version) {
            Ok(index) => {
                self.index = Some(index);
                self.path = Some(path);
                true
            }
            Err(error) => {
                self.problems.push(error.to_string());
                false
            }
        }
    }
}

/// Looks up the style index and policy in the folder `path`, or next to the file `path` (an index or
/// manifest).
pub fn find_index(path: &Path) -> IndexLookup {
    let mut lookup = IndexLookup::default();
    let is_folder = matches!(disk::kind(path), Ok(FileKind::Folder));
    let folder = if is_folder { path } else { path.parent().unwrap_or(Path::new("")) };
    if !lookup.read(folder, INDEX_V1, IndexVersion::V1) {
        lookup.read(folder, INDEX_V0, IndexVersion::V0);
    }
    let policy = folder.join(POLICY_V0);
    if !disk::is_missing(&policy) {
        match StylePolicy::read(&policy) {
            Ok(policy) => lookup.policy = Some(policy),
            Err(error) => lookup.problems.push(error.to_string()),
        }
    }
    lookup
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::style::by_name;

    #[test]
    fn v1_is_preferred_and_an_invalid_v1_falls_back_to_v0() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(find_index(folder.path()).index.is_none());
        let v0 = by_name([("a.milk", "Geiss - storm")], "pack", "");
        v0.write(&folder.path().join(INDEX_V0)).expect("written");
        let mut v1 = v0.clone();
        v1.version = IndexVersion::V1;
        v1.write(&folder.path().join(INDEX_V1)).expect("written");
        let version = || find_index(folder.path()).index.map(|index| index.version);
        assert_eq!(version(), Some(IndexVersion::V1));
        std::fs::write(folder.path().join(INDEX_V1), "{\"version\":\"v1\",\"entr").expect("written");
        assert_eq!(version(), Some(IndexVersion::V0));
        // A valid v1 index that lists other presets.
        let mut other = by_name([("b.milk", "Geiss - storm")], "pack", "");
        other.version = IndexVersion::V1;
        other.write(&folder.path().join(INDEX_V1)).expect("written");
        let mut names = NameTable::default();
        names.add("a.milk", 0);
        let lookup = find_index(folder.path()).matching(&names);
        assert_eq!(lookup.index.map(|index| index.version), Some(IndexVersion::V0));
        assert_eq!(lookup.problems, ["style index v1 lists none of the library's presets"]);
        let lookup = find_index(folder.path()).matching(&NameTable::default());
        assert_eq!((lookup.index.is_some(), lookup.problems.len()), (false, 2));
        std::fs::write(folder.path().join(INDEX_V1), "{\"version\":\"v1\",\"entr").expect("written");
        let lookup = find_index(&folder.path().join("library-manifest.json"));
        assert_eq!((lookup.index.is_some(), lookup.problems.len()), (true, 1));
    }
}
