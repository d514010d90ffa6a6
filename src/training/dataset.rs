//! The labelled clips and the settings of a training run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::disk;

/// Settings of a training run.
#[derive(Clone, Debug)]
pub struct TrainSettings {
    /// Folder with `manifest.json` and the clips.
    pub folder: PathBuf,
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
pub(super) struct ClipManifest {
    pub(super) items: Vec<LabelledClip>,
}

impl ClipManifest {
    /// Reads the manifest of `folder`.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("manifest.json");
        let text = disk::read_text(&path, disk::limit::LIST)
            .with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))
    }
}

/// One clip of the manifest.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct LabelledClip {
    pub(super) file: String,
    #[serde(default)]
    pub(super) scene: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) source: String,
}

impl LabelledClip {
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
