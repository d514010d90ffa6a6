//! Paths and presets as JSON, including paths that are not valid Unicode.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::disk;
use crate::milk::MAX_PRESET_BYTES;

/// A path that serialises to a string, or to an array of bytes (UTF-16 units on Windows) if it is not valid
/// Unicode.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WirePath(pub PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Units(Vec<u16>),
}

impl Serialize for WirePath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let form = match self.0.to_str() {
            Some(text) => Form::Text(text.to_owned()),
            None => Form::Units(units(&self.0)),
        };
        form.serialize(to)
    }
}

impl<'de> Deserialize<'de> for WirePath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match Form::deserialize(from)? {
            Form::Text(text) => PathBuf::from(text),
            Form::Units(units) => path(&units),
        }))
    }
}

/// A preset file in a worker's job. Workers may not open the files of a library, so the file is read when the
/// job is sent, and its bytes are sent with the job.
#[derive(Clone, Debug, PartialEq)]
pub struct WirePreset {
    /// Path of the file.
    pub path: PathBuf,
    /// Bytes received with the job, or why the file could not be read; `None` on the sending side.
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

#[cfg(unix)]
fn units(path: &Path) -> Vec<u16> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().iter().map(|&byte| u16::from(byte)).collect()
}

#[cfg(unix)]
fn path(units: &[u16]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(units.iter().map(|&unit| unit as u8).collect()).into()
}

#[cfg(windows)]
fn units(path: &Path) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt as _;
    path.as_os_str().encode_wide().collect()
}

#[cfg(windows)]
fn path(units: &[u16]) -> PathBuf {
    use std::os::windows::ffi::OsStringExt as _;
    std::ffi::OsString::from_wide(units).into()
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
        let preset = WirePreset::new(file.clone());
        assert_eq!(receive(&preset).read().expect("read")[..], *b"zoom=1");
        let gone = receive(&preset).read().expect_err("gone");
        assert!(!gone.invalid && gone.why.contains("a.milk"), "{gone}");
        std::fs::write(&file, vec![0; MAX_PRESET_BYTES + 1]).expect("written");
        assert!(receive(&preset).read().is_err_and(|unread| unread.invalid));
    }

    #[test]
    fn a_non_utf8_path_survives_a_round_trip() {
        for bytes in [vec![b'a'], vec![b'a', 0xff, b'b']] {
            let name = path(&bytes.iter().map(|&byte| u16::from(byte)).collect::<Vec<_>>());
            let sent = serde_json::to_string(&WirePath(name.clone())).expect("written");
            assert_eq!(serde_json::from_str::<WirePath>(&sent).expect("read").0, name);
        }
    }
}
