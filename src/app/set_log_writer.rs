//! Writes the set log on a separate thread, so that the show never waits for the disk. Entries that cannot be written,
//! for example because the disk is full, are kept and written later.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use crate::disk;
use crate::handoff::Latest;
use crate::library::UserFolders;
use crate::show::setlog::{Entry, LogHeader, to_line};
use crate::units::counted;

/// Interval between writes; a crash loses only the entries added since the last one.
const WRITE_EVERY: Duration = Duration::from_secs(2);
/// The pause after a failed write doubles up to this multiple of the interval between writes.
const MAX_BACK_OFF: u32 = 8;
/// Maximum number of bytes kept while the log cannot be written: about four hours of a show.
const MAX_WAITING: usize = 64 << 20;

/// The file of a log.
trait LogFile: Write {
    /// Truncates the file to `length` bytes; the next write appends to it.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

impl LogFile for File {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }
}

/// A log file that contains only whole lines, and the lines still to be written.
struct Lines<F> {
    file: F,
    /// Number of bytes in the file, up to the end of the last whole line.
    written: u64,
    /// Whether the file may contain an incomplete line after the last whole one.
    torn: bool,
    /// The lines to be written next.
    waiting: Vec<u8>,
    /// Number of lines dropped, because [`MAX_WAITING`] was exceeded or, at the end, because they could not be written.
    lost: usize,
}

impl<F: LogFile> Lines<F> {
    fn new(file: F) -> Self {
        Self { file, written: 0, torn: false, waiting: Vec::new(), lost: 0 }
    }

    fn add(&mut self, line: &str) {
        // Once a line is lost, later ones are useless: a replay cannot skip any.
        if self.lost > 0 || self.waiting.len() + line.len() > MAX_WAITING {
            self.lost += 1;
        } else {
            self.waiting.extend_from_slice(line.as_bytes());
            self.waiting.push(b'\n');
        }
    }

    /// Writes the waiting lines. If this fails, the file is truncated after the last complete line, and the remaining
    /// lines wait for the next call.
    fn write(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.truncate(self.written)?;
            self.torn = false;
        }
        let (mut count, mut written) = (0, Ok(()));
        while written.is_ok() && count < self.waiting.len() {
            match self.file.write(&self.waiting[count..]) {
                Ok(0) => written = Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => count += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => written = Err(error),
            }
        }
        let whole = self.waiting[..count].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.waiting.drain(..whole);
        self.written += whole as u64;
        if written.is_err() {
            self.torn = self.file.truncate(self.written).is_err();
        }
        written
    }

    /// Collects entries and writes them every `interval`, and once more when the log is closed. Publishes the cause in
    /// `problem` while they cannot be written.
    fn run(mut self, entries: &Receiver<Entry>, interval: Duration, path: &Path, problem: &Latest<String>) {
        let (mut pause, mut due) = (interval, Instant::now() + interval);
        loop {
            match entries.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(entry) => self.add(&to_line(&entry)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() < due {
                continue;
            }
            match self.write() {
                Ok(()) => {
                    pause = interval;
                    if !problem.read().is_empty() {
                        problem.publish(String::new());
                        log::info!("resumed writing the set log {}", path.display());
                    }
                }
                Err(error) => {
                    let cause = cause(&error);
                    if problem.read().is_empty() {
                        log::warn!("cannot write the set log {}: {cause}; retrying", path.display());
                    }
                    problem.publish(cause);
                    pause = (pause * 2).min(interval * MAX_BACK_OFF);
                }
            }
            due = Instant::now() + pause;
        }
        let path = path.display();
        if let Err(error) = self.write() {
            self.lost += self.waiting.iter().filter(|byte| **byte == b'\n').count();
            log::error!("could not complete the set log {path}: {}", cause(&error));
        }
        if self.lost > 0 {
            log::error!("the set log {path} is missing its last {}", counted(self.lost, "line"));
        }
    }
}

fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        _ => error.to_string(),
    }
}

/// An open set log.
pub(super) struct SetLogWriter {
    entries: Option<Sender<Entry>>,
    thread: Option<JoinHandle<()>>,
    problem: Latest<String>,
}

impl SetLogWriter {
    /// Creates a log at `path`, replacing an existing file.
    pub fn create(path: &Path, header: &LogHeader) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("creating the folder {}", folder.display()))?;
        }
        let file = File::create(path).with_context(|| format!("writing the set log {}", path.display()))?;
        Ok(Self::start(file, path, header, WRITE_EVERY)?)
    }

    /// Starts the thread, which writes to `file`, at `path`, every `interval`.
    fn start(
        file: impl LogFile + Send + 'static,
        path: &Path,
        header: &LogHeader,
        interval: Duration,
    ) -> io::Result<Self> {
        let (sender, entries) = mpsc::channel();
        let mut lines = Lines::new(file);
        lines.add(&to_line(header));
        let (path, problem) = (path.to_owned(), Latest::new(String::new()));
        let published = problem.clone();
        let work = move || lines.run(&entries, interval, &path, &published);
        let thread = thread::Builder::new().name("set log".into()).spawn(work)?;
        Ok(Self { entries: Some(sender), thread: Some(thread), problem })
    }

    /// Creates the log of a live show in the data folder, named after the current Unix time in seconds.
    /// Returns `None` if there is no home folder or the file cannot be created; the show then runs without a
    /// log.
    pub fn for_live_show(header: &LogHeader) -> Option<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let folder = UserFolders::of_user()?.data.join("sets");
        if !disk::responds(&folder) {
            log::warn!("{} is not responding; this show has no set log", folder.display());
            return None;
        }
        Self::create(&free_path(&folder, now.as_secs()), header)
            .inspect_err(|error| log::warn!("cannot write a set log for this show: {error:#}"))
            .ok()
    }

    /// Adds entries. Never blocks.
    pub fn write(&self, entries: Vec<Entry>) {
        let Some(sender) = &self.entries else { return };
        for entry in entries {
            sender.send(entry).ok(); // The thread only ends with this handle.
        }
    }

    /// Returns why the log cannot currently be written; empty if it can.
    pub fn problem(&self) -> Arc<String> {
        self.problem.read()
    }
}

