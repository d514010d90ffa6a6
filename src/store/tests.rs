//! Tests with stores that are damaged, locked, from another version or in use.

use std::collections::BTreeSet;
use std::path::Path;

use super::connect::{Journal, LogOnClose, connect};
use super::lock::InUse;
use super::names::{LOG, with_suffix};
use super::repair::{check_in_use, file_bytes};
use super::{BanKind, Opinion, STORE_FILE, Store, VerdictRow, is_damage, schema, suspect};
use crate::disk;
use crate::facts::PresetId;

#[test]
fn a_damaged_store_is_renamed_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(STORE_FILE);
    std::fs::write(&path, "this is no database, however long it may be ".repeat(200)).expect("written");
    let opened = Store::open(folder.path(), 1_790_000_000).expect("opens");
    let notice = opened.notice.expect("a notice");
    assert!(notice.contains("saved as"), "{notice}");
    assert_eq!(count_backups(folder.path()), 1);
}

#[test]
fn on_a_disk_that_does_not_respond_the_store_is_in_memory_and_the_file_stays_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let favourites = || Store::open(folder.path(), 1).expect("opens").store.favourites().expect("read");
    let marked = PresetId::of(b"marked before");
    Store::open(folder.path(), 1).expect("opens").store.set_favourite(marked, true, 1).expect("marked");
    let stalled = disk::stall(folder.path());
    let opened = Store::open(folder.path(), 1).expect("opens");
    let notice = opened.notice.expect("a notice");
    assert!(notice.contains("is not responding") && opened.store.path().is_none(), "{notice}");
    assert!(favourites().is_empty());
    drop(stalled);
    assert!(favourites().contains(&marked));
}

#[test]
fn the_store_is_read_from_a_disk_that_responds_after_a_while() {
    let folder = tempfile::tempdir().expect("a folder");
    let stalled = disk::stall(folder.path());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(400));
            drop(stalled);
        });
        let opened = Store::open(folder.path(), 1).expect("opens");
        assert!(opened.store.path().is_some(), "{:?}", opened.notice);
    });
}

fn count_backups(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).expect("read").flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().ends_with("set-aside")).count()
}

#[test]
fn a_store_that_grows_during_the_check_is_not_truncated() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(STORE_FILE);
    drop(Store::open(folder.path(), 0).expect("opens"));
    let (looking, writing) =
        (connect(&path, Journal::Wal, LogOnClose::Keep), connect(&path, Journal::Wal, LogOnClose::Merge));
    let (looking, writing) = (looking.expect("opens"), writing.expect("opens"));
    let grow_after_look = || {
        let bytes = file_bytes(&path);
        assert!(bytes < u64::MAX, "nothing is in the log yet");
        let put = "INSERT INTO memory VALUES ('big', ?1, 0)";
        writing.execute(put, ["x".repeat(1 << 20)]).expect("written");
        bytes
    };
    assert_eq!(schema::probe(&looking, grow_after_look, false).expect("looked"), None);
}

#[test]
fn the_log_of_a_damaged_store_is_recovered_and_kept() {
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    drop(Store::open(first.path(), 0).expect("opens"));
    let store = Store::open(first.path(), 0).expect("opens").store;
    let favourite = PresetId::of(b"in the log");
    store.set_favourite(favourite, true, 1).expect("marked");
    let log_of = |folder: &Path| with_suffix(&folder.join(STORE_FILE), LOG);
    let log = std::fs::read(log_of(first.path())).expect("there is a log");
    assert!(!log.is_empty());
    std::fs::write(log_of(second.path()), &log).expect("written");
    let mut bytes = std::fs::read(first.path().join(STORE_FILE)).expect("read");
    let last_page = bytes.len() - 4096;
    bytes[last_page..].fill(0xa5);
    std::fs::write(second.path().join(STORE_FILE), &bytes).expect("written");

    let opened = Store::open(second.path(), 0).expect("opens");
    let notice = opened.notice.expect("a notice");
    assert!(notice.contains("saved as"), "{notice}");
    assert!(opened.store.favourites().expect("read").contains(&favourite));
    let moved = second.path().join(format!("{STORE_FILE}.1970-01-01-000000.set-aside"));
    assert!(std::fs::read(with_suffix(&moved, LOG)).expect("stored") == log);
    assert!(std::fs::read(moved).expect("stored") == bytes);
}

