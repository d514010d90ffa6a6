//! Tuning settings, and the kinds of labels.

use serde::{Deserialize, Serialize};

/// What gives presets their labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelSource {
    /// The folder of the preset's file.
    Folders,
    /// The performer's own tags.
    Tags,
    /// Favourites, and presets that are usually skipped.
    Taste,
    /// The clusters of an earlier bake of the same embeddings (pseudo-labels).
    Clusters,
    /// The visual elements in the preset's code.
    Elements,
}

impl LabelSource {
    /// Every source of labels.
    pub const ALL: [Self; 5] = [Self::Folders, Self::Tags, Self::Taste, Self::Clusters, Self::Elements];
    /// Sources of labels that a head learns from by default.
    pub const DEFAULT: [Self; 4] = [Self::Folders, Self::Tags, Self::Taste, Self::Clusters];
    /// Sources of labels that can judge a head, the best first. Clusters cannot: they come from the embeddings.
    pub(super) const JUDGES: [Self; 4] = [Self::Folders, Self::Tags, Self::Taste, Self::Elements];

    /// Returns the name of the source, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Folders => "folders",
            Self::Tags => "tags",
            Self::Taste => "favourites and skips",
            Self::Clusters => "clusters",
            Self::Elements => "visual elements",
        }
    }

    /// Returns the weight of the source in the loss.
    pub(super) fn weight(self) -> f32 {
        match self {
            Self::Folders | Self::Tags => 1.0,
            Self::Clusters => 0.5,
            Self::Taste | Self::Elements => 0.25,
        }
    }
}

/// Tuning settings.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneSettings {
    /// Sources of labels to learn from.
    pub labels: Vec<LabelSource>,
    /// Number of hidden units; `None` for a linear head.
    pub hidden: Option<usize>,
    /// Number of passes over the presets.
    pub epochs: usize,
    /// Random seed; equal seeds give equal heads.
    pub seed: u64,
    /// Number of threads for the measurements.
    pub threads: usize,
}

impl Default for TuneSettings {
    fn default() -> Self {
        Self { labels: LabelSource::DEFAULT.to_vec(), hidden: None, epochs: 30, seed: 1, threads: 1 }
    }
}
