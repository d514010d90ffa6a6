//! NumPy's file format for one plain matrix of 32-bit numbers (NEP 1, version 1.0), so that any tool can read it.

use std::io::{Read as _, Write as _};
use std::path::Path;

use ndarray::Array2;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The bytes of a `.npy` file.
pub fn encode(matrix: &Array2<f32>) -> Vec<u8> {
    let (rows, columns) = matrix.dim();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // The numbers begin at a multiple of 64 bytes: magic, two version bytes, two length bytes, header, newline.
    let pad = (64 - (MAGIC.len() + 4 + header.len() + 1) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', pad));
    header.push('\n');
    let mut bytes = Vec::with_capacity(MAGIC.len() + 4 + header.len() + rows * columns * 4);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for value in matrix {
        bytes.write_all(&value.to_le_bytes()).ok(); // A vector takes every byte.
    }
    bytes
}

/// Reads a matrix of little-endian 32-bit numbers in row order, or says what is wrong with the file.
pub fn read(path: &Path) -> Result<Array2<f32>, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|e| e.to_string())?;
    decode(&bytes)
}

fn decode(bytes: &[u8]) -> Result<Array2<f32>, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is no .npy file")?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return Err("its version is unknown".into()),
    };
    let header = rest.get(..length).ok_or("it ends within its header")?;
    let header = String::from_utf8_lossy(header);
    if !header.contains("'<f4'") || header.contains("'fortran_order': True") {
        return Err(format!("it holds no rows of 32-bit numbers: {}", header.trim()));
    }
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let sides: Vec<usize> = shape
        .map(|(sides, _)| sides.split(',').filter_map(|side| side.trim().parse().ok()).collect())
        .unwrap_or_default();
    let [rows, columns] = sides[..] else { return Err(format!("it is no matrix: {}", header.trim())) };
    let cells = rows.checked_mul(columns).ok_or("its size is impossible")?;
    let values = &rest[length..];
    if values.len() / 4 < cells {
        return Err(format!("it is cut short: {} of {cells} numbers are there", values.len() / 4));
    }
    let values =
        values.chunks_exact(4).take(cells).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Array2::from_shape_vec((rows, columns), values).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_survives_being_written() {
        let matrix = Array2::from_shape_fn((3, 5), |(r, c)| r as f32 - c as f32 / 7.0);
        let bytes = encode(&matrix);
        assert_eq!(decode(&bytes), Ok(matrix));
        assert_eq!((bytes.len() - 60) % 64, 0, "the numbers must be aligned");
        assert!(decode(&bytes[..bytes.len() - 1]).unwrap_err().contains("14 of 15"));
        assert!(decode(b"not numpy").is_err());
        assert!(decode(&[MAGIC, &[1, 0, 255, 255]].concat()).is_err());
    }
}