#[test]
fn rows_around_a_damaged_page_and_rows_with_invalid_text_survive() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), 0).expect("opens").store;
    let ids: BTreeSet<_> = (0..20_000_u32).map(|number| PresetId::of(&number.to_le_bytes())).collect();
    let step = store.connection.unchecked_transaction().expect("begun");
    for id in &ids {
        store.set_favourite(*id, true, 1).expect("marked");
    }
    step.commit().expect("written");
    let first = ids.first().expect("many").0;
    let broken = "UPDATE opinions SET note = CAST(x'ff41' AS TEXT) WHERE id = ?1";
    assert_eq!(store.connection.execute(broken, [first]).expect("written"), 1);
    store.checkpoint().expect("written");
    drop(store);
    let path = folder.path().join(STORE_FILE);
    let mut bytes = std::fs::read(&path).expect("read");
    let page_of = |id: &[u8]| bytes.windows(id.len()).position(|part| part == id).expect("there") & !4095;
    const LEAF: u8 = 10;
    let middle = ids.iter().skip(10_000).map(|id| page_of(&id.0)).find(|page| bytes[*page] == LEAF);
    let middle = middle.expect("a leaf");
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&path, bytes).expect("written");

    let opened = Store::open(folder.path(), 0).expect("opens");
    let notice = opened.notice.expect("a notice");
    assert!(notice.contains("everything readable from it: 1"), "{notice}");
    let left = opened.store.favourites().expect("read");
    // The remains of a moved row may be partly overwritten, and then contain an ID that belongs to no preset.
    assert!(left.difference(&ids).count() <= 1, "{} of {}", left.len(), ids.len());
    assert!(left.len() > ids.len() - 200, "{} of {}", left.len(), ids.len());
}

#[test]
fn a_truncated_store_is_renamed() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Store::open(folder.path(), 0).expect("opens"));
    let path = folder.path().join(STORE_FILE);
    let bytes = std::fs::read(&path).expect("read");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    assert!(Store::open(folder.path(), 0).expect("opens").notice.is_some());
}

#[test]
fn damage_in_a_large_store_is_repaired_once_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Store::open(folder.path(), 0).expect("opens");
    let store = open().store;
    let favourite = PresetId::of(b"liked");
    store.set_favourite(favourite, true, 1).expect("marked");
    let verdict = |number: u32| VerdictRow {
        id: PresetId::of(&number.to_le_bytes()),
        recipe: "r".into(),
        judged_by: String::new(),
        safety: "ok".into(),
        completeness: "ok".into(),
        look: "ok".into(),
        flash: "pass".into(),
        seen: Default::default(),
        cost_ms: None,
        json: format!("\"{}\"", "x".repeat(3000)),
        at: 1,
    };
    store.put_verdicts(&(0..2000).map(verdict).collect::<Vec<_>>()).expect("stored");
    store.checkpoint().expect("written");
    drop(store);
    let path = folder.path().join(STORE_FILE);
    let mut bytes = std::fs::read(&path).expect("read");
    assert!(bytes.len() > 5 << 20);
    let from = bytes.len() / 2;
    bytes[from..from + (64 << 10)].fill(0xa5);
    std::fs::write(&path, bytes).expect("written");

    let opened = open();
    assert_eq!(opened.notice, None, "the quick check does not find it");
    let error = opened.store.each_verdict("r", |_| ()).expect_err("the damage");
    assert!(std::error::Error::source(&error).is_some_and(is_damage), "{error}");
    suspect(folder.path());
    let second = open();
    let notice = second.notice.as_ref().expect("a notice");
    assert!(notice.contains("open in another program"), "{notice}");
    assert_eq!(count_backups(folder.path()), 0, "a store in use is not renamed");
    let later = PresetId::of(b"liked later");
    opened.store.set_favourite(later, true, 2).expect("marked");
    assert!(second.store.favourites().expect("read").contains(&later));
    drop(opened);
    assert!(
        open().notice.is_some_and(|notice| notice.contains("open in another program")),
        "one open handle prevents the repair"
    );
    drop(second);
    let opened = open();
    let notice = opened.notice.expect("a notice");
    assert!(notice.contains("saved as") && notice.contains("2 favourites, 0 bans"), "{notice}");
    assert_eq!(opened.store.favourites().expect("read"), [favourite, later].into());
    assert_eq!(count_backups(folder.path()), 1);
    drop(opened.store);
    assert_eq!(open().notice, None);
}

