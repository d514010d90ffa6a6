//! Records: a header with the type of every column, followed by the values.

/// How much of a file to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Only the current rows and, in damaged pages, all rows that can be found.
    Current,
    /// Also what is left of rows that were moved, replaced or deleted, in case the current ones are lost.
    Remains,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A blob of 16 bytes.
    Id,
    /// A string.
    Text,
    /// An integer.
    Integer,
    /// An integer or null.
    IntegerOrNull,
    /// An integer or a float.
    Number,
    /// An integer, a float or null.
    NumberOrNull,
}

/// The columns of a table, in the order in which they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Name of the table.
    pub table: &'static str,
    /// Types of the columns.
    pub columns: &'static [Kind],
    /// Number of leading columns that every row has; the others were added to the table later.
    pub required: usize,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null, or a value that could not be read.
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// A string; invalid UTF-8 is replaced.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A row that has one of the shapes searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name of the row's table.
    pub table: &'static str,
    /// The values; those of columns added to the table after the row was written are missing.
    pub values: Vec<Value>,
    /// Whether the row was found through the cell pointers of the newest version of a page in use. Other rows
    /// may be outdated.
    pub certain: bool,
    /// Whether all values could be read.
    pub complete: bool,
}

/// A record header that fits a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The shape that the header fits.
    pub shape: Shape,
    types: Vec<u64>,
    /// Length of the header in bytes.
    length: usize,
    /// Length of header and values in bytes.
    pub whole: usize,
}

impl Header {
    /// Parses the header at the start of `bytes` if it fits one of `shapes`.
    pub fn parse(bytes: &[u8], shapes: &[Shape]) -> Option<Self> {
        let (length, mut at) = varint(bytes)?;
        let length = usize::try_from(length).ok()?;
        let header = bytes.get(..length)?;
        let most = shapes.iter().map(|shape| shape.columns.len()).max()?;
        let mut types = Vec::with_capacity(most);
        while at < length {
            let (kind, width) = varint(&header[at..])?;
            types.push(kind);
            at += width;
            if types.len() > most {
                return None;
            }
        }
        let shape = shapes.iter().find(|shape| {
            (shape.required..=shape.columns.len()).contains(&types.len())
                && types.iter().zip(shape.columns).all(|(found, wanted)| fits(*found, *wanted))
        })?;
        let values = types.iter().try_fold(0_usize, |sum, found| sum.checked_add(width(*found)?))?;
        Some(Self { shape: *shape, types, length, whole: length.checked_add(values)? })
    }

    /// Reads the values from `payload`, which may be truncated.
    pub fn row(&self, payload: &[u8], certain: bool) -> Row {
        let mut at = self.length;
        let mut complete = true;
        let mut values = Vec::with_capacity(self.types.len());
        for found in &self.types {
            let wanted = width(*found).unwrap_or(0);
            let bytes = payload.get(at..).unwrap_or_default();
            complete &= bytes.len() >= wanted;
            values.push(value(*found, &bytes[..bytes.len().min(wanted)], wanted));
            at = at.saturating_add(wanted);
        }
        Row { table: self.shape.table, values, certain, complete }
    }
}

fn fits(found: u64, kind: Kind) -> bool {
    let integer = matches!(found, 1..=6 | 8 | 9);
    match kind {
        Kind::Id => found == 12 + 2 * 16,
        Kind::Text => found >= 13 && found % 2 == 1,
        Kind::Integer => integer,
        Kind::IntegerOrNull => integer || found == 0,
        Kind::Number => integer || found == 7,
        Kind::NumberOrNull => integer || found == 7 || found == 0,
    }
}

/// Returns the length in bytes of a value of the serial type `found`; `None` for a reserved type.
fn width(found: u64) -> Option<usize> {
    match found {
        0 | 8 | 9 => Some(0),
        1..=4 => Some(found as usize),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        _ => usize::try_from((found - 12) / 2).ok(),
    }
}

fn value(found: u64, bytes: &[u8], wanted: usize) -> Value {
    match found {
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        1..=7 if bytes.len() < wanted => Value::Null,
        1..=6 => {
            let negative = bytes.first().is_some_and(|first| *first >= 0x80);
            let start = if negative { -1 } else { 0 };
            Value::Integer(bytes.iter().fold(start, |sum: i64, byte| sum << 8 | i64::from(*byte)))
        }
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().unwrap_or_default())),
        0 | 10 | 11 => Value::Null,
        _ if found % 2 == 1 => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        _ => Value::Blob(bytes.to_vec()),
    }
}

/// Parses a variable-length integer; returns it with its length in bytes, or `None` if it is truncated.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut sum = 0;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at == 8 {
            return Some((sum << 8 | u64::from(*byte), 9));
        }
        sum = sum << 7 | u64::from(byte & 0x7f);
        if *byte < 0x80 {
            return Some((sum, at + 1));
        }
    }
    None
}
