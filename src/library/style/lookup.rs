//! Finding the index of a library: v1, strictly else v0, else none.

use std::path::{Path, PathBuf};

use super::compact::CompactIndex;
use super::index::IndexVersion;
use super::policy::StylePolicy;

/// Name of the index by looks.
pub const INDEX_V1: &str = "aivj-style-index.v1.json";
/// Name of the index by names.
pub const INDEX_V0: &str = "aivj-style-index.v0.json";
/// Name of the policy.
pub const POLICY_V0: &str = "aivj-style-policy.v0.json";

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct IndexLookup {
    /// The index to use.
    pub index: Option<CompactIndex>,
    /// The file it was read from.
    pub path: Option<PathBuf>,
    /// The policy beside it.
    pub policy: Option<StylePolicy>,
    /// Files that are there but cannot be used, and why.
    pub problems: Vec<String>,
}

/// Looks in a folder, or beside the file that is given (an index or a manifest).
pub fn seek(place: &Path) -> IndexLookup {
    let mut sought = IndexLookup::default();
    let folder = if place.is_dir() { place } else { place.parent().unwrap_or(Path::new("")) };
    for (name, version) in [(INDEX_V1, IndexVersion::V1), (INDEX_V0, IndexVersion::V0)] {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        match CompactIndex::read(&path, version) {
            Ok(index) => {
                sought.index = Some(index);
                sought.path = Some(path);
                break;
            }
            Err(error) => sought.problems.push(error.to_string()),
        }
    }
    let policy = folder.join(POLICY_V0);
    if policy.exists() {
        match StylePolicy::read(&policy) {
            Ok(policy) => sought.policy = Some(policy),
            Err(error) => sought.problems.push(error.to_string()),
        }
    }
    sought
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::style::by_name;

    #[test]
    fn v1_wins_and_a_broken_v1_gives_way_to_v0() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(seek(folder.path()).index.is_none());
        let v0 = by_name([("a.milk", "Geiss - storm")], "pack", "");
        v0.write(&folder.path().join(INDEX_V0)).expect("written");
        let mut v1 = v0.clone();
        v1.version = IndexVersion::V1;
        v1.write(&folder.path().join(INDEX_V1)).expect("written");
        let version = || seek(folder.path()).index.map(|index| index.version);
        assert_eq!(version(), Some(IndexVersion::V1));
        std::fs::write(folder.path().join(INDEX_V1), "{\"version\":\"v1\",\"entr").expect("written");
        assert_eq!(version(), Some(IndexVersion::V0));
        let beside = seek(&folder.path().join("library-manifest.json"));
        assert_eq!((beside.index.is_some(), beside.problems.len()), (true, 1));
    }
}