#[test]
fn a_newer_store_is_read_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = Store::open(folder.path(), 0).expect("opens");
    assert_eq!(opened.notice, None);
    opened.store.set_favourite(PresetId::of(b"a"), true, 0).expect("marked");
    opened.store.connection.pragma_update(None, "user_version", 999).expect("set");
    drop(opened);
    let before = std::fs::read(folder.path().join(STORE_FILE)).expect("read");
    let opened = Store::open(folder.path(), 0).expect("opens");
    let notice = opened.notice.expect("a notice");
    assert!(notice.contains("newer version") && notice.contains("1 favourite"), "{notice}");
    assert!(opened.store.path().is_none() && opened.store.favourites().expect("read").len() == 1);
    drop(opened.store);
    assert!(std::fs::read(folder.path().join(STORE_FILE)).expect("read") == before);
    assert_eq!(count_backups(folder.path()), 0);
}

#[test]
fn a_store_that_another_program_locks_is_read_at_once() {
    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        store.set_favourite(PresetId::of(b"a"), true, 0).expect("marked");
        store.ban(PresetId::of(b"b"), BanKind::Permanent, "by the performer", 0).expect("banned");
        drop(store);
        let other = rusqlite::Connection::open(folder.path().join(STORE_FILE)).expect("opens");
        other.execute_batch(lock).expect("locked");
        let began = crate::units::thread_time();
        let opened = Store::open(folder.path(), 0).expect("opens");
        assert!((crate::units::thread_time() - began).as_secs() < 2, "{lock}");
        assert_eq!(opened.store.favourites().expect("read").len(), 1, "{lock}");
        assert_eq!(opened.store.bans(1).expect("read").len(), 1, "{lock}");
        let reported =
            opened.notice.is_some_and(|notice| notice.contains("locked") && notice.contains("1 favourite"));
        assert!(reported && opened.store.path().is_none(), "{lock}");
    }
}

#[test]
fn an_unusable_folder_gives_a_store_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let opened = Store::open(&file.join("below"), 0).expect("opens");
    assert!(opened.notice.is_some() && opened.store.path().is_none());
}

/// A store with marks (favourites, bans and ratings): the bytes of its file, and the marked presets.
struct Marked {
    bytes: Vec<u8>,
    favourites: BTreeSet<PresetId>,
    bans: BTreeSet<PresetId>,
    ratings: BTreeSet<PresetId>,
}

