//! A preset in the bake: its file, its frames, and its response to sound.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::entry::BandResponse;
use crate::disk::Walk;
use crate::facts::PresetId;
use crate::jobs::shard::Shard;
use crate::library::pack::ManifestNames;
use crate::library::style::NameTable;
use crate::library::{self, FolderError, PresetSource};
use crate::units::counted;

/// Maximum number of folder levels searched for presets, counting the library itself.
const MAX_DEPTH: usize = 32;
/// Maximum number of skipped presets named in the log.
const MAX_NAMES: usize = 8;
/// A preset in the bake.
#[derive(Clone, Debug, PartialEq)]
pub struct BakeItem {
    /// ID: the one in the library's manifest, otherwise the path within the library.
    pub id: String,
    /// Path from the library's manifest, otherwise the path within the library.
    pub rel_path: String,
    /// Path within the library, with forward slashes.
    pub below: String,
    /// Path of the preset's file.
    pub path: PathBuf,
    /// Size of the file in the library's manifest, in bytes; `None` if unknown.
    pub listed_size: Option<u64>,
    /// Paths of the rendered frames in chronological order; empty if there are none.
    pub frames: Vec<PathBuf>,
    /// Response to each frequency band; `None` if the preset has not been audited.
    pub bands: Option<BandResponse>,
}

impl BakeItem {
    /// Returns the content ID, if the file can be read.
    pub fn content(&self) -> Option<String> {
        file_id(&self.path).map(|id| id.to_string())
    }

    /// Returns the names under which earlier bakes and other programs may have stored results, the most likely first.
    pub fn names(&self) -> [&str; 3] {
        [&self.id, &self.below, &self.rel_path]
    }

    /// Looks the preset up in a table of the names under which results are stored: by its names, its path including the
    /// folder of the library, the path of its file and, if `by_content` is set, its content, for which the file is read.
    pub fn find_in(&self, stored: &NameTable, by_content: bool) -> Option<usize> {
        let named = self.names().into_iter().find_map(|name| stored.index_of(name));
        let in_pack = || {
            let root = self.path.ancestors().nth(self.below.split('/').count())?;
            stored.index_of(&format!("{}/{}", root.file_name()?.to_string_lossy(), self.below))
        };
        let of_content = || stored.index_of(&self.content()?);
        named
            .or_else(in_pack)
            .or_else(|| stored.index_of(&self.path.to_string_lossy()))
            .or_else(|| by_content.then(of_content).flatten())
    }
}

/// Returns every name of the items, with their positions: IDs, paths, paths of the files and, if `with_contents` is set,
/// content IDs, for which every file is read.
pub fn item_names(items: &[BakeItem], with_contents: bool) -> NameTable {
    let mut names = NameTable::for_presets(3 * items.len());
    for (index, item) in items.iter().enumerate() {
        item.names().into_iter().for_each(|name| names.add(name, index));
        names.add(&item.path.to_string_lossy(), index);
    }
    for (index, item) in items.iter().enumerate().filter(|_| with_contents) {
        if let Some(content) = item.content() {
            names.add(&content, index);
        }
    }
    names
}

/// Lists the presets below a folder in order of their path, at most `limit`. A manifest in the folder
/// restricts the list and supplies the IDs. Paths with a line break are skipped, because some files store one
/// ID per line.
pub fn items_in(library: &Path, limit: Option<usize>) -> Result<Vec<BakeItem>, FolderError> {
    if !library.is_dir() {
        return Err(FolderError::NotAFolder(library.to_owned()));
    }
    let manifest = ManifestNames::from_folder(library);
    let listed = listing(library, manifest.as_ref(), limit);
    if listed.is_empty() && manifest.is_some() {
        log::warn!("the manifest lists none of the folder's presets; using all of them");
        return non_empty(listing(library, None, limit), library);
    }
    non_empty(listed, library)
}

fn non_empty(items: Vec<BakeItem>, library: &Path) -> Result<Vec<BakeItem>, FolderError> {
    if items.is_empty() { Err(FolderError::Empty(library.to_owned())) } else { Ok(items) }
}

/// Lists the presets that `manifest` names, or all presets if it is `None`.
fn listing(library: &Path, manifest: Option<&ManifestNames>, limit: Option<usize>) -> Vec<BakeItem> {
    let (mut items, mut broken) = (Vec::new(), Vec::new());
    let mut ids = HashSet::new();
    for found in Walk::new(library, MAX_DEPTH, library::is_preset).following_links() {
        match found {
            Ok(path) => {
                let below = below(library, &path);
                if below.contains(['\n', '\r']) {
                    broken.push(below);
                    continue;
                }
                let named = manifest.map(|manifest| manifest.preset(&below));
                let (id, rel_path, file_size) = match named {
                    Some(None) => continue,
                    Some(Some(preset)) => (preset.id.clone(), preset.rel_path.clone(), preset.file_size),
                    None => Default::default(),
                };
                let or_path = |name: String| {
                    let usable = !name.is_empty() && !name.contains(['\n', '\r']);
                    if usable { name } else { below.clone() }
                };
                // Two files never share an ID.
                let mut id = or_path(id);
                if !ids.insert(id.clone()) {
                    id = below.clone();
                    ids.insert(id.clone());
                }
                items.push(BakeItem {
                    id,
                    rel_path: or_path(rel_path),
                    below,
                    path,
                    listed_size: Some(file_size).filter(|size| *size > 0),
                    frames: Vec::new(),
                    bands: None,
                });
            }
            Err(error) => log::warn!("skipping {error}"),
        }
        if limit.is_some_and(|limit| items.len() >= limit) {
            break;
        }
    }
    if let Some(message) = skipped(&broken) {
        log::warn!("{message}");
    }
    items
}

