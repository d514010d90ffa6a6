//! A preset in the bake: its file, its frames, and its response to sound.

use std::path::{Path, PathBuf};

use super::entry::BandResponse;
use crate::disk::Walk;
use crate::facts::PresetId;
use crate::jobs::shard::Shard;
use crate::library::{self, FolderError, PresetSource};
use crate::units::counted;

/// Maximum depth of folders below the library.
const MAX_DEPTH: usize = 32;
/// Maximum number of skipped presets named in the log.
const MAX_NAMES: usize = 8;
/// A preset in the bake.
#[derive(Clone, Debug, PartialEq)]
pub struct BakeItem {
    /// Id: the path within the library.
    pub id: String,
    /// Path of the preset's file.
    pub path: PathBuf,
    /// Its frames in order of time; empty if none are rendered.
    pub frames: Vec<PathBuf>,
    /// Response to each frequency band, known after an audit.
    pub bands: Option<BandResponse>,
}

/// Lists the presets below a folder in order of their path, at most `limit`. Paths with a line break are skipped,
/// because files store one id per line.
pub fn items_in(library: &Path, limit: Option<usize>) -> Result<Vec<BakeItem>, FolderError> {
    if !library.is_dir() {
        return Err(FolderError::NotAFolder(library.to_owned()));
    }
    let (mut items, mut broken) = (Vec::new(), Vec::new());
    for found in Walk::new(library, MAX_DEPTH, library::is_preset).following_links() {
        match found {
            Ok(path) => {
                let id = id_of(library, &path);
                if id.contains(['\n', '\r']) {
                    broken.push(id);
                } else {
                    items.push(BakeItem { id, path, frames: Vec::new(), bands: None });
                }
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
    if items.is_empty() { Err(FolderError::Empty(library.to_owned())) } else { Ok(items) }
}

/// Returns the items of one shard. Unreadable files belong to the first shard, which reports them.
pub fn items_of_shard(items: Vec<BakeItem>, shard: Shard) -> Vec<BakeItem> {
    let belongs =
        |item: &BakeItem| id_of_file(&item.path).map_or(shard.index() == 0, |id| shard.contains(id));
    items.into_iter().filter(belongs).collect()
}

/// Returns the content id of a readable preset.
pub(super) fn id_of_file(path: &Path) -> Option<PresetId> {
    PresetSource::File(path.to_owned()).read().ok().map(|bytes| PresetId::of(&bytes))
}

/// Returns the id of a preset: its path relative to the library.
fn id_of(library: &Path, path: &Path) -> String {
    let below = path.strip_prefix(library).unwrap_or(path);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Returns a message about the presets skipped because of a line break in their path, if any.
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
