//! The names that a manifest gives to the files of its folder.

use std::collections::HashMap;
use std::path::Path;

use super::manifest::{MANIFEST_FILE, Manifest, ManifestPreset};
use crate::disk;

/// The presets of a manifest, which can be looked up by any of their names.
#[derive(Clone, Debug, Default)]
pub struct ManifestNames {
    presets: Vec<ManifestPreset>,
    /// Name of the pack.
    target: String,
    by_name: HashMap<String, usize>,
}

impl ManifestNames {
    /// Reads the manifest of a folder; `None` if there is none or it cannot be read. A read error is logged.
    pub fn from_folder(folder: &Path) -> Option<Self> {
        let path = folder.join(MANIFEST_FILE);
        if disk::is_missing(&path) {
            return None;
        }
        match Manifest::read(&path) {
            Ok(manifest) => Some(Self::of(manifest)),
            Err(error) => {
                log::warn!("ignoring the manifest ({error}); using all presets in the folder");
                None
            }
        }
    }

    fn of(manifest: Manifest) -> Self {
        let mut by_name = HashMap::new();
        for (index, preset) in manifest.presets.iter().enumerate() {
            for name in preset.names(&manifest.target) {
                by_name.entry(name.replace('\\', "/")).or_insert(index);
            }
        }
        Self { presets: manifest.presets, target: manifest.target, by_name }
    }

    /// Iterates over the presets' IDs, each with the preset's path in the source library or, if unknown, in
    /// the pack.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.presets.iter().filter(|preset| !preset.id.is_empty());
        named
            .map(|preset| {
                let path = if preset.label.is_empty() { &preset.rel_path } else { &preset.label };
                (preset.id.as_str(), path.as_str())
            })
            .filter(|(_, path)| !path.is_empty())
    }

    /// Returns the preset at the path `below`, relative to the folder.
    pub fn preset(&self, below: &str) -> Option<&ManifestPreset> {
        self.by_name.get(below).map(|&index| &self.presets[index])
    }

    /// Iterates over all names of the preset at the path `below`, relative to the folder.
    pub fn names_of(&self, below: &str) -> impl Iterator<Item = &str> {
        self.preset(below).into_iter().flat_map(move |preset| preset.names(&self.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_path_with_and_without_the_folder_of_the_pack() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(ManifestNames::from_folder(folder.path()).is_none());
        let text = r#"{"version":"v0","target":"run3","presets":[
            {"id":"run3-a-1b2c3d","label":"x\\a.milk","relPath":"run3/x/a.milk"},{"id":"y/b.milk"}]}"#;
        std::fs::write(folder.path().join(MANIFEST_FILE), text).expect("written");
        let names = ManifestNames::from_folder(folder.path()).expect("read");
        let id = |path: &str| names.preset(path).map(|preset| preset.id.as_str());
        assert_eq!((id("x/a.milk"), id("run3/x/a.milk")), (Some("run3-a-1b2c3d"), Some("run3-a-1b2c3d")));
        assert_eq!((id("y/b.milk"), id("c.milk")), (Some("y/b.milk"), None));
        assert!(names.names_of("x/a.milk").any(|name| name == "run3-a-1b2c3d"));
        assert_eq!(names.names_of("c.milk").count(), 0);
        std::fs::write(folder.path().join(MANIFEST_FILE), "{").expect("written");
        assert!(ManifestNames::from_folder(folder.path()).is_none());
    }
}
