//! The store as the program uses it: what was remembered goes to the show at its start, and what changes is written down
//! by a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use crate::library::{self, BanKind, PresetId, Store, StoreWrite, StoreWriter, UnixSecs, UserFolders};
use crate::show::{Command, Exclusion, ShowMemory};

/// The names under which whole things are remembered.
const TASTE: &str = "taste";
const ADVENTURE: &str = "adventure";
const MACROS: &str = "macros";
const RESCUED: &str = "rescued";

/// Seconds since 1970.
pub fn unix_now() -> UnixSecs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as UnixSecs)
}

/// The performer's store, and what they should know about how it was opened.
pub fn open_store() -> anyhow::Result<(Store, Option<String>)> {
    let Some(places) = UserFolders::of_user() else {
        let notice = "this user has no home folder; set AIVJ_DATA to a folder, or nothing is remembered";
        return Ok((Store::in_memory()?, Some(notice.into())));
    };
    let opened = Store::open(&places.data, unix_now()).context("opening the store")?;
    Ok((opened.store, opened.notice))
}

/// Marks the performer's store, in which damage was met, for the next opening to mend.
pub fn suspect_store() {
    if let Some(places) = UserFolders::of_user() {
        library::suspect(&places.data);
    }
}

/// What is opened with the performer's store; a store that turns out to be damaged is mended first.
pub(super) fn with_store<T>(
    open: impl Fn(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<(T, Store, Option<String>)> {
    let (store, notice) = open_store()?;
    match open(&store) {
        Ok(opened) => Ok((opened, store, notice)),
        Err(error) if error.chain().any(library::is_damage) => {
            drop(store);
            suspect_store();
            let (store, notice) = open_store()?;
            match open(&store) {
                Ok(opened) => Ok((opened, store, notice)),
                // The show goes on whatever the disk does.
                Err(error) if error.chain().any(library::is_damage) => {
                    let store = Store::in_memory()?;
                    let notice = format!(
                        "the store is damaged and could not be mended now ({error:#}); this show neither knows nor keeps \
                         anything; close whatever else uses the store and start again"
                    );
                    Ok((open(&store)?, store, Some(notice)))
                }
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// What earlier nights left.
#[derive(Default)]
pub(super) struct SavedState {
    /// What could be read; presets that failed or looked bad stay out for as long as their ban lasts.
    pub memory: ShowMemory,
    /// Names of whole things that are there and could not be read. They are left as they are, not written over.
    unread: BTreeSet<&'static str>,
    /// What the performer should know.
    pub messages: Vec<String>,
}

impl SavedState {
    fn whole<T: serde::de::DeserializeOwned>(
        &mut self,
        store: &Store,
        name: &'static str,
    ) -> anyhow::Result<Option<T>> {
        match store.recall(name) {
            Ok(found) => Ok(found),
            Err(error) => {
                let error = anyhow::Error::from(error);
                if error.chain().any(library::is_damage) {
                    return Err(error);
                }
                self.messages.push(format!(
                    "the {name} of earlier nights cannot be read ({error:#}) and is left as it is; that of this show is not kept"
                ));
                self.unread.insert(name);
                Ok(None)
            }
        }
    }
}

/// Reads what earlier nights left, each thing by itself.
///
/// # Errors
/// Damage of the store, which is mended first.
pub(super) fn recall(store: &Store) -> anyhow::Result<SavedState> {
    let mut recalled = SavedState::default();
    recalled.memory.favourites = store.favourites()?;
    for ban in store.bans(unix_now())? {
        if ban.kind == BanKind::Permanent {
            recalled.memory.banned.insert(ban.id);
        } else {
            recalled.memory.left_out.insert(ban.id, Exclusion { kind: ban.kind, why: ban.reason });
        }
    }
    if let Some(taste) = recalled.whole(store, TASTE)? {
        recalled.memory.taste = taste;
    }
    if let Some(adventure) = recalled.whole(store, ADVENTURE)? {
        recalled.memory.adventure = adventure;
    }
    if let Some(rescued) = recalled.whole(store, RESCUED)? {
        recalled.memory.rescued = rescued;
    }
    if let Some(macros) = recalled.whole(store, MACROS)? {
        recalled.memory.macros = macros;
    }
    Ok(recalled)
}

/// Allows a banned preset again. One that an audit or an empty picture left out is rescued: neither keeps it out again.
pub fn allow(store: &Store, id: PresetId) -> anyhow::Result<()> {
    let left_out = store.bans(unix_now())?.iter().any(|ban| ban.id == id && ban.kind != BanKind::Permanent);
    if left_out {
        let mut rescued: BTreeSet<PresetId> = store.recall(RESCUED)?.unwrap_or_default();
        rescued.insert(id);
        store.remember(RESCUED, &rescued, unix_now())?;
    }
    Ok(store.allow(id, None)?)
}

/// Bans a preset for good, and takes back its rescue.
pub fn ban(store: &Store, id: PresetId) -> anyhow::Result<()> {
    let mut rescued: BTreeSet<PresetId> = store.recall(RESCUED)?.unwrap_or_default();
    if rescued.remove(&id) {
        store.remember(RESCUED, &rescued, unix_now())?;
    }
    Ok(store.ban(id, BanKind::Permanent, "by hand", unix_now())?)
}

/// Writes down what changes in a show.
pub(super) struct ShowPersistence {
    writer: StoreWriter,
    /// What is in the store already.
    written: ShowMemory,
    /// Whole things that stay as they are.
    unread: BTreeSet<&'static str>,
    /// What is on air, and whether the performer asked for it to go.
    on_air: Option<(PresetId, f64)>,
    sent_away: bool,
}

impl ShowPersistence {
    /// Starts with what [`recall`] gave.
    pub fn start(store: Store, recalled: SavedState) -> anyhow::Result<Self> {
        let writer = StoreWriter::start(store).context("starting the thread that remembers")?;
        let SavedState { memory: written, unread, .. } = recalled;
        Ok(Self { writer, written, unread, on_air: None, sent_away: false })
    }

    /// Writes the difference to what was written before.
    pub fn remember(&mut self, memory: ShowMemory) {
        let now = unix_now();
        let ShowMemory { taste, favourites, banned, left_out, rescued, adventure, macros } = &memory;
        for (id, on) in changes(&self.written.favourites, favourites) {
            self.writer.write(StoreWrite::Favourite(id, on), now);
        }
        for (id, on) in changes(&self.written.banned, banned) {
            let deed = if on {
                StoreWrite::Ban(id, BanKind::Permanent, "by the performer".into())
            } else {
                StoreWrite::Allow(id, Some(BanKind::Permanent))
            };
            self.writer.write(deed, now);
        }
        for (id, Exclusion { kind, why }) in news(&self.written.left_out, left_out) {
            self.writer.write(StoreWrite::Ban(id, kind, why), now);
        }
        for (id, _) in news(left_out, &self.written.left_out) {
            for kind in BanKind::ALL.into_iter().filter(|kind| *kind != BanKind::Permanent) {
                self.writer.write(StoreWrite::Allow(id, Some(kind)), now);
            }
        }
        if *taste != self.written.taste {
            self.whole(TASTE, taste, now);
        }
        if *adventure != self.written.adventure {
            self.whole(ADVENTURE, adventure, now);
        }
        if *rescued != self.written.rescued {
            self.whole(RESCUED, rescued, now);
        }
        if *macros != self.written.macros {
            self.whole(MACROS, macros, now);
        }
        self.written = memory;
    }

    fn whole(&self, name: &str, what: &impl serde::Serialize, now: UnixSecs) {
        if self.unread.contains(name) {
            return;
        }
        match serde_json::to_string(what) {
            Ok(json) => self.writer.write(StoreWrite::Remember(name.into(), json), now),
            Err(error) => log::warn!("the {name} is not remembered: {error}"),
        }
    }

    /// Watches what is on air and for how long, so that plays and skips are counted. `commands` are those the show has
    /// just obeyed.
    pub fn watch(&mut self, now_playing: Option<(PresetId, f64)>, commands: &[Command]) {
        self.sent_away |= commands.iter().any(|command| matches!(command, Command::Next | Command::Ban));
        if let Some((id, seconds)) = self.on_air
            && now_playing.is_none_or(|(now, _)| now != id)
        {
            let skipped = std::mem::take(&mut self.sent_away);
            self.writer.write(StoreWrite::Played { id, seconds, skipped }, unix_now());
        }
        self.on_air = now_playing;
    }

    /// The newest thing that could not be written, told once.
    pub fn trouble(&self) -> Option<String> {
        self.writer.trouble()
    }
}

impl Drop for ShowPersistence {
    fn drop(&mut self) {
        if let Some((id, seconds)) = self.on_air {
            self.writer.write(StoreWrite::Played { id, seconds, skipped: false }, unix_now());
        }
    }
}

/// What came (true) and what went (false).
fn changes(before: &BTreeSet<PresetId>, now: &BTreeSet<PresetId>) -> Vec<(PresetId, bool)> {
    let came = now.difference(before).map(|id| (*id, true));
    came.chain(before.difference(now).map(|id| (*id, false))).collect()
}

/// What is left out now and was not before.
fn news(
    before: &BTreeMap<PresetId, Exclusion>,
    now: &BTreeMap<PresetId, Exclusion>,
) -> Vec<(PresetId, Exclusion)> {
    let new = now.iter().filter(|(id, _)| !before.contains_key(id));
    new.map(|(id, left_out)| (*id, left_out.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Unipolar;

    #[test]
    fn what_changed_is_there_the_next_night() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let ids = [PresetId::of(b"a"), PresetId::of(b"b"), PresetId::of(b"c")];
        let first = recall(&open()).expect("recalled");
        assert_eq!((&first.memory, first.messages.len()), (&ShowMemory::default(), 0));
        let mut keeper = ShowPersistence::start(open(), first).expect("starts");
        let mut memory = ShowMemory { adventure: Unipolar::new(0.75), ..ShowMemory::default() };
        memory.favourites.extend([ids[0], ids[1]]);
        memory.banned.insert(ids[2]);
        keeper.remember(memory.clone());
        memory.favourites.remove(&ids[1]);
        let left_out = |kind, why: &str| Exclusion { kind, why: why.into() };
        memory.left_out.insert(ids[1], left_out(BanKind::Soft, "it hangs"));
        memory.left_out.insert(ids[0], left_out(BanKind::Aesthetic, "it shows nothing but black"));
        keeper.remember(memory.clone());
        memory.left_out.remove(&ids[1]);
        memory.rescued.insert(ids[1]);
        keeper.remember(memory.clone());
        drop(keeper);
        assert_eq!(recall(&open()).expect("recalled").memory, memory);
    }

    #[test]
    fn what_cannot_be_read_is_told_and_never_written_over_and_the_rest_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let id = PresetId::of(b"a");
        open().set_favourite(id, true, unix_now()).expect("marked");
        open().remember(ADVENTURE, &0.25, unix_now()).expect("remembered");
        open().remember(TASTE, &"of another program", unix_now()).expect("remembered");
        let recalled = recall(&open()).expect("recalled");
        assert!(recalled.memory.favourites.contains(&id) && recalled.memory.adventure == Unipolar::new(0.25));
        assert!(
            recalled.messages.len() == 1 && recalled.messages[0].contains("taste"),
            "{:?}",
            recalled.messages
        );
        let mut memory = recalled.memory.clone();
        let mut keeper = ShowPersistence::start(open(), recalled).expect("starts");
        memory.adventure = Unipolar::new(0.5);
        memory.taste.bias = serde_json::from_str("[0.5,0.1]").expect("a belief");
        keeper.remember(memory);
        drop(keeper);
        assert_eq!(open().recall::<String>(TASTE).expect("read").as_deref(), Some("of another program"));
        assert_eq!(recall(&open()).expect("recalled").memory.adventure, Unipolar::new(0.5));
    }

    #[test]
    fn a_ban_taken_back_by_hand_rescues_only_what_was_left_out() {
        let store = Store::in_memory().expect("opens");
        let (left_out, banned) = (PresetId::of(b"a"), PresetId::of(b"b"));
        store.ban(left_out, BanKind::Quality, "black", unix_now()).expect("banned");
        ban(&store, banned).expect("banned");
        allow(&store, left_out).expect("allowed");
        allow(&store, banned).expect("allowed");
        let memory = recall(&store).expect("recalled").memory;
        assert_eq!((memory.rescued.len(), memory.rescued.contains(&left_out)), (1, true));
        assert!(memory.banned.is_empty() && memory.left_out.is_empty());
        ban(&store, left_out).expect("banned");
        assert!(recall(&store).expect("recalled").memory.rescued.is_empty());
    }

    #[test]
    fn plays_and_skips_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Store::open(folder.path(), unix_now()).expect("opens").store;
        let mut keeper = ShowPersistence::start(open(), SavedState::default()).expect("starts");
        let on_air = |content: &[u8], for_secs| Some((PresetId::of(content), for_secs));
        keeper.watch(on_air(b"a", 1.0), &[]);
        keeper.watch(on_air(b"a", 12.0), &[Command::Next]);
        keeper.watch(on_air(b"b", 0.0), &[]);
        keeper.watch(on_air(b"b", 30.0), &[]);
        drop(keeper);
        let plays = open().plays().expect("read");
        let (a, b) = (plays[&PresetId::of(b"a")], plays[&PresetId::of(b"b")]);
        assert_eq!((a.plays, a.skips, a.seconds), (1, 1, 12.0));
        assert_eq!((b.plays, b.skips, b.seconds), (1, 0, 30.0));
    }
}
