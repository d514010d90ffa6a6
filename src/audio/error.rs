//! Audio errors as one-line messages: what happened and what to try.

use std::path::PathBuf;

/// Why an audio file or the audio thread cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The file is missing or unreadable.
    #[error("could not open {path}: {reason}; check the path and the permissions", path = .path.display())]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// Error message from the operating system.
        reason: String,
    },
    /// The file contains no audio that can be decoded.
    #[error("{path} cannot be played as audio ({reason}); try WAV, FLAC, Ogg, MP3 or M4A", path = .path.display())]
    Unplayable {
        /// Path of the file.
        path: PathBuf,
        /// Why the file cannot be played.
        reason: String,
    },
    /// The file is too long to be held in memory.
    #[error("{path} is longer than {limit_minutes} minutes; shorten it, or play it live instead", path = .path.display())]
    TooLong {
        /// Path of the file.
        path: PathBuf,
        /// Longest supported length, in minutes.
        limit_minutes: u32,
    },
    /// A file could not be written.
    #[error("could not write {path}: {reason}; check the folder and the free space", path = .path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Error message from the operating system.
        reason: String,
    },
    /// The audio thread could not be started.
    #[error("could not start the audio thread: {0}; close other programs and try again")]
    Thread(std::io::Error),
}
