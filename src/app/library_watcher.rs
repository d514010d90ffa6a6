//! The library of a running show: opens it as last scanned, rescans it in the background, and reloads it when its index
//! files change, so that a finished bake is used without a restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime};

use crate::app::{open_store, unix_now};
use crate::library::pack::{BLACKLIST_FILE, MANIFEST_FILE};
use crate::library::style::{INDEX_V0, INDEX_V1, POLICY_V0};
use crate::library::{
    self, Catalogue, FolderError, LibraryLocation, OpenError, OpenedLibrary, ScanError, Store,
};
use crate::mind::director::Pool;
use crate::units::counted;

/// Interval between checks of the index files.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Opens the presets of a folder or pack, or the built-in presets, with messages for the performer. An empty folder gives
/// the built-in presets.
pub fn catalogue(store: &Store, presets: Option<&Path>) -> anyhow::Result<(Catalogue, Vec<String>)> {
    let Some(presets) = presets else { return Ok((library::load_built_in(store)?, Vec::new())) };
    or_built_in(store, library::open(store, &LibraryLocation::of(presets), unix_now(), |_| ()))
}

/// Replaces an empty library by the built-in presets.
fn or_built_in(
    store: &Store,
    opened: Result<OpenedLibrary, OpenError>,
) -> anyhow::Result<(Catalogue, Vec<String>)> {
    match opened {
        Ok(opened) => Ok((opened.catalogue, opened.messages)),
        Err(OpenError::Scan(ScanError::Folder(error @ FolderError::Empty(_)))) => {
            let message = format!("{error}; playing the built-in presets");
            Ok((library::load_built_in(store)?, vec![message]))
        }
        Err(error) => Err(error.into()),
    }
}

/// An update from the watcher.
pub(super) enum LibraryUpdate {
    /// A new library is ready.
    Library(Arc<Pool>, Vec<String>),
    /// A message for the performer.
    Message(String),
}

/// Handle of the thread that keeps the library up to date. Dropping it ends the thread without waiting, because it may be
/// reading 100,000 files; stopping it loses nothing.
pub(super) struct LibraryWatcher {
    pub updates: Receiver<LibraryUpdate>,
    /// Dropped to end the thread.
    _end: Option<Sender<()>>,
}

impl LibraryWatcher {
    /// Opens the library and starts the thread. A library that was scanned before opens as it was; a new one is scanned
    /// while the built-in presets play.
    pub fn open(store: &Store, presets: Option<&Path>) -> anyhow::Result<(Catalogue, Vec<String>, Self)> {
        let (sender, updates) = channel();
        let Some(presets) = presets else {
            let watcher = Self { updates, _end: None };
            return Ok((library::load_built_in(store)?, Vec::new(), watcher));
        };
        let place = LibraryLocation::of(presets);
        if !place.folder.is_dir() {
            return Err(FolderError::NotAFolder(place.folder).into());
        }
        let known = store.scanned_at(&library::library_root(&place.folder))?.is_some();
        let (catalogue, messages) = if known {
            or_built_in(store, library::load(store, &place))?
        } else {
            let message = format!("scanning {}; playing the built-in presets", presets.display());
            (library::load_built_in(store)?, vec![message])
        };
        let (end, ended) = channel();
        let presets = presets.to_owned();
        let initial = if known { InitialState::Shown } else { InitialState::New };
        let work = move || keep_up(&presets, initial, &sender, &ended);
        std::thread::Builder::new().name("library watcher".into()).spawn(work)?;
        Ok((catalogue, messages, Self { updates, _end: Some(end) }))
    }

    /// Switches to another library. It arrives as an update when it is ready; the current one plays until then.
    pub fn turn_to(&mut self, presets: Option<&Path>) -> std::io::Result<()> {
        let (sender, updates) = channel();
        let (end, ended) = channel();
        let presets = presets.map(Path::to_owned);
        let work = move || match presets {
            Some(presets) => keep_up(&presets, InitialState::Unknown, &sender, &ended),
            None => match open_store().and_then(|(store, _)| Ok(library::load_built_in(&store)?)) {
                Ok(catalogue) => publish(&sender, (catalogue, Vec::new())),
                Err(error) => {
                    let message = format!(
                        "could not open the built-in presets: {error:#}; keeping the current library"
                    );
                    sender.send(LibraryUpdate::Message(message)).ok(); // The show has ended.
                }
            },
        };
        std::thread::Builder::new().name("library watcher".into()).spawn(work)?;
        *self = Self { updates, _end: Some(end) };
        Ok(())
    }
}