impl Marked {
    /// Creates a store with several hundred marks, which fill several pages of each table, and with plays,
    /// labels and a learned value.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let id = |kind: &str, number: u32| PresetId::of(format!("{kind} {number}").as_bytes());
        let [mut favourites, mut bans, mut ratings] = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        let step = store.connection.unchecked_transaction().expect("begun");
        for number in 0..300 {
            store.set_favourite(id("favourite", number), true, 1000 + i64::from(number)).expect("marked");
            favourites.insert(id("favourite", number));
            store.set_rating(id("rating", number), Some(1 + (number % 5) as u8), 1000).expect("rated");
            ratings.insert(id("rating", number));
            store.played(id("played", number), 20.5, number % 2 == 0, 1000).expect("played");
            if number % 2 == 0 {
                store.ban(id("ban", number), BanKind::Permanent, "by the performer", 1000).expect("banned");
                bans.insert(id("ban", number));
            }
        }
        store.remember("taste", &vec![0.5; 3000], 1000).expect("stored");
        step.commit().expect("written");
        for number in 0..50 {
            store.set_label(id("labelled", number), "smoke", true).expect("labelled");
        }
        store.checkpoint().expect("written");
        drop(store);
        let bytes = std::fs::read(folder.path().join(STORE_FILE)).expect("read");
        Self { bytes, favourites, bans, ratings }
    }

    /// Returns those of `ids` whose row is completely outside the byte range `lost`.
    fn outside(&self, ids: &BTreeSet<PresetId>, lost: std::ops::Range<usize>) -> BTreeSet<PresetId> {
        // These rows are at most about 60 bytes long, and the ID starts within the first 10. The space of a
        // moved row is reused from its start, so the bytes before the ID show whether the row still exists.
        let clear = |at: usize| {
            let row = at > 6 && self.bytes[at - 6..at - 4] == [6, 12 + 2 * 16];
            row && (at + 60 <= lost.start || at >= lost.end + 10)
        };
        let found = |id: &&PresetId| {
            let places = self.bytes.windows(16).enumerate().filter(|(_, part)| *part == id.0);
            places.map(|(at, _)| at).any(clear)
        };
        ids.iter().filter(found).copied().collect()
    }

    /// Opens a store whose file contains `bytes`, and checks that all marks outside the byte range `lost` are
    /// in it.
    fn check(&self, bytes: &[u8], lost: std::ops::Range<usize>, what: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(STORE_FILE), bytes).expect("written");
        let store = Store::open(folder.path(), 5000).expect("opens").store;
        let favourites = store.favourites().expect("read");
        let bans: BTreeSet<PresetId> =
            store.bans(5000).expect("read").into_iter().map(|ban| ban.id).collect();
        let rated = |id: &PresetId| store.opinion(*id).expect("read").rating.is_some();
        for (wanted, found) in [(&self.favourites, &favourites), (&self.bans, &bans)] {
            let missing: Vec<_> =
                self.outside(wanted, lost.clone()).into_iter().filter(|id| !found.contains(id)).collect();
            assert!(missing.is_empty(), "{what}: {} marks are missing", missing.len());
        }
        let unrated = self.outside(&self.ratings, lost).into_iter().filter(|id| !rated(id)).count();
        assert_eq!(unrated, 0, "{what}: ratings are missing");
    }
}

/// Checks recovery of the store truncated at `number`/20 of its length, plus a small offset so that cuts also
/// fall within a page.
fn check_cut(marked: &Marked, number: usize) {
    let at = marked.bytes.len() * number / 20 + (number % 3) * 37;
    marked.check(&marked.bytes[..at], at..marked.bytes.len(), &format!("cut at {at}"));
}

#[test]
fn every_mark_that_is_still_on_a_page_is_recovered() {
    let marked = Marked::new();
    let whole: [_; 2] = [&marked.favourites, &marked.bans].map(|ids| marked.outside(ids, 0..0).len());
    assert_eq!(whole, [300, 150]);
    (0..7).for_each(|number| check_cut(&marked, number));
}

#[test]
#[ignore = "takes minutes"]
fn every_mark_is_recovered_from_240_damaged_stores() {
    let marked = Marked::new();
    let length = marked.bytes.len();
    (0..20).for_each(|number| check_cut(&marked, number));
    let mut rng = crate::units::Rng::new(17);
    for number in 0..20 {
        let from = rng.below(length);
        let to = (from + 1 + rng.below(3 * 4096)).min(length);
        let mut bytes = marked.bytes.clone();
        bytes[from..to].fill(if number % 2 == 0 { 0 } else { 0xa5 });
        marked.check(&bytes, from..to, &format!("overwritten from {from} to {to}"));
    }
    for _ in 0..200 {
        let (at, bit) = (rng.below(length), rng.below(8));
        let mut bytes = marked.bytes.clone();
        bytes[at] ^= 1 << bit;
        marked.check(&bytes, at..at + 1, &format!("bit {bit} of byte {at}"));
    }
}

