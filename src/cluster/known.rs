//! What is known about the presets of a table besides their embeddings.

use std::collections::HashMap;
use std::path::Path;

use crate::frames::{self, BakeItem, FrameMetrics};
use crate::library::pack::ManifestNames;

/// Measurements and paths of presets, by preset ID.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Measurements of the frames.
    pub frames: HashMap<String, FrameMetrics>,
    /// Paths of presets whose ID is not their path. File names hint at the look of a preset; IDs from a
    /// manifest do not.
    pub paths: HashMap<String, String>,
}

impl Known {
    /// Collects what a bake folder contains about `items`.
    pub fn of(items: &[BakeItem], folder: &Path) -> Self {
        let entries = frames::entries_of(items, folder).into_iter().filter(|(_, entry)| entry.is_ok());
        let renamed = items.iter().filter(|item| item.id != item.below);
        Self {
            frames: entries.map(|(id, entry)| (id, entry.metrics)).collect(),
            paths: renamed.map(|item| (item.id.clone(), item.below.clone())).collect(),
        }
    }

    /// Collects what a bake folder contains about its presets, from the index of the frames and a manifest.
    pub fn from_folder(folder: &Path) -> Self {
        let mut known = Self::default();
        for (id, entry) in frames::read(folder).into_iter().filter(|(_, entry)| entry.is_ok()) {
            // A row of the table may be named by the ID or by the path.
            if !entry.rel_path.is_empty() && entry.rel_path != id {
                known.frames.entry(entry.rel_path.clone()).or_insert(entry.metrics);
                known.paths.insert(id.clone(), entry.rel_path);
            }
            known.frames.insert(id, entry.metrics);
        }
        let manifest = ManifestNames::from_folder(folder).unwrap_or_default();
        known.paths.extend(manifest.labels().map(|(id, label)| (id.to_owned(), label.to_owned())));
        known
    }

    /// Adds what is known from another folder, unless it is known already.
    pub fn add(&mut self, other: Self) {
        for (id, metrics) in other.frames {
            self.frames.entry(id).or_insert(metrics);
        }
        for (id, path) in other.paths {
            self.paths.entry(id).or_insert(path);
        }
    }

    /// Returns the path of a preset, or its ID if no other path is known.
    pub fn path<'a>(&'a self, id: &'a str) -> &'a str {
        self.paths.get(id).map_or(id, String::as_str)
    }
}