/// Returns the path of a new log in `folder`, named after `secs` or, if that is taken, the next free second.
fn free_path(folder: &Path, secs: u64) -> PathBuf {
    let path = |secs| folder.join(format!("set-{secs}.jsonl"));
    (secs..).map(path).find(|path| !path.exists()).unwrap_or_else(|| path(secs))
}

impl Drop for SetLogWriter {
    fn drop(&mut self) {
        self.entries = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panicked thread has nothing left to write.
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::show::setlog::{self, Event};
    use crate::show::{Command, ShowMemory, ShowSettings};

    #[test]
    fn a_second_show_in_the_same_second_gets_its_own_log() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(free_path(folder.path(), 7), "first").expect("written");
        assert_eq!(free_path(folder.path(), 7), folder.path().join("set-8.jsonl"));
    }

    fn header() -> LogHeader {
        LogHeader::new(
            ShowSettings::default(),
            &crate::mind::director::Pool::new(crate::library::Catalogue::built_in().into()),
            ShowMemory::default(),
        )
    }

    fn entries(count: u64) -> Vec<Entry> {
        let entry = |step| Entry { at: step as f64, step, event: Event::Command { command: Command::Hold } };
        (0..count).map(entry).collect()
    }

    /// A disk that holds at most `room` bytes.
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room - self.bytes.len());
            if count == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.bytes.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LogFile for Disk {
        fn truncate(&mut self, length: u64) -> io::Result<()> {
            self.bytes.truncate(length as usize);
            Ok(())
        }
    }

    /// A disk that tests share with the writing thread.
    #[derive(Clone)]
    struct SharedDisk(Arc<Mutex<Disk>>);

    impl Write for SharedDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a disk").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LogFile for SharedDisk {
        fn truncate(&mut self, length: u64) -> io::Result<()> {
            self.0.lock().expect("a disk").truncate(length)
        }
    }

    #[test]
    fn a_failed_write_leaves_whole_lines_and_the_next_one_adds_the_rest() {
        let mut lines = Lines::new(Disk { bytes: Vec::new(), room: 10 });
        for line in ["first", "second", "third"] {
            lines.add(line);
        }
        assert!(lines.write().is_err());
        assert_eq!(lines.file.bytes, b"first\n", "the second line did not fit");
        lines.add("fourth");
        assert!(lines.write().is_err(), "still full");
        assert_eq!(lines.file.bytes, b"first\n");
        lines.file.room = 100;
        lines.write().expect("there is room");
        lines.write().expect("nothing is waiting");
        assert_eq!(lines.file.bytes, b"first\nsecond\nthird\nfourth\n");
        assert_eq!(lines.lost, 0);
    }

    #[test]
    fn a_log_that_cannot_be_written_takes_limited_memory_and_has_no_gaps() {
        let mut lines = Lines::new(Disk { bytes: Vec::new(), room: 0 });
        lines.add(&"x".repeat(MAX_WAITING));
        lines.add("too much");
        lines.add("");
        assert_eq!((lines.lost, lines.waiting.len()), (2, MAX_WAITING + 1));
    }

    #[test]
    fn a_disk_that_is_full_for_a_while_is_reported_and_no_entry_is_lost() {
        let disk = SharedDisk(Arc::new(Mutex::new(Disk { bytes: Vec::new(), room: 100 })));
        let (header, entries) = (header(), entries(50));
        let interval = Duration::from_millis(1);
        let set_log =
            SetLogWriter::start(disk.clone(), Path::new("set.jsonl"), &header, interval).expect("started");
        set_log.write(entries[..20].to_vec());
        while set_log.problem().as_str() != "the disk is full" {
            thread::sleep(interval);
        }
        disk.0.lock().expect("a disk").room = usize::MAX;
        while !set_log.problem().is_empty() {
            thread::sleep(interval);
        }
        set_log.write(entries[20..].to_vec());
        drop(set_log);
        let text = String::from_utf8(disk.0.lock().expect("a disk").bytes.clone()).expect("text");
        assert_eq!(setlog::parse(&text).expect("a log"), (header, entries));
    }

    #[test]
    fn a_closed_log_contains_every_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/set.jsonl");
        let (header, entries) = (header(), entries(1000));
        let set_log = SetLogWriter::create(&path, &header).expect("a log");
        set_log.write(entries.clone());
        drop(set_log);
        let text = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(setlog::parse(&text).expect("a log"), (header, entries));
    }
}