#[test]
fn the_latest_backup_is_used_when_a_store_is_lost() {
    for bytes in [Vec::new(), vec![0; 200_000]] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        store.set_favourite(PresetId::of(b"a"), true, 1).expect("marked");
        store.set_label(PresetId::of(b"a"), "smoke", true).expect("labelled");
        store.back_up().expect("backed up");
        drop(store);
        std::fs::write(folder.path().join(STORE_FILE), &bytes).expect("written");
        let opened = Store::open(folder.path(), 5).expect("opens");
        let notice = opened.notice.expect("a notice");
        assert!(notice.contains("latest backup") && notice.contains("1 favourite"), "{notice}");
        let wanted = Opinion { favourite: true, labels: vec!["smoke".into()], ..Opinion::default() };
        assert_eq!(opened.store.opinion(PresetId::of(b"a")).expect("read"), wanted);
        assert_eq!(count_backups(folder.path()), 1, "the broken file is kept");
    }
}

#[test]
fn an_interrupted_repair_is_completed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(STORE_FILE);
    let store = Store::open(folder.path(), 0).expect("opens").store;
    store.set_favourite(PresetId::of(b"a"), true, 1).expect("marked");
    drop(store);
    // Killed after the damaged store was moved.
    std::fs::rename(&path, with_suffix(&path, super::names::REPAIRED)).expect("renamed");
    let favourites = || Store::open(folder.path(), 1).expect("opens").store.favourites().expect("read").len();
    assert_eq!(favourites(), 1);
    // Killed before it was moved.
    std::fs::write(with_suffix(&path, super::names::REPAIRED), "half").expect("written");
    assert_eq!(favourites(), 1);
}

#[test]
fn a_store_on_a_network_file_system_has_no_write_ahead_log() {
    assert_eq!(Journal::choose(Path::new("/mnt/share"), |_| true), Journal::Rollback);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(STORE_FILE);
    let mode = |store: &Store| -> String {
        store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("read")
    };
    let local = Store::open_with(folder.path(), 0, Journal::Wal).expect("opens").store;
    local.set_favourite(PresetId::of(b"a"), true, 1).expect("stored");
    assert_eq!((mode(&local).as_str(), local.is_on_network()), ("wal", false));
    drop(local);
    // The folder is moved to a server, and back.
    let shared = Store::open_with(folder.path(), 0, Journal::Rollback).expect("opens").store;
    let another = shared.another().expect("opens").expect("a file");
    another.set_favourite(PresetId::of(b"b"), true, 1).expect("stored");
    for store in [&shared, &another] {
        assert_eq!((mode(store).as_str(), store.is_on_network()), ("delete", true));
        assert_eq!(store.favourites().expect("read").len(), 2);
    }
    assert!(!with_suffix(&path, LOG).exists() && !with_suffix(&path, "-shm").exists());
    drop((shared, another));
    let local = Store::open_with(folder.path(), 0, Journal::Wal).expect("opens").store;
    assert_eq!((mode(&local).as_str(), local.favourites().expect("read").len()), ("wal", 2));
}

#[test]
fn a_damaged_store_is_not_renamed_where_there_are_no_locks() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(STORE_FILE);
    assert!(
        check_in_use(&path, &InUse::Unknown, Journal::Rollback).expect("checked").is_none(),
        "no store yet"
    );
    std::fs::write(&path, "this is no database, however long it may be ".repeat(200)).expect("written");
    let before = std::fs::read(&path).expect("read");
    let notice = check_in_use(&path, &InUse::Unknown, Journal::Rollback).expect("checked").expect("a notice");
    assert!(notice.contains("damaged") && notice.contains("without file locks"), "{notice}");
    assert_eq!((count_backups(folder.path()), std::fs::read(&path).expect("read")), (0, before));
}

#[test]
fn a_connection_that_stays_open_during_a_show_caches_little() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), 0).expect("opens").store;
    let cache = |store: &Store| -> i64 {
        store.connection.pragma_query_value(None, "cache_size", |row| row.get(0)).expect("read")
    };
    assert_eq!(cache(&store), -32_768);
    store.use_small_cache();
    assert_eq!(cache(&store), -2048);
    store.set_favourite(PresetId::of(b"a"), true, 1).expect("stored");
    store.release_cache();
    assert_eq!(store.favourites().expect("read").len(), 1);
}
