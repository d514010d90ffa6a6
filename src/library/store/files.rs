//! Libraries, their files, and the presets behind them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Store, StoreError, UnixSecs, words};
use crate::library::Tags;
use crate::library::analysis::{ANALYSIS_VERSION, PresetFacts};
use crate::library::{Energy, PresetId};

/// A file as it was when last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its size in bytes.
    pub size: u64,
    /// When it was changed, nanoseconds since 1970.
    pub modified_ns: i64,
    /// Its place among the known files, dense from 0.
    pub place: usize,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFacts {
    /// Below the root, in the system's own bytes.
    pub path: Vec<u8>,
    /// Its size in bytes.
    pub size: u64,
    /// When it was changed, nanoseconds since 1970.
    pub modified_ns: i64,
    /// Which preset it holds.
    pub id: PresetId,
    /// What its text says.
    pub outline: PresetFacts,
}

/// One part of what a scan found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScanCommit {
    /// Files that are new or were changed.
    pub read: Vec<FileFacts>,
    /// Files that are there no more.
    pub gone: Vec<Vec<u8>>,
}

/// One file of a library with what is known about its preset.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedRow {
    /// Which preset.
    pub id: PresetId,
    /// Below the root.
    pub path: PathBuf,
    /// What its text says.
    pub outline: PresetFacts,
}

impl Store {
    /// The key of the library at `root`, which is added when it is new.
    pub(crate) fn library_key(&self, root: &Path) -> Result<i64, StoreError> {
        let root = bytes_of(root);
        self.connection.execute("INSERT OR IGNORE INTO libraries (root) VALUES (?1)", [&root])?;
        let key = "SELECT key FROM libraries WHERE root = ?1";
        Ok(self.connection.query_row(key, [&root], |row| row.get(0))?)
    }

    /// When the library at `root` was scanned to its end; never is nothing.
    pub fn scanned_at(&self, root: &Path) -> Result<Option<UnixSecs>, StoreError> {
        let sql = "SELECT scanned_at FROM libraries WHERE root = ?1 AND scanned_at > 0";
        Ok(self.connection.query_row(sql, [bytes_of(root)], |row| row.get(0)).optional()?)
    }

    /// The folders that were ever scanned to their end.
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

    /// Moves what was written from the log into the file, so that the next opening reads one of them only.
    pub(crate) fn tidy(&self) -> Result<(), StoreError> {
        // Busy readers are no trouble: the rest is moved by whoever comes last.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Files that need not be read again while size and time stay: those analysed by this version.
    pub(crate) fn known_files(&self, library: i64) -> Result<HashMap<Vec<u8>, KnownFile>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT f.path, f.size, f.modified_ns FROM files f JOIN presets p ON p.key = f.preset
             WHERE f.library = ?1 AND p.analysed = ?2",
        )?;
        let mut known = HashMap::new();
        let mut rows = query.query(params![library, ANALYSIS_VERSION])?;
        while let Some(row) = rows.next()? {
            let file = KnownFile {
                size: row.get::<_, i64>(1)? as u64,
                modified_ns: row.get(2)?,
                place: known.len(),
            };
            known.insert(row.get(0)?, file);
        }
        Ok(known)
    }

    /// Writes one part of a scan down, all of it or nothing.
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
            words::refresh(&step, key)?;
        }
        step.commit()?;
        Ok(())
    }

    /// Every file of the library at `root`, in order of the paths' bytes.
    pub fn load(&self, root: &Path) -> Result<Vec<LoadedRow>, StoreError> {
        let mut rows = Vec::new();
        self.each_file(root, |id, path, outline| rows.push(LoadedRow { id, path: path_of(path), outline }))?;
        Ok(rows)
    }

    /// Hands every file of the library at `root` to `each`, in order of the paths' bytes: its preset, its path below the
    /// root, and what its text says.
    pub(crate) fn each_file(
        &self,
        root: &Path,
        mut each: impl FnMut(PresetId, &[u8], PresetFacts),
    ) -> Result<(), StoreError> {
        let library = self.library_key(root)?;
        let mut query = self.connection.prepare_cached(
            "SELECT p.id, f.path, p.tags | p.seen, p.energy, p.family
             FROM files f JOIN presets p ON p.key = f.preset WHERE f.library = ?1 ORDER BY f.path",
        )?;
        let mut rows = query.query([library])?;
        while let Some(row) = rows.next()? {
            let outline = PresetFacts {
                tags: Tags(row.get(2)?),
                energy: Energy::of_rank(row.get(3)?),
                family: row.get::<_, i64>(4)? as u64,
            };
            let path = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            each(PresetId(row.get(0)?), path, outline);
        }
        Ok(())
    }

    /// Every file that holds this preset, in any library.
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

