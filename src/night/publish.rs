//! Publishes the index of a bake: copies it to the library, where the show looks for it, and keeps the
//! previous one.

use std::path::{Path, PathBuf};

use crate::disk::{self, limit};
use crate::library::looks::{
    BAKE_FILE, INDEX_FILES, bake_folder, keep_index, previous_name, write_bake_folder,
};
use crate::library::style::{INDEX_V0, INDEX_V1, POLICY_V0, find_index};
use crate::units::counted;

/// Why an index was not published or restored.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The bake covers only part of the library, and the existing index covers more.
    #[error(
        "index not published: this bake covers {}, but the library's index covers {old}; the new index is in \
         {folder}; bake the whole library to replace the library's index",
        counted(*new, "preset")
    )]
    Smaller {
        /// Number of presets in the new index.
        new: usize,
        /// Number of presets in the library's index.
        old: usize,
        /// Folder of the bake.
        folder: PathBuf,
    },
    /// There is no previous index.
    #[error("{0} has no previous index to restore")]
    NoPrevious(PathBuf),
    /// A file cannot be read or written.
    #[error("{0}")]
    File(String),
}

impl PublishError {
    fn file(path: &Path, why: &impl std::fmt::Display) -> Self {
        Self::File(format!("{}: {why}", path.display()))
    }
}

/// Returns the number of presets in the index of a folder.
pub(super) fn covered(folder: &Path) -> usize {
    find_index(folder).index.map_or(0, |index| index.entries.len())
}

/// Copies the index in `folder` to `library`. The previous index is kept for [`restore_index`]; a policy in `library`
/// is left unchanged. Returns messages about copies of indexes that were not written by a bake.
///
/// # Errors
/// Fails if the bake is `partial` and the index in `library` covers more presets, or if a file cannot be read or
/// written.
pub fn publish_index(folder: &Path, library: &Path, partial: bool) -> Result<Vec<String>, PublishError> {
    let (new, old) = (covered(folder), covered(library));
    if partial && new < old {
        return Err(PublishError::Smaller { new, old, folder: folder.to_owned() });
    }
    let messages = back_up_foreign_indexes(library);
    keep_index(library).map_err(|error| PublishError::File(error.to_string()))?;
    for name in [POLICY_V0, INDEX_V0, INDEX_V1] {
        let there = library.join(name);
        if name == POLICY_V0 && there.try_exists().unwrap_or(true) {
            continue; // The user may have edited it.
        }
        let from = folder.join(name);
        let bytes = disk::read(&from, limit::LIST).map_err(|error| PublishError::file(&from, &error))?;
        disk::write(&there, &bytes).map_err(|error| PublishError::file(&there, &error.why))?;
    }
    write_bake_folder(library, folder).map_err(|error| PublishError::File(error.to_string()))?;
    Ok(messages)
}

/// Keeps a copy of indexes in `library` that were not written by a bake; returns messages about them.
fn back_up_foreign_indexes(library: &Path) -> Vec<String> {
    let mut messages = Vec::new();
    if library.join(BAKE_FILE).exists() {
        return messages;
    }
    for name in [INDEX_V0, INDEX_V1] {
        let kept = format!("{name}.before-bake");
        let copied = match disk::read_if_exists(&library.join(name), limit::LIST) {
            Ok(None) => continue,
            Ok(Some(bytes)) => disk::write(&library.join(&kept), &bytes).map_err(|error| error.why),
            Err(error) => Err(error.to_string()),
        };
        messages.push(match copied {
            Ok(()) => format!("the existing {name} was saved as {kept}"),
            Err(why) => format!("cannot save the existing {name} as {kept}: {why}"),
        });
    }
    messages
}

/// Returns whether a previous index can be restored.
pub fn has_previous_index(library: &Path) -> bool {
    [INDEX_V0, INDEX_V1].iter().any(|name| library.join(previous_name(name)).is_file())
}

