//! Rates a library for the theme of the night, on a separate thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::persistence::open_store;
use crate::find::SearchIndex;
use crate::mind::director::{Pool, Theme};
use crate::show::NextLibrary;
use crate::store::Store;

/// A pool with its theme, and a message if part of the theme could not be applied.
pub type ThemedPool = (Arc<Pool>, Option<String>);

/// A library with its theme, and a message if part of the theme could not be applied.
type ThemedLibrary = (NextLibrary, Option<String>);

/// Returns `pool` with the theme `text`, or without a theme if `text` is blank. Takes seconds for 100,000 presets.
pub fn themed(pool: &Pool, text: &str, store: &Store) -> anyhow::Result<ThemedPool> {
    if text.trim().is_empty() {
        return Ok((Arc::new(pool.with_theme(None)), None));
    }
    let mut index = SearchIndex::new(pool.catalogue.clone(), &store.labels()?);
    index.measure(store);
    let (theme, problem) = Theme::of(text, &mut index);
    Ok((Arc::new(pool.with_theme(Some(theme))), problem.map(|problem| format!("theme: {problem}"))))
}

/// The rating of a library for a theme, in progress on another thread.
pub(super) struct Theming {
    /// Text of the theme.
    pub text: String,
    done: Receiver<anyhow::Result<ThemedLibrary>>,
}

impl Theming {
    /// Starts the thread. If the returned value is dropped, the result of the rating is discarded.
    pub fn start(pool: Arc<Pool>, text: String) -> std::io::Result<Self> {
        let (sender, done) = sync_channel(1);
        let theme = text.clone();
        let work = move || {
            let result = open_store().and_then(|(store, _)| themed(&pool, &theme, &store));
            let result = result.map(|(pool, problem)| (NextLibrary::from(pool), problem));
            sender.send(result).ok(); // Fails if the theme or library has changed since.
        };
        std::thread::Builder::new().name("theme".into()).spawn(work)?;
        Ok(Self { text, done })
    }

    /// Returns the result once it is available.
    pub fn result(&self) -> Option<anyhow::Result<ThemedLibrary>> {
        match self.done.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(anyhow::anyhow!("the theme thread exited unexpectedly")))
            }
        }
    }
}
