//! The archive of a running show: its library, its saved state and its searches.
//!
//! Once open, the [`Archive`] is updated once per frame and never waits for the disk.

mod library_watcher;
mod persistence;
mod search_thread;
mod theming;
mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::find::{OpenEncoder, SearchQuery};
use crate::handoff::Retirement;
use crate::library::Catalogue;
use crate::mind::director::Pool;
use crate::show::{Command, MarkedPresets, NextLibrary, Show, ShowSettings};
use crate::store::Store;
use library_watcher::{Known, LibraryUpdate, LibraryWatcher};
use persistence::{ShowPersistence, with_store};
use search_thread::SearchThread;
use theming::Theming;

pub use library_watcher::catalogue;
pub use persistence::{
    SavedState, Themes, allow, ban, expand_theme, open_store, open_store_to_write, recall, suspect_store,
    unix_now,
};
pub use theming::{ThemedPool, themed};
pub use view::{LibraryRequest, LibraryView};

/// The library, saved state and searches of a show.
pub struct Archive {
    persistence: ShowPersistence,
    watcher: LibraryWatcher,
    /// The folder or pack to play; the built-in presets if `None`.
    presets: Option<PathBuf>,
    search: SearchThread,
    /// Opens the vision model that compares presets with themes.
    open_encoder: Option<OpenEncoder>,
    query: SearchQuery,
    view: LibraryView,
    /// The marked presets that `view` contains.
    marks: Arc<MarkedPresets>,
    /// The show's presets. When they change, the old ones are kept until the show has switched to the new ones, so that
    /// the show never frees them itself.
    pool: Arc<Pool>,
    /// The rating of the library for a new theme, if it is in progress.
    theming: Option<Theming>,
    /// The last theme that could not be applied; it is not retried until the theme or the library changes.
    failed_theme: Option<String>,
    /// Frees pools, marks and search results on a separate thread, because freeing what belongs to 100,000 presets
    /// takes longer than a frame.
    retirement: Retirement,
    /// The newest messages for the performer; a new library may come with several.
    messages: Vec<String>,
}

/// The saved state, the library with its messages and watcher, the store, and its message.
type Opened = ((SavedState, (Arc<Pool>, Vec<String>, LibraryWatcher)), Store, Option<String>);

impl Archive {
    /// Opens the store and the library, and creates a show with the saved state. Also returns messages about problems.
    /// `judged_by` applies to every library of the show; see
    /// [`LibraryLocation::judged_by`](crate::library::LibraryLocation::judged_by). `open_encoder` opens the vision
    /// model that compares presets with pictures and descriptions.
    pub fn open(
        presets: Option<&Path>,
        settings: ShowSettings,
        judged_by: Option<String>,
        open_encoder: Option<OpenEncoder>,
    ) -> anyhow::Result<(Self, Show, Vec<String>)> {
        let opened = with_store(|store| {
            Ok((recall(store)?, LibraryWatcher::open(store, presets, judged_by.clone())?))
        })?;
        Self::of(opened, presets, settings, open_encoder)
    }

    fn of(
        ((recalled, (pool, mut messages, watcher)), store, notice): Opened,
        presets: Option<&Path>,
        settings: ShowSettings,
        open_encoder: Option<OpenEncoder>,
    ) -> anyhow::Result<(Self, Show, Vec<String>)> {
        messages.extend(notice);
        messages.extend_from_slice(&recalled.messages);
        let show = Show::with_memory(settings, pool.clone(), recalled.memory.clone());
        let search =
            SearchThread::start(search_store(&store)?, open_encoder).context("starting the search thread")?;
        let mut archive = Self {
            view: LibraryView {
                rejected: pool.rejected.clone(),
                themed_styles: pool.themed_styles().clone(),
                themes: recalled.themes.clone().into(),
                ..LibraryView::default()
            },
            marks: Arc::default(),
            persistence: ShowPersistence::start(store, recalled)?,
            watcher,
            presets: presets.map(Path::to_owned),
            search,
            open_encoder,
            query: SearchQuery::default(),
            pool,
            theming: None,
            failed_theme: None,
            retirement: Retirement::thread(),
            messages: Vec::new(),
        };
        archive.watcher.known.publish(Some(archive.known(&show)));
        archive.update_marks();
        archive.search();
        Ok((archive, show, messages))
    }

