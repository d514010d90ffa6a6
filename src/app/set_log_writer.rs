//! Writes the set log on a separate thread, so that the show never waits for the disk.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use crate::disk;
use crate::library::UserFolders;
use crate::show::setlog::{Entry, LogHeader, to_line};

/// Interval between flushes; a crash loses only the entries added since the last one.
const FLUSH_EVERY: Duration = Duration::from_secs(2);

/// An open set log.
pub(super) struct SetLogWriter {
    path: PathBuf,
    entries: Option<Sender<Entry>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl SetLogWriter {
    /// Creates a log at `path`, replacing an existing file.
    pub fn create(path: &Path, header: &LogHeader) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("creating the folder {}", folder.display()))?;
        }
        let file = File::create(path).with_context(|| format!("writing the set log {}", path.display()))?;
        let (entries, waiting) = mpsc::channel::<Entry>();
        let header = to_line(header);
        let work = move || {
            let mut file = BufWriter::new(file);
            writeln!(file, "{header}")?;
            let mut flushed = Instant::now();
            loop {
                match waiting.recv_timeout(FLUSH_EVERY.saturating_sub(flushed.elapsed())) {
                    Ok(entry) => writeln!(file, "{}", to_line(&entry))?,
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => return file.flush(),
                }
                if flushed.elapsed() >= FLUSH_EVERY {
                    file.flush()?;
                    flushed = Instant::now();
                }
            }
        };
        let thread = thread::Builder::new().name("set log".into()).spawn(work)?;
        Ok(Self { path: path.to_owned(), entries: Some(entries), thread: Some(thread) })
    }

    /// Creates the log of a live show in the data folder, named after the current Unix time in seconds.
    /// Returns `None` if there is no home folder or the file cannot be created; the show then runs without a
    /// log.
    pub fn for_live_show(header: &LogHeader) -> Option<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let folder = UserFolders::of_user()?.data.join("sets");
        if !disk::responds(&folder) {
            log::warn!("{} does not respond; this show has no set log", folder.display());
            return None;
        }
        Self::create(&free_path(&folder, now.as_secs()), header)
            .inspect_err(|error| log::warn!("cannot write a set log for this show: {error:#}"))
            .ok()
    }

    /// Adds entries. Never blocks.
    pub fn write(&mut self, entries: Vec<Entry>) {
        let Some(sender) = &self.entries else { return };
        if !entries.into_iter().all(|entry| sender.send(entry).is_ok()) {
            self.close(); // Logs the reason once; the show continues without its log.
        }
    }

    fn close(&mut self) {
        self.entries = None;
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Ok(Err(error))) = ended {
            log::error!("writing the set log {} failed: {error}", self.path.display());
        }
    }
}

/// Returns the path of a new log in `folder`, named after `secs` or, if that is taken, the next free second.
fn free_path(folder: &Path, secs: u64) -> PathBuf {
    let path = |secs| folder.join(format!("set-{secs}.jsonl"));
    (secs..).map(path).find(|path| !path.exists()).unwrap_or_else(|| path(secs))
}

impl Drop for SetLogWriter {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::setlog::{self, Event};
    use crate::show::{Command, ShowMemory, ShowSettings};

    #[test]
    fn a_second_show_in_the_same_second_gets_its_own_log() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(free_path(folder.path(), 7), "first").expect("written");
        assert_eq!(free_path(folder.path(), 7), folder.path().join("set-8.jsonl"));
    }

    #[test]
    fn a_closed_log_contains_every_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/set.jsonl");
        let header = LogHeader::new(
            ShowSettings::default(),
            &crate::mind::director::Pool::new(crate::library::Catalogue::built_in().into()),
            ShowMemory::default(),
        );
        let entries: Vec<Entry> = (0..1000)
            .map(|step| Entry { at: step as f64, step, event: Event::Command { command: Command::Hold } })
            .collect();
        let mut set_log = SetLogWriter::create(&path, &header).expect("a log");
        set_log.write(entries.clone());
        drop(set_log);
        let text = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(setlog::parse(&text).expect("a log"), (header, entries));
    }
}
