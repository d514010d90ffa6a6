//! Libraries, their files, and the presets in them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::paths::{bytes_of, path_of};
use super::{Store, StoreError, UnixSecs, full_text};
use crate::facts::Tags;
use crate::facts::{ANALYSIS_VERSION, PresetFacts};
use crate::facts::{Energy, PresetId};

/// A file as of the last scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Size of the file, in bytes.
    pub size: u64,
    /// Modification time, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Index among the known files, from 0.
    pub index: usize,
}

/// A file that was read by a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFacts {
    /// Path below the root, in the platform's encoding.
    pub path: Vec<u8>,
    /// Size of the file, in bytes.
    pub size: u64,
    /// Modification time, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// ID of the preset in the file.
    pub id: PresetId,
    /// Facts derived from the preset's source.
    pub preset_facts: PresetFacts,
}

/// A batch of scan results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScanCommit {
    /// New or changed files.
    pub read: Vec<FileFacts>,
    /// Paths of files that no longer exist.
    pub gone: Vec<Vec<u8>>,
}

/// A file of a library with the facts about its preset.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedRow {
    /// ID of the preset.
    pub id: PresetId,
    /// Path below the root.
    pub path: PathBuf,
    /// Facts derived from the preset's source.
    pub preset_facts: PresetFacts,
}

impl Store {
    /// Returns the key of the library at `root`; adds it if it is new.
    pub(crate) fn library_key(&self, root: &Path) -> Result<i64, StoreError> {
        let root = bytes_of(root);
        self.connection.execute("INSERT OR IGNORE INTO libraries (root) VALUES (?1)", [&root])?;
        let key = "SELECT key FROM libraries WHERE root = ?1";
        Ok(self.connection.query_row(key, [&root], |row| row.get(0))?)
    }

    /// Returns when the library at `root` was last scanned completely; `None` if never.
    pub fn scanned_at(&self, root: &Path) -> Result<Option<UnixSecs>, StoreError> {
        let sql = "SELECT scanned_at FROM libraries WHERE root = ?1 AND scanned_at > 0";
        Ok(self.connection.query_row(sql, [bytes_of(root)], |row| row.get(0)).optional()?)
    }

    /// Returns the folders of all libraries that have been scanned completely at least once.
    pub fn libraries(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut query = self.connection.prepare("SELECT root FROM libraries WHERE scanned_at > 0")?;
        let roots = query.query_map([], |row| Ok(path_of(row.get_ref(0)?.as_blob()?)))?;
        Ok(roots.collect::<Result<_, _>>()?)
    }

    pub(crate) fn set_scanned_at(&self, library: i64, now: UnixSecs) -> Result<(), StoreError> {
        let sql = "UPDATE libraries SET scanned_at = ?2 WHERE key = ?1";
        self.connection.execute(sql, params![library, now.max(1)])?;
        Ok(())
    }

