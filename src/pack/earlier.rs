//! What an earlier pack of the same name left behind. Nothing else in a folder is ever touched.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::library::pack::{MANIFEST_FILE, Manifest};

/// The presets the pack in `folder` lists; none where there is no folder yet. A folder that holds anything but a pack
/// is refused.
pub fn presets(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    if !folder.join(MANIFEST_FILE).exists() {
        let empty = match std::fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        let place = folder.display();
        ensure!(empty, "{place} holds other things than a pack; choose another name, or clear it yourself");
    }
    listed(folder)
}

/// The presets the pack in `folder` lists; none where there is no pack.
pub fn listed(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let path = folder.join(MANIFEST_FILE);
    if !path.exists() {
        return Ok(BTreeSet::new());
    }
    let manifest =
        Manifest::read(&path).context("the pack that is there cannot be replaced; move it away")?;
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
    fn only_what_the_earlier_manifest_lists_may_go_and_a_strange_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        assert!(presets(&home).expect("a new name").is_empty());
        for name in ["own.milk", "listed.milk", "notes.txt"] {
            std::fs::create_dir_all(&home).expect("made");
            std::fs::write(home.join(name), "zoom=1").expect("written");
        }
        std::fs::write(folder.path().join("outside.milk"), "zoom=1").expect("written");
        let refused = presets(&home).expect_err("no pack").to_string();
        assert!(refused.contains("other things than a pack"), "{refused}");
        let listed = r#"{"version":"v0","target":"home","presets":[{"relPath":"home/listed.milk"},
            {"relPath":"../outside.milk"},{"relPath":"notes.txt"},{"relPath":"gone.milk"}]}"#;
        std::fs::write(home.join(MANIFEST_FILE), listed).expect("written");
        let found: Vec<PathBuf> = presets(&home).expect("a pack").into_iter().collect();
        assert_eq!(found, [home.join("listed.milk")]);
    }
}