/// Swaps the index of a library with the previous one; a second call undoes this. The map and the styles in the bake
/// folder are swapped as well if they belong to these indexes.
///
/// # Errors
/// Fails if there is no previous index or a file cannot be read, in which case no file is changed, or if a file cannot
/// be written.
pub fn restore_index(library: &Path) -> Result<(), PublishError> {
    if !has_previous_index(library) {
        return Err(PublishError::NoPrevious(library.to_owned()));
    }
    let own = IndexPair::read(library)?;
    let bake = bake_folder(library);
    let baked = IndexPair::read(&bake)?;
    if baked.has_indexes_of(&own) {
        baked.swap(&bake)?;
    }
    own.swap(library)
}

/// Contents of the files of an index, in the order of [`INDEX_FILES`]; `None` for missing files.
type IndexBytes = [Option<Vec<u8>>; INDEX_FILES.len()];

/// The index of a folder and the previous one.
struct IndexPair {
    current: IndexBytes,
    previous: IndexBytes,
}

impl IndexPair {
    fn read(folder: &Path) -> Result<Self, PublishError> {
        let mut pair = Self { current: Default::default(), previous: Default::default() };
        let read = |path: &Path| {
            disk::read_if_exists(path, limit::LIST).map_err(|error| PublishError::file(path, &error))
        };
        for (at, name) in INDEX_FILES.into_iter().enumerate() {
            pair.current[at] = read(&folder.join(name))?;
            pair.previous[at] = read(&folder.join(previous_name(name)))?;
        }
        Ok(pair)
    }

    /// Returns whether both style indexes are those of `other`.
    fn has_indexes_of(&self, other: &Self) -> bool {
        let equal =
            |at: usize| self.current[at] == other.current[at] && self.previous[at] == other.previous[at];
        (0..).zip(INDEX_FILES).all(|(at, name)| ![INDEX_V0, INDEX_V1].contains(&name) || equal(at))
    }

