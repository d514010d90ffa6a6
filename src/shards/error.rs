//! Why shards cannot be sealed or merged.

use std::path::PathBuf;

/// A problem with the folder of a shard, or shards that do not match.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// No folder was given.
    #[error("no shards to merge")]
    NoShards,
    /// The folder does not contain a finished shard.
    #[error("{folder}: not a finished shard (it has no SHA256SUMS); run the command of this shard again")]
    NotSealed {
        /// Folder that does not contain a finished shard.
        folder: PathBuf,
    },
    /// A file is missing, or does not match its hash.
    #[error("{folder}: {file} is {problem}; copy the folder again, or run the command of this shard again")]
    Damaged {
        /// Folder of the shard.
        folder: PathBuf,
        /// The file, relative to the folder.
        file: String,
        /// The problem: `missing` or `damaged`.
        problem: &'static str,
    },
    /// The shards belong to different bakes.
    #[error(
        "{folder} has a different {what} from {other}: found {found}, expected {expected}; merge shards of one bake only"
    )]
    Mismatch {
        /// The shard that differs.
        folder: PathBuf,
        /// The shard it is compared with.
        other: PathBuf,
        /// Name of the property that differs, such as `stage`.
        what: &'static str,
        /// Value in `folder`.
        found: String,
        /// Value in `other`.
        expected: String,
    },
    /// A result differs between two shards although the settings are the same.
    #[error("{preset}: {folder} and {other} contain different versions; run both shards again")]
    Conflict {
        /// Folder of a shard.
        folder: PathBuf,
        /// Folder of the other shard.
        other: PathBuf,
        /// ID of the preset.
        preset: String,
    },
    /// A file cannot be read or written, or is malformed.
    #[error("{path}: {why}")]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Why it cannot be used.
        why: String,
    },
}

impl ShardError {
    pub(super) fn file(path: impl Into<PathBuf>, why: &impl ToString) -> Self {
        Self::File { path: path.into(), why: why.to_string() }
    }
}
