//! A preset on its way through the night: its file, its frames, and how it responds to the sound.

use std::path::{Path, PathBuf};

use super::BandResponse;
use crate::library::{self, FolderError};

/// Deepest folder that is looked into; ends symlink loops that the walk itself does not notice.
const MAX_DEPTH: usize = 32;
/// Presets that are named where many are left out.
const NAMES_TOLD: usize = 8;
/// One preset to embed.
#[derive(Clone, Debug, PartialEq)]
pub struct BakeItem {
    /// What the row is called.
    pub id: String,
    /// The preset's file.
    pub path: PathBuf,
    /// Frames of it, in order of time; none before any were rendered.
    pub frames: Vec<PathBuf>,
    /// How it answers to each part of the sound, where an audit has told.
    pub bands: Option<BandResponse>,
}

/// The presets below a folder as subjects without frames, in order of their path; at most `limit` of them. Those with a
/// line break in their path are left out: ids are kept one a line.
pub fn subjects_in(library: &Path, limit: Option<usize>) -> Result<Vec<BakeItem>, FolderError> {
    if !library.is_dir() {
        return Err(FolderError::NotAFolder(library.to_owned()));
    }
    let (mut subjects, mut broken) = (Vec::new(), Vec::new());
    for entry in walkdir::WalkDir::new(library).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() && library::is_preset(entry.path()) => {
                let id = id_of(library, entry.path());
                if id.contains(['\n', '\r']) {
                    broken.push(id);
                } else {
                    subjects.push(BakeItem { id, path: entry.into_path(), frames: Vec::new(), bands: None });
                }
            }
            Ok(_) => {}
            Err(error) => log::warn!("a folder is left out: {error}"),
        }
        if limit.is_some_and(|limit| subjects.len() >= limit) {
            break;
        }
    }
    if let Some(told) = left_out(&broken) {
        log::warn!("{told}");
    }
    if subjects.is_empty() { Err(FolderError::Empty(library.to_owned())) } else { Ok(subjects) }
}

/// What a preset of a library is called: its path below it.
fn id_of(library: &Path, path: &Path) -> String {
    let below = path.strip_prefix(library).unwrap_or(path);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Which presets are left out because of a line break in their path, in words; nothing where none are.
fn left_out(ids: &[String]) -> Option<String> {
    let names: Vec<String> = ids.iter().take(NAMES_TOLD).map(|id| format!("{id:?}")).collect();
    let more = if ids.len() > names.len() { ", ..." } else { "" };
    (!ids.is_empty()).then(|| {
        format!(
            "{} presets are left out, because a line break is in their path; rename them: {}{more}",
            ids.len(),
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
        let items = subjects_in(library.path(), None).expect("presets");
        assert_eq!(items.into_iter().map(|item| item.id).collect::<Vec<_>>(), ["0.milk", "1.milk"]);
        let message = left_out(&["a\nb.milk".into()]).expect("a message");
        assert!(
            message.contains("1 presets are left out") && message.contains(r#""a\nb.milk""#),
            "{message}"
        );
        assert_eq!(left_out(&[]), None);
    }
}
