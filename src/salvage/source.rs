//! The pages of a database file and of its write-ahead log.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// SQLite's default page size, in bytes; assumed if neither the file header nor the log header has a valid
/// one.
const USUAL_PAGE: usize = 4096;
/// Length of the header of the write-ahead log, in bytes.
const LOG_HEADER: u64 = 32;
/// Length of the header of each frame in the log, in bytes.
const FRAME_HEADER: u64 = 24;

/// A database file with its write-ahead log.
pub(super) struct Source {
    file: File,
    log: Option<File>,
    page_size: usize,
    pages: u32,
    /// For each page, the offsets in the log of its committed versions, oldest first.
    frames: BTreeMap<u32, Vec<u64>>,
    free: BTreeSet<u32>,
}

impl Source {
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let log = File::open(log_of(path)).ok();
        let mut start = [0; 100];
        let read = read_up_to(&mut file, 0, &mut start)?;
        let log_start = log.as_ref().and_then(|mut log| {
            let mut start = [0; LOG_HEADER as usize];
            read_up_to(&mut log, 0, &mut start).ok().filter(|read| *read == start.len())?;
            Some(start)
        });
        let page_size = (read == start.len()).then(|| page_size(&start)).flatten();
        let of_log = || number(log_start.as_ref()?, 8).try_into().ok().filter(|size| valid(*size));
        let page_size = page_size.or_else(of_log).unwrap_or(USUAL_PAGE);
        let length = file.metadata()?.len();
        let mut source = Self {
            file,
            log,
            page_size,
            pages: length.div_ceil(page_size as u64).try_into().unwrap_or(u32::MAX),
            frames: BTreeMap::new(),
            free: BTreeSet::new(),
        };
        if let Some(start) = log_start {
            source.index_log([number(&start, 16), number(&start, 20)])?;
        }
        source.free = source.free_pages().unwrap_or_default();
        Ok(source)
    }

    /// Returns the number of pages, including those that exist only in the log.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Returns whether a page is in the list of free pages. If that list is damaged, no page counts as free.
    pub fn is_free(&self, page: u32) -> bool {
        self.free.contains(&page)
    }

    /// Returns the number of versions of a page in the file and the log.
    pub fn versions(&self, page: u32) -> usize {
        self.frames.get(&page).map_or(0, Vec::len) + 1
    }

    /// Reads a version of a page; 0 is the newest. Bytes beyond the end of the file are read as 0.
    pub fn read(&mut self, page: u32, version: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.page_size];
        let frames = self.frames.get(&page).map_or(&[][..], Vec::as_slice);
        match (frames.len().checked_sub(version + 1), &mut self.log) {
            (Some(index), Some(log)) => read_up_to(log, frames[index] + FRAME_HEADER, &mut bytes)?,
            _ => {
                let offset = u64::from(page.saturating_sub(1)) * self.page_size as u64;
                read_up_to(&mut self.file, offset, &mut bytes)?
            }
        };
        Ok(bytes)
    }

    /// Appends to `payload` the `length` bytes in the chain of overflow pages that starts at `page`, or fewer
    /// if the chain is broken.
    pub fn follow(&mut self, mut page: u32, mut length: usize, payload: &mut Vec<u8>) {
        let mut links = 0;
        while length > 0 && (1..=self.pages).contains(&page) && links < self.pages {
            let Ok(bytes) = self.read(page, 0) else { return };
            let part = length.min(self.page_size - 4);
            payload.extend_from_slice(&bytes[4..4 + part]);
            length -= part;
            page = number(&bytes, 0);
            links += 1;
        }
    }

    /// Finds the committed frames of the log: those with the salts from the log header, up to the last frame
    /// that ends a transaction.
    fn index_log(&mut self, salts: [u32; 2]) -> io::Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let length = log.metadata()?.len();
        let step = FRAME_HEADER + self.page_size as u64;
        let mut waiting = Vec::new();
        let mut at = LOG_HEADER;
        while at + step <= length {
            let mut header = [0; FRAME_HEADER as usize];
            read_up_to(log, at, &mut header)?;
            let page = number(&header, 0);
            // A page number far beyond the end of the file comes from a damaged frame header.
            let possible = u64::from(page) <= u64::from(self.pages) + length / step + 1;
            if [number(&header, 8), number(&header, 12)] == salts && page > 0 && possible {
                waiting.push((page, at));
                if number(&header, 4) > 0 {
                    for (page, at) in waiting.drain(..) {
                        self.frames.entry(page).or_default().push(at);
                    }
                }
            }
            at += step;
        }
        self.pages = self.frames.keys().copied().max().unwrap_or(0).max(self.pages);
        Ok(())
    }

    /// Reads the list of free pages; `None` if it is damaged.
    fn free_pages(&mut self) -> Option<BTreeSet<u32>> {
        let first = self.read(1, 0).ok()?;
        let (mut trunk, count) = (number(&first, 32), number(&first, 36));
        let mut free = BTreeSet::new();
        while trunk != 0 {
            if trunk > self.pages || !free.insert(trunk) {
                return None;
            }
            let bytes = self.read(trunk, 0).ok()?;
            let leaves = number(&bytes, 4) as usize;
            if leaves > self.page_size / 4 - 2 {
                return None;
            }
            for leaf in 0..leaves {
                let page = number(&bytes, 8 + 4 * leaf);
                if page == 0 || page > self.pages || !free.insert(page) {
                    return None;
                }
            }
            trunk = number(&bytes, 0);
        }
        (free.len() == count as usize && !free.contains(&1)).then_some(free)
    }
}

fn log_of(path: &Path) -> OsString {
    let mut name = OsString::from(path);
    name.push("-wal");
    name
}

/// Returns the page size in a file header; `None` if it is invalid.
fn page_size(header: &[u8]) -> Option<usize> {
    let size = match [header[16], header[17]] {
        [0, 1] => 65_536,
        [high, low] => usize::from(high) << 8 | usize::from(low),
    };
    valid(size).then_some(size)
}

fn valid(page_size: usize) -> bool {
    page_size.is_power_of_two() && (512..=65_536).contains(&page_size)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// Reads from `offset` until `bytes` is full or the file ends; returns the number of bytes read.
fn read_up_to(file: &mut (impl Read + Seek), offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(offset))?;
    let mut read = 0;
    while read < bytes.len() {
        match file.read(&mut bytes[read..]) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
