//! Reads and writes matrices of floats in NumPy's file format (NEP 1), which other tools also understand.

use std::io::{Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use ndarray::Array2;

use super::input::Input;
use super::limit;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Maximum accepted header length, in bytes.
const MAX_HEADER: usize = 1 << 16;

/// Encodes a matrix as a `.npy` file (version 1.0).
pub fn encode(matrix: &Array2<f32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, matrix).ok(); // Writing to a vector cannot fail.
    bytes
}

/// Writes a matrix as a `.npy` file (version 1.0).
pub fn write(out: &mut impl Write, matrix: &Array2<f32>) -> std::io::Result<()> {
    let (rows, columns) = matrix.dim();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // The data starts at a multiple of 64 bytes: magic, two version bytes, two length bytes, header, newline.
    let pad = (64 - (MAGIC.len() + 4 + header.len() + 1) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', pad));
    header.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    matrix.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
}

/// Reads a row-major matrix of little-endian floats and converts them to 32 bits.
pub fn read(path: &Path) -> Result<Array2<f32>, String> {
    let mut rows = Rows::open(path)?;
    let mut values = Vec::with_capacity(rows.count * rows.width);
    rows.each(|_, row| values.extend_from_slice(row))?;
    Array2::from_shape_vec((rows.count, rows.width), values).map_err(|error| error.to_string())
}

/// A matrix on disk that is read row by row, to keep memory use low.
pub struct Rows {
    /// Number of rows.
    pub count: usize,
    /// Number of columns.
    pub width: usize,
    file: Input,
    start: u64,
    kind: Kind,
}

/// Type of the floats in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Half,
    Single,
    Double,
}

impl Kind {
    fn of(header: &str) -> Option<Self> {
        let kinds = [("'<f2'", Self::Half), ("'<f4'", Self::Single), ("'<f8'", Self::Double)];
        kinds.into_iter().find(|(word, _)| header.contains(word)).map(|(_, kind)| kind)
    }

    /// Returns the size of a number, in bytes.
    fn size(self) -> usize {
        match self {
            Self::Half => 2,
            Self::Single => 4,
            Self::Double => 8,
        }
    }

    fn number(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::Half, &[a, b]) => half(u16::from_le_bytes([a, b])),
            (Self::Single, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Self::Double, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
            _ => f32::NAN, // Unreachable: each slice contains one number.
        }
    }
}

/// Converts a 16-bit float (IEEE 754 binary16) to 32 bits.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff) / 1024.0);
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-14),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction) * 2.0_f32.powi(exponent - 15),
    }
}

impl Rows {
    /// Opens a row-major matrix of little-endian floats.
    pub fn open(path: &Path) -> Result<Self, String> {
        let mut file = Input::open(path, limit::STREAM).map_err(message)?;
        let size = file.length();
        let (start, count, width, kind) = header(&mut file)?;
        let cells = count.checked_mul(width).ok_or("invalid matrix size")?;
        let available = (size.saturating_sub(start) / kind.size() as u64) as usize;
        if available < cells {
            return Err(format!("truncated file: {available} of {cells} numbers"));
        }
        Ok(Self { count, width, file, start, kind })
    }

    /// Reads the row with index `at`.
    pub fn row(&self, at: usize) -> Result<Vec<f32>, String> {
        let mut found = Vec::new();
        self.some(&[at], |_, row| found.extend_from_slice(row))?;
        Ok(found)
    }

    /// Reads only these rows, in this order, and calls `each` with the index and the values of each.
    pub fn some(&self, rows: &[usize], mut each: impl FnMut(usize, &[f32])) -> Result<(), String> {
        if let Some(at) = rows.iter().find(|at| **at >= self.count) {
            return Err(format!("row {at} of a matrix with {} rows", self.count));
        }
        let size = self.width * self.kind.size();
        let offsets = rows.iter().map(|at| self.start + (at * size) as u64).collect();
        let bytes = self.file.read_parts(offsets, size).map_err(message)?;
        let mut row = vec![0.0; self.width];
        for (place, &at) in rows.iter().enumerate() {
            let numbers = numbers(&bytes[place * size..][..size], self.kind);
            row.iter_mut().zip(numbers).for_each(|(cell, number)| *cell = number);
            each(at, &row);
        }
        Ok(())
    }

    /// Calls `each` with the index and the values of every row.
    pub fn each(&mut self, mut each: impl FnMut(usize, &[f32])) -> Result<(), String> {
        if self.count == 0 {
            return Ok(()); // Without rows, the width in the header may be anything.
        }
        self.file.seek(SeekFrom::Start(self.start)).map_err(message)?;
        let mut bytes = vec![0; self.width * self.kind.size()];
        let mut row = vec![0.0; self.width];
        for at in 0..self.count {
            self.file.read_exact(&mut bytes).map_err(message)?;
            row.iter_mut().zip(numbers(&bytes, self.kind)).for_each(|(cell, number)| *cell = number);
            each(at, &row);
        }
        Ok(())
    }
}