/// State of the library when the thread starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InitialState {
    /// Already playing as last scanned.
    Shown,
    /// Never scanned.
    New,
    /// Not checked yet.
    Unknown,
}

fn keep_up(presets: &Path, initial: InitialState, updates: &Sender<LibraryUpdate>, ended: &Receiver<()>) {
    if let Err(error) = keep_up_until(presets, initial, updates, ended) {
        let message = format!("could not load {}: {error:#}; open it again to retry", presets.display());
        updates.send(LibraryUpdate::Message(message)).ok(); // The show has ended.
    }
}

fn keep_up_until(
    presets: &Path,
    initial: InitialState,
    updates: &Sender<LibraryUpdate>,
    ended: &Receiver<()>,
) -> anyhow::Result<()> {
    let (store, _) = open_store()?;
    let mut place = LibraryLocation::of(presets);
    let known = match initial {
        InitialState::Shown => true,
        InitialState::New => false,
        InitialState::Unknown => {
            let known = store.scanned_at(&library::library_root(&place.folder))?.is_some();
            if known {
                publish(updates, or_built_in(&store, library::load(&store, &place))?);
            }
            known
        }
    };
    let mut dates = dates(&place.folder);
    let mut progress = 0;
    let opened = library::open(&store, &place, unix_now(), |looked_at| {
        if !known && looked_at >= progress + 5000 {
            progress = looked_at;
            let message = format!("scanning {}: {looked_at} files", presets.display());
            updates.send(LibraryUpdate::Message(message)).ok(); // The show has ended.
        }
    });
    let changed = match &opened {
        Ok(opened) => opened.report.as_ref().is_some_and(|report| report.read + report.gone > 0),
        Err(_) => true,
    };
    if changed || !known {
        publish(updates, or_built_in(&store, opened)?);
    }
    library::release_memory();
    while matches!(ended.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout)) {
        let now = self::dates(&place.folder);
        if now != dates {
            dates = now;
            place = LibraryLocation::of(presets);
            publish(updates, or_built_in(&store, library::open(&store, &place, unix_now(), |_| ()))?);
            library::release_memory();
        }
    }
    Ok(())
}

fn publish(updates: &Sender<LibraryUpdate>, (catalogue, mut messages): (Catalogue, Vec<String>)) {
    messages.push(format!(
        "{} in {} ({})",
        counted(catalogue.entries.len(), "preset"),
        counted(catalogue.clusters.len(), "style"),
        catalogue.origin.word()
    ));
    let pool = Arc::new(Pool::new(Arc::new(catalogue)));
    updates.send(LibraryUpdate::Library(pool, messages)).ok(); // The show has ended.
}

/// Returns the modification times of the index files.
fn dates(folder: &Path) -> Vec<(PathBuf, Option<SystemTime>)> {
    let files = [MANIFEST_FILE, BLACKLIST_FILE, INDEX_V1, INDEX_V0, POLICY_V0].map(|name| folder.join(name));
    files
        .into_iter()
        .map(|path| {
            let written = std::fs::metadata(&path).and_then(|facts| facts.modified()).ok();
            (path, written)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert!(cost < LOOK_EVERY / 1000, "{cost:?}");
    }

    #[test]
    fn an_empty_folder_gives_the_built_in_presets_and_a_missing_one_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::in_memory().expect("opens");
        let (library, messages) = catalogue(&store, Some(folder.path())).expect("opens");
        assert_eq!(library.entries.len(), library::built_in().count());
        assert!(messages[0].contains("playing the built-in presets"), "{messages:?}");
        assert!(catalogue(&store, Some(&folder.path().join("no"))).is_err());
    }
}