    /// Saves changes and applies library and theme updates. Runs after the show has processed `commands`.
    pub fn frame(&mut self, show: &mut Show, commands: &[Command]) {
        if let Some(change) = show.changed_memory() {
            self.persistence.remember(change);
        }
        self.update_marks();
        for update in self.watcher.pending() {
            match update {
                LibraryUpdate::Message(message) => self.notify(message),
                LibraryUpdate::Missing(folder) => self.view.missing = folder,
                LibraryUpdate::HeldBack(why) => self.view.held_back = why,
                LibraryUpdate::Library(next, messages) => {
                    self.stop_theming();
                    self.change_library(show, next);
                    self.messages = messages;
                    self.query.cluster = None; // It was an index into the old library.
                    self.search();
                }
            }
        }
        self.follow_theme(show);
        if let Some(results) = self.search.results() {
            let old = std::mem::replace(&mut self.view.results, Arc::new(results));
            self.retirement.retire(Box::new(old));
        }
        self.persistence.watch(show.on_air(), commands);
        if let Some(status) = self.persistence.new_status() {
            self.view.unsaved = status.waiting;
            self.view.save_problem = status.problem;
        }
    }

    fn change_library(&mut self, show: &mut Show, next: NextLibrary) {
        let pool = std::mem::replace(&mut self.pool, next.pool().clone());
        self.view.rejected = self.pool.rejected.clone();
        self.view.themed_styles = self.pool.themed_styles().clone();
        let replaced = show.change_library(next);
        let known = self.watcher.known.swap(Arc::new(Some(self.known(show))));
        self.retirement.retire(Box::new((pool, replaced, known)));
    }

    /// Returns what the show knows.
    fn known(&self, show: &Show) -> Known {
        Known { styles: show.known_styles(), marks: self.persistence.marks.clone() }
    }

    /// Starts rating the library when the theme changes, and applies the result once it is ready.
    fn follow_theme(&mut self, show: &mut Show) {
        let current = self.pool.theme().map_or("", |theme| theme.text.as_str());
        let rating = self.theming.as_ref().map(|theming| theming.text.as_str());
        let coming = rating.or(self.failed_theme.as_deref()).unwrap_or(current);
        if coming != show.theme() {
            self.stop_theming();
            let text = show.theme().to_owned();
            match Theming::start(self.pool.clone(), text.clone(), self.open_encoder) {
                Ok(theming) => self.theming = Some(theming),
                Err(error) => {
                    self.notify(format!("could not start the theme thread: {error}"));
                    self.failed_theme = Some(text);
                }
            }
        }
        let Some(result) = self.theming.as_ref().and_then(Theming::result) else { return };
        self.stop_theming();
        match result {
            Ok((library, problem)) => {
                problem.into_iter().for_each(|problem| self.notify(problem));
                self.change_library(show, library);
            }
            Err(error) => {
                self.notify(format!("could not apply the theme: {error:#}"));
                self.failed_theme = Some(show.theme().to_owned());
            }
        }
    }

    /// Abandons the rating in progress, if any, and forgets the theme that could not be applied.
    fn stop_theming(&mut self) {
        self.failed_theme = None;
        if let Some(theming) = self.theming.take() {
            self.retirement.retire(Box::new(theming));
        }
    }

    /// Switches to another folder or pack, or to the built-in presets if `None`. The current library plays
    /// until the new one is ready.
    pub fn switch_to(&mut self, presets: Option<&Path>) {
        self.presets = presets.map(Path::to_owned);
        self.reopen(false);
    }

