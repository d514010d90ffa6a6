//! The one thread that writes while a show runs, so that neither the render thread nor the desk ever waits for a disk.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::{BanKind, Store, StoreError, UnixSecs};
use crate::library::PresetId;

/// Deeds that may wait. A performer makes a few a second; when this many wait the disk is gone, and further ones are
/// dropped with a message.
const WAITING: usize = 4096;

/// Something to write down.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreWrite {
    /// A preset was marked or unmarked as a favourite.
    Favourite(PresetId, bool),
    /// A preset is not to be chosen.
    Ban(PresetId, BanKind, String),
    /// A preset may be chosen again.
    Allow(PresetId, Option<BanKind>),
    /// A preset left the stage.
    Played {
        /// Which one.
        id: PresetId,
        /// How long it was on air.
        seconds: f64,
        /// The performer sent it away.
        skipped: bool,
    },
    /// A whole thing to remember under a name, as JSON.
    Remember(String, String),
    /// A rating from 1 to 5, or none.
    Rating(PresetId, Option<u8>),
}

/// A handle on the writing thread. Dropping it waits until everything is written.
pub struct StoreWriter {
    sender: Option<SyncSender<(UnixSecs, StoreWrite)>>,
    thread: Option<JoinHandle<()>>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl StoreWriter {
    /// Starts the thread.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let trouble = Arc::new(Mutex::new(None));
        let told = trouble.clone();
        let work = move || write_all(&store, &receiver, &told);
        let thread = std::thread::Builder::new().name("store".into()).spawn(work)?;
        Ok(Self { sender: Some(sender), thread: Some(thread), trouble })
    }

    /// Hands a deed over; never waits.
    pub fn write(&self, deed: StoreWrite, now: UnixSecs) {
        let Some(sender) = &self.sender else { return };
        match sender.try_send((now, deed)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                say(&self.trouble, "the disk does not keep up; what was done now is not remembered".into());
            }
        }
    }

    /// The newest thing that went wrong, told once.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.try_lock().ok()?.take()
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A thread that fell has nothing left to write.
        }
    }
}

fn say(trouble: &Mutex<Option<String>>, words: String) {
    log::warn!("{words}");
    if let Ok(mut trouble) = trouble.lock() {
        *trouble = Some(words);
    }
}

fn write_all(store: &Store, deeds: &Receiver<(UnixSecs, StoreWrite)>, trouble: &Mutex<Option<String>>) {
    while let Ok((now, deed)) = deeds.recv() {
        if let Err(error) = write(store, &deed, now) {
            let mended = if store.met(&error) {
                "The store is mended when the program starts next"
            } else {
                "Is the disk full?"
            };
            say(trouble, format!("{error}; what was done now is not remembered. {mended}"));
        }
    }
}

fn write(store: &Store, deed: &StoreWrite, now: UnixSecs) -> Result<(), StoreError> {
    match deed {
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
    fn everything_handed_over_is_written_before_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let reader = store.another().expect("opens").expect("a file");
        let writer = StoreWriter::start(store).expect("starts");
        for number in 0..200_u8 {
            writer.write(StoreWrite::Favourite(PresetId::of(&[number]), true), 1);
        }
        writer.write(StoreWrite::Remember("taste".into(), "[1,2]".into()), 2);
        assert_eq!(writer.trouble(), None);
        drop(writer);
        assert_eq!(reader.favourites().expect("read").len(), 200);
        assert_eq!(reader.recall::<Vec<u8>>("taste").expect("read"), Some(vec![1, 2]));
    }
}