/// The rows of the preset a file holds now and of the one it held before. Names have a say in the energy; of several
/// files with one content it is the name of the first by path, in whatever order they were read.
fn put_file(step: &Transaction, library: i64, facts: &FileFacts) -> Result<[i64; 2], rusqlite::Error> {
    let FileFacts { path, size, modified_ns, id, outline } = facts;
    let mut preset = step.prepare_cached(
        "INSERT INTO presets (id, analysed, tags, energy, family, seen)
         VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT seen FROM verdicts WHERE id = ?1), 0))
         ON CONFLICT (id) DO UPDATE SET tags = ?3, family = ?5, analysed = ?2, energy = CASE
             WHEN analysed = ?2 AND EXISTS (SELECT 1 FROM files WHERE preset = presets.key AND path < ?6)
             THEN energy ELSE ?4 END
         RETURNING key",
    )?;
    let PresetFacts { tags, energy, family } = outline;
    let facts = params![id.0, ANALYSIS_VERSION, tags.0, energy.rank(), *family as i64, path];
    let key: i64 = preset.query_row(facts, |row| row.get(0))?;
    let mut before = step.prepare_cached("SELECT preset FROM files WHERE library = ?1 AND path = ?2")?;
    let before: Option<i64> = before.query_row(params![library, path], |row| row.get(0)).optional()?;
    let mut put = step.prepare_cached(
        "INSERT OR REPLACE INTO files (library, path, preset, size, modified_ns) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    put.execute(params![library, path, key, *size as i64, modified_ns])?;
    Ok([key, before.unwrap_or(key)])
}

/// A path in the system's own bytes, so that a name that is no text survives.
#[cfg(unix)]
pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

/// A path as text; other systems' names are text but for rare halves of characters.
#[cfg(not(unix))]
pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