    fn reopen(&mut self, play_anyway: bool) {
        self.view.missing = None;
        self.view.held_back = None;
        if let Err(error) = self.watcher.switch_to(self.presets.as_deref(), play_anyway) {
            self.notify(format!("could not start the library thread: {error}; try again"));
        }
    }

    /// Returns the state shown on the Library and Map pages.
    pub fn view(&self) -> &LibraryView {
        &self.view
    }

    /// Returns the messages for the performer.
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// Replaces the messages for the performer.
    fn notify(&mut self, message: String) {
        self.messages = vec![message];
    }

    /// Handles a request from the desk.
    pub fn handle(&mut self, request: LibraryRequest) {
        match request {
            LibraryRequest::Find(query) => {
                self.query = query;
                self.search();
            }
            LibraryRequest::PlayAnyway => self.reopen(true),
            LibraryRequest::SaveTheme(name, text) => self.change_themes(|themes| {
                themes.insert(name, text);
            }),
            LibraryRequest::DeleteTheme(name) => self.change_themes(|themes| {
                themes.remove(&name);
            }),
        }
    }

    fn change_themes(&mut self, change: impl FnOnce(&mut Themes)) {
        let mut themes = Themes::clone(&self.view.themes);
        change(&mut themes);
        self.view.themes = Arc::new(themes);
        self.persistence.save_themes(self.view.themes.clone());
    }

    fn library(&self) -> &Arc<Catalogue> {
        &self.pool.catalogue
    }

    fn search(&self) {
        self.search.submit(self.library(), self.query.clone());
    }

    /// Shows the marks that the thread of the saved state published last.
    fn update_marks(&mut self) {
        let marks = self.persistence.marks.read();
        if Arc::ptr_eq(&marks, &self.marks) {
            return;
        }
        self.view.favourites = marks.favourites.clone();
        self.view.banned = marks.banned.clone();
        self.view.excluded = marks.excluded.clone();
        self.view.rescued = marks.rescued.clone();
        let old = std::mem::replace(&mut self.marks, marks);
        self.retirement.retire(Box::new(old));
    }
}

/// Opens a second connection to `store` for the search thread. An in-memory store cannot be shared, so the
/// search thread gets an empty one.
fn search_store(store: &Store) -> anyhow::Result<Store> {
    let store = match store.another()? {
        Some(store) => store,
        None => Store::in_memory()?,
    };
    store.use_small_cache();
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_shown_once_they_are_passed_on() {
        let store = Store::in_memory().expect("opens");
        let recalled = recall(&store).expect("read");
        let library = LibraryWatcher::open(&store, None, None).expect("opens");
        let opened = ((recalled, library), store, None);
        let (mut archive, mut show, _) =
            Archive::of(opened, None, ShowSettings::default(), None).expect("starts");
        let preset = show.library().entries[0].id;
        let commands = [Command::FavouritePreset(preset)];
        show.step(&crate::show::StepInput {
            dt: 0.1,
            audio: &Default::default(),
            features: &Default::default(),
            commands: &commands,
            arrived: &[],
            failed: &[],
            picture_stats: None,
        });
        for _ in 0..1000 {
            archive.frame(&mut show, &commands);
            if archive.view().favourites.contains(&preset) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the favourite is not shown");
    }

    #[test]
    fn every_problem_of_a_new_library_is_a_message_of_its_own() {
        let store = Store::in_memory().expect("opens");
        let recalled = recall(&store).expect("read");
        let library = LibraryWatcher::open(&store, None, None).expect("opens");
        let opened = ((recalled, library), store, None);
        let (mut archive, mut show, _) =
            Archive::of(opened, None, ShowSettings::default(), None).expect("starts");
        let (sender, updates) = std::sync::mpsc::channel();
        archive.watcher.updates = updates;
        let problems = ["ignoring the manifest", "36 presets in 3 styles"].map(str::to_owned);
        sender.send(LibraryUpdate::Library(show.pool().clone().into(), problems.to_vec())).expect("sent");
        archive.frame(&mut show, &[]);
        assert_eq!(archive.messages(), problems);
    }
}
