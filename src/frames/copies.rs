//! Presets with the same content as another one, which are not rendered but share its frames.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::entry::{FrameEntry, IndexWriter, read};
use super::error::FramesError;
use super::item::BakeItem;

/// Presets with the same content as another one, with the hash of that content.
pub(super) struct Copies(Vec<(BakeItem, String)>);

impl Copies {
    /// Removes from `open` the presets whose content equals that of an earlier one, or is among `contents`, the content
    /// hashes of rendered presets. Reads every file.
    pub fn take(open: &mut Vec<BakeItem>, mut contents: HashSet<String>) -> Self {
        let mut copies = Vec::new();
        open.retain(|item| match item.content() {
            Some(content) if contents.contains(&content) => {
                copies.push((item.clone(), content));
                false
            }
            content => {
                contents.extend(content);
                true
            }
        });
        Self(copies)
    }

    /// Adds an entry to the index for every preset whose content was rendered with the settings named `capture`.
    /// Returns the number of these presets, and the number of the remaining ones.
    pub fn share(
        self,
        folder: &Path,
        capture: &str,
        index: &mut IndexWriter,
    ) -> Result<[usize; 2], FramesError> {
        let Self(copies) = self;
        let (mut shared, mut without) = (0, 0);
        if copies.is_empty() {
            return Ok([shared, without]);
        }
        let entries = read(folder).into_values().filter(|entry| entry.is_ok());
        let entries = entries.filter(|entry| entry.capture.as_deref() == Some(capture));
        let rendered: HashMap<String, FrameEntry> =
            entries.filter_map(|entry| Some((entry.content.clone()?, entry))).collect();
        for (item, content) in copies {
            let Some(entry) = rendered.get(&content) else {
                without += 1;
                continue;
            };
            index.append(&FrameEntry {
                preset_id: item.id.clone(),
                rel_path: item.rel_path.clone(),
                file_path: item.path.to_string_lossy().replace('\\', "/"),
                metrics: item.bands.map_or(entry.metrics, |bands| entry.metrics.with_bands(bands)),
                ..entry.clone()
            })?;
            shared += 1;
        }
        Ok([shared, without])
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::items_in;
    use super::*;

    #[test]
    fn copies_of_a_preset_share_its_frames() {
        let library = tempfile::tempdir().expect("a folder");
        for (name, text) in
            [("a", "zoom=1"), ("b", "zoom=2"), ("c", "zoom=1"), ("d", "zoom=3"), ("e", "zoom=3")]
        {
            std::fs::write(library.path().join(format!("{name}.milk")), text).expect("written");
        }
        let mut open = items_in(library.path(), None).expect("presets");
        let rendered = open.remove(1);
        let content = |item: &BakeItem| item.content().expect("readable");
        let copies = Copies::take(&mut open, HashSet::from([content(&rendered)]));
        let ids = |items: &[BakeItem]| items.iter().map(|item| item.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&open), ["a.milk", "d.milk"]);
        let folder = tempfile::tempdir().expect("a folder");
        let mut index = IndexWriter::open(folder.path()).expect("opened");
        let entry = FrameEntry {
            preset_id: "a.milk".into(),
            frames: vec!["frames/a.webp".into()],
            capture: Some("settings".into()),
            content: Some(content(&open[0])),
            ..FrameEntry::default()
        };
        index.append(&entry).expect("written");
        let shared = copies.share(folder.path(), "settings", &mut index).expect("shared");
        assert_eq!(shared, [1, 1], "d was not rendered");
        let copy = &read(folder.path())["c.milk"];
        assert!(copy.is_ok() && copy.frames == entry.frames && copy.file_path.ends_with("/c.milk"));
    }
}
