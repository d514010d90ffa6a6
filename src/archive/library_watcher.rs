//! Keeps the library of a running show up to date: opens it as last scanned, rescans it, and reloads it when its
//! manifest, blacklist or index files change. The show can therefore use a finished bake without a restart. All of this
//! happens in the background, so that the size of a library does not delay the start of a show.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime};

use super::persistence::{RESCUED, open_store, unix_now};
use crate::disk;
use crate::facts::PresetId;
use crate::handoff::Latest;
use crate::library::pack::{BLACKLIST_FILE, MANIFEST_FILE};
use crate::library::style::{INDEX_V0, INDEX_V1, POLICY_V0};
use crate::library::{self, Catalogue, FolderError, LibraryLocation, OpenError, OpenedLibrary, ScanError};
use crate::mind::director::Pool;
use crate::show::{KnownStyles, MarkedPresets, NextLibrary};
use crate::store::Store;
use crate::units::counted;

/// Interval between checks of the folder and its index files.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Maximum time for which a starting show waits for its library; after that, it starts with the built-in presets.
const START_WAIT: Duration = Duration::from_millis(400);
/// Interval between checks whether the show has started, and their maximum number.
const START_CHECKS: (Duration, u32) = (Duration::from_millis(10), 1000);

/// Opens a folder or pack, or the built-in presets if `None`. Also returns messages for the performer. An
/// empty folder yields the built-in presets; a held-back library is an error unless `play_anyway` is set. See
/// [`LibraryLocation::judged_by`].
pub fn catalogue(
    store: &Store,
    presets: Option<&Path>,
    judged_by: Option<String>,
    play_anyway: bool,
) -> anyhow::Result<(Catalogue, Vec<String>)> {
    let Some(presets) = presets else { return Ok((library::load_built_in(store)?, Vec::new())) };
    let place = LibraryLocation { judged_by, play_anyway, ..LibraryLocation::of(presets) };
    let opened = library::open(store, &place, unix_now(), |_| ());
    let Playable { catalogue, messages, held_back } = or_built_in(store, &place, opened)?;
    held_back.map_or(Ok((catalogue, messages)), |why| Err(anyhow::Error::msg(why)))
}

/// The presets to play.
struct Playable {
    catalogue: Catalogue,
    messages: Vec<String>,
    /// Why the presets of the folder are held back, if they are.
    held_back: Option<String>,
}

impl Playable {
    fn of(catalogue: Catalogue, messages: Vec<String>) -> Self {
        Self { catalogue, messages, held_back: None }
    }
}

/// The presets to watch.
struct Presets {
    /// A preset folder, or the manifest of a pack.
    path: PathBuf,
    play_anyway: bool,
    /// See [`LibraryLocation::judged_by`].
    judged_by: Option<String>,
}

impl Presets {
    fn place(&self) -> LibraryLocation {
        let Self { path, play_anyway, judged_by } = self;
        LibraryLocation {
            play_anyway: *play_anyway,
            judged_by: judged_by.clone(),
            ..LibraryLocation::of(path)
        }
    }
}

