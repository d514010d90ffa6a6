//! Saved state: loads it from the store at the start of a show, and writes changes on the store's thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use crate::facts::PresetId;
use crate::handoff::Latest;
use crate::library::UserFolders;
use crate::show::{Command, Exclusion, MarkedPresets, MemoryChange, ShowMemory, theme_text};
use crate::store::{self, BanKind, Store, StoreStatus, StoreWrite, StoreWriter, UnixSecs};

/// Keys of the values that are saved as JSON.
const TASTE: &str = "taste";
const ADVENTURE: &str = "adventure";
const MACROS: &str = "macros";
pub(super) const RESCUED: &str = "rescued";
const THEME: &str = "theme";
const THEMES: &str = "themes";

/// Returns the current Unix time, in seconds.
pub fn unix_now() -> UnixSecs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as UnixSecs)
}

/// Opens the performer's store or, without a home folder, an in-memory one. Also returns a message for the
/// performer, if there is one.
pub fn open_store() -> anyhow::Result<(Store, Option<String>)> {
    let Some(places) = UserFolders::of_user() else {
        let notice = "no home folder found, so nothing is saved; set AIVJ_DATA to a folder";
        return Ok((Store::in_memory()?, Some(notice.into())));
    };
    let opened = Store::open(&places.data, unix_now()).context("opening the store")?;
    Ok((opened.store, opened.notice))
}

/// Opens the performer's store for a command that changes it. Prints the store's message to standard error,
/// if there is one.
///
/// # Errors
/// Fails if the store cannot be opened, or is in memory, where a change would be lost.
pub fn open_store_to_write() -> anyhow::Result<Store> {
    let (store, notice) = open_store()?;
    let notice = notice.unwrap_or_default();
    anyhow::ensure!(store.path().is_some(), "no changes made, because they could not be saved: {notice}");
    if !notice.is_empty() {
        eprintln!("aivj: {notice}");
    }
    Ok(store)
}

/// Marks the performer's store as suspect, so that it is checked and, if necessary, repaired when it is next opened.
pub fn suspect_store() {
    if let Some(places) = UserFolders::of_user() {
        store::suspect(&places.data);
    }
}

