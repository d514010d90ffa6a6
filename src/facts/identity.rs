//! The ID of a preset: a hash of its bytes, independent of file name and location.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The first 128 bits of the SHA-256 of a preset's bytes; written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PresetId(pub [u8; 16]);

impl PresetId {
    /// Computes the ID of a preset from the bytes of its file.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self(std::array::from_fn(|at| digest[at]))
    }
}

impl fmt::Display for PresetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Error returned when a string is not a preset ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a preset ID (32 hexadecimal digits)")]
pub struct InvalidPresetId(String);

impl FromStr for PresetId {
    type Err = InvalidPresetId;

    fn from_str(text: &str) -> Result<Self, InvalidPresetId> {
        let wrong = || InvalidPresetId(text.to_owned());
        // `from_str_radix` alone also accepts a plus sign.
        if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; 16];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl From<PresetId> for String {
    fn from(id: PresetId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for PresetId {
    type Error = InvalidPresetId;

    fn try_from(text: String) -> Result<Self, InvalidPresetId> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_a_round_trip() {
        let id = PresetId::of(b"[preset00]");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, PresetId::of(b"[preset01]"));
    }

    #[test]
    fn only_hexadecimal_digits_are_an_id() {
        for wrong in ["zz", "é", "+f", "-0", " f", "0_"] {
            assert!(wrong.repeat(16).parse::<PresetId>().is_err(), "{wrong}");
        }
        assert_eq!("Ff".repeat(16).parse(), Ok(PresetId([0xff; 16])));
    }
}
