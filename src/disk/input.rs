//! Opens and reads a single file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::limit::STREAM;
use super::timeout::{Heartbeat, with_timeout};
use super::walk::FileKind;

/// Maximum number of bytes read at once.
const BLOCK: usize = 256 << 10;

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// Fails if the file is missing, not a regular file, larger than `limit`, or if the disk does not respond.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let own = path.to_owned();
    with_timeout(path, move |heartbeat| {
        let (file, length) = open(&own, limit)?;
        read_to_end(file, length, limit, heartbeat)
    })
}

/// Reads a whole file as [`read`] does; `None` if there is no such file.
///
/// # Errors
/// Fails if the file exists and [`read`] fails, so that a file that cannot be read is not mistaken for a missing
/// one.
pub fn read_if_exists(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    match read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the SHA-256 hash of a file, in hexadecimal. The file is read in parts, so that it may be larger than the
/// memory.
///
/// # Errors
/// Fails as [`read`] does.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut input = Input::open(path, STREAM)?;
    let mut digest = Sha256::new();
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        let count = bytes.len();
        input.consume(count);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads the open file at `path`, of at most `limit` bytes, after checking that it is a regular file.
pub(super) fn read_open(path: &Path, file: File, limit: u64) -> io::Result<Vec<u8>> {
    with_timeout(path, move |heartbeat| {
        let length = check(&file, limit)?;
        read_to_end(file, length, limit, heartbeat)
    })
}

fn read_to_end(file: File, length: u64, limit: u64, heartbeat: &Heartbeat) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length as usize);
    // Reads one byte more than allowed, to detect a file that grows or reports a wrong length.
    let mut file = file.take(limit.saturating_add(1));
    loop {
        heartbeat.beat();
        if (&mut file).take(BLOCK as u64).read_to_end(&mut bytes)? == 0 {
            break;
        }
    }
    if bytes.len() as u64 > limit { Err(too_large(limit, bytes.len() as u64)) } else { Ok(bytes) }
}

/// Opens a regular file without blocking and checks what was opened; returns it with its length in bytes.
fn open(path: &Path, limit: u64) -> io::Result<(File, u64)> {
    // Merely opening a device can have side effects, so check the path first; the open file is checked again.
    FileKind::of(&std::fs::metadata(path)?).regular()?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path)?;
    let length = check(&file, limit)?;
    Ok((file, length))
}

/// Checks that an open file is a regular file of at most `limit` bytes, and returns its length.
fn check(file: &File, limit: u64) -> io::Result<u64> {
    let metadata = file.metadata()?;
    FileKind::of(&metadata).regular()?;
    if metadata.len() > limit { Err(too_large(limit, metadata.len())) } else { Ok(metadata.len()) }
}

fn too_large(limit: u64, length: u64) -> io::Error {
    let limit = match limit {
        ..1024 => format!("{limit} bytes"),
        1024..0x10_0000 => format!("{} KiB", limit >> 10),
        _ => format!("{} MiB", limit >> 20),
    };
    io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} ({length} bytes)"))
}

/// An open regular file that is read in parts.
pub struct Input {
    path: PathBuf,
    file: Arc<File>,
    length: u64,
    limit: u64,
    buffer: Vec<u8>,
    /// Number of bytes of the buffer that have been consumed.
    used: usize,
    /// Offset in the file at which the buffer ends.
    end: u64,
}