    /// Writes the two indexes to `folder` with their roles exchanged.
    fn swap(self, folder: &Path) -> Result<(), PublishError> {
        let put = |path: &Path, bytes: Option<Vec<u8>>| match bytes {
            Some(bytes) => disk::write(path, &bytes).map_err(|error| PublishError::file(path, &error.why)),
            None => disk::remove_if_exists(path).map_err(|error| PublishError::file(path, &error)),
        };
        let pairs = self.current.into_iter().zip(self.previous);
        for (name, (current, previous)) in INDEX_FILES.into_iter().zip(pairs) {
            put(&folder.join(name), previous)?;
            put(&folder.join(previous_name(name)), current)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::looks::{MAP_FILE, STYLES_FILE};
    use crate::library::style::{IndexVersion, by_name};

    /// Creates a bake folder whose index covers `count` presets.
    fn bake(count: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let names: Vec<(String, String)> =
            (0..count).map(|number| (format!("{number}.milk"), "Geiss - storm".into())).collect();
        let mut index = by_name(names.iter().map(|(id, name)| (id.as_str(), name.as_str())), "pack", "");
        index.write(&folder.path().join(INDEX_V0)).expect("written");
        index.version = IndexVersion::V1;
        index.write(&folder.path().join(INDEX_V1)).expect("written");
        std::fs::write(folder.path().join(POLICY_V0), b"{}").expect("written");
        folder
    }

    #[test]
    fn a_partial_bake_never_replaces_a_larger_index() {
        let library = tempfile::tempdir().expect("a folder");
        let library = library.path();
        let (small, large) = (bake(3), bake(9));
        publish_index(small.path(), library, true).expect("there was none");
        publish_index(large.path(), library, false).expect("published");
        let refused = publish_index(small.path(), library, true).expect_err("refused").to_string();
        assert!(refused.contains("covers 3 presets, but the library's index covers 9"), "{refused}");
        assert_eq!(covered(library), 9);
        publish_index(small.path(), library, false).expect("the library may have shrunk");
        assert_eq!(covered(library), 3);
    }

    #[test]
    fn only_indexes_of_others_are_backed_up_and_links_are_replaced() {
        let library = bake(3);
        let elsewhere = tempfile::tempdir().expect("a folder");
        let precious = elsewhere.path().join("precious");
        let kept = library.path().join(format!("{INDEX_V0}.before-bake"));
        std::fs::write(&precious, "1").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&precious, &kept).expect("linked");
        let messages = back_up_foreign_indexes(library.path());
        assert!(messages.len() == 2 && messages[0].contains("was saved as"), "{messages:?}");
        assert_eq!(std::fs::read_to_string(&precious).expect("there"), "1");
        let original = std::fs::read(library.path().join(INDEX_V0)).expect("read");
        assert_eq!(std::fs::read(&kept).expect("read"), original);
        std::fs::write(library.path().join(BAKE_FILE), "{}").expect("written");
        assert!(back_up_foreign_indexes(library.path()).is_empty(), "it was written by a bake");
    }

    #[test]
    fn the_previous_index_can_be_restored_and_the_restore_undone() {
        let library = tempfile::tempdir().expect("a folder");
        let library = library.path();
        assert!(matches!(restore_index(library), Err(PublishError::NoPrevious(_))));
        let (first, second) = (bake(3), bake(4));
        publish_index(first.path(), library, false).expect("published");
        assert!(!has_previous_index(library), "there was none before");
        publish_index(second.path(), library, false).expect("published");
        for expected in [3, 4, 3] {
            restore_index(library).expect("restored");
            assert_eq!(covered(library), expected);
        }
    }

    #[test]
    fn the_map_and_the_styles_are_restored_with_the_index_they_belong_to() {
        let library = tempfile::tempdir().expect("a folder");
        let (library, folder) = (library.path(), bake(3));
        let folder = folder.path();
        let put = |content: &str| {
            for name in [MAP_FILE, STYLES_FILE] {
                std::fs::write(folder.join(name), content).expect("written");
            }
        };
        let holds = |content: &str| {
            let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("there");
            assert_eq!([MAP_FILE, STYLES_FILE].map(read), [content, content]);
        };
        put("first");
        publish_index(folder, library, false).expect("published");
        keep_index(folder).expect("kept");
        let second = bake(4);
        for name in [INDEX_V0, INDEX_V1] {
            std::fs::copy(second.path().join(name), folder.join(name)).expect("copied");
        }
        put("second");
        publish_index(folder, library, false).expect("published");
        for (content, count) in [("first", 3), ("second", 4), ("first", 3)] {
            restore_index(library).expect("restored");
            holds(content);
            assert_eq!((covered(library), covered(folder)), (count, count));
        }
        // The bake folder has other results by now.
        std::fs::copy(second.path().join(INDEX_V1), folder.join(INDEX_V1)).expect("copied");
        put("third");
        restore_index(library).expect("restored");
        holds("third");
        assert_eq!(covered(library), 4);
    }

    #[test]
    fn nothing_is_restored_if_a_file_cannot_be_read() {
        let library = tempfile::tempdir().expect("a folder");
        let library = library.path();
        for count in [3, 4] {
            publish_index(bake(count).path(), library, false).expect("published");
        }
        let previous = || std::fs::read(library.join(previous_name(INDEX_V1))).expect("a previous index");
        let before = previous();
        std::fs::remove_file(library.join(INDEX_V1)).expect("removed");
        std::fs::create_dir(library.join(INDEX_V1)).expect("a folder cannot be read as a file");
        let error = restore_index(library).expect_err("unreadable").to_string();
        assert!(error.contains(INDEX_V1), "{error}");
        assert_eq!(previous(), before);
        assert_eq!(covered(library), 4, "the v0 index is unchanged");
    }

    #[test]
    fn an_edited_policy_is_kept_even_if_it_is_invalid() {
        let library = tempfile::tempdir().expect("a folder");
        let policy = library.path().join(POLICY_V0);
        publish_index(bake(3).path(), library.path(), false).expect("published");
        std::fs::write(&policy, "{\"version\": \"v0\",").expect("edited");
        publish_index(bake(3).path(), library.path(), false).expect("published");
        assert_eq!(std::fs::read_to_string(&policy).expect("there"), "{\"version\": \"v0\",");
    }
}