/// Returns the items of one shard. Unreadable files belong to the first shard, which reports them.
pub fn items_of_shard(items: Vec<BakeItem>, shard: Shard) -> Vec<BakeItem> {
    let belongs = |item: &BakeItem| file_id(&item.path).map_or(shard.index() == 0, |id| shard.contains(id));
    items.into_iter().filter(belongs).collect()
}

/// Returns the content ID of a preset; `None` if the file cannot be read.
pub(super) fn file_id(path: &Path) -> Option<PresetId> {
    PresetSource::File(path.to_owned()).read().ok().map(|bytes| PresetId::of(&bytes))
}

/// Returns the path of a preset relative to the library, with forward slashes.
fn below(library: &Path, path: &Path) -> String {
    let below = path.strip_prefix(library).unwrap_or(path);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Returns a message about the presets skipped because of a line break in their path; `None` if there are
/// none.
fn skipped(ids: &[String]) -> Option<String> {
    let names: Vec<String> = ids.iter().take(MAX_NAMES).map(|id| format!("{id:?}")).collect();
    let more = if ids.len() > names.len() { ", ..." } else { "" };
    (!ids.is_empty()).then(|| {
        format!(
            "skipped {} because of a line break in the path; rename: {}{more}",
            counted(ids.len(), "preset"),
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_limits_the_presets_and_gives_them_their_ids() {
        let library = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(library.path().join("x")).expect("made");
        for name in ["a", "b", "c"] {
            std::fs::write(library.path().join(format!("x/{name}.milk")), b"zoom=1").expect("written");
        }
        let manifest = |presets: &str| {
            let text = format!(r#"{{"version":"v0","target":"run3","presets":[{presets}]}}"#);
            std::fs::write(library.path().join("library-manifest.json"), text).expect("written");
            let items = items_in(library.path(), Some(2)).expect("presets");
            items.into_iter().map(|item| (item.id, item.rel_path)).collect::<Vec<_>>()
        };
        let pair = |id: &str, path: &str| (id.to_owned(), path.to_owned());
        let listed = r#"{"id":"run3-b-1","label":"x/b.milk","relPath":"run3/x/b.milk"},{"id":"x/c.milk"}"#;
        assert_eq!(manifest(listed), [pair("run3-b-1", "run3/x/b.milk"), pair("x/c.milk", "x/c.milk")]);
        let twice = r#"{"id":"same","relPath":"x/a.milk"},{"id":"same","relPath":"x/b.milk"}"#;
        assert_eq!(manifest(twice), [pair("same", "x/a.milk"), pair("x/b.milk", "x/b.milk")]);
        assert_eq!(manifest(r#"{"id":"gone.milk"}"#).len(), 2, "a manifest of another folder is ignored");
    }

    #[test]
    fn a_preset_is_found_by_id_path_file_and_content() {
        let library = tempfile::tempdir().expect("a folder");
        let root = library.path().join("run3");
        std::fs::create_dir_all(root.join("x")).expect("made");
        std::fs::write(root.join("x/a.milk"), b"zoom=1").expect("written");
        let item = items_in(&root, None).expect("presets").remove(0);
        let file = root.join("x/a.milk").to_string_lossy().into_owned();
        let content = PresetId::of(b"zoom=1").to_string();
        for name in ["x\\a.milk", "run3/x/a.milk", file.as_str(), content.as_str()] {
            let mut stored = NameTable::default();
            stored.add("y/a.milk", 0);
            stored.add(name, 1);
            assert_eq!(item.find_in(&stored, true), Some(1), "{name}");
            assert_eq!(item.find_in(&stored, false), (name != content.as_str()).then_some(1), "{name}");
        }
        let items = [item];
        assert_eq!(item_names(&items, true).index_of(&content), Some(0));
        assert_eq!(item_names(&items, false).index_of(&content), None);
    }

    #[cfg(unix)]
    #[test]
    fn presets_with_a_line_break_in_their_path_are_skipped() {
        let library = tempfile::tempdir().expect("a folder");
        for name in ["0.milk", "1.milk", "a\nb.milk", "c\rd.milk"] {
            std::fs::write(library.path().join(name), b"zoom=1").expect("written");
        }
        let items = items_in(library.path(), None).expect("presets");
        assert_eq!(items.into_iter().map(|item| item.id).collect::<Vec<_>>(), ["0.milk", "1.milk"]);
        let message = skipped(&["a\nb.milk".into()]).expect("a message");
        assert!(message.contains("skipped 1 preset ") && message.contains(r#""a\nb.milk""#), "{message}");
        assert_eq!(skipped(&[]), None);
    }
}
