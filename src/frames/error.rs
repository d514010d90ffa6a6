//! Errors in the frames stage.

use std::path::PathBuf;

/// Why the frames stage failed.
#[derive(Debug, thiserror::Error)]
pub enum FramesError {
    /// The index cannot be opened or appended to.
    #[error("cannot read or write {}: {error}", path.display())]
    Index {
        /// Path of the index.
        path: PathBuf,
        /// Why it cannot be opened or appended to.
        error: std::io::Error,
    },
    /// A frame or a clip cannot be written.
    #[error("cannot write a frame: {0}")]
    Write(String),
    /// The library is missing, for example on an unmounted disk.
    #[error("the library is missing ({0}); reconnect it and run again to resume")]
    LibraryMissing(String),
    /// The pictures of one preset would need more memory than a worker may use.
    #[error(
        "the pictures of each preset would take {mib} MiB of memory, and at most {max_mib} MiB are allowed; choose a \
         smaller --size, or lower --clip-seconds or --capture-count"
    )]
    TooLarge {
        /// Size of the pictures, in MiB.
        mib: u64,
        /// Maximum size, in MiB.
        max_mib: u64,
    },
    /// No worker process could be started.
    #[error("cannot render frames: {0}")]
    Worker(String),
}