/// Calls `open` with the performer's store and returns its result, the store, and any message for the
/// performer. Repairs a damaged store and tries again; if it is still damaged, uses an empty in-memory store.
pub(super) fn with_store<T>(
    open: impl Fn(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<(T, Store, Option<String>)> {
    let (store, notice) = open_store()?;
    match open(&store) {
        Ok(opened) => Ok((opened, store, notice)),
        Err(error) if error.chain().any(store::is_damage) => {
            drop(store);
            suspect_store();
            let (store, notice) = open_store()?;
            match open(&store) {
                Ok(opened) => Ok((opened, store, notice)),
                // The show starts even if the disk fails.
                Err(error) if error.chain().any(store::is_damage) => {
                    let store = Store::in_memory()?;
                    let notice = format!(
                        "the store is damaged and could not be repaired ({error:#}); starting without saved state, and \
                         nothing will be saved; close other programs that use the store, then start aivj again"
                    );
                    Ok((open(&store)?, store, Some(notice)))
                }
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Themes, by the name under which the performer saved them.
pub type Themes = BTreeMap<String, String>;

/// Returns the theme that `text` stands for: `@NAME` is the theme saved as NAME.
///
/// # Errors
/// Fails if there is no such theme, or if the store cannot be read.
pub fn expand_theme(text: &str, store: &Store) -> anyhow::Result<String> {
    let Some(name) = text.trim().strip_prefix('@') else { return Ok(text.to_owned()) };
    let themes: Themes = store.recall(THEMES)?.unwrap_or_default();
    themes.get(name).cloned().with_context(|| {
        let names: Vec<&str> = themes.keys().map(String::as_str).collect();
        let known = if names.is_empty() { "none".into() } else { names.join(", ") };
        format!("no theme is saved as {name}; saved themes: {known}")
    })
}

/// State saved by earlier shows.
#[derive(Default)]
pub struct SavedState {
    /// The state that could be read, without expired exclusions.
    pub memory: ShowMemory,
    /// The themes saved under a name.
    pub themes: Themes,
    /// Keys of values that could not be read. They are never overwritten.
    unreadable: BTreeSet<&'static str>,
    /// Messages for the performer.
    pub messages: Vec<String>,
}

impl SavedState {
    fn recall_value<T: serde::de::DeserializeOwned>(
        &mut self,
        store: &Store,
        name: &'static str,
    ) -> anyhow::Result<Option<T>> {
        match store.recall(name) {
            Ok(found) => Ok(found),
            Err(error) => {
                let error = anyhow::Error::from(error);
                if error.chain().any(store::is_damage) {
                    return Err(error);
                }
                self.messages.push(format!(
                    "cannot read saved state `{name}` ({error:#}); leaving it untouched and not saving changes to it during this show"
                ));
                self.unreadable.insert(name);
                Ok(None)
            }
        }
    }
}

/// Loads the saved state. Values that cannot be read are skipped and reported.
///
/// # Errors
/// Fails if the store is damaged or cannot be read.
pub fn recall(store: &Store) -> anyhow::Result<SavedState> {
    let mut saved = SavedState::default();
    saved.memory.favourites = store.favourites()?;
    for ban in store.bans(unix_now())? {
        if ban.kind == BanKind::Permanent {
            saved.memory.banned.insert(ban.id);
        } else {
            saved.memory.excluded.insert(ban.id, Exclusion { kind: ban.kind, why: ban.reason });
        }
    }
    if let Some(taste) = saved.recall_value(store, TASTE)? {
        saved.memory.taste = taste;
    }
    if let Some(adventure) = saved.recall_value(store, ADVENTURE)? {
        saved.memory.adventure = adventure;
    }
    if let Some(rescued) = saved.recall_value(store, RESCUED)? {
        saved.memory.rescued = rescued;
    }
    if let Some(macros) = saved.recall_value(store, MACROS)? {
        saved.memory.macros = macros;
    }
    if let Some(theme) = saved.recall_value::<String>(store, THEME)? {
        saved.memory.theme = theme_text(&theme);
    }
    if let Some(themes) = saved.recall_value(store, THEMES)? {
        saved.themes = themes;
    }
    Ok(saved)
}

/// Lifts all bans on a preset, and rescues it if an audit or a show excluded it.
pub fn allow(store: &Store, id: PresetId) -> anyhow::Result<()> {
    let excluded = store.bans(unix_now())?.iter().any(|ban| ban.id == id && ban.kind != BanKind::Permanent);
    if excluded || store.rejected(None)?.iter().any(|(rejected, _)| *rejected == id) {
        let mut rescued: BTreeSet<PresetId> = store.recall(RESCUED)?.unwrap_or_default();
        rescued.insert(id);
        store.remember(RESCUED, &rescued, unix_now())?;
    }
    Ok(store.allow(id, None)?)
}

/// Bans a preset permanently and removes it from the rescued presets.
pub fn ban(store: &Store, id: PresetId) -> anyhow::Result<()> {
    let mut rescued: BTreeSet<PresetId> = store.recall(RESCUED)?.unwrap_or_default();
    if rescued.remove(&id) {
        store.remember(RESCUED, &rescued, unix_now())?;
    }
    Ok(store.ban(id, BanKind::Permanent, "by the performer", unix_now())?)
}

/// Persistence for a show: saves changes to its memory, and records plays and skips.
pub(super) struct ShowPersistence {
    writer: Arc<StoreWriter>,
    /// Sends changes to the thread that compares and serialises them.
    changes: Option<Sender<Change>>,
    thread: Option<JoinHandle<()>>,
    /// The marked presets, which that thread publishes.
    pub marks: Latest<MarkedPresets>,
    /// The preset on air, and how long it has been on air, in seconds.
    on_air: Option<(PresetId, f64)>,
    /// Whether the performer has skipped or banned the preset on air.
    skipped_by_hand: bool,
}

/// A change to save.
enum Change {
    /// A change to what the show has learnt.
    Memory(Box<MemoryChange>),
    /// The new list of themes saved under a name.
    Themes(Arc<Themes>),
}

impl ShowPersistence {
    /// Starts saving the changes to the state returned by [`recall`].
    pub fn start(store: Store, saved: SavedState) -> anyhow::Result<Self> {
        let writer = Arc::new(StoreWriter::start(store, unix_now()).context("starting the store's thread")?);
        let marks = Latest::new(MarkedPresets::of(&saved.memory, 0));
        let published = marks.clone();
        let mut state = WrittenState::new(writer.clone(), saved);
        let (changes, changed) = mpsc::channel::<Change>();
        let work = move || {
            while let Ok(change) = changed.recv() {
                let (mut memory, mut mark_changes) = (state.written.clone(), None);
                // Turning a knob sends many changes; all that are queued are saved together.
                for change in std::iter::once(change).chain(changed.try_iter()) {
                    match change {
                        Change::Memory(change) => {
                            mark_changes = change.mark_changes().or(mark_changes);
                            change.apply(&mut memory);
                        }
                        Change::Themes(themes) => state.write_value(THEMES, &*themes, unix_now()),
                    }
                }
                if let Some(mark_changes) = mark_changes {
                    published.publish(MarkedPresets::of(&memory, mark_changes));
                }
                state.remember(memory);
            }
        };
        let thread = std::thread::Builder::new().name("memory".into()).spawn(work);
        let thread = thread.context("starting the thread that saves what the show learns")?;
        Ok(Self {
            writer,
            changes: Some(changes),
            thread: Some(thread),
            marks,
            on_air: None,
            skipped_by_hand: false,
        })
    }

    /// Saves a change in the background. Never blocks.
    pub fn remember(&mut self, change: MemoryChange) {
        self.send(Change::Memory(Box::new(change)));
    }

    /// Saves the named themes in the background, unless those of earlier shows could not be read. Never blocks.
    pub fn save_themes(&self, themes: Arc<Themes>) {
        self.send(Change::Themes(themes));
    }

    fn send(&self, change: Change) {
        if let Some(changes) = &self.changes {
            changes.send(change).ok(); // The thread runs until `self` is dropped.
        }
    }

    /// Records a play or skip when the preset on air changes. `now_playing` is that preset and its time on
    /// air, in seconds; the show has just processed `commands`.
    pub fn watch(&mut self, now_playing: Option<(PresetId, f64)>, commands: &[Command]) {
        self.skipped_by_hand |=
            commands.iter().any(|command| matches!(command, Command::Next | Command::Ban));
        if let Some((id, seconds)) = self.on_air
            && now_playing.is_none_or(|(now, _)| now != id)
        {
            let skipped = std::mem::take(&mut self.skipped_by_hand);
            self.writer.write(StoreWrite::Played { id, seconds, skipped }, unix_now());
        }
        self.on_air = now_playing;
    }

    /// Returns the status of saving, if it has changed since the last call.
    pub fn new_status(&self) -> Option<StoreStatus> {
        self.writer.new_status()
    }
}

impl Drop for ShowPersistence {
    /// Waits until all changes have been handed to the store's thread, and records the last play.
    fn drop(&mut self) {
        self.changes = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // If the thread has panicked, nothing more can be saved.
        }
        if let Some((id, seconds)) = self.on_air {
            self.writer.write(StoreWrite::Played { id, seconds, skipped: false }, unix_now());
        }
    }
}

/// The last state written. Each new state is compared with it, and only the differences are written.
struct WrittenState {
    writer: Arc<StoreWriter>,
    written: ShowMemory,
    /// Keys of values that could not be read; never written.
    unreadable: BTreeSet<&'static str>,
}

impl WrittenState {
    fn new(writer: Arc<StoreWriter>, saved: SavedState) -> Self {
        let SavedState { memory: written, unreadable, .. } = saved;
        Self { writer, written, unreadable }
    }

    /// Writes the differences between `memory` and the last state written.
    fn remember(&mut self, memory: ShowMemory) {
        let now = unix_now();
        let ShowMemory { taste, favourites, banned, excluded, rescued, adventure, macros, theme } = &memory;
        for (id, on) in changes(&self.written.favourites, favourites) {
            self.writer.write(StoreWrite::Favourite(id, on), now);
        }
        for (id, on) in changes(&self.written.banned, banned) {
            let write = if on {
                StoreWrite::Ban(id, BanKind::Permanent, "by the performer".into())
            } else {
                StoreWrite::Allow(id, Some(BanKind::Permanent))
            };
            self.writer.write(write, now);
        }
        for (id, exclusion) in excluded {
            let before = self.written.excluded.get(id);
            if before == Some(exclusion) {
                continue;
            }
            // For an exclusion by an audit, only the verdict is stored, and the audit has already stored it.
            let old_kind = before.map(|before| before.kind).filter(|kind| *kind != BanKind::Audit);
            let Exclusion { kind, why } = exclusion;
            if let Some(old_kind) = old_kind.filter(|old_kind| old_kind != kind) {
                self.writer.write(StoreWrite::Allow(*id, Some(old_kind)), now);
            }
            if *kind != BanKind::Audit {
                self.writer.write(StoreWrite::Ban(*id, *kind, why.clone()), now);
            }
        }
        for id in self.written.excluded.keys().filter(|id| !excluded.contains_key(id)) {
            for kind in BanKind::ALL.into_iter().filter(|kind| *kind != BanKind::Permanent) {
                self.writer.write(StoreWrite::Allow(*id, Some(kind)), now);
            }
        }
        if *taste != self.written.taste {
            self.write_value(TASTE, taste, now);
        }
        if *adventure != self.written.adventure {
            self.write_value(ADVENTURE, adventure, now);
        }
        if *rescued != self.written.rescued {
            self.write_value(RESCUED, rescued, now);
        }
        if *macros != self.written.macros {
            self.write_value(MACROS, macros, now);
        }
        if *theme != self.written.theme {
            self.write_value(THEME, theme, now);
        }
        self.written = memory;
    }

    fn write_value(&self, name: &str, what: &impl serde::Serialize, now: UnixSecs) {
        if self.unreadable.contains(name) {
            return;
        }
        match serde_json::to_string(what) {
            Ok(json) => self.writer.write(StoreWrite::Remember(name.into(), json), now),
            Err(error) => log::warn!("could not save state `{name}`: {error}"),
        }
    }
}

/// Returns the presets added (true) and removed (false) since `before`.
fn changes(before: &BTreeSet<PresetId>, now: &BTreeSet<PresetId>) -> Vec<(PresetId, bool)> {
    let came = now.difference(before).map(|id| (*id, true));
    came.chain(before.difference(now).map(|id| (*id, false))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Unipolar;

    fn state(store: Store, saved: SavedState) -> WrittenState {
        WrittenState::new(Arc::new(StoreWriter::start(store, unix_now()).expect("starts")), saved)
    }

    #[test]
    fn what_a_show_learns_is_saved_when_it_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let mut persistence = ShowPersistence::start(open(), SavedState::default()).expect("starts");
        let library = Arc::new(crate::library::Catalogue::built_in());
        let liked = library.entries[0].id;
        let mut show = crate::show::Show::new(crate::show::ShowSettings::default(), library);
        for commands in [
            &[Command::FavouritePreset(liked)][..],
            &[Command::Adventure(Unipolar::new(0.25)), Command::Adventure(Unipolar::new(0.75))],
        ] {
            show.step(&crate::show::StepInput {
                dt: 0.1,
                audio: &Default::default(),
                features: &Default::default(),
                commands,
                arrived: &[],
                failed: &[],
                picture_stats: None,
            });
            persistence.remember(show.changed_memory().expect("a change"));
        }
        assert!(show.changed_memory().is_none());
        drop(persistence);
        let saved = recall(&open()).expect("saved").memory;
        assert_eq!(saved, show.memory());
        assert!(saved.favourites.contains(&liked) && !saved.taste.clusters.is_empty());
    }

    #[test]
    fn named_themes_are_saved_and_stand_for_their_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let themes: Themes = [("sea".to_owned(), "deep sea, no white".to_owned())].into();
        let persistence = ShowPersistence::start(open(), SavedState::default()).expect("starts");
        persistence.save_themes(Arc::new(themes.clone()));
        drop(persistence);
        let store = open();
        assert_eq!(recall(&store).expect("saved").themes, themes);
        assert_eq!(expand_theme("@sea", &store).expect("saved"), "deep sea, no white");
        assert_eq!(expand_theme("sea", &store).expect("a text"), "sea");
        let why = expand_theme("@fire", &store).expect_err("unknown").to_string();
        assert_eq!(why, "no theme is saved as fire; saved themes: sea");
    }

    #[test]
    fn changes_are_loaded_by_the_next_show() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let ids = [PresetId::of(b"a"), PresetId::of(b"b"), PresetId::of(b"c")];
        let first = recall(&open()).expect("saved");
        assert_eq!((&first.memory, first.messages.len()), (&ShowMemory::default(), 0));
        let mut state = state(open(), first);
        let mut memory = ShowMemory { adventure: Unipolar::new(0.75), ..ShowMemory::default() };
        memory.favourites.extend([ids[0], ids[1]]);
        memory.banned.insert(ids[2]);
        state.remember(memory.clone());
        memory.favourites.remove(&ids[1]);
        let exclusion = |kind, why: &str| Exclusion { kind, why: why.into() };
        memory.excluded.insert(ids[1], exclusion(BanKind::Soft, "it hangs"));
        memory.excluded.insert(ids[0], exclusion(BanKind::Aesthetic, "black output"));
        state.remember(memory.clone());
        memory.excluded.remove(&ids[1]);
        memory.rescued.insert(ids[1]);
        state.remember(memory.clone());
        drop(state);
        assert_eq!(recall(&open()).expect("saved").memory, memory);
    }

    #[test]
    fn a_rejection_by_the_audit_of_a_show_is_not_stored_as_a_ban_and_its_rescue_is_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let id = PresetId::of(b"a");
        let mut memory = ShowMemory::default();
        memory.excluded.insert(id, Exclusion { kind: BanKind::Audit, why: "hang: 20 s".into() });
        let mut written = state(open(), SavedState::default());
        written.remember(memory.clone());
        drop(written);
        assert_eq!(recall(&open()).expect("saved").memory, ShowMemory::default());
        let mut written = state(open(), SavedState::default());
        written.remember(memory.clone());
        memory.excluded.remove(&id);
        memory.rescued.insert(id);
        written.remember(memory.clone());
        drop(written);
        assert_eq!(recall(&open()).expect("saved").memory, memory);
    }

    #[test]
    fn an_exclusion_that_becomes_longer_is_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let id = PresetId::of(b"a");
        let mut memory = ShowMemory::default();
        let mut written = state(open(), SavedState::default());
        for kind in [BanKind::Soft, BanKind::Quality] {
            memory.excluded.insert(id, Exclusion { kind, why: "makes the graphics device fail".into() });
            written.remember(memory.clone());
        }
        drop(written);
        assert_eq!(recall(&open()).expect("saved").memory, memory);
    }

    #[test]
    fn unreadable_values_are_reported_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let id = PresetId::of(b"a");
        open().set_favourite(id, true, unix_now()).expect("marked");
        open().remember(ADVENTURE, &0.25, unix_now()).expect("remembered");
        open().remember(TASTE, &"of another program", unix_now()).expect("remembered");
        let saved = recall(&open()).expect("saved");
        assert!(saved.memory.favourites.contains(&id) && saved.memory.adventure == Unipolar::new(0.25));
        assert!(saved.messages.len() == 1 && saved.messages[0].contains("taste"), "{:?}", saved.messages);
        let mut memory = saved.memory.clone();
        let mut state = state(open(), saved);
        memory.adventure = Unipolar::new(0.5);
        memory.taste.bias = serde_json::from_str("[0.5,0.1]").expect("a belief");
        state.remember(memory);
        drop(state);
        assert_eq!(open().recall::<String>(TASTE).expect("read").as_deref(), Some("of another program"));
        assert_eq!(recall(&open()).expect("saved").memory.adventure, Unipolar::new(0.5));
    }

    #[test]
    fn lifting_a_ban_rescues_only_excluded_presets() {
        let store = Store::in_memory().expect("opens");
        let (excluded, banned) = (PresetId::of(b"a"), PresetId::of(b"b"));
        store.ban(excluded, BanKind::Quality, "black", unix_now()).expect("banned");
        ban(&store, banned).expect("banned");
        allow(&store, excluded).expect("allowed");
        allow(&store, banned).expect("allowed");
        let memory = recall(&store).expect("saved").memory;
        assert_eq!((memory.rescued.len(), memory.rescued.contains(&excluded)), (1, true));
        assert!(memory.banned.is_empty() && memory.excluded.is_empty());
        ban(&store, excluded).expect("banned");
        assert!(recall(&store).expect("saved").memory.rescued.is_empty());
    }

    #[test]
    fn plays_and_skips_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let mut persistence = ShowPersistence::start(open(), SavedState::default()).expect("starts");
        let on_air = |content: &[u8], for_secs| Some((PresetId::of(content), for_secs));
        persistence.watch(on_air(b"a", 1.0), &[]);
        persistence.watch(on_air(b"a", 12.0), &[Command::Next]);
        persistence.watch(on_air(b"b", 0.0), &[]);
        persistence.watch(on_air(b"b", 30.0), &[]);
        drop(persistence);
        let plays = open().plays().expect("read");
        let (a, b) = (plays[&PresetId::of(b"a")], plays[&PresetId::of(b"b")]);
        assert_eq!((a.plays, a.skips, a.seconds), (1, 1, 12.0));
        assert_eq!((b.plays, b.skips, b.seconds), (1, 0, 30.0));
    }
}