/// The path of [`bytes_of`].
#[cfg(unix)]
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// The path of [`bytes_of`].
#[cfg(not(unix))]
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// A path for people and files: with forward slashes, what is no text replaced.
pub(crate) fn text_of(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path).into_owned();
    if cfg!(windows) { text.replace('\\', "/") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Tag;
    use crate::library::store::VerdictRow;

    fn facts(path: &[u8], content: &[u8], tag: Tag) -> FileFacts {
        let outline =
            PresetFacts { tags: [tag].into_iter().collect(), energy: Energy::Peak, family: u64::MAX };
        FileFacts { path: path.to_vec(), size: 1, modified_ns: 2, id: PresetId::of(content), outline }
    }

    #[test]
    fn a_library_comes_back_in_order_of_paths_and_is_searched() {
        let store = Store::in_memory().expect("opens");
        let root = Path::new("/presets");
        let library = store.library_key(root).expect("added");
        let read = vec![
            facts(b"b/Rovastar - Altars of Madness.milk", b"1", Tag::Dark),
            facts(b"a/\xffbad name.milk", b"2", Tag::Wave),
        ];
        store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("kept");
        let rows = store.load(root).expect("loaded");
        assert_eq!(bytes_of(&rows[0].path), b"a/\xffbad name.milk");
        assert_eq!(rows[1].outline.family, u64::MAX);
        let found = |text: &str| store.search(text, 10).expect("searched").len();
        assert_eq!([found("mad rova"), found("dark"), found("adness"), found("peak")], [1, 1, 0, 2]);
        let gone = vec![b"b/Rovastar - Altars of Madness.milk".to_vec()];
        store.commit_scan(library, &ScanCommit { read: Vec::new(), gone }).expect("kept");
        assert_eq!([found("mad rova"), store.load(root).expect("loaded").len()], [0, 1]);
    }

    #[test]
    fn a_changed_file_is_found_by_its_new_preset_only() {
        let store = Store::in_memory().expect("opens");
        let library = store.library_key(Path::new("/p")).expect("added");
        let put = |content: &[u8], tag| {
            let read = vec![facts(b"one.milk", content, tag)];
            store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("kept");
        };
        put(b"1", Tag::Dark);
        put(b"2", Tag::Bright);
        let found = |text: &str| store.search(text, 10).expect("searched").len();
        assert_eq!([found("one"), found("dark"), found("bright")], [1, 0, 1]);
        assert_eq!(store.files_of(PresetId::of(b"2")).expect("read"), [Path::new("/p/one.milk")]);
        assert!(store.files_of(PresetId::of(b"1")).expect("read").is_empty());
    }

    #[test]
    fn what_an_audit_saw_is_known_of_the_preset_whichever_came_first() {
        let store = Store::in_memory().expect("opens");
        let library = store.library_key(Path::new("/p")).expect("added");
        let verdict = |content: &[u8], tag: Tag| VerdictRow {
            id: PresetId::of(content),
            recipe: String::new(),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "ok".into(),
            flash: "pass".into(),
            seen: [tag].into_iter().collect(),
            cost_ms: None,
            json: "{}".into(),
            at: 1,
        };
        store.put_verdicts(&[verdict(b"1", Tag::Dark)]).expect("kept");
        let read = vec![facts(b"a.milk", b"1", Tag::Wave), facts(b"b.milk", b"2", Tag::Wave)];
        store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("kept");
        store.put_verdicts(&[verdict(b"2", Tag::LowMotion)]).expect("kept");
        let tags = || {
            store.load(Path::new("/p")).expect("loaded").into_iter().map(|row| row.outline.tags.to_string())
        };
        assert_eq!(tags().collect::<Vec<_>>(), ["wave dark", "wave low-motion"]);
        store.put_verdicts(&[verdict(b"2", Tag::Bright)]).expect("kept");
        assert_eq!(tags().collect::<Vec<_>>(), ["wave dark", "wave bright"], "the newest verdict counts");
    }

    #[test]
    fn of_files_with_one_content_the_first_by_path_decides_the_energy_whichever_is_read_first() {
        let file = |path: &[u8], energy| {
            let mut facts = facts(path, b"1", Tag::Wave);
            facts.outline.energy = energy;
            facts
        };
        let files =
            [file(b"a.milk", Energy::Calm), file(b"b.milk", Energy::Peak), file(b"c.milk", Energy::Groove)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let store = Store::in_memory().expect("opens");
            let library = store.library_key(Path::new("/p")).expect("added");
            let read = order.map(|at: usize| files[at].clone()).to_vec();
            store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("kept");
            let rows = store.load(Path::new("/p")).expect("loaded");
            assert!(rows.iter().all(|row| row.outline.energy == Energy::Calm), "{order:?}");
        }
    }

    #[test]
    fn a_label_is_found_by_search() {
        let store = Store::in_memory().expect("opens");
        let library = store.library_key(Path::new("/p")).expect("added");
        let read = vec![facts(b"one.milk", b"1", Tag::Dark)];
        store.commit_scan(library, &ScanCommit { read, gone: Vec::new() }).expect("kept");
        store.set_label(PresetId::of(b"1"), "smoke machine", true).expect("set");
        assert_eq!(store.search("smo", 10).expect("searched").len(), 1);
        store.set_label(PresetId::of(b"1"), "smoke machine", false).expect("taken");
        assert!(store.search("smo", 10).expect("searched").is_empty());
    }
}
