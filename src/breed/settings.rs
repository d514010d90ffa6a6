//! Settings of a brood.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::jobs::workers::WorkerCount;

/// Which parents are paired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mates {
    /// Any two.
    #[default]
    Any,
    /// Those that look alike.
    Near,
    /// Those that look different.
    Far,
}

impl Mates {
    /// Returns the name used on the command line.
    pub fn label(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Near => "near",
            Self::Far => "far",
        }
    }
}

/// Settings of a brood.
#[derive(Clone, Debug)]
pub struct BreedSettings {
    /// Preset folder that the children are compared with.
    pub library: PathBuf,
    /// Folder for all results.
    pub folder: PathBuf,
    /// Folder or list of the parents; `None` for the favourites.
    pub from: Option<PathBuf>,
    /// Number of children.
    pub count: usize,
    /// Which parents are paired.
    pub mates: Mates,
    /// Texture folders.
    pub textures: Vec<PathBuf>,
    /// Number of worker processes and threads.
    pub workers: WorkerCount,
    /// Random seed.
    pub seed: u64,
    /// Lock file that a running show holds; breeding slows down while it is held. `None` to ignore shows.
    pub pause_for: Option<PathBuf>,
    /// Set to true to cancel; finished work is kept.
    pub stop: Arc<AtomicBool>,
}

impl Default for BreedSettings {
    fn default() -> Self {
        Self {
            library: PathBuf::new(),
            folder: PathBuf::new(),
            from: None,
            count: 200,
            mates: Mates::default(),
            textures: Vec::new(),
            workers: WorkerCount::Fixed(1),
            seed: 1,
            pause_for: None,
            stop: Arc::default(),
        }
    }
}
