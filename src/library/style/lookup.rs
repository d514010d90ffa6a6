//! Finds the style index of a library: v1, otherwise v0, otherwise none.

use std::path::{Path, PathBuf};

use super::compact::CompactIndex;
use super::index::IndexVersion;
use super::policy::StylePolicy;

/// File name of the index v1.
pub const INDEX_V1: &str = "aivj-style-index.v1.json";
/// File name of the index v0.
pub const INDEX_V0: &str = "aivj-style-index.v0.json";
/// File name of the policy.
pub const POLICY_V0: &str = "aivj-style-policy.v0.json";

/// The result of a lookup.
#[derive(Clone, Debug, Default)]
pub struct IndexLookup {
    /// The index to use, if any.
    pub index: Option<CompactIndex>,
    /// The file it was read from.
    pub path: Option<PathBuf>,
    /// The policy in the same folder, if any.
    pub policy: Option<StylePolicy>,
    /// Files that cannot be used, and why.
    pub problems: Vec<String>,
}

/// Looks in a folder, or in the folder of a file (an index or manifest).
pub fn find_index(path: &Path) -> IndexLookup {
    let mut lookup = IndexLookup::default();
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    for (name, version) in [(INDEX_V1, IndexVersion::V1), (INDEX_V0, IndexVersion::V0)] {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        match CompactIndex::read(&path, version) {
            Ok(index) => {
                lookup.index = Some(index);
                lookup.path = Some(path);
                break;
            }
            Err(error) => lookup.problems.push(error.to_string()),
        }
    }
    let policy = folder.join(POLICY_V0);
    if policy.exists() {
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
        let lookup = find_index(&folder.path().join("library-manifest.json"));
        assert_eq!((lookup.index.is_some(), lookup.problems.len()), (true, 1));
    }
}
