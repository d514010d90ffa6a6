//! The library of a running show: opened as it was last scanned, looked through again in the background, and taken anew
//! when the files beside it change, so that a finished bake is used without a restart.

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

/// How often the files beside the presets are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The presets to play, those of a folder or pack or the built-in ones, and what the performer should know about them.
/// An empty folder gives the built-in ones.
pub fn catalogue(store: &Store, presets: Option<&Path>) -> anyhow::Result<(Catalogue, Vec<String>)> {
    let Some(presets) = presets else { return Ok((library::load_built_in(store)?, Vec::new())) };
    settle(store, library::open(store, &LibraryLocation::of(presets), unix_now(), |_| ()))
}

/// An empty library becomes the built-in one.
fn settle(
    store: &Store,
    opened: Result<OpenedLibrary, OpenError>,
) -> anyhow::Result<(Catalogue, Vec<String>)> {
    match opened {
        Ok(opened) => Ok((opened.catalogue, opened.messages)),
        Err(OpenError::Scan(ScanError::Folder(error @ FolderError::Empty(_)))) => {
            let message = format!("{error}; the built-in presets play");
            Ok((library::load_built_in(store)?, vec![message]))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the shelf has to say.
pub(super) enum LibraryUpdate {
    /// The library is another one now.
    Library(Arc<Pool>, Vec<String>),
    /// Something for the performer.
    Message(String),
}

/// The thread that keeps the library up to date. It ends when this is dropped and is not waited for: it may be reading a
/// hundred thousand files, and loses nothing when it stops.
pub(super) struct LibraryWatcher {
    pub news: Receiver<LibraryUpdate>,
    /// Tells the thread by going away.
    _end: Option<Sender<()>>,
}

impl LibraryWatcher {
    /// The library to begin with, and the thread that goes on from there. A library that was scanned before opens as it
    /// was; a new one is looked through while the built-in presets play.
    pub fn open(store: &Store, presets: Option<&Path>) -> anyhow::Result<(Catalogue, Vec<String>, Self)> {
        let (sender, news) = channel();
        let Some(presets) = presets else {
            let shelf = Self { news, _end: None };
            return Ok((library::load_built_in(store)?, Vec::new(), shelf));
        };
        let place = LibraryLocation::of(presets);
        if !place.folder.is_dir() {
            return Err(FolderError::NotAFolder(place.folder).into());
        }
        let known = store.scanned_at(&library::library_root(&place.folder))?.is_some();
        let (catalogue, messages) = if known {
            settle(store, library::load(store, &place))?
        } else {
            let message = format!("looking through {}; the built-in presets play", presets.display());
            (library::load_built_in(store)?, vec![message])
        };
        let (end, ended) = channel();
        let presets = presets.to_owned();
        let begun = if known { Begun::Shown } else { Begun::New };
        let work = move || keep_up(&presets, begun, &sender, &ended);
        std::thread::Builder::new().name("shelf".into()).spawn(work)?;
        Ok((catalogue, messages, Self { news, _end: Some(end) }))
    }

    /// Turns to another library; it comes as news when it is ready, and the one that plays plays on until then.
    pub fn turn_to(&mut self, presets: Option<&Path>) -> std::io::Result<()> {
        let (sender, news) = channel();
        let (end, ended) = channel();
        let presets = presets.map(Path::to_owned);
        let work = move || match presets {
            Some(presets) => keep_up(&presets, Begun::Unknown, &sender, &ended),
            None => match open_store().and_then(|(store, _)| Ok(library::load_built_in(&store)?)) {
                Ok(catalogue) => tell(&sender, (catalogue, Vec::new())),
                Err(error) => {
                    let message =
                        format!("the built-in presets cannot be opened: {error:#}; the others play on");
                    sender.send(LibraryUpdate::Message(message)).ok(); // The show is over.
                }
            },
        };
        std::thread::Builder::new().name("shelf".into()).spawn(work)?;
        *self = Self { news, _end: Some(end) };
        Ok(())
    }
}

/// How far the library had come when the thread began.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// It plays as it was last scanned.
    Shown,
    /// It was never scanned.
    New,
    /// Nobody has looked yet.
    Unknown,
}

fn keep_up(presets: &Path, begun: Begun, news: &Sender<LibraryUpdate>, ended: &Receiver<()>) {
    if let Err(error) = keep_up_until(presets, begun, news, ended) {
        let message =
            format!("{} is not watched: {error:#}; open it again to see changes", presets.display());
        news.send(LibraryUpdate::Message(message)).ok(); // The show is over.
    }
}

fn keep_up_until(
    presets: &Path,
    begun: Begun,
    news: &Sender<LibraryUpdate>,
    ended: &Receiver<()>,
) -> anyhow::Result<()> {
    let (store, _) = open_store()?;
    let mut place = LibraryLocation::of(presets);
    let known = match begun {
        Begun::Shown => true,
        Begun::New => false,
        Begun::Unknown => {
            let known = store.scanned_at(&library::library_root(&place.folder))?.is_some();
            if known {
                tell(news, settle(&store, library::load(&store, &place))?);
            }
            known
        }
    };
    let mut dates = dates(&place.folder);
    let mut progress = 0;
    let opened = library::open(&store, &place, unix_now(), |looked_at| {
        if !known && looked_at >= progress + 5000 {
            progress = looked_at;
            let message = format!("looking through {}: {looked_at} files", presets.display());
            news.send(LibraryUpdate::Message(message)).ok(); // The show is over.
        }
    });
    let changed = match &opened {
        Ok(opened) => opened.report.as_ref().is_some_and(|report| report.read + report.gone > 0),
        Err(_) => true,
    };
    if changed || !known {
        tell(news, settle(&store, opened)?);
    }
    library::give_back_memory();
    while matches!(ended.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout)) {
        let now = self::dates(&place.folder);
        if now != dates {
            dates = now;
            place = LibraryLocation::of(presets);
            tell(news, settle(&store, library::open(&store, &place, unix_now(), |_| ()))?);
            library::give_back_memory();
        }
    }
    Ok(())
}

fn tell(news: &Sender<LibraryUpdate>, (catalogue, mut messages): (Catalogue, Vec<String>)) {
    messages.push(format!(
        "{} presets in {} styles ({})",
        catalogue.entries.len(),
        catalogue.clusters.len(),
        catalogue.origin.word()
    ));
    let pool = Arc::new(Pool::new(Arc::new(catalogue)));
    news.send(LibraryUpdate::Library(pool, messages)).ok(); // The show is over.
}

/// When the files that decide about the library were written.
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
    fn a_look_at_the_files_costs_little() {
        const LOOKS: u32 = 500;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(MANIFEST_FILE), "{}").expect("written");
        let before = thread_time();
        for _ in 0..LOOKS {
            std::hint::black_box(dates(folder.path()));
        }
        let cost = (thread_time() - before) / LOOKS;
        println!("a look takes {cost:?} of processor time");
        assert!(cost < LOOK_EVERY / 1000, "{cost:?}");
    }

    #[test]
    fn an_empty_folder_gives_the_built_in_presets_and_a_missing_one_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::in_memory().expect("opens");
        let (library, messages) = catalogue(&store, Some(folder.path())).expect("opens");
        assert_eq!(library.entries.len(), library::built_in().count());
        assert!(messages[0].contains("built-in presets play"), "{messages:?}");
        assert!(catalogue(&store, Some(&folder.path().join("no"))).is_err());
    }
}
