//! Files of a previous pack in the same folder. Nothing else in the folder is touched.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::library::pack::{MANIFEST_FILE, Manifest};

/// Returns the presets listed by the pack in `folder`; empty if the folder is missing or empty. Fails if the folder
/// contains anything other than a pack.
pub fn presets(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    if !folder.join(MANIFEST_FILE).exists() {
        let empty = match std::fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        let place = folder.display();
        ensure!(
            empty,
            "{place} contains something other than a pack; choose another name, or empty the folder"
        );
    }
    listed(folder)
}

/// Returns the presets listed by the pack in `folder`; empty if there is no pack.
pub fn listed(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let path = folder.join(MANIFEST_FILE);
    if !path.exists() {
        return Ok(BTreeSet::new());
    }
    let manifest = Manifest::read(&path).context("cannot replace the existing pack; move it away")?;
    let below = |name: &str| {
        let path = Path::new(name);
        path.components().all(|part| matches!(part, Component::Normal(_))).then(|| folder.join(path))
    };
    let presets = manifest.presets.iter();
    let named =
        presets.filter_map(|preset| preset.names(&manifest.target).filter_map(below).find(|p| is_preset(p)));
    Ok(named.collect())
}

fn is_preset(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    path.is_file() && (ending.eq_ignore_ascii_case("milk") || ending.eq_ignore_ascii_case("milk2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_presets_are_replaced_and_a_folder_of_other_files_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        assert!(presets(&home).expect("a new name").is_empty());
        for name in ["own.milk", "listed.milk", "notes.txt"] {
            std::fs::create_dir_all(&home).expect("made");
            std::fs::write(home.join(name), "zoom=1").expect("written");
        }
        std::fs::write(folder.path().join("outside.milk"), "zoom=1").expect("written");
        let refused = presets(&home).expect_err("no pack").to_string();
        assert!(refused.contains("other than a pack"), "{refused}");
        let listed = r#"{"version":"v0","target":"home","presets":[{"relPath":"home/listed.milk"},
            {"relPath":"../outside.milk"},{"relPath":"notes.txt"},{"relPath":"gone.milk"}]}"#;
        std::fs::write(home.join(MANIFEST_FILE), listed).expect("written");
        let found: Vec<PathBuf> = presets(&home).expect("a pack").into_iter().collect();
        assert_eq!(found, [home.join("listed.milk")]);
    }
}
