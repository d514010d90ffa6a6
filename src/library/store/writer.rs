//! The thread that writes to the store during a show, so that the render thread and the desk never wait for a disk.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::{BanKind, Store, StoreError, UnixSecs};
use crate::library::PresetId;

/// Maximum number of queued writes. A performer causes a few per second; when the queue is full the disk has failed,
/// and further writes are dropped with a message.
const MAX_QUEUED: usize = 4096;

/// A write to the store.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreWrite {
    /// Marks or unmarks a favourite.
    Favourite(PresetId, bool),
    /// Excludes a preset.
    Ban(PresetId, BanKind, String),
    /// Lifts one kind of ban, or all bans.
    Allow(PresetId, Option<BanKind>),
    /// Records a showing.
    Played {
        /// The preset.
        id: PresetId,
        /// Seconds on air.
        seconds: f64,
        /// Whether the performer skipped it.
        skipped: bool,
    },
    /// Stores a JSON value under a name.
    Remember(String, String),
    /// Sets or removes a rating from 1 to 5.
    Rating(PresetId, Option<u8>),
}

/// A handle on the writing thread. Dropping it waits until everything is written.
pub struct StoreWriter {
    sender: Option<SyncSender<(UnixSecs, StoreWrite)>>,
    thread: Option<JoinHandle<()>>,
    last_error: Arc<Mutex<Option<String>>>,
}

impl StoreWriter {
    /// Starts the thread.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(MAX_QUEUED);
        let last_error = Arc::new(Mutex::new(None));
        let shared = last_error.clone();
        let work = move || write_all(&store, &receiver, &shared);
        let thread = std::thread::Builder::new().name("store".into()).spawn(work)?;
        Ok(Self { sender: Some(sender), thread: Some(thread), last_error })
    }

    /// Queues a write; never blocks.
    pub fn write(&self, change: StoreWrite, now: UnixSecs) {
        let Some(sender) = &self.sender else { return };
        match sender.try_send((now, change)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                report(&self.last_error, "the disk is too slow; the last change was not saved".into());
            }
        }
    }

    /// Takes the latest error message, if any.
    pub fn take_error(&self) -> Option<String> {
        self.last_error.try_lock().ok()?.take()
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panicked thread has nothing left to write.
        }
    }
}

fn report(last_error: &Mutex<Option<String>>, message: String) {
    log::warn!("{message}");
    if let Ok(mut last_error) = last_error.lock() {
        *last_error = Some(message);
    }
}

fn write_all(store: &Store, writes: &Receiver<(UnixSecs, StoreWrite)>, last_error: &Mutex<Option<String>>) {
    while let Ok((now, change)) = writes.recv() {
        if let Err(error) = write(store, &change, now) {
            let hint = if store.mark_if_damaged(&error) {
                "The store will be repaired at the next start"
            } else {
                "Is the disk full?"
            };
            report(last_error, format!("{error}; the last change was not saved. {hint}"));
        }
    }
}

fn write(store: &Store, change: &StoreWrite, now: UnixSecs) -> Result<(), StoreError> {
    match change {
        StoreWrite::Favourite(id, on) => store.set_favourite(*id, *on, now),
        StoreWrite::Ban(id, kind, reason) => store.ban(*id, *kind, reason, now),
        StoreWrite::Allow(id, kind) => store.allow(*id, *kind),
        StoreWrite::Played { id, seconds, skipped } => store.played(*id, *seconds, *skipped, now),
        StoreWrite::Remember(name, json) => store.remember_json(name, json, now),
        StoreWrite::Rating(id, rating) => store.set_rating(*id, *rating, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_writes_are_completed_on_drop() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let reader = store.another().expect("opens").expect("a file");
        let writer = StoreWriter::start(store).expect("starts");
        for number in 0..200_u8 {
            writer.write(StoreWrite::Favourite(PresetId::of(&[number]), true), 1);
        }
        writer.write(StoreWrite::Remember("taste".into(), "[1,2]".into()), 2);
        assert_eq!(writer.take_error(), None);
        drop(writer);
        assert_eq!(reader.favourites().expect("read").len(), 200);
        assert_eq!(reader.recall::<Vec<u8>>("taste").expect("read"), Some(vec![1, 2]));
    }
}
