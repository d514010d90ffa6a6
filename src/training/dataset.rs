//! The labelled clips and the settings of a training run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::analysis::Scene;
use crate::disk;

/// Licences that allow any use, as words in lower case; they may be followed by a version.
const FREE_LICENCES: [&[&str]; 9] = [
    &["cc0"],
    &["public", "domain"],
    &["own", "work"],
    &["cc", "by"],
    &["cc", "by", "sa"],
    &["mit"],
    &["isc"],
    &["bsd"],
    &["apache"],
];

/// Settings of a training run.
#[derive(Clone, Debug)]
pub struct TrainSettings {
    /// Folder with `manifest.json` and the clips to fit in addition to composed pieces.
    pub folder: Option<PathBuf>,
    /// Output path of the weights.
    pub out: PathBuf,
    /// Number of augmented variants of each clip and composed piece.
    pub variants: usize,
    /// Number of composed pieces per scene.
    pub pieces: usize,
    /// Random seed.
    pub seed: u64,
    /// Number of clips processed in parallel.
    pub workers: usize,
    /// Whether to cross-validate by holding out each group in turn.
    pub check: bool,
}

/// Contents of `manifest.json`.
#[derive(Clone, Debug, Deserialize)]
struct ClipManifest {
    items: Vec<LabelledClip>,
}

/// One clip of the manifest.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct LabelledClip {
    pub(super) file: PathBuf,
    #[serde(default)]
    pub(super) scene: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) source: String,
    #[serde(default)]
    pub(super) licence: String,
}

impl LabelledClip {
    /// Reads the manifest of `folder` and returns the clips that are labelled with a scene, with their full paths.
    /// Fails if the licence of one of them is unknown, or restricts the use of what is learnt from the clip.
    pub(super) fn read_all(folder: &Path) -> anyhow::Result<Vec<(Self, Scene)>> {
        let path = folder.join("manifest.json");
        let text = disk::read_text(&path, disk::limit::LIST)
            .with_context(|| format!("reading {}", path.display()))?;
        let manifest: ClipManifest =
            serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))?;
        let mut clips = Vec::new();
        for mut clip in manifest.items {
            let Some(scene) = Scene::ALL.into_iter().find(|scene| scene.label() == clip.scene) else {
                continue;
            };
            anyhow::ensure!(
                is_free(&clip.licence),
                "{}: the licence of {} ({}) is unknown or restricts its use; remove the clip or its scene \
                 from the manifest",
                path.display(),
                clip.file.display(),
                if clip.licence.is_empty() { "none given" } else { clip.licence.as_str() }
            );
            clip.file = folder.join(&clip.file);
            clips.push((clip, scene));
        }
        Ok(clips)
    }

    /// Returns the group of the clip: its source for recordings, otherwise the way it was made.
    pub(super) fn group(&self) -> String {
        match self.kind.as_str() {
            // The part of the source before the title names the collection.
            "real" | "nonmusic" => {
                format!("real: {}", self.source.split(['/', ':']).take(2).collect::<Vec<_>>().join("/"))
            }
            "sampled" => "sampled".into(),
            _ => "generated".into(),
        }
    }
}

/// Returns whether every licence named by `text` is one of [`FREE_LICENCES`]. Several licences are separated by `+`,
/// `/` or a comma; text in parentheses is a note.
fn is_free(text: &str) -> bool {
    let mut depth = 0;
    let names: String = text
        .to_lowercase()
        .chars()
        .filter(|&letter| {
            depth += i32::from(letter == '(');
            let outside = depth == 0;
            depth -= i32::from(letter == ')');
            outside
        })
        .collect();
    names.split(['+', '/', ',']).all(|name| {
        let words = name.split(|letter: char| !letter.is_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let is_version =
            |word: &&str| *word == "clause" || word.chars().all(|letter| letter.is_ascii_digit());
        FREE_LICENCES.iter().any(|free| words.starts_with(free) && words[free.len()..].iter().all(is_version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_licences_that_allow_any_use_are_free() {
        for free in [
            "CC0",
            "CC BY 3.0 (red_doors2.txt)",
            "CC BY-SA 4.0 (repo LICENSE.txt; README: used with permission)",
            "CC0 + Apache-2.0",
            "BSD-3-Clause",
            "own work (generated)",
            "Public Domain",
        ] {
            assert!(is_free(free), "{free}");
        }
        for other in [
            "",
            "(CC0)",
            "CC BY-NC 4.0 (LICENCE.md)",
            "CC-NC (README.md: \"Any songs\")",
            "CC BY-ND 4.0",
            "CC BY-NC-SA 3.0",
            "CC0 / CC-BY / Pixabay (see repo)",
            "CC0 + CC BY-NC 3.0",
            "GPL repo (demo song, local use)",
            "MIT repo",
            "all rights reserved",
        ] {
            assert!(!is_free(other), "{other}");
        }
    }

    #[test]
    fn a_clip_without_a_free_licence_is_refused_unless_it_has_no_scene() {
        let folder = tempfile::tempdir().unwrap();
        let read = |items: &str| {
            std::fs::write(folder.path().join("manifest.json"), format!(r#"{{"items":[{items}]}}"#)).unwrap();
            LabelledClip::read_all(folder.path()).map_err(|error| error.to_string())
        };
        let free = r#"{"file":"a.wav","scene":"rock","licence":"CC0"}"#;
        let other = r#"{"file":"b.wav","scene":"other","licence":"CC BY-NC 4.0"}"#;
        let clips = read(&format!("{free},{other}")).unwrap();
        assert_eq!(clips.len(), 1);
        assert_eq!((&clips[0].0.file, clips[0].1), (&folder.path().join("a.wav"), Scene::Rock));
        let refused = read(&format!("{free},{}", other.replace("other", "rock"))).unwrap_err();
        assert!(refused.contains("b.wav") && refused.contains("CC BY-NC 4.0"), "{refused}");
        let unknown = read(r#"{"file":"c.wav","scene":"none"}"#).unwrap_err();
        assert!(unknown.contains("c.wav") && unknown.contains("none given"), "{unknown}");
    }
}
