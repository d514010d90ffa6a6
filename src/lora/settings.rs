//! Settings of the training.

use super::adapter::Target;

/// Which pictures belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// The frames of one preset.
    Frames,
    /// The frames of all presets in one cluster of the bake (pseudo-labels).
    Clusters,
}

/// Settings of the training.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraSettings {
    /// Which pictures belong together.
    pub objective: Objective,
    /// Rank of the products that are added to the weights.
    pub rank: usize,
    /// Factor by which the products are multiplied, before it is divided by the rank.
    pub alpha: f64,
    /// Layers that are trained.
    pub targets: Vec<Target>,
    /// Number of passes over the presets; with 0, an existing adapter is only merged.
    pub epochs: usize,
    /// Number of frames per step.
    pub batch: usize,
    /// Learning rate of the first step; it falls linearly towards 0.
    pub rate: f64,
    /// Maximum number of frames per preset.
    pub max_frames: usize,
    /// Whether the training runs on the graphics card.
    pub on_gpu: bool,
    /// Random seed.
    pub seed: u64,
    /// Number of threads for embedding, measuring and reading pictures.
    pub threads: usize,
}

impl Default for LoraSettings {
    fn default() -> Self {
        Self {
            objective: Objective::Frames,
            rank: 8,
            alpha: 16.0,
            targets: vec![Target::Query, Target::Value],
            epochs: 1,
            batch: 64,
            rate: 2e-4,
            max_frames: 3,
            on_gpu: false,
            seed: 1,
            threads: 1,
        }
    }
}
