//! The rights that a confined process keeps.

use std::path::PathBuf;

/// The folders and files that a confined process may use, besides those of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Files and folders that may be read. Those that do not exist are ignored.
    pub read: Vec<PathBuf>,
    /// Folders that may be read, and in which files may be written and deleted. Those that do not exist are
    /// ignored.
    pub write: Vec<PathBuf>,
}

/// Restrictions that the system enforces after [`confine`](super::confine).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enforced {
    /// Whether access to other files and folders is denied.
    pub files: bool,
    /// Whether network access is denied.
    pub network: bool,
}
