//! Everything the running show has to do with what is kept: the library it plays, what is remembered, what is searched.
//!
//! One call a frame; nothing here waits for a disk.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::library_watcher::{LibraryUpdate, LibraryWatcher};
use super::persistence::{self, ShowPersistence, with_store};
use crate::desk::{LibraryRequest, LibraryView};
use crate::library::{Catalogue, SearchQuery, SearchThread, Store};
use crate::mind::director::Pool;
use crate::show::{Command, Show, ShowMemory, ShowSettings};

/// What is kept.
pub(super) struct Archive {
    persistence: ShowPersistence,
    shelf: LibraryWatcher,
    finder: SearchThread,
    question: SearchQuery,
    view: LibraryView,
    /// Held until another one is in use, so that it is never freed between two frames.
    pool: Arc<Pool>,
    message: Option<String>,
}

impl Archive {
    /// Opens the store and the library, and a show over them that remembers earlier nights.
    pub fn open(presets: Option<&Path>, settings: ShowSettings) -> anyhow::Result<(Self, Show)> {
        let ((recalled, (catalogue, mut messages, shelf)), store, notice) =
            with_store(|store| Ok((persistence::recall(store)?, LibraryWatcher::open(store, presets)?)))?;
        messages.extend(notice);
        messages.extend_from_slice(&recalled.messages);
        let memory = recalled.memory.clone();
        let pool = Arc::new(Pool::new(Arc::new(catalogue)));
        let show = Show::remembering(settings, pool.clone(), memory.clone());
        let finder = SearchThread::start(second(&store)?).context("starting the thread that searches")?;
        let mut archive = Self {
            view: LibraryView::default(),
            persistence: ShowPersistence::start(store, recalled)?,
            shelf,
            finder,
            question: SearchQuery::default(),
            pool,
            message: (!messages.is_empty()).then(|| messages.join("; ")),
        };
        archive.mark(&memory);
        archive.find();
        Ok((archive, show))
    }

    /// Once a frame, after the show has obeyed `commands`.
    pub fn frame(&mut self, show: &mut Show, commands: &[Command]) {
        if let Some(memory) = show.changed_memory() {
            self.mark(&memory);
            self.persistence.remember(memory);
        }
        for news in self.shelf.news.try_iter().collect::<Vec<_>>() {
            match news {
                LibraryUpdate::Message(message) => self.message = Some(message),
                LibraryUpdate::Library(pool, messages) => {
                    let old = std::mem::replace(&mut self.pool, pool.clone());
                    show.change_library(pool);
                    // Freeing a hundred thousand presets takes longer than a frame.
                    let retire = std::thread::Builder::new().name("retire".into()).spawn(move || drop(old));
                    if let Err(error) = retire {
                        log::debug!("the old library was freed at once: {error}");
                    }
                    self.message = Some(messages.join("; "));
                    self.question.cluster = None; // A place among the styles of the old library.
                    self.find();
                }
            }
        }
        if let Some(answer) = self.finder.answer() {
            self.view.answer = Arc::new(answer);
        }
        self.persistence.watch(show.on_air(), commands);
        self.message = self.persistence.trouble().or(self.message.take());
    }

    /// Turns to another folder or pack, or to the built-in presets; what plays plays on until it is ready.
    pub fn turn_to(&mut self, presets: Option<&Path>) {
        if let Err(error) = self.shelf.turn_to(presets) {
            self.message = Some(format!("no thread to open the library: {error}; try again"));
        }
    }

    /// What the library page shows.
    pub fn view(&self) -> &LibraryView {
        &self.view
    }

    /// News for the performer.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Does what was asked on the library page.
    pub fn asked(&mut self, ask: LibraryRequest) {
        match ask {
            LibraryRequest::Find(question) => {
                self.question = question;
                self.find();
            }
        }
    }

    fn library(&self) -> &Arc<Catalogue> {
        &self.pool.catalogue
    }

    fn find(&self) {
        self.finder.ask(self.library(), self.question.clone());
    }

    fn mark(&mut self, memory: &ShowMemory) {
        self.view.favourites = Arc::new(memory.favourites.clone());
        self.view.banned = Arc::new(memory.banned.clone());
        self.view.left_out = Arc::new(memory.left_out.clone());
    }
}

/// A connection of its own for the thread that searches; a store in memory has none, and a new one holds nothing but
/// what is put in.
fn second(store: &Store) -> anyhow::Result<Store> {
    Ok(match store.another()? {
        Some(store) => store,
        None => Store::in_memory()?,
    })
}
