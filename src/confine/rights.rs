//! The rights that a confined process keeps.

use std::path::PathBuf;

/// The folders and files that a confined process needs, besides those of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Files and folders that it reads. Those that do not exist are ignored.
    pub read: Vec<PathBuf>,
    /// Folders in which it also writes and deletes. Those that do not exist are ignored.
    pub write: Vec<PathBuf>,
}

/// Restrictions that the system enforces after [`confine`](super::confine).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enforced {
    /// Other files and folders cannot be opened.
    pub files: bool,
    /// There is no network.
    pub network: bool,
}