/// Replaces a library with the built-in presets if it is empty or held back, or if an audit rejected every preset and
/// `play_anyway` is not set.
fn or_built_in(
    store: &Store,
    place: &LibraryLocation,
    opened: Result<OpenedLibrary, OpenError>,
) -> anyhow::Result<Playable> {
    let built_in = |message: String, held_back| -> anyhow::Result<_> {
        let messages = vec![format!("{message}; using the built-in presets")];
        Ok(Playable { catalogue: library::load_built_in(store)?, messages, held_back })
    };
    match opened {
        Ok(OpenedLibrary { mut catalogue, mut messages, .. }) if all_rejected(store, &catalogue) => {
            let why = format!("an audit rejected every preset in {}", place.folder.display());
            if !place.play_anyway {
                let why = format!(
                    "{why}; they are held back until one is rescued with 'aivj library mark PRESET --ban no'"
                );
                return built_in(why.clone(), Some(why));
            }
            catalogue.forgiven = std::mem::take(&mut catalogue.rejected);
            messages.push(format!("{why}; using them all"));
            Ok(Playable::of(catalogue, messages))
        }
        Ok(OpenedLibrary { catalogue, messages, .. }) => Ok(Playable::of(catalogue, messages)),
        Err(OpenError::Scan(ScanError::Folder(error @ FolderError::Empty(_)))) => {
            built_in(error.to_string(), None)
        }
        Err(error @ OpenError::HeldBack(_)) => built_in(error.to_string(), Some(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether an audit rejected every preset of the library, and the performer has rescued none of them.
fn all_rejected(store: &Store, catalogue: &Catalogue) -> bool {
    let rescued: BTreeSet<PresetId> = store.recall(RESCUED).ok().flatten().unwrap_or_default();
    catalogue
        .entries
        .iter()
        .all(|entry| catalogue.rejected.contains_key(&entry.id) && !rescued.contains(&entry.id))
}

/// An update from the watcher.
pub(super) enum LibraryUpdate {
    /// A new library is ready, with messages for the performer.
    Library(NextLibrary, Vec<String>),
    /// A message for the performer.
    Message(String),
    /// The folder or pack that is missing or empty, or `None` once it is back.
    Missing(Option<PathBuf>),
    /// Why the presets are held back, or `None` once they no longer are.
    HeldBack(Option<String>),
}

/// What a show knows. Switches to new libraries are prepared with it, so that the show need not read the whole library.
pub(super) struct Known {
    /// The styles that the show's taste may already cover. The styles of new libraries are compared with them.
    pub styles: KnownStyles,
    /// The marked presets.
    pub marks: Latest<MarkedPresets>,
}

/// Sends updates to the show.
struct Updates {
    sender: Sender<LibraryUpdate>,
    /// What the show knows, once it has started.
    known: Latest<Option<Known>>,
    /// Whether the show starts with other presets, although it does not know anything yet.
    starting: Arc<AtomicBool>,
}

impl Updates {
    fn channel(known: Latest<Option<Known>>) -> (Self, Receiver<LibraryUpdate>) {
        let (sender, updates) = channel();
        (Self { sender, known, starting: Arc::default() }, updates)
    }

    /// Returns what the show knows. While the show is starting with other presets, waits until it has started, because
    /// it could not switch to an unprepared library fast enough.
    fn known(&self) -> Arc<Option<Known>> {
        let (interval, checks) = START_CHECKS;
        for _ in 0..checks {
            if self.known.read().is_some() || !self.starting.load(Ordering::Relaxed) {
                break;
            }
            std::thread::sleep(interval);
        }
        self.known.read()
    }

    /// Sends an update. Returns false if the watcher has been dropped.
    fn send(&self, update: LibraryUpdate) -> bool {
        self.sender.send(update).is_ok()
    }
}

/// Handle to the thread that keeps the library up to date. Dropping the handle ends the thread without
/// waiting for it: the thread may be reading 100,000 files, and nothing is lost if it stops.
pub(super) struct LibraryWatcher {
    pub updates: Receiver<LibraryUpdate>,
    /// Updates that arrived before the show started.
    early: Vec<LibraryUpdate>,
    /// See [`LibraryLocation::judged_by`].
    judged_by: Option<String>,
    /// What the show knows, once it has started.
    pub known: Latest<Option<Known>>,
    /// Ends the thread when dropped.
    _end: Option<Sender<()>>,
}

impl LibraryWatcher {
    /// Starts the thread, and returns the presets to start with, with messages about them. These are the presets of a
    /// library that was scanned before, as of its last scan, if they can be loaded within [`START_WAIT`]. Otherwise,
    /// while a library is loaded or scanned for the first time, and while it is missing, they are the built-in ones.
    /// `judged_by` applies to this and every later library; see [`LibraryLocation::judged_by`].
    pub fn open(
        store: &Store,
        presets: Option<&Path>,
        judged_by: Option<String>,
    ) -> anyhow::Result<(Arc<Pool>, Vec<String>, Self)> {
        Self::open_with(store, presets, judged_by, START_WAIT, own_store)
    }

    /// Opens a library as [`Self::open`] does, within `patience`. `stores` opens the store for the thread.
    fn open_with(
        store: &Store,
        presets: Option<&Path>,
        judged_by: Option<String>,
        patience: Duration,
        stores: impl Fn() -> anyhow::Result<Store> + Send + 'static,
    ) -> anyhow::Result<(Arc<Pool>, Vec<String>, Self)> {
        let known = Latest::new(None);
        let (sender, updates) = Updates::channel(known.clone());
        let mut watcher =
            Self { updates, early: Vec::new(), judged_by: judged_by.clone(), known, _end: None };
        let pool = |catalogue| Arc::new(Pool::new(Arc::new(catalogue)));
        let Some(presets) = presets else {
            return Ok((pool(library::load_built_in(store)?), Vec::new(), watcher));
        };
        let watched = Presets { path: presets.to_owned(), play_anyway: false, judged_by };
        let place = watched.place();
        let away = unusable(&place.folder);
        let scanned = away.is_none() && store.scanned_at(&library::library_root(&place.folder))?.is_some();
        let initial = if away.is_some() { InitialState::Missing } else { InitialState::Starting };
        let starting = sender.starting.clone();
        starting.store(!scanned, Ordering::Relaxed);
        let (end, ended) = channel();
        let work = move || keep_up(&watched, initial, &stores, &sender, &ended);
        std::thread::Builder::new().name("library watcher".into()).spawn(work)?;
        watcher._end = Some(end);
        let message = match away {
            Some(why) => missing(presets, why),
            None if !scanned => format!("scanning {}; playing the built-in presets", presets.display()),
            None => {
                let loaded = watcher.wait_for_library(patience);
                starting.store(true, Ordering::Relaxed);
                match loaded {
                    Ok((pool, messages)) => return Ok((pool, messages, watcher)),
                    Err(RecvTimeoutError::Timeout) => {
                        format!("loading {}; playing the built-in presets until then", presets.display())
                    }
                    // The thread could not load the library. The caller may be able to repair the store.
                    Err(RecvTimeoutError::Disconnected) => {
                        let playable = or_built_in(store, &place, library::load(store, &place))?;
                        watcher.early.push(LibraryUpdate::HeldBack(playable.held_back));
                        return Ok((pool(playable.catalogue), playable.messages, watcher));
                    }
                }
            }
        };
        Ok((pool(library::load_built_in(store)?), vec![message], watcher))
    }

    /// Waits for the library, for at most `patience` per update, and returns it with its messages.
    fn wait_for_library(&mut self, patience: Duration) -> Result<(Arc<Pool>, Vec<String>), RecvTimeoutError> {
        loop {
            match self.updates.recv_timeout(patience)? {
                LibraryUpdate::Library(next, mut messages) => {
                    messages.pop(); // The number of presets is no problem.
                    return Ok((next.pool().clone(), messages));
                }
                update => self.early.push(update),
            }
        }
    }

    /// Returns the updates that have arrived since the last call.
    pub fn pending(&mut self) -> Vec<LibraryUpdate> {
        let mut pending = std::mem::take(&mut self.early);
        pending.extend(self.updates.try_iter());
        pending
    }

    /// Switches to another library; the current one plays until the new one arrives as an update.
    pub fn switch_to(&mut self, presets: Option<&Path>, play_anyway: bool) -> std::io::Result<()> {
        let (sender, updates) = Updates::channel(self.known.clone());
        let (end, ended) = channel();
        let presets = presets.map(|path| {
            let judged_by = self.judged_by.clone();
            Presets { path: path.to_owned(), play_anyway, judged_by }
        });
        let work = move || match presets {
            Some(presets) => keep_up(&presets, InitialState::Unknown, &own_store, &sender, &ended),
            None => match own_store().and_then(|store| Ok(library::load_built_in(&store)?)) {
                Ok(catalogue) => publish(&sender, Playable::of(catalogue, Vec::new())),
                Err(error) => {
                    let message = format!(
                        "could not open the built-in presets: {error:#}; keeping the current library"
                    );
                    sender.send(LibraryUpdate::Message(message));
                }
            },
        };
        std::thread::Builder::new().name("library watcher".into()).spawn(work)?;
        (self.updates, self._end) = (updates, Some(end));
        self.early.clear();
        Ok(())
    }
}

/// State of the library when watching starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InitialState {
    /// The show is starting, and the library has not been loaded yet.
    Starting,
    /// The folder is missing, and the built-in presets are playing.
    Missing,
    /// The library has not been checked yet.
    Unknown,
}

/// Why watching a folder ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The folder is missing, for this reason; the built-in presets take its place.
    Missing(&'static str),
    /// The folder was never found, for this reason; the previous library keeps playing.
    NotFound(&'static str),
    /// The thread was asked to stop.
    Stopped,
}

/// Keeps the library up to date. While its folder is missing, plays the built-in presets or, if the folder
/// was never found, keeps the previous library.
fn keep_up(
    presets: &Presets,
    mut initial: InitialState,
    stores: &dyn Fn() -> anyhow::Result<Store>,
    updates: &Updates,
    ended: &Receiver<()>,
) {
    let send = |update| updates.send(update);
    loop {
        match keep_up_until(presets, initial, stores, updates, ended) {
            Ok(Ended::Stopped) => return,
            Ok(Ended::NotFound(why)) => {
                let message = format!("{} {why}; keeping the current library", presets.path.display());
                send(LibraryUpdate::Message(message));
            }
            // The built-in presets are playing.
            Ok(Ended::Missing(_)) if initial == InitialState::Missing => {}
            Ok(Ended::Missing(why)) => play_built_in(presets, why, stores, updates),
            Err(error) => {
                let Some(why) = unusable(&presets.place().folder) else {
                    let path = presets.path.display();
                    let message = format!("could not load {path}: {error:#}; open it again to retry");
                    send(LibraryUpdate::Message(message)); // Fails if the watcher is dropped.
                    return;
                };
                play_built_in(presets, why, stores, updates);
            }
        }
        send(LibraryUpdate::Missing(Some(presets.path.clone())));
        while unusable(&presets.place().folder).is_some() {
            if !matches!(ended.recv_timeout(CHECK_INTERVAL), Err(RecvTimeoutError::Timeout)) {
                return;
            }
        }
        if !send(LibraryUpdate::Missing(None)) {
            return;
        }
        initial = InitialState::Unknown;
    }
}

/// Switches to the built-in presets, because the folder is missing for the reason `why`.
fn play_built_in(
    presets: &Presets,
    why: &str,
    stores: &dyn Fn() -> anyhow::Result<Store>,
    updates: &Updates,
) {
    match stores().and_then(|store| Ok(library::load_built_in(&store)?)) {
        Ok(catalogue) => publish(updates, Playable::of(catalogue, vec![missing(&presets.path, why)])),
        Err(error) => log::warn!("could not open the built-in presets: {error:#}"),
    }
}

/// Opens the store for this thread. Ignores its message, which was shown when the store was first opened.
fn own_store() -> anyhow::Result<Store> {
    Ok(open_store()?.0)
}

/// Returns why the folder cannot be used; `None` if it can. An empty folder may be the mount point of a disk that was
/// removed.
fn unusable(folder: &Path) -> Option<&'static str> {
    match disk::has_entries(folder) {
        Ok(true) => None,
        Err(error) if error.kind() == ErrorKind::TimedOut => Some("is not responding"),
        Ok(false) | Err(_) => Some("is missing or empty"),
    }
}

fn missing(presets: &Path, why: &str) -> String {
    format!("{} {why}; playing the built-in presets until it is back", presets.display())
}

fn keep_up_until(
    presets: &Presets,
    initial: InitialState,
    stores: &dyn Fn() -> anyhow::Result<Store>,
    updates: &Updates,
    ended: &Receiver<()>,
) -> anyhow::Result<Ended> {
    let mut place = presets.place();
    if let Some(why) = unusable(&place.folder) {
        let starting = matches!(initial, InitialState::Starting | InitialState::Missing);
        return Ok(if starting { Ended::Missing(why) } else { Ended::NotFound(why) });
    }
    let store = stores()?;
    let known = store.scanned_at(&library::library_root(&place.folder))?.is_some();
    if known {
        publish(updates, or_built_in(&store, &place, library::load(&store, &place))?);
    }
    let mut dates = dates(&place.folder);
    let mut progress = 0;
    let opened = library::open(&store, &place, unix_now(), |looked_at| {
        if !known && looked_at >= progress + 5000 {
            progress = looked_at;
            let message = format!("scanning {}: {}", presets.path.display(), counted(looked_at, "file"));
            updates.send(LibraryUpdate::Message(message));
        }
    });
    let changed = match &opened {
        Ok(opened) => opened.report.as_ref().is_some_and(|report| report.read + report.gone > 0),
        Err(_) => true,
    };
    if changed || !known {
        publish(updates, or_built_in(&store, &place, opened)?);
    }
    store.release_cache();
    library::release_memory();
    while matches!(ended.recv_timeout(CHECK_INTERVAL), Err(RecvTimeoutError::Timeout)) {
        if let Some(why) = unusable(&place.folder) {
            return Ok(Ended::Missing(why));
        }
        let now = self::dates(&place.folder);
        if now != dates {
            dates = now;
            place = presets.place();
            let opened = library::open(&store, &place, unix_now(), |_| ());
            publish(updates, or_built_in(&store, &place, opened)?);
            store.release_cache();
            library::release_memory();
        }
    }
    Ok(Ended::Stopped)
}

fn publish(updates: &Updates, playable: Playable) {
    let Playable { catalogue, mut messages, held_back } = playable;
    updates.send(LibraryUpdate::HeldBack(held_back));
    messages.push(format!(
        "{} in {} ({})",
        counted(catalogue.entries.len(), "preset"),
        counted(catalogue.clusters.len(), "style"),
        catalogue.origin.word()
    ));
    let pool = Arc::new(Pool::new(Arc::new(catalogue)));
    let next = match &*updates.known() {
        Some(Known { styles, marks }) => NextLibrary::prepare(pool, styles.clone(), &marks.read()),
        None => pool.into(),
    };
    updates.send(LibraryUpdate::Library(next, messages));
}

/// Returns the modification times of the manifest, blacklist, index and policy files; `None` for a missing file.
fn dates(folder: &Path) -> Vec<Option<SystemTime>> {
    let names = [MANIFEST_FILE, BLACKLIST_FILE, INDEX_V1, INDEX_V0, POLICY_V0].map(OsString::from);
    let files = disk::metadata(folder, &names).into_iter();
    files.map(|file| file.and_then(|metadata| metadata.modified()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::VerdictRow;
    use crate::units::thread_time;

    #[test]
    fn checking_the_files_is_cheap() {
        const LOOKS: u32 = 500;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(MANIFEST_FILE), "{}").expect("written");
        let before = thread_time();
        for _ in 0..LOOKS {
            std::hint::black_box(dates(folder.path()));
        }
        let cost = (thread_time() - before) / LOOKS;
        println!("one check takes {cost:?} of CPU time");
        assert!(cost < CHECK_INTERVAL / 1000, "{cost:?}");
    }

    /// Waits for an update that `wanted` accepts.
    fn wait(updates: &Receiver<LibraryUpdate>, wanted: impl Fn(&LibraryUpdate) -> bool) {
        while !wanted(&updates.recv_timeout(Duration::from_secs(60)).expect("an update")) {}
    }

    #[test]
    fn a_folder_that_disappears_is_reported_and_reloaded_when_it_returns() {
        let folder = tempfile::tempdir().expect("a folder");
        let (presets, away) = (folder.path().join("presets"), folder.path().join("away"));
        std::fs::create_dir(&presets).expect("made");
        std::fs::write(presets.join("one.milk"), "zoom=1.01").expect("written");
        let (sender, updates) = Updates::channel(Latest::new(None));
        let (end, ended) = channel();
        let built_in = library::built_in().count();
        let count = move |wanted: usize| move |update: &LibraryUpdate| matches!(update, LibraryUpdate::Library(next, _) if next.pool().catalogue.entries.len() == wanted);
        let missing = |wanted: bool| move |update: &LibraryUpdate| matches!(update, LibraryUpdate::Missing(path) if path.is_some() == wanted);
        let watched = Presets { path: presets.clone(), play_anyway: false, judged_by: None };
        let data = folder.path().join("data");
        let stores = move || Ok(Store::open(&data, 1)?.store);
        let work = move || keep_up(&watched, InitialState::Starting, &stores, &sender, &ended);
        let thread = std::thread::spawn(work);
        wait(&updates, count(1));
        std::fs::rename(&presets, &away).expect("moved");
        wait(&updates, count(built_in));
        wait(&updates, missing(true));
        std::fs::rename(&away, &presets).expect("moved");
        wait(&updates, missing(false));
        wait(&updates, count(1));
        drop(end);
        thread.join().expect("ended");
    }

    #[test]
    fn a_library_with_a_broken_blacklist_is_held_back_until_it_is_repaired_or_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("one.milk"), "zoom=1.01").expect("written");
        std::fs::write(folder.path().join(BLACKLIST_FILE), "{").expect("written");
        let watch = |play_anyway| {
            let (sender, updates) = Updates::channel(Latest::new(None));
            let (end, ended) = channel();
            let watched = Presets { path: folder.path().to_owned(), play_anyway, judged_by: None };
            let stores = || Ok(Store::in_memory()?);
            let work = move || keep_up(&watched, InitialState::Starting, &stores, &sender, &ended);
            (std::thread::spawn(work), end, updates)
        };
        let (thread, end, updates) = watch(false);
        let held = |wanted: bool| move |update: &LibraryUpdate| matches!(update, LibraryUpdate::HeldBack(why) if why.is_some() == wanted);
        let count = |wanted: usize| move |update: &LibraryUpdate| matches!(update, LibraryUpdate::Library(next, _) if next.pool().catalogue.entries.len() == wanted);
        wait(&updates, held(true));
        wait(&updates, count(library::built_in().count()));
        assert!(catalogue(&Store::in_memory().expect("opens"), Some(folder.path()), None, false).is_err());
        let (ignoring, end_ignoring, others) = watch(true);
        wait(&others, held(false));
        wait(&others, count(1));
        std::fs::remove_file(folder.path().join(BLACKLIST_FILE)).expect("removed");
        wait(&updates, held(false));
        wait(&updates, count(1));
        drop((end, end_ignoring));
        thread.join().and_then(|()| ignoring.join()).expect("ended");
    }

    #[test]
    fn a_library_that_an_audit_rejected_is_held_back_until_a_rescue_or_a_request() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::in_memory().expect("opens");
        let ids = ["zoom=1.01", "zoom=1.02"].map(|text| {
            std::fs::write(folder.path().join(format!("{text}.milk")), text).expect("written");
            PresetId::of(text.as_bytes())
        });
        let verdict = |id| VerdictRow {
            id,
            recipe: "r".into(),
            judged_by: String::new(),
            safety: "hang".into(),
            completeness: "ok".into(),
            look: "ok".into(),
            flash: "pass".into(),
            seen: Default::default(),
            cost_ms: None,
            json: "{}".into(),
            at: 1,
        };
        store.put_verdicts(&ids.map(verdict)).expect("stored");
        let open = |play_anyway| {
            let place = LibraryLocation { play_anyway, ..LibraryLocation::of(folder.path()) };
            or_built_in(&store, &place, library::open(&store, &place, 1, |_| ())).expect("opens")
        };
        let held = open(false);
        assert_eq!(held.catalogue.entries.len(), library::built_in().count());
        assert!(held.held_back.expect("held back").contains("rejected every preset"));
        assert!(catalogue(&store, Some(folder.path()), None, false).is_err());
        let (all, _) = catalogue(&store, Some(folder.path()), None, true).expect("opens, to replay a set");
        assert_eq!(all.entries.len(), 2);
        let anyway = open(true);
        assert_eq!((anyway.catalogue.entries.len(), anyway.catalogue.rejected.len()), (2, 0));
        assert!(
            ids.iter().all(|id| anyway.catalogue.forgiven.contains_key(id)),
            "an audit would reject them"
        );
        store.remember(RESCUED, &BTreeSet::from([ids[1]]), 1).expect("saved");
        let rescued = open(false);
        assert_eq!((rescued.catalogue.entries.len(), rescued.catalogue.rejected.len()), (2, 2));
        assert!(rescued.held_back.is_none());
    }

    #[test]
    fn a_library_that_is_loaded_in_time_plays_from_the_start_and_a_slow_one_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let (presets, data) = (folder.path().join("presets"), folder.path().join("data"));
        std::fs::create_dir(&presets).expect("made");
        std::fs::write(presets.join("one.milk"), "zoom=1.01").expect("written");
        let store = Store::open(&data, 1).expect("opens").store;
        library::open(&store, &LibraryLocation::of(&presets), 1, |_| ()).expect("scanned before");
        let open = |patience: Duration, wait: Receiver<()>| {
            let data = data.clone();
            let stores = move || {
                wait.recv().ok(); // The disk is slow until the sender is dropped.
                Ok(Store::open(&data, 1)?.store)
            };
            LibraryWatcher::open_with(&store, Some(&presets), None, patience, stores).expect("starts")
        };
        let (_, ready) = channel();
        let (pool, _, mut watcher) = open(Duration::from_secs(60), ready);
        assert_eq!(pool.catalogue.entries.len(), 1);
        assert!(matches!(watcher.pending()[..], [LibraryUpdate::HeldBack(None), ..]));
        let (slow, not_ready) = channel();
        let (pool, messages, watcher) = open(Duration::from_millis(10), not_ready);
        assert_eq!(pool.catalogue.entries.len(), library::built_in().count());
        assert!(messages[0].starts_with("loading ") && messages.len() == 1, "{messages:?}");
        let marks = Latest::new(MarkedPresets::default());
        let show = crate::show::Show::new(Default::default(), pool.catalogue.clone());
        watcher.known.publish(Some(Known { styles: show.known_styles(), marks }));
        drop(slow);
        wait(
            &watcher.updates,
            |update| matches!(update, LibraryUpdate::Library(next, _) if next.pool().catalogue.entries.len() == 1),
        );
    }

    #[test]
    fn a_missing_folder_does_not_prevent_startup() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::in_memory().expect("opens");
        let gone = folder.path().join("gone");
        let (pool, messages, watcher) = LibraryWatcher::open(&store, Some(&gone), None).expect("starts");
        assert_eq!(pool.catalogue.entries.len(), library::built_in().count());
        assert!(messages[0].contains("is missing or empty; playing the built-in presets"), "{messages:?}");
        wait(
            &watcher.updates,
            |update| matches!(update, LibraryUpdate::Missing(Some(path)) if *path == gone),
        );
    }

    #[test]
    fn a_folder_on_a_disk_that_does_not_respond_does_not_prevent_startup() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("one.milk"), "zoom=1.01").expect("written");
        let store = Store::in_memory().expect("opens");
        library::open(&store, &LibraryLocation::of(folder.path()), 1, |_| ()).expect("scanned before");
        let _stalled = disk::stall(folder.path());
        let (pool, messages, watcher) =
            LibraryWatcher::open(&store, Some(folder.path()), None).expect("starts");
        assert_eq!(pool.catalogue.entries.len(), library::built_in().count());
        assert!(messages[0].contains("is not responding; playing the built-in presets"), "{messages:?}");
        wait(
            &watcher.updates,
            |update| matches!(update, LibraryUpdate::Missing(Some(path)) if path == folder.path()),
        );
    }

    #[test]
    fn an_empty_folder_gives_the_built_in_presets_and_a_missing_one_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::in_memory().expect("opens");
        let (library, messages) = catalogue(&store, Some(folder.path()), None, false).expect("opens");
        assert_eq!(library.entries.len(), library::built_in().count());
        assert!(messages[0].contains("using the built-in presets"), "{messages:?}");
        assert!(catalogue(&store, Some(&folder.path().join("no")), None, false).is_err());
    }
}