    /// Moves the write-ahead log into the database file, so that only one file is read when the store is next
    /// opened.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        // Active readers are not a problem: closing the last connection moves whatever is left.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Returns the library's files, by path, that were analysed with the current [`ANALYSIS_VERSION`]; they
    /// need not be read again unless their size or modification time changes.
    pub(crate) fn known_files(&self, library: i64) -> Result<HashMap<Vec<u8>, KnownFile>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT f.path, f.size, f.modified_ns FROM files f JOIN presets p ON p.key = f.preset
             WHERE f.library = ?1 AND p.analysed = ?2 AND f.energy IS NOT NULL",
        )?;
        let mut known = HashMap::new();
        let mut rows = query.query(params![library, ANALYSIS_VERSION])?;
        while let Some(row) = rows.next()? {
            let file = KnownFile {
                size: row.get::<_, i64>(1)? as u64,
                modified_ns: row.get(2)?,
                index: known.len(),
            };
            known.insert(row.get(0)?, file);
        }
        Ok(known)
    }

    /// Calls `each` with every preset that has a file, and when its newest file was modified, in nanoseconds since
    /// 1970.
    pub fn each_modified(&self, mut each: impl FnMut(PresetId, i64)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT p.id, MAX(f.modified_ns) FROM files f JOIN presets p ON p.key = f.preset GROUP BY f.preset",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(PresetId(row.get(0)?), row.get(1)?);
        }
        Ok(())
    }

    /// Writes a batch of scan results in one transaction.
    pub(crate) fn commit_scan(&self, library: i64, part: &ScanCommit) -> Result<(), StoreError> {
        let step = self.connection.unchecked_transaction()?;
        let mut touched = BTreeSet::new();
        for facts in &part.read {
            touched.extend(put_file(&step, library, facts)?);
        }
        for path in &part.gone {
            let mut delete =
                step.prepare_cached("DELETE FROM files WHERE library = ?1 AND path = ?2 RETURNING preset")?;
            let left: Option<i64> = delete.query_row(params![library, path], |row| row.get(0)).optional()?;
            touched.extend(left);
        }
        for key in touched {
            full_text::refresh(&step, key)?;
        }
        step.commit()?;
        Ok(())
    }

    /// Returns all files of the library at `root`, ordered by path bytes.
    pub fn load(&self, root: &Path) -> Result<Vec<LoadedRow>, StoreError> {
        let mut rows = Vec::new();
        self.each_file(root, |id, path, preset_facts| {
            rows.push(LoadedRow { id, path: path_of(path), preset_facts });
        })?;
        Ok(rows)
    }

    /// Calls `each` with the preset ID, the path below the root and the facts of every file of the library at
    /// `root`, ordered by path bytes.
    pub(crate) fn each_file(
        &self,
        root: &Path,
        mut each: impl FnMut(PresetId, &[u8], PresetFacts),
    ) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT p.id, f.path, p.tags | p.seen, coalesce(f.energy, p.energy), p.family
             FROM files f JOIN presets p ON p.key = f.preset
             WHERE f.library = (SELECT key FROM libraries WHERE root = ?1) ORDER BY f.path",
        )?;
        let mut rows = query.query([bytes_of(root)])?;
        while let Some(row) = rows.next()? {
            let preset_facts = PresetFacts {
                tags: Tags(row.get(2)?),
                energy: Energy::of_rank(row.get(3)?),
                family: row.get::<_, i64>(4)? as u64,
            };
            let path = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            each(PresetId(row.get(0)?), path, preset_facts);
        }
        Ok(())
    }

    /// Returns the paths of all files that contain this preset, in any library.
    pub fn files_of(&self, id: PresetId) -> Result<Vec<PathBuf>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT l.root, f.path FROM presets p JOIN files f ON f.preset = p.key
             JOIN libraries l ON l.key = f.library WHERE p.id = ?1 ORDER BY l.root, f.path",
        )?;
        let rows = query.query_map([id.0], |row| {
            Ok(path_of(row.get_ref(0)?.as_blob()?).join(path_of(row.get_ref(1)?.as_blob()?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Stores a file. Returns the key of its preset and that of the preset it contained before; they are equal if
/// the file is new or its contents have not changed.
///
/// The energy depends on the file name and is stored per file. If several files have the same contents, the
/// first by path also determines the energy stored with the preset, regardless of the order in which the files
/// are read.
fn put_file(step: &Transaction, library: i64, facts: &FileFacts) -> Result<[i64; 2], rusqlite::Error> {
    let FileFacts { path, size, modified_ns, id, preset_facts } = facts;
    let mut preset = step.prepare_cached(
        "INSERT INTO presets (id, analysed, tags, energy, family, seen)
         VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT seen FROM verdicts WHERE id = ?1), 0))
         ON CONFLICT (id) DO UPDATE SET tags = ?3, family = ?5, analysed = ?2, energy = CASE
             WHEN analysed = ?2 AND EXISTS (SELECT 1 FROM files WHERE preset = presets.key AND path < ?6)
             THEN energy ELSE ?4 END
         RETURNING key",
    )?;
    let PresetFacts { tags, energy, family } = preset_facts;
    let facts = params![id.0, ANALYSIS_VERSION, tags.0, energy.rank(), *family as i64, path];
    let key: i64 = preset.query_row(facts, |row| row.get(0))?;
    let mut before = step.prepare_cached("SELECT preset FROM files WHERE library = ?1 AND path = ?2")?;
    let before: Option<i64> = before.query_row(params![library, path], |row| row.get(0)).optional()?;
    let mut put = step.prepare_cached(
        "INSERT OR REPLACE INTO files (library, path, preset, size, modified_ns, energy)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    put.execute(params![library, path, key, *size as i64, modified_ns, energy.rank()])?;
    Ok([key, before.unwrap_or(key)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Tag;
    use crate::store::VerdictRow;

    fn facts(path: &[u8], content: &[u8], tag: Tag) -> FileFacts {
        let preset_facts =
            PresetFacts { tags: [tag].into_iter().collect(), energy: Energy::Peak, family: u64::MAX };
        FileFacts { path: path.to_vec(), size: 1, modified_ns: 2, id: PresetId::of(content), preset_facts }
    }

    #[test]
    fn a_copy_in_another_library_does_not_change_the_energy_of_a_file() {
        let store = Store::in_memory().expect("opens");
        let add = |root: &str, path: &[u8], energy: Energy| {
            let library = store.library_key(Path::new(root)).expect("added");
            let mut file = facts(path, b"same", Tag::Wave);
            file.preset_facts.energy = energy;
            store.commit_scan(library, &ScanCommit { read: vec![file], gone: Vec::new() }).expect("stored");
        };
        let energies = || {
            ["/one", "/two"].map(|root| {
                let rows = store.load(Path::new(root)).expect("loaded");
                rows.iter().map(|row| row.preset_facts.energy).collect::<Vec<_>>()
            })
        };
        add("/one", b"slow.milk", Energy::Calm);
        add("/two", b"peak/slow.milk", Energy::Peak);
        assert_eq!(energies(), [[Energy::Calm], [Energy::Peak]]);
        let library = store.library_key(Path::new("/two")).expect("known");
        let gone = vec![b"peak/slow.milk".to_vec()];
        store.commit_scan(library, &ScanCommit { read: Vec::new(), gone }).expect("stored");
        assert_eq!(energies(), [vec![Energy::Calm], vec![]]);
    }

    #[test]
    fn a_library_is_loaded_in_path_order_and_can_be_searched() {
        let store = Store::in_memory().expect("opens");
        let root = Path::new("/presets");
        let library = store.library_key(root).expect("added");
        let read = vec![
            facts(b"b/Rovastar - Altars of Madness.milk", b"1", Tag::Dark),
            facts(b"a/\xffbad name.milk", b"2", Tag::Wave),
        ];
        store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("stored");
        let rows = store.load(root).expect("loaded");
        assert_eq!(bytes_of(&rows[0].path), b"a/\xffbad name.milk");
        assert_eq!(rows[1].preset_facts.family, u64::MAX);
        let found = |text: &str| store.search(text, 10).expect("searched").len();
        assert_eq!([found("mad rova"), found("dark"), found("adness"), found("peak")], [1, 1, 0, 2]);
        let gone = vec![b"b/Rovastar - Altars of Madness.milk".to_vec()];
        store.commit_scan(library, &ScanCommit { read: Vec::new(), gone }).expect("stored");
        assert_eq!([found("mad rova"), store.load(root).expect("loaded").len()], [0, 1]);
    }

    #[test]
    fn a_changed_file_is_found_only_by_its_new_preset() {
        let store = Store::in_memory().expect("opens");
        let library = store.library_key(Path::new("/p")).expect("added");
        let put = |content: &[u8], tag| {
            let read = vec![facts(b"one.milk", content, tag)];
            store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("stored");
        };
        put(b"1", Tag::Dark);
        put(b"2", Tag::Bright);
        let found = |text: &str| store.search(text, 10).expect("searched").len();
        assert_eq!([found("one"), found("dark"), found("bright")], [1, 0, 1]);
        assert_eq!(store.files_of(PresetId::of(b"2")).expect("read"), [Path::new("/p/one.milk")]);
        assert!(store.files_of(PresetId::of(b"1")).expect("read").is_empty());
    }

    #[test]
    fn audit_tags_apply_whether_the_audit_or_the_scan_came_first() {
        let store = Store::in_memory().expect("opens");
        let library = store.library_key(Path::new("/p")).expect("added");
        let verdict = |content: &[u8], tag: Tag| VerdictRow {
            id: PresetId::of(content),
            recipe: String::new(),
            judged_by: String::new(),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "ok".into(),
            flash: "pass".into(),
            seen: [tag].into_iter().collect(),
            cost_ms: None,
            json: "{}".into(),
            at: 1,
        };
        store.put_verdicts(&[verdict(b"1", Tag::Dark)]).expect("stored");
        let read = vec![facts(b"a.milk", b"1", Tag::Wave), facts(b"b.milk", b"2", Tag::Wave)];
        store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("stored");
        store.put_verdicts(&[verdict(b"2", Tag::LowMotion)]).expect("stored");
        let tags = || {
            store
                .load(Path::new("/p"))
                .expect("loaded")
                .into_iter()
                .map(|row| row.preset_facts.tags.to_string())
        };
        assert_eq!(tags().collect::<Vec<_>>(), ["wave dark", "wave low-motion"]);
        store.put_verdicts(&[verdict(b"2", Tag::Bright)]).expect("stored");
        assert_eq!(tags().collect::<Vec<_>>(), ["wave dark", "wave bright"], "the newest verdict counts");
    }

    #[test]
    fn every_file_has_the_energy_of_its_own_name_in_whatever_order_they_are_read() {
        let file = |path: &[u8], energy| {
            let mut facts = facts(path, b"1", Tag::Wave);
            facts.preset_facts.energy = energy;
            facts
        };
        let files =
            [file(b"a.milk", Energy::Calm), file(b"b.milk", Energy::Peak), file(b"c.milk", Energy::Groove)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let store = Store::in_memory().expect("opens");
            let library = store.library_key(Path::new("/p")).expect("added");
            let read = order.map(|at: usize| files[at].clone()).to_vec();
            store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("stored");
            let rows = store.load(Path::new("/p")).expect("loaded");
            let energies: Vec<Energy> = rows.iter().map(|row| row.preset_facts.energy).collect();
            assert_eq!(energies, [Energy::Calm, Energy::Peak, Energy::Groove], "{order:?}");
        }
    }

    #[test]
    fn a_label_is_found_by_search() {
        let store = Store::in_memory().expect("opens");
        let library = store.library_key(Path::new("/p")).expect("added");
        let read = vec![facts(b"one.milk", b"1", Tag::Dark)];
        store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("stored");
        store.set_label(PresetId::of(b"1"), "smoke machine", true).expect("set");
        assert_eq!(store.search("smo", 10).expect("searched").len(), 1);
        store.set_label(PresetId::of(b"1"), "smoke machine", false).expect("taken");
        assert!(store.search("smo", 10).expect("searched").is_empty());
    }
}
