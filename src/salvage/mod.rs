//! Reads rows from the pages of an SQLite file without SQLite, for files that cannot be opened as usual:
//! truncated, partly overwritten, locked by another program, or written by a newer version of aivj.
//!
//! Every page is read separately (<https://www.sqlite.org/fileformat2.html>), so nothing depends on the
//! schema or on the links from parent to child pages. The table of a row is recognised by the types of its
//! columns. In a page whose structure is damaged, rows are searched for at every byte, and single flipped
//! bits in the lengths and types of a row are corrected.

mod cell;
mod page;
mod record;
mod source;

use std::io;
use std::path::Path;

pub use record::{Depth, Kind, Row, Shape, Value};

use page::StorePage;
use source::Source;

/// Calls `each`, in arbitrary order, with every row that has one of `shapes` in the database at `path` and
/// its write-ahead log. Rows that were found only by searching, and those in free pages or replaced versions
/// of a page, are not [`Row::certain`]: they may be outdated.
///
/// # Errors
/// Fails if the file cannot be opened or read.
pub fn rows(path: &Path, shapes: &[Shape], depth: Depth, mut each: impl FnMut(Row)) -> io::Result<()> {
    let mut source = Source::open(path)?;
    for number in 1..=source.pages() {
        if depth == Depth::Current && source.is_free(number) {
            continue;
        }
        // Read from the newest version to the oldest; if only current rows are wanted, stop at an intact one.
        for version in 0..source.versions(number) {
            let bytes = source.read(number, version)?;
            let Some(page) = StorePage::new(number, &bytes) else { continue };
            let certain = version == 0 && !source.is_free(number);
            let intact = page.rows(shapes, &mut source, certain, depth, &mut each);
            if intact && depth == Depth::Current {
                break;
            }
        }
    }
    Ok(())
}
