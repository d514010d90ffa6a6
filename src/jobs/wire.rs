//! Paths as JSON, including names that are not UTF-8.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path that serialises to a string, or to an array of bytes (UTF-16 units on Windows) if it is not valid Unicode.
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
    fn a_non_utf8_path_survives_a_round_trip() {
        for bytes in [vec![b'a'], vec![b'a', 0xff, b'b']] {
            let name = path(&bytes.iter().map(|&byte| u16::from(byte)).collect::<Vec<_>>());
            let sent = serde_json::to_string(&WirePath(name.clone())).expect("written");
            assert_eq!(serde_json::from_str::<WirePath>(&sent).expect("read").0, name);
        }
    }
}
