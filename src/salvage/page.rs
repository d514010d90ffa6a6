//! Pages of a b-tree. Rows are read through the cell pointers; a damaged page is also searched for rows.

use super::cell::{Cell, CellKind, end_of};
use super::record::{Depth, Row, Shape};
use super::source::Source;

/// Length of the file header, in bytes. In the first page, it precedes the page header.
const FILE_HEADER: usize = 100;

/// A page of a b-tree.
pub(super) struct StorePage<'a> {
    bytes: &'a [u8],
    /// Offset of the page header.
    start: usize,
}

impl<'a> StorePage<'a> {
    /// Wraps page `number`, counted from 1. Returns `None` if the page contains only zeros.
    pub fn new(number: u32, bytes: &'a [u8]) -> Option<Self> {
        let start = if number == 1 { FILE_HEADER } else { 0 };
        bytes.iter().any(|byte| *byte != 0).then_some(Self { bytes, start })
    }

    /// Calls `each` with the rows of the page that have one of `shapes`; returns whether the page is intact.
    pub fn rows(
        &self,
        shapes: &[Shape],
        source: &mut Source,
        certain: bool,
        depth: Depth,
        each: &mut impl FnMut(Row),
    ) -> bool {
        let cells = self.cells();
        let mut intact = cells.is_some();
        let Cells { kind, offsets } = cells.unwrap_or_else(|| self.pointers());
        let (mut unread, mut shape) = (Vec::new(), None);
        for at in offsets {
            match Cell::parse(self.bytes, at, kind, shapes) {
                Some(cell) => {
                    shape = Some(cell.shape());
                    each(cell.row(self.bytes, source, certain));
                }
                None => unread.push(at),
            }
        }
        // All rows of a page belong to one table, which the rows parsed so far identify.
        for (at, shape) in unread.into_iter().filter_map(|at| Some((at, shape?))) {
            intact = false;
            if let Some((cell, repaired)) = Cell::parse_flipped(self.bytes, at, kind, shape) {
                each(cell.row(&repaired, source, certain));
            }
        }
        if !intact || depth == Depth::Remains {
            self.search(shapes, source, each);
        }
        intact
    }

    /// Searches for cells at every byte, and calls `each` with their rows.
    fn search(&self, shapes: &[Shape], source: &mut Source, each: &mut impl FnMut(Row)) {
        let mut at = self.start;
        while at < self.bytes.len() {
            let found = [CellKind::Index, CellKind::Table]
                .into_iter()
                .find_map(|kind| Cell::parse(self.bytes, at, kind, shapes));
            match found {
                Some(cell) => {
                    each(cell.row(self.bytes, source, false));
                    at = cell.end;
                }
                None => at += 1,
            }
        }
    }
}

/// Positions of the cells of a page.
struct Cells {
    kind: CellKind,
    /// Offsets of the cells in the page; in an interior page, after the child pointers.
    offsets: Vec<usize>,
}

impl StorePage<'_> {
    fn number(&self, at: usize) -> usize {
        self.bytes.get(at..at + 2).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])))
    }

    /// Returns the kind of the cells and the lengths in bytes of the page header and of a child pointer;
    /// `None` for an unknown page type.
    fn layout(&self) -> Option<(CellKind, usize, usize)> {
        match self.bytes.get(self.start)? {
            2 => Some((CellKind::Index, 12, 4)),
            5 => Some((CellKind::Table, 12, 4)),
            10 => Some((CellKind::Index, 8, 0)),
            13 => Some((CellKind::Table, 8, 0)),
            _ => None,
        }
    }

    /// Returns the cells of an intact page; `None` if its pointers and lengths are inconsistent.
    fn cells(&self) -> Option<Cells> {
        let (kind, header, child) = self.layout()?;
        let count = self.number(self.start + 3);
        let content = match self.number(self.start + 5) {
            0 => 65_536,
            content => content,
        };
        let pointers = self.start + header;
        if pointers + 2 * count > content || content > self.bytes.len() {
            return None;
        }
        if kind == CellKind::Table && child > 0 {
            return Some(Cells { kind, offsets: Vec::new() }); // Contains only row IDs.
        }
        let mut spans: Vec<(usize, usize)> = Vec::with_capacity(count);
        for index in 0..count {
            let at = self.number(pointers + 2 * index);
            let end = end_of(self.bytes, at + child, kind)?.max(at + 4);
            spans.push((at, end));
        }
        let offsets = spans.iter().map(|(at, _)| at + child).collect();
        self.add_free_blocks(&mut spans)?;
        spans.sort_unstable();
        let mut gaps = 0;
        let mut end = content;
        for (from, to) in spans {
            gaps += from.checked_sub(end)?;
            end = to;
        }
        gaps += self.bytes.len().checked_sub(end)?;
        (gaps == usize::from(self.bytes[self.start + 7])).then_some(Cells { kind, offsets })
    }

    /// Adds the free blocks to the occupied ranges; returns `None` if the list of free blocks is damaged.
    fn add_free_blocks(&self, spans: &mut Vec<(usize, usize)>) -> Option<()> {
        let mut next = self.number(self.start + 1);
        while next > 0 {
            let length = self.number(next + 2);
            if length < 4 || next + length > self.bytes.len() || spans.len() > self.bytes.len() {
                return None;
            }
            spans.push((next, next + length));
            let after = self.number(next);
            if after != 0 && after <= next {
                return None; // Free blocks must be in ascending order.
            }
            next = after;
        }
        Some(())
    }

    /// Returns the cells that the pointers of a damaged page refer to.
    fn pointers(&self) -> Cells {
        let (kind, header, child) = self.layout().unwrap_or((CellKind::Index, 8, 0));
        let first = self.start + header;
        let room = self.bytes.len().saturating_sub(first) / 2;
        let inside = |at: &usize| *at >= first && *at < self.bytes.len();
        let offsets = (0..self.number(self.start + 3).min(room)).map(|index| self.number(first + 2 * index));
        let offsets = offsets.take_while(inside).map(|at| at + child).collect();
        Cells { kind, offsets }
    }
}
