//! Cells: records in a page. The end of a long record is on overflow pages.

use super::record::{Header, Row, Shape, varint};
use super::source::Source;

/// Type of the cells in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellKind {
    /// A row of a table with row IDs.
    Table,
    /// A row of an index, or of a table without row IDs.
    Index,
}

/// A cell in which a row was recognised.
pub(super) struct Cell {
    header: Header,
    /// Offset of the record in the page.
    start: usize,
    /// Number of bytes of the record that are in the page; the others are on overflow pages.
    local: usize,
    /// Offset of the end of the cell in the page.
    pub end: usize,
}

impl Cell {
    /// Parses the cell at offset `at` in the page; in an interior page, `at` must be after the child pointer.
    /// The payload length in the cell must match the length of the record, so that other bytes are rarely
    /// mistaken for a cell.
    pub fn parse(page: &[u8], at: usize, kind: CellKind, shapes: &[Shape]) -> Option<Self> {
        let (payload, mut start, local, end) = extent(page, at, kind)?;
        start += at;
        let header = Header::parse(page.get(start..start + local)?, shapes)?;
        (header.whole as u64 == payload).then_some(Self { header, start, local, end })
    }

    /// Parses a cell that [`Self::parse`] rejects, assuming that one bit was flipped in its first 20 bytes,
    /// which contain its lengths and types. Also returns the repaired page.
    pub fn parse_flipped(page: &[u8], at: usize, kind: CellKind, shape: Shape) -> Option<(Self, Vec<u8>)> {
        const FIELDS: usize = 20;
        let mut repaired = page.to_vec();
        for bit in 0..(page.len().saturating_sub(at)).min(FIELDS) * 8 {
            repaired[at + bit / 8] ^= 1 << (bit % 8);
            if let Some(cell) = Self::parse(&repaired, at, kind, &[shape]) {
                return Some((cell, repaired));
            }
            repaired[at + bit / 8] ^= 1 << (bit % 8);
        }
        None
    }

    /// Returns the shape of the row.
    pub fn shape(&self) -> Shape {
        self.header.shape
    }

    /// Reads the row, including the part on overflow pages; `certain` becomes [`Row::certain`].
    pub fn row(&self, page: &[u8], source: &mut Source, certain: bool) -> Row {
        let local = &page[self.start..self.start + self.local];
        if self.header.whole <= self.local {
            return self.header.row(local, certain);
        }
        let next = &page[self.start + self.local..self.end];
        let next = next.try_into().map_or(0, u32::from_be_bytes);
        let mut payload = local.to_vec();
        source.follow(next, self.header.whole - self.local, &mut payload);
        self.header.row(&payload, certain)
    }
}

/// Returns the payload length of the cell at `at`, the offset of its record from `at`, the number of bytes of
/// the record in the page, and the end of the cell in the page.
fn extent(page: &[u8], at: usize, kind: CellKind) -> Option<(u64, usize, usize, usize)> {
    let (payload, mut offset) = varint(page.get(at..)?)?;
    if kind == CellKind::Table {
        offset += varint(&page[at + offset..])?.1;
    }
    let local = local_bytes(payload, page.len(), kind);
    let overflow = if (local as u64) < payload { 4 } else { 0 };
    let end = at + offset + local + overflow;
    (payload > 0 && end <= page.len()).then_some((payload, offset, local, end))
}

/// Returns the offset of the end of the cell at `at`, whatever its contents; `None` if the cell is empty or
/// would extend beyond the page.
pub(super) fn end_of(page: &[u8], at: usize, kind: CellKind) -> Option<usize> {
    extent(page, at, kind).map(|(_, _, _, end)| end)
}

/// Returns how many bytes of a payload are in the page; the others are on overflow pages.
fn local_bytes(payload: u64, usable: usize, kind: CellKind) -> usize {
    let usable = usable as u64;
    let most = match kind {
        CellKind::Table => usable - 35,
        CellKind::Index => (usable - 12) * 64 / 255 - 23,
    };
    if payload <= most {
        return payload as usize;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let even = least + (payload - least) % (usable - 4);
    (if even <= most { even } else { least }) as usize
}
