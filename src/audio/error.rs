//! What can go wrong with sound, said to the operator in one line: what happened, and what to try.

use std::path::PathBuf;

/// A failure of a device or a file of sound.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The file is missing or may not be read.
    #[error("could not open {path}: {reason}; check the name and that it may be read", path = .path.display())]
    Open {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file holds no sound that can be decoded.
    #[error("{path} is not audio that can be played ({reason}); try wav, flac, ogg, mp3 or m4a", path = .path.display())]
    NotAudio {
        /// The file that was asked for.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// The file is longer than may be held in memory at once.
    #[error("{path} is longer than {limit_minutes} minutes; cut it, or play it live instead", path = .path.display())]
    TooLong {
        /// The file that was asked for.
        path: PathBuf,
        /// The longest sound that is held at once, in minutes.
        limit_minutes: u32,
    },
    /// A file could not be written.
    #[error("could not write {path}: {reason}; check the folder and the free space", path = .path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// No input answers to the wish, or none exists.
    #[error("{0}")]
    NoDevice(String),
    /// The device is there but does not open.
    #[error("could not listen to {device}: {reason}")]
    Device {
        /// Name of the device.
        device: String,
        /// What the driver said.
        reason: String,
    },
    /// A thread could not be started.
    #[error("could not start the audio thread: {0}; close other programs and try again")]
    Thread(std::io::Error),
}
