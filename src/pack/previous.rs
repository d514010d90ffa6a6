//! Finds the files of a previous pack in the same folder, so that no other files are removed or replaced.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::disk::{self, FileKind, Folder};
use crate::library;
use crate::library::pack::{MANIFEST_FILE, Manifest};

/// Returns the existing presets that the manifest in `folder` lists, relative to the folder; empty if the
/// folder is empty. Fails if the folder contains files but no manifest.
pub fn presets(folder: &Folder) -> anyhow::Result<BTreeSet<PathBuf>> {
    let path = folder.path();
    if !path.join(MANIFEST_FILE).exists() {
        let empty = disk::list(path).with_context(|| format!("opening {}", path.display()))?.is_empty();
        let path = path.display();
        ensure!(
            empty,
            "{path} contains something other than a pack; choose another name, or empty the folder"
        );
    }
    listed(folder)
}

/// Returns the existing presets that the manifest in `folder` lists, relative to the folder; empty if there
/// is no manifest.
pub fn listed(folder: &Folder) -> anyhow::Result<BTreeSet<PathBuf>> {
    let Some(manifest) = manifest(folder)? else { return Ok(BTreeSet::new()) };
    let inside = |name: &&str| {
        let path = Path::new(name);
        library::is_preset(path) && path.components().all(|part| matches!(part, Component::Normal(_)))
    };
    let there =
        |name: &&str| disk::kind(&folder.path().join(name)).is_ok_and(|kind| kind == FileKind::Regular);
    let presets = manifest.presets.iter();
    let named = presets.filter_map(|preset| preset.names(&manifest.target).filter(inside).find(there));
    Ok(named.map(PathBuf::from).collect())
}

/// Returns the names of the images that the manifest in `folder` lists; empty if there is no manifest.
pub fn images(folder: &Folder) -> anyhow::Result<BTreeSet<String>> {
    Ok(manifest(folder)?.map_or_else(BTreeSet::new, |manifest| manifest.images))
}

/// Returns whether a file can be written to the relative path `below` without data loss: the path does not exist, is a
/// link, or is a file of at most `limit` bytes for which `is_equal` returns `true`.
pub fn is_free(folder: &Folder, below: &Path, limit: u64, is_equal: impl Fn(&[u8]) -> bool) -> bool {
    match std::fs::symlink_metadata(folder.path().join(below)) {
        Ok(there) if there.is_symlink() => true,
        Ok(_) => folder.read(below, limit).is_ok_and(|bytes| is_equal(bytes.as_slice())),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

fn manifest(folder: &Folder) -> anyhow::Result<Option<Manifest>> {
    let path = folder.path().join(MANIFEST_FILE);
    if !path.exists() {
        return Ok(None);
    }
    Manifest::read(&path).map(Some).context("cannot replace the existing pack; move it away")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_presets_are_replaced_and_a_folder_of_other_files_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        let pack = Folder::create(&home).expect("made");
        assert!(presets(&pack).expect("a new name").is_empty());
        for name in ["own.milk", "listed.milk", "notes.txt"] {
            std::fs::write(home.join(name), "zoom=1").expect("written");
        }
        std::fs::write(folder.path().join("outside.milk"), "zoom=1").expect("written");
        let refused = presets(&pack).expect_err("no pack").to_string();
        assert!(refused.contains("other than a pack"), "{refused}");
        let listed = r#"{"version":"v0","target":"home","presets":[{"relPath":"home/listed.milk"},
            {"relPath":"../outside.milk"},{"relPath":"notes.txt"},{"relPath":"gone.milk"}]}"#;
        std::fs::write(home.join(MANIFEST_FILE), listed).expect("written");
        let found: Vec<PathBuf> = presets(&pack).expect("a pack").into_iter().collect();
        assert_eq!(found, [Path::new("listed.milk")]);
    }

    #[test]
    fn only_missing_and_equal_files_are_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let pack = Folder::create(folder.path()).expect("made");
        std::fs::create_dir(folder.path().join("x")).expect("made");
        std::fs::write(folder.path().join("x/own.milk"), "zoom=1").expect("written");
        let free = |below: &str, limit: u64, bytes: &[u8]| {
            is_free(&pack, Path::new(below), limit, |there| there == bytes)
        };
        assert!(free("x/new.milk", 100, b"zoom=2") && free("y/new.milk", 100, b"zoom=2"));
        assert!(free("x/own.milk", 100, b"zoom=1") && !free("x/own.milk", 100, b"zoom=2"));
        assert!(!free("x/own.milk", 3, b"zoom=1") && !free("x", 100, b""));
        assert!(cfg!(windows) || !free(&"n".repeat(300), 100, b""), "a name too long to look up");
    }
}
