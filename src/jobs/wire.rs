//! Presets as JSON, for worker processes.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::disk::{self, WirePath};
use crate::milk::MAX_PRESET_BYTES;

/// A preset file in a worker's job. Workers may not open the files of a library, so the file is read when the
/// job is sent, and its bytes are sent with the job.
#[derive(Clone, Debug, PartialEq)]
pub struct WirePreset {
    /// Path of the file.
    pub path: PathBuf,
    /// The bytes, or why the file could not be read; `None` if the file has yet to be read.
    sent: Option<Result<Arc<[u8]>, UnreadPreset>>,
}

/// Why a preset could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct UnreadPreset {
    /// Whether the file itself is at fault, for example because it is too large, rather than the disk.
    pub invalid: bool,
    /// Why it could not be read.
    pub why: String,
}

impl WirePreset {
    /// Returns the preset in the file at `path`, which is not read yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, sent: None }
    }

    /// Returns a preset that is not stored in a file; `path` only names it.
    pub fn of_bytes(path: PathBuf, bytes: &[u8]) -> Self {
        Self { path, sent: Some(Ok(bytes.into())) }
    }

    /// Returns the bytes that were sent, or reads the file.
    ///
    /// # Errors
    /// Fails if the file could not be read.
    pub fn read(&self) -> Result<Arc<[u8]>, UnreadPreset> {
        if let Some(sent) = &self.sent {
            return sent.clone();
        }
        disk::read(&self.path, MAX_PRESET_BYTES as u64).map(Arc::from).map_err(|error| UnreadPreset {
            invalid: matches!(error.kind(), ErrorKind::FileTooLarge | ErrorKind::InvalidInput),
            why: format!("{}: {error}", self.path.display()),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SentPreset {
    path: WirePath,
    content: Result<String, UnreadPreset>,
}

impl Serialize for WirePreset {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let content = self.read().map(|bytes| STANDARD.encode(bytes));
        SentPreset { path: WirePath(self.path.clone()), content }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for WirePreset {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let SentPreset { path, content } = SentPreset::deserialize(from)?;
        let sent = match content {
            Ok(text) => Ok(STANDARD.decode(text).map_err(serde::de::Error::custom)?.into()),
            Err(unread) => Err(unread),
        };
        Ok(Self { path: path.0, sent: Some(sent) })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_read_when_it_is_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.milk");
        std::fs::write(&file, "zoom=1").expect("written");
        let receive = |preset: &WirePreset| {
            let sent = serde_json::to_string(preset).expect("sent");
            std::fs::remove_file(&preset.path).ok();
            serde_json::from_str::<WirePreset>(&sent).expect("received")
        };
        let of_bytes = WirePreset::of_bytes("built-in".into(), b"zoom=2");
        assert_eq!(receive(&of_bytes).read().expect("read")[..], *b"zoom=2");
        let preset = WirePreset::new(file.clone());
        assert_eq!(receive(&preset).read().expect("read")[..], *b"zoom=1");
        let gone = receive(&preset).read().expect_err("gone");
        assert!(!gone.invalid && gone.why.contains("a.milk"), "{gone}");
        std::fs::write(&file, vec![0; MAX_PRESET_BYTES + 1]).expect("written");
        assert!(receive(&preset).read().is_err_and(|unread| unread.invalid));
    }
}