fn numbers(bytes: &[u8], kind: Kind) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(kind.size()).map(move |bytes| kind.number(bytes))
}

fn message(error: std::io::Error) -> String {
    error.to_string()
}

/// Parses the header; returns the offset of the data, the numbers of rows and columns, and the type of the
/// floats.
fn header(file: &mut impl Read) -> Result<(u64, usize, usize, Kind), String> {
    let mut take = |count: usize| {
        let mut bytes = vec![0; count];
        file.read_exact(&mut bytes).map(|()| bytes).map_err(|_| "truncated header".to_owned())
    };
    let front = take(MAGIC.len() + 2)?;
    let version = front.strip_prefix(MAGIC).ok_or("not a .npy file")?[0];
    let digits = match version {
        1 => 2,
        2 | 3 => 4,
        _ => return Err("unsupported version".into()),
    };
    let length = take(digits)?.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > MAX_HEADER {
        return Err("header too long".into());
    }
    let header = take(length)?;
    let header = String::from_utf8_lossy(&header);
    let kind = Kind::of(&header).filter(|_| !header.contains("'fortran_order': True"));
    let kind = kind.ok_or_else(|| format!("not a row-major matrix of floats: {}", header.trim()))?;
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')'));
    let sides: Vec<usize> = shape
        .map(|(sides, _)| sides.split(',').filter_map(|side| side.trim().parse().ok()).collect())
        .unwrap_or_default();
    let [rows, columns] = sides[..] else { return Err(format!("not a matrix: {}", header.trim())) };
    if rows > 0 && columns == 0 {
        return Err(format!("{rows} rows without columns"));
    }
    Ok(((MAGIC.len() + 2 + digits + length) as u64, rows, columns, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_and_doubles_are_converted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("m.npy");
        let file = |kind: &str, data: &[u8]| {
            let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 2), }}\n");
            [MAGIC, &[1, 0, header.len() as u8, 0], header.as_bytes(), data].concat()
        };
        // 1, -2, the smallest positive half and 0.333, as NumPy writes them.
        let halves = [0x3c00_u16, 0xc000, 0x0001, 0x3554].map(u16::to_le_bytes).concat();
        std::fs::write(&path, file("<f2", &halves)).expect("written");
        let matrix = read(&path).expect("read");
        assert_eq!(matrix.row(0).to_vec(), [1.0, -2.0]);
        assert_eq!((matrix[[1, 0]], (matrix[[1, 1]] - 0.333).abs() < 1e-3), (2.0_f32.powi(-24), true));
        let doubles = [1.0_f64, -2.0, 0.25, 3.5].map(f64::to_le_bytes).concat();
        std::fs::write(&path, file("<f8", &doubles)).expect("written");
        assert_eq!(Rows::open(&path).expect("opens").row(1).expect("a row"), [0.25, 3.5]);
        std::fs::write(&path, file("<i4", &[0; 16])).expect("written");
        assert!(read(&path).is_err());
    }

    #[test]
    fn a_matrix_survives_a_round_trip() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("m.npy");
        let read_back = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            read(&path)
        };
        let matrix = Array2::from_shape_fn((3, 5), |(r, c)| r as f32 - c as f32 / 7.0);
        let bytes = encode(&matrix);
        assert_eq!((bytes.len() - 60) % 64, 0, "the data is aligned");
        assert!(read_back(&bytes[..bytes.len() - 1]).unwrap_err().contains("14 of 15"));
        assert!(read_back(b"not numpy").is_err() && read_back(b"").is_err());
        assert!(read_back(&[MAGIC, &[1, 0, 255, 255]].concat()).is_err());
        let claims = |shape: &str| {
            let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
            [MAGIC, &[1, 0, header.len() as u8, 0], header.as_bytes()].concat()
        };
        assert!(read_back(&claims("(18446744073709551615, 0)")).is_err(), "rows without columns");
        std::fs::write(&path, claims("(0, 1152921504606846976)")).expect("written");
        let mut none = Rows::open(&path).expect("opens");
        let mut rows = 0;
        assert_eq!((none.each(|_, _| rows += 1), rows), (Ok(()), 0));
        assert_eq!(read_back(&bytes), Ok(matrix.clone()));
        let rows = Rows::open(&path).expect("opens");
        assert_eq!(rows.row(2).expect("a row"), matrix.row(2).to_vec());
        assert!(rows.row(3).is_err() && rows.some(&[0, 3], |_, _| ()).is_err());
        let mut some = Vec::new();
        rows.some(&[2, 0], |at, row| some.push((at, row.to_vec()))).expect("read");
        assert_eq!(some, [2, 0].map(|at| (at, matrix.row(at).to_vec())));
    }
}
