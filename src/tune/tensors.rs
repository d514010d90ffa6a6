//! Named matrices of floats in the safetensors format: the length of a JSON header (8 bytes, little-endian), the
//! header, and the numbers (little-endian `f32`, row by row). The metadata contains a hash of the numbers.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::disk::{self, FileError, limit};

/// Key of the hash in the metadata.
const HASH: &str = "sha256";
/// Type of the numbers.
const KIND: &str = "F32";

/// Matrices with metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tensors {
    /// Metadata by key.
    pub metadata: BTreeMap<String, String>,
    /// Matrices by name.
    pub matrices: BTreeMap<String, Array2<f32>>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default)]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: [usize; 2],
    data_offsets: [usize; 2],
}

impl Tensors {
    /// Returns the hash of the numbers, in hexadecimal digits.
    pub fn hash(&self) -> String {
        hash_of(&self.numbers())
    }

    fn numbers(&self) -> Vec<u8> {
        self.matrices.values().flatten().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Writes the file atomically.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        let numbers = self.numbers();
        let mut metadata = self.metadata.clone();
        metadata.insert(HASH.into(), hash_of(&numbers));
        let mut end = 0;
        let entry = |(name, matrix): (&String, &Array2<f32>)| {
            let start = end;
            end += matrix.len() * size_of::<f32>();
            let entry = Entry { dtype: KIND.into(), shape: matrix.dim().into(), data_offsets: [start, end] };
            (name.clone(), entry)
        };
        let header = Header { metadata, tensors: self.matrices.iter().map(entry).collect() };
        let mut header = serde_json::to_vec(&header).map_err(|error| FileError::new(path, &error))?;
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.extend(numbers);
        disk::write(path, &bytes)
    }

    /// Reads a file that [`Self::write`] wrote. Fails if it is truncated or changed.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = disk::read(path, limit::LIST).map_err(|error| error.to_string())?;
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or("truncated file")?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| "invalid header length")?;
        let (header, numbers) = rest.split_at_checked(length).ok_or("truncated file")?;
        let Header { mut metadata, tensors } =
            serde_json::from_slice(header).map_err(|error| error.to_string())?;
        if metadata.remove(HASH) != Some(hash_of(numbers)) {
            return Err("truncated or changed file: the hash of its numbers does not match".into());
        }
        let matrices = tensors.into_iter().map(|(name, entry)| {
            let matrix = entry.matrix(numbers).ok_or_else(|| format!("invalid matrix {name}"))?;
            Ok((name, matrix))
        });
        Ok(Self { metadata, matrices: matrices.collect::<Result<_, String>>()? })
    }
}

impl Entry {
    /// Returns the matrix; `None` if its type is not `f32`, or its shape does not match its offsets.
    fn matrix(&self, numbers: &[u8]) -> Option<Array2<f32>> {
        let [start, end] = self.data_offsets;
        let (values, rest) = numbers.get(start..end)?.as_chunks::<4>();
        let values = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let fits = self.dtype == KIND && rest.is_empty();
        Array2::from_shape_vec(self.shape, values).ok().filter(|_| fits)
    }
}

fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_and_a_truncated_or_changed_one_is_rejected() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("head.safetensors");
        let tensors = Tensors {
            metadata: [("epoch".to_owned(), "3".to_owned())].into(),
            matrices: [
                ("weight".to_owned(), Array2::from_shape_fn((3, 2), |(r, c)| 0.1 + (r * 2 + c) as f32)),
                ("bias".to_owned(), Array2::from_elem((1, 2), -0.5)),
            ]
            .into(),
        };
        tensors.write(&path).expect("written");
        assert_eq!(Tensors::read(&path), Ok(tensors));
        let bytes = std::fs::read(&path).expect("there");
        for length in [0, 7, 8, 40, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).expect("written");
            assert!(Tensors::read(&path).is_err(), "{length} bytes");
        }
        let mut changed = bytes.clone();
        *changed.last_mut().expect("a byte") ^= 1;
        std::fs::write(&path, changed).expect("written");
        assert!(Tensors::read(&path).expect_err("changed").contains("hash"));
        let mut other_shape = bytes;
        let at = other_shape.windows(5).position(|text| text == b"[3,2]").expect("a shape");
        other_shape[at + 1] = b'9';
        std::fs::write(&path, other_shape).expect("written");
        assert!(Tensors::read(&path).is_err());
    }
}