impl Input {
    /// Opens a file of at most `limit` bytes.
    ///
    /// # Errors
    /// Fails if the file is missing, not a regular file, larger than `limit`, or if the disk does not
    /// respond.
    pub fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let (path, own) = (path.to_owned(), path.to_owned());
        let (file, length) = with_timeout(&path, move |_| open(&own, limit))?;
        Ok(Self { path, file: Arc::new(file), length, limit, buffer: Vec::new(), used: 0, end: 0 })
    }

    /// Returns the length of the file when it was opened, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads `size` bytes at each of these offsets, and returns them concatenated.
    ///
    /// # Errors
    /// Fails if the file is too short, or if the disk does not respond.
    pub fn read_parts(&self, offsets: Vec<u64>, size: usize) -> io::Result<Vec<u8>> {
        let file = self.file.clone();
        with_timeout(&self.path, move |heartbeat| {
            let mut bytes = vec![0; offsets.len() * size];
            let mut file: &File = &file;
            for (at, offset) in offsets.into_iter().enumerate() {
                heartbeat.beat();
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(&mut bytes[at * size..][..size])?;
            }
            Ok(bytes)
        })
    }

    fn position(&self) -> u64 {
        self.end - (self.buffer.len() - self.used) as u64
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.buffer.len() {
            let (file, at) = (self.file.clone(), self.end);
            if at > self.limit {
                return Err(too_large(self.limit, at));
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            self.used = 0;
            self.buffer = with_timeout(&self.path, move |_: &Heartbeat| {
                let mut file: &File = &file;
                file.seek(SeekFrom::Start(at))?;
                buffer.clear();
                file.take(BLOCK as u64).read_to_end(&mut buffer)?;
                Ok(buffer)
            })?;
            self.end += self.buffer.len() as u64;
        }
        Ok(&self.buffer[self.used..])
    }

    fn consume(&mut self, count: usize) {
        self.used = (self.used + count).min(self.buffer.len());
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position().checked_add_signed(by),
        };
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "seek before the start of the file");
        let target = target.ok_or_else(invalid)?;
        let start = self.end - self.buffer.len() as u64;
        if (start..=self.end).contains(&target) {
            self.used = (target - start) as usize;
        } else {
            self.buffer.clear();
            self.used = 0;
            self.end = target;
        }
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_reads_and_seeks_like_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("numbers");
        let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).expect("written");
        let mut input = Input::open(&path, limit()).expect("opens");
        let mut there = Vec::new();
        input.read_to_end(&mut there).expect("read");
        assert!(there == bytes && input.length() == 700_000);
        let mut part = [0; 5];
        for (to, at) in [
            (SeekFrom::Start(3), 3),
            (SeekFrom::Current(600_000), 600_008),
            (SeekFrom::End(-5), 699_995),
            (SeekFrom::Current(-700_000), 0),
        ] {
            assert_eq!(input.seek(to).expect("a place"), at);
            input.read_exact(&mut part).expect("read");
            assert_eq!(part, bytes[at as usize..at as usize + 5]);
        }
        assert!(input.seek(SeekFrom::Current(-10)).is_err());
        assert!(
            input.seek(SeekFrom::Start(800_000)).is_ok() && input.read(&mut part).expect("past the end") == 0
        );
    }

    #[test]
    fn the_hash_of_a_file_longer_than_a_block_is_that_of_its_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("numbers");
        // The SHA-256 of one million letters a in FIPS 180.
        std::fs::write(&path, vec![b'a'; 1_000_000]).expect("written");
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(sha256(&path).expect("read"), expected);
    }

    fn limit() -> u64 {
        1 << 20
    }

    #[test]
    fn only_regular_files_up_to_the_limit_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 20]).expect("written");
        assert_eq!(read(&path, 20).expect("fits"), [7; 20]);
        let refused = |path: &Path| match (read(path, 19), Input::open(path, 19)) {
            (Err(why), Err(_)) => why.to_string(),
            other => panic!("{} was opened: {:?}", path.display(), other.0),
        };
        assert!(refused(&path).contains("larger than 19 bytes (20 bytes)"));
        assert!(refused(folder.path()).contains("a folder"));
        assert!(read(&folder.path().join("none"), 1).is_err_and(|e| e.kind() == io::ErrorKind::NotFound));
        let present = |name: &str| read_if_exists(&folder.path().join(name), 19);
        assert_eq!(present("none").expect("no file"), None);
        assert!(present("file").is_err() && present("").is_err(), "too large, and a folder");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_sockets_and_links_to_them_are_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        crate::disk::walk::tests::make_pipe(&at("pipe"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("a socket");
        for (name, target) in [("linked", at("pipe")), ("zero", "/dev/zero".into()), ("circle", at("circle"))]
        {
            std::os::unix::fs::symlink(target, at(name)).expect("linked");
        }
        for (name, kind) in [
            ("pipe", "a named pipe"),
            ("linked", "a named pipe"),
            ("socket", "a socket"),
            ("zero", "a device"),
            ("circle", ""),
        ] {
            let why = read(&at(name), 100).expect_err(name).to_string();
            assert!(why.contains(kind), "{name}: {why}");
        }
    }
}
