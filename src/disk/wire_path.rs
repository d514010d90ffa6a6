//! Paths as JSON, including paths that are not valid Unicode.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
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

/// A path, or several, that [`as_wire_paths`] serialises.
pub trait WirePaths: Sized {
    /// The form that is serialised.
    type Wire: Serialize + DeserializeOwned;
    /// Returns the form that is serialised.
    fn to_wire(&self) -> Self::Wire;
    /// Returns the paths in `wire`.
    fn from_wire(wire: Self::Wire) -> Self;
}

impl WirePaths for PathBuf {
    type Wire = WirePath;

    fn to_wire(&self) -> WirePath {
        WirePath(self.clone())
    }

    fn from_wire(wire: WirePath) -> Self {
        wire.0
    }
}

impl WirePaths for Option<PathBuf> {
    type Wire = Option<WirePath>;

    fn to_wire(&self) -> Self::Wire {
        self.clone().map(WirePath)
    }

    fn from_wire(wire: Self::Wire) -> Self {
        wire.map(|path| path.0)
    }
}

impl WirePaths for Vec<PathBuf> {
    type Wire = Vec<WirePath>;

    fn to_wire(&self) -> Self::Wire {
        self.iter().cloned().map(WirePath).collect()
    }

    fn from_wire(wire: Self::Wire) -> Self {
        wire.into_iter().map(|path| path.0).collect()
    }
}

/// Serialises a field of paths as [`WirePath`]s: `#[serde(with = "as_wire_paths")]`. Serde's own
/// implementation for `PathBuf` fails if the path is not valid Unicode.
pub mod as_wire_paths {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::WirePaths;

    /// Serialises `paths`.
    ///
    /// # Errors
    /// Fails if the serialiser does.
    pub fn serialize<T: WirePaths, S: Serializer>(paths: &T, to: S) -> Result<S::Ok, S::Error> {
        paths.to_wire().serialize(to)
    }

    /// Deserialises paths.
    ///
    /// # Errors
    /// Fails if the input is not in the form that [`serialize`] writes.
    pub fn deserialize<'de, T: WirePaths, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::Wire::deserialize(from).map(T::from_wire)
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

    #[test]
    fn a_field_of_non_utf8_paths_survives_a_round_trip() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Fields {
            #[serde(with = "as_wire_paths")]
            one: PathBuf,
            #[serde(with = "as_wire_paths", default)]
            maybe: Option<PathBuf>,
            #[serde(with = "as_wire_paths")]
            many: Vec<PathBuf>,
        }
        let strange = path(&[0x61, 0xff]);
        for maybe in [None, Some(strange.clone())] {
            let fields = Fields { one: strange.clone(), maybe, many: vec!["b".into(), strange.clone()] };
            let sent = serde_json::to_string(&fields).expect("written");
            assert_eq!(serde_json::from_str::<Fields>(&sent).expect("read"), fields);
        }
        let plain: Fields = serde_json::from_str(r#"{"one":"a","many":["b"]}"#).expect("read");
        assert_eq!(plain, Fields { one: "a".into(), maybe: None, many: vec!["b".into()] });
    }
}
