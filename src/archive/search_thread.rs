//! Searches the library as the performer types, on a background thread.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::find::{OpenEncoder, SearchIndex, SearchQuery, SearchResults};
use crate::library::{self, Catalogue};
use crate::store::Store;

/// Handle to the search thread, which answers only the newest query.
pub struct SearchThread {
    sender: Option<SyncSender<()>>,
    wanted: Arc<Mutex<Option<(Arc<Catalogue>, SearchQuery)>>>,
    results: Receiver<SearchResults>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl SearchThread {
    /// Starts the thread; `store` provides the performer's own tags and the measurements for descriptions, and
    /// `open_encoder` the vision model, if any.
    pub fn start(store: Store, open_encoder: Option<OpenEncoder>) -> std::io::Result<Self> {
        let (sender, asked) = sync_channel(1);
        let (found, results) = sync_channel(4);
        let wanted: Arc<Mutex<Option<(Arc<Catalogue>, SearchQuery)>>> = Arc::default();
        let shared = wanted.clone();
        let work = move || {
            let mut index: Option<SearchIndex> = None;
            while asked.recv().is_ok() {
                let next = shared.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some((library, query)) = next else { continue };
                let ready = index.take().filter(|ready| Arc::ptr_eq(ready.library(), &library));
                let mut ready = ready.unwrap_or_else(|| build_index(library, &store, open_encoder));
                ready.prepare(&query, &store);
                if found.send(index.insert(ready).find(&query)).is_err() {
                    break; // The handle was dropped.
                }
            }
        };
        let thread = std::thread::Builder::new().name("search".into()).spawn(work)?;
        Ok(Self { sender: Some(sender), wanted, results, thread: Some(thread) })
    }

    /// Submits a query, replacing one that the thread has not started on. Never blocks.
    pub fn submit(&self, library: &Arc<Catalogue>, query: SearchQuery) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some((library.clone(), query));
        if let Some(sender) = &self.sender {
            // If the channel is full, the thread is about to wake up; if it is disconnected, the thread has
            // ended.
            match sender.try_send(()) {
                Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
            }
        }
    }

    /// Returns the newest results since the last call; `None` if there are none.
    pub fn results(&self) -> Option<SearchResults> {
        self.results.try_iter().last()
    }
}

impl Drop for SearchThread {
    fn drop(&mut self) {
        self.sender = None;
        while self.results.try_recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // A panicked thread has no more results.
        }
    }
}

fn build_index(library: Arc<Catalogue>, store: &Store, open_encoder: Option<OpenEncoder>) -> SearchIndex {
    let labels = store.labels().unwrap_or_else(|error| {
        store.mark_if_damaged(&error);
        log::warn!("could not load the performer's own tags for search: {error}");
        HashMap::new()
    });
    let index = SearchIndex::new(library, &labels);
    index.start_sketch();
    library::release_memory();
    match open_encoder {
        Some(open) => index.with_encoder(open),
        None => index,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::load_built_in;

    #[test]
    fn the_newest_query_is_answered() {
        let store = Store::in_memory().expect("opens");
        let library = Arc::new(load_built_in(&store).expect("opens"));
        let thread = SearchThread::start(store, None).expect("starts");
        for text in ["a", "am", "ambient"] {
            thread.submit(&library, SearchQuery { text: text.into(), ..Default::default() });
        }
        let found = std::iter::from_fn(|| {
            std::thread::yield_now();
            Some(thread.results())
        });
        let last = found.flatten().find(|found| found.query.text == "ambient").expect("answered");
        assert!(!last.indices.is_empty() && last.problem.is_none());
    }
}
