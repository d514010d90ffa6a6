//! Bake errors.

use std::path::PathBuf;

use crate::frames::FramesError;
use crate::library::FolderError;
use crate::store::StoreError;
use crate::units::counted;

/// Why a bake failed.
#[derive(Debug, thiserror::Error)]
pub enum BakeError {
    /// The library cannot be baked.
    #[error(transparent)]
    Library(#[from] FolderError),
    /// The folder cannot be locked.
    #[error("{0}")]
    Lock(String),
    /// The folder contains files that are not from a bake.
    #[error("{0}")]
    Folder(String),
    /// The folder is a preset library.
    #[error("{} is a preset library; choose another name, or an empty or new folder, for this bake", .0.display())]
    IntoLibrary(PathBuf),
    /// The folder contains the bake of another library.
    #[error(
        "{} contains the pack for {}; choose another name or folder for this bake", folder.display(), library.display()
    )]
    OtherLibrary {
        /// Folder of the bake.
        folder: PathBuf,
        /// The library it belongs to.
        library: PathBuf,
    },
    /// A preflight check failed.
    #[error("the bake cannot start: {0}")]
    Preflight(String),
    /// Most presets of the smoke test failed.
    #[error("smoke test: only {good} of {} could be rendered; see {}", counted(*tried, "preset"), folder.display())]
    Smoke {
        /// Number of presets that were rendered.
        good: usize,
        /// Number of presets that were tried.
        tried: usize,
        /// Folder of the smoke test.
        folder: PathBuf,
    },
    /// The time for the audit ended before a playable preset was found.
    #[error(
        "no playable preset found in time, {pending} pending; run again to resume, or raise the time limit"
    )]
    NoTimeForAudit {
        /// Number of presets without a verdict.
        pending: usize,
    },
    /// No preset passed the audit.
    #[error("no preset is playable; see {}", report.display())]
    NothingPlayable {
        /// Path of the audit report.
        report: PathBuf,
    },
    /// The time for embedding ended before a preset was embedded.
    #[error(
        "{embedder} embedded none of the {presets} presets in time, and embeddings from other models cannot be used; run \
         again to resume, or raise the time limit"
    )]
    NothingEmbedded {
        /// Name of the embedder.
        embedder: String,
        /// Number of presets to embed.
        presets: usize,
    },
    /// The frames stage failed.
    #[error(transparent)]
    Frames(#[from] FramesError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another stage failed.
    #[error(transparent)]
    Stage(#[from] anyhow::Error),
}

impl From<String> for BakeError {
    fn from(message: String) -> Self {
        Self::Stage(anyhow::Error::msg(message))
    }
}
