//! Embeddings on disk: `embeddings.npy`, `ids.txt` in row order, and `embeddings.meta.json` with the
//! embedder, the hashes of the other two files and the key of each row's input.
//!
//! A file never contains rows of two models. A new set of the three files is written next to the old one, the
//! meta file last, and then replaces it file by file; an interrupted replacement is completed when the table
//! is next opened. An old set of another model is kept as `NAME.earlier`, for a later bake with that model.
//! Sets that are unreadable or inconsistent with the hashes in the meta file are kept as `NAME.broken`, and
//! all presets are embedded again.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::foreign::{self, ForeignSet};
use super::npy;
use crate::disk;
use crate::facts::PresetId;
use crate::frames::BakeItem;
use crate::library::style::NameTable;
use crate::units::counted;

/// Identity of an embedder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedderId {
    /// `builtin`, or the name of a vision model.
    pub embedder: String,
    /// Hash of the model; rows of different models are not comparable.
    pub model: String,
    /// Description of the preprocessing.
    pub preprocessing: String,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    version: String,
    #[serde(flatten)]
    embedder_id: EmbedderId,
    dimensions: usize,
    rows: usize,
    /// Hashes of the other two files; empty in older files, which are not verified.
    #[serde(default)]
    rows_hash: String,
    #[serde(default)]
    ids_hash: String,
    /// Key of each row's input; a changed key means that the preset must be embedded again.
    keys: Vec<String>,
}

/// Why the table cannot be opened or saved.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file of a broken set cannot be renamed.
    #[error("cannot rename {path}: {why}; move it away to embed everything again")]
    Broken {
        /// Path of the file.
        path: PathBuf,
        /// Why it cannot be renamed.
        why: String,
    },
    /// A matrix written by another program cannot be read.
    #[error("cannot read the embeddings: {0}")]
    Foreign(String),
    /// A file cannot be written.
    #[error("{0}; existing embeddings are unchanged")]
    Write(String),
}

/// Embeddings of presets, one row each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Embedder of the rows.
    pub embedder_id: EmbedderId,
    /// IDs of the presets, in row order.
    pub ids: Vec<String>,
    /// Key of each row's input.
    pub keys: Vec<String>,
    /// The embeddings, one per row.
    pub rows: Array2<f32>,
}

impl Table {
    /// Opens the table in `folder`; `None` if there is none or it is broken. The files of a broken table are
    /// renamed, with a log message.
    pub fn open(folder: &Path) -> Result<Option<Self>, TableError> {
        Self::open_with_notes(folder, &mut |note| log::warn!("{note}"))
    }

    /// Opens the table in `folder` as [`Self::open`] does; `on_note` receives a message if a broken table was
    /// renamed.
    fn open_with_notes(folder: &Path, on_note: &mut dyn FnMut(String)) -> Result<Option<Self>, TableError> {
        commit_staged(folder).map_err(TableError::Write)?;
        match Self::read(folder, str::to_owned) {
            Ok(table) => Ok(table),
            Err(why) => {
                let suffix = rename_broken(folder)?;
                on_note(format!(
                    "cannot read the embeddings in {} ({why}); keeping them as *{suffix} and embedding all presets again",
                    folder.display()
                ));
                Ok(None)
            }
        }
    }

    /// Returns the table that this embedder continues: the folder's current one, an earlier one of the same
    /// embedder, or an empty one. The second value is false if the folder's current table belongs to another
    /// embedder. `on_note` receives messages about rows that are not used.
    pub fn for_embedder(
        embedder_id: EmbedderId,
        folder: &Path,
        on_note: &mut dyn FnMut(String),
    ) -> Result<(Self, bool), TableError> {
        let Some(current) = Self::open_with_notes(folder, on_note)? else {
            return Ok((Self { embedder_id, ..Self::default() }, true));
        };
        if current.embedder_id == embedder_id {
            return Ok((current, true));
        }
        let (old, new) = (&current.embedder_id.embedder, &embedder_id.embedder);
        // An unreadable earlier table is ignored; its rows are computed again.
        let saved =
            Self::read(folder, earlier_name).ok().flatten().filter(|saved| saved.embedder_id == embedder_id);
        on_note(match &saved {
            Some(table) => format!(
                "replacing the embeddings of {old} with {} embeddings of {new} from an earlier bake; the replaced ones \
                are kept as *{EARLIER}",
                table.ids.len()
            ),
            None => format!(
                "the existing embeddings are from {old} or another version of the embedder; embedding all presets again with {new}, \
                keeping the old ones as *{EARLIER}"
            ),
        });
        Ok((saved.unwrap_or(Self { embedder_id, ..Self::default() }), false))
    }

    /// Reads the set whose file names `name_of` determines; `None` if there is none.
    fn read(folder: &Path, name_of: fn(&str) -> String) -> Result<Option<Self>, String> {
        let path = |name: &str| folder.join(name_of(name));
        let meta = match disk::read(&path(META), disk::limit::LIST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if let Some(table) = foreign(folder, name_of)? {
                    return Ok(Some(table));
                }
                return match [ROWS, IDS].iter().find(|name| path(name).exists()) {
                    None => Ok(None),
                    Some(left) => Err(format!("{left} exists without {META}")),
                };
            }
            Err(error) => return Err(format!("{META}: {error}")),
        };
        let meta: Meta = match serde_json::from_slice(&meta) {
            Ok(meta) => meta,
            // A description in another program's format.
            Err(error) if error.is_data() => {
                return foreign(folder, name_of)?.map(Some).ok_or_else(|| format!("{META}: {error}"));
            }
            Err(error) => return Err(format!("{META}: {error}")),
        };
        let failed = |name: &str, error: std::io::Error| format!("{name}: {error}");
        let ids_file = disk::read(&path(IDS), disk::limit::LIST).map_err(|error| failed(IDS, error))?;
        let rows_hash = match &meta.rows_hash {
            hash if hash.is_empty() => String::new(),
            _ => hash_of_file(&path(ROWS)).map_err(|error| failed(ROWS, error))?,
        };
        let ids: Vec<String> = disk::lines(&disk::decode_lossy(&ids_file)).map(str::to_owned).collect();
        let rows = npy::read(&path(ROWS)).map_err(|error| format!("{ROWS}: {error}"))?;
        let consistent = meta.rows_hash == rows_hash
            && (meta.ids_hash.is_empty() || meta.ids_hash == hash_of(&ids_file))
            && rows.dim() == (meta.rows, meta.dimensions)
            && ids.len() == meta.rows
            && meta.keys.len() == meta.rows;
        if !consistent {
            return Err("the hashes or row counts do not match".into());
        }
        let mut table = Self { embedder_id: meta.embedder_id, ids, keys: meta.keys, rows };
        table.drop_broken_rows();
        Ok(Some(table))
    }

    /// Drops rows with non-finite values; their presets are embedded again.
    fn drop_broken_rows(&mut self) {
        let valid: Vec<usize> = (0..self.ids.len())
            .filter(|&row| self.rows.row(row).iter().all(|value| value.is_finite()))
            .collect();
        if valid.len() < self.ids.len() {
            log::warn!(
                "dropping {} with non-finite values; computing them again",
                counted(self.ids.len() - valid.len(), "embedding")
            );
            self.select(&valid);
        }
    }

    /// Saves the table; an interruption leaves either the old or the new one. A table of another embedder is
    /// kept as `NAME.earlier`.
    pub fn save(&self, folder: &Path) -> Result<(), TableError> {
        let mut ids = self.ids.join("\n");
        ids.push('\n');
        let rows = folder.join(staged(ROWS));
        // The rows are the largest part, so they are written and hashed without a copy in memory.
        disk::replace(&rows, |out| npy::write(out, &self.rows))
            .map_err(|error| TableError::Write(error.to_string()))?;
        let rows_hash = hash_of_file(&rows).map_err(|error| TableError::Write(error.to_string()))?;
        let meta = Meta {
            version: "v0".into(),
            embedder_id: self.embedder_id.clone(),
            dimensions: self.rows.ncols(),
            rows: self.rows.nrows(),
            rows_hash,
            ids_hash: hash_of(ids.as_bytes()),
            keys: self.keys.clone(),
        };
        let meta = serde_json::to_vec(&meta).map_err(|error| TableError::Write(error.to_string()))?;
        for (name, bytes) in [(IDS, ids.into_bytes()), (META, meta)] {
            disk::write(&folder.join(staged(name)), &bytes)
                .map_err(|error| TableError::Write(error.to_string()))?;
        }
        commit_staged(folder).map_err(TableError::Write)
    }

    /// Reads an `embeddings.npy` or `embeddings.hf.npy` written by another program, with the list of IDs next
    /// to it.
    pub fn from_matrix(path: &Path) -> Result<Self, TableError> {
        foreign::read_matrix(path).map(Self::of_foreign).map_err(TableError::Foreign)
    }

    fn of_foreign(set: ForeignSet) -> Self {
        let ForeignSet { model, ids, rows } = set;
        let embedder_id = EmbedderId { embedder: FOREIGN.into(), model, preprocessing: String::new() };
        let mut table = Self { embedder_id, keys: vec![String::new(); ids.len()], ids, rows };
        table.drop_broken_rows();
        table
    }

    /// Returns whether another program computed the rows.
    pub fn is_foreign(&self) -> bool {
        self.embedder_id.embedder == FOREIGN
    }

    /// Updates the IDs of rows stored under another name of a preset; returns the number of updated rows.
    pub fn rename(&mut self, items: &[BakeItem]) -> usize {
        let mut names = NameTable::for_presets(self.ids.len());
        self.ids.iter().enumerate().for_each(|(row, id)| names.add(id, row));
        let by_content = self.ids.iter().any(|id| id.parse::<PresetId>().is_ok());
        let own: HashSet<&str> = items.iter().map(|item| item.id.as_str()).collect();
        let mut renamed = 0;
        for item in items {
            // A row of another item keeps its ID.
            if let Some(row) = item.find_in(&names, by_content)
                && !own.contains(self.ids[row].as_str())
            {
                self.ids[row].clone_from(&item.id);
                renamed += 1;
            }
        }
        renamed
    }

    /// Drops the rows of all presets except `ids`, in memory only.
    pub fn keep_only<'a>(&mut self, ids: impl Iterator<Item = &'a str>) {
        let wanted: HashSet<&str> = ids.collect();
        let rows: Vec<usize> =
            (0..self.ids.len()).filter(|&at| wanted.contains(self.ids[at].as_str())).collect();
        self.select(&rows);
    }

    /// Sorts the rows by folder and file name, the order in which a bake lists presets.
    pub fn sort(&mut self) {
        let mut rows: Vec<usize> = (0..self.ids.len()).collect();
        rows.sort_by(|&a, &b| self.ids[a].split('/').cmp(self.ids[b].split('/')));
        self.select(&rows);
    }

    fn select(&mut self, rows: &[usize]) {
        self.rows = self.rows.select(Axis(0), rows);
        self.ids = rows.iter().map(|&row| self.ids[row].clone()).collect();
        self.keys = rows.iter().map(|&row| self.keys[row].clone()).collect();
    }

    /// Returns the row index of every preset, by ID.
    pub fn index(&self) -> HashMap<String, usize> {
        self.ids.iter().cloned().zip(0..).collect()
    }

    /// Returns the content ID of the preset of a row; `None` if it is unknown, as for rows of other programs.
    pub fn content(&self, row: usize) -> Option<PresetId> {
        self.keys[row].split('+').next()?.parse().ok()
    }

    /// Adds `rows`, whose IDs and keys are `added`, replacing existing rows of the same presets. `index` is
    /// the index of this table and is updated.
    pub fn put(
        &mut self,
        added: Vec<(String, String)>,
        rows: &Array2<f32>,
        index: &mut HashMap<String, usize>,
    ) {
        let mut fresh = Vec::new();
        for (at, (id, key)) in added.into_iter().enumerate() {
            if let Some(&row) = index.get(&id).filter(|row| **row < self.rows.nrows()) {
                self.rows.row_mut(row).assign(&rows.row(at));
                self.keys[row] = key;
            } else {
                fresh.push(at);
                index.insert(id.clone(), self.ids.len());
                self.ids.push(id);
                self.keys.push(key);
            }
        }
        if self.rows.nrows() == 0 {
            self.rows = Array2::zeros((0, rows.ncols()));
        }
        let fresh = rows.select(Axis(0), &fresh);
        self.rows.append(Axis(0), fresh.view()).expect("rows of one embedder have equal width");
    }
}

/// Reads the set written by another program; `None` if there is none, or if `name_of` changes the file names.
fn foreign(folder: &Path, name_of: fn(&str) -> String) -> Result<Option<Table>, String> {
    let set = if name_of(ROWS) == ROWS { foreign::read(folder)? } else { None };
    Ok(set.map(Table::of_foreign))
}

/// Returns the name under which a file is written until its set is complete.
fn staged(name: &str) -> String {
    format!("{name}.new")
}

/// Returns the name under which a file is kept after another embedder replaces it.
fn earlier_name(name: &str) -> String {
    format!("{name}{EARLIER}")
}

/// Moves a completely written set into place; ignores an incomplete one. Keeps the previous set as
/// `NAME.earlier` if it belongs to another embedder.
fn commit_staged(folder: &Path) -> Result<(), String> {
    if !folder.join(staged(META)).is_file() {
        return Ok(());
    }
    let (old, new) = (embedder_of(&folder.join(META))?, embedder_of(&folder.join(staged(META)))?);
    // Rows without a meta file in our format are those of another program.
    let keep = old != new && (old.is_some() || folder.join(ROWS).exists());
    for name in [ROWS, IDS, META] {
        let (from, place) = (folder.join(staged(name)), folder.join(name));
        if !from.exists() {
            continue; // Already moved before an interruption.
        }
        if keep && place.exists() {
            rename(&place, &folder.join(earlier_name(name)))?;
        }
        rename(&from, &place)?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    disk::publish(from, to).map_err(|error| format!("cannot rename {}: {error}", from.display()))
}

/// Returns the embedder of the table in `folder`, without reading its rows; `None` if there is none, or it was made by
/// another program.
pub(super) fn embedder_in(folder: &Path) -> Result<Option<EmbedderId>, String> {
    embedder_of(&folder.join(META))
}

/// Returns the number of dimensions of the embeddings in `folder`, without reading them.
pub(super) fn width_in(folder: &Path) -> Result<usize, String> {
    let path = folder.join(ROWS);
    let rows = npy::Rows::open(&path).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
    Ok(rows.width)
}

/// Returns the embedder named in a meta file; `None` if there is no such file, or if it is not in our format.
fn embedder_of(meta: &Path) -> Result<Option<EmbedderId>, String> {
    let bytes = disk::read_if_exists(meta, disk::limit::LIST);
    let bytes = bytes.map_err(|error| format!("cannot read {}: {error}", meta.display()))?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Renames the files of a broken set to unused names and returns the added suffix.
fn rename_broken(folder: &Path) -> Result<String, TableError> {
    let place = |name: &str, suffix: &str| folder.join(format!("{name}{suffix}"));
    let free = |suffix: &String| [ROWS, IDS, META].iter().all(|name| !place(name, suffix).exists());
    let numbered = (2..).map(|count| format!("{BROKEN}-{count}"));
    let suffix = std::iter::once(BROKEN.to_owned()).chain(numbered).find(free).unwrap_or_default();
    for name in [META, ROWS, IDS] {
        let path = folder.join(name);
        match std::fs::rename(&path, place(name, &suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(TableError::Broken { path, why: error.to_string() });
            }
            _ => {}
        }
    }
    Ok(suffix)
}

/// Returns the first 16 hexadecimal digits of the SHA-256 hash of `bytes`.
pub(super) fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns what [`hash_of`] returns for the bytes of a file.
fn hash_of_file(path: &Path) -> std::io::Result<String> {
    disk::sha256(path).map(|hash| hash[..16].to_owned())
}

/// Embedder name of rows written by another program.
const FOREIGN: &str = "another program";
const ROWS: &str = "embeddings.npy";
const IDS: &str = "ids.txt";
const META: &str = "embeddings.meta.json";
/// Suffix of a set that was replaced by that of another embedder.
const EARLIER: &str = ".earlier";
/// Suffix of a broken set.
const BROKEN: &str = ".broken";

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table {
            embedder_id: EmbedderId { embedder: "test".into(), ..EmbedderId::default() },
            ..Table::default()
        };
        let named = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), format!("key {id}"))).collect();
        let rows = Array2::from_shape_fn((2, 3), |(r, c)| (r * 3 + c) as f32);
        table.put(named(&["a", "b"]), &rows, &mut HashMap::new());
        table
    }

    #[test]
    fn a_saved_table_reads_back_and_rows_are_replaced_in_place() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Table::open(folder.path()).expect("readable").is_none());
        let mut table = table();
        let added = vec![("b".into(), "new".into()), ("c".into(), "key c".into())];
        table.put(added, &Array2::ones((2, 3)), &mut table.index());
        assert_eq!(table.ids, ["a", "b", "c"]);
        assert_eq!(table.rows.row(1).to_vec(), [1.0; 3]);
        table.save(folder.path()).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(table));
    }

    #[test]
    fn rows_above_the_limit_for_lists_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = table();
        table.save(folder.path()).expect("written");
        let path = folder.path().join(META);
        let mut meta: serde_json::Value = disk::read_json(&path).expect("a description");
        meta["rows_hash"] = "".into();
        disk::write_json(&path, &meta).expect("written");
        let rows = std::fs::File::options().write(true).open(folder.path().join(ROWS)).expect("opened");
        rows.set_len(disk::limit::LIST + 1).expect("holes");
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(table));
        assert!(folder.path().join(ROWS).exists(), "it is not renamed");
    }

    #[test]
    fn the_hash_of_a_file_is_that_of_its_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(ROWS);
        std::fs::write(&path, b"rows").expect("written");
        assert_eq!(hash_of_file(&path).expect("read"), hash_of(b"rows"));
    }

    #[test]
    fn a_complete_new_set_is_committed_and_a_partial_one_is_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = table();
        old.save(folder.path()).expect("written");
        let mut new = old.clone();
        new.put(vec![("c".into(), "key c".into())], &Array2::ones((1, 3)), &mut new.index());
        let elsewhere = tempfile::tempdir().expect("a folder");
        new.save(elsewhere.path()).expect("written");
        let bring = |name: &str, to: &str| {
            std::fs::copy(elsewhere.path().join(name), folder.path().join(to)).expect("copied")
        };
        // Interrupted while the new set was being written.
        bring(ROWS, &staged(ROWS));
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(old));
        // Interrupted while the new set was being moved into place.
        bring(ROWS, ROWS);
        std::fs::remove_file(folder.path().join(staged(ROWS))).expect("removed");
        bring(IDS, &staged(IDS));
        bring(META, &staged(META));
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(new));
    }

    #[test]
    fn a_set_with_an_unreadable_meta_file_does_not_replace_an_earlier_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = table();
        old.save(folder.path()).expect("written");
        let embedder_id = EmbedderId { model: "other".into(), ..EmbedderId::default() };
        let new = Table { embedder_id, ..old.clone() };
        new.save(folder.path()).expect("written");
        let large = std::fs::File::create(folder.path().join(META));
        large.and_then(|file| file.set_len(disk::limit::LIST + 1)).expect("holes");
        let error = new.save(folder.path()).expect_err("unreadable").to_string();
        assert!(error.contains(META) && error.contains("larger than"), "{error}");
        assert_eq!(Table::read(folder.path(), earlier_name), Ok(Some(old)));
    }

    #[test]
    fn nan_rows_are_dropped_and_inconsistent_files_are_rejected() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = table();
        table.rows[[0, 1]] = f32::NAN;
        table.save(folder.path()).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable").expect("there").ids, ["b"]);
        std::fs::write(folder.path().join(ROWS), npy::encode(&Array2::ones((2, 3)))).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable"), None);
    }

    #[test]
    fn a_broken_set_is_kept_whichever_file_is_broken() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = table();
        let read = |name: &str| std::fs::read(folder.path().join(name)).expect("there");
        for (broken, suffix) in [(META, ".broken"), (ROWS, ".broken-2"), (IDS, ".broken-3")] {
            table.save(folder.path()).expect("written");
            let before = [ROWS, IDS, META].map(read);
            std::fs::write(folder.path().join(broken), b"{").expect("written");
            let mut notes = Vec::new();
            let opened = Table::open_with_notes(folder.path(), &mut |note| notes.push(note));
            assert_eq!(opened.expect("renamed"), None);
            assert!(notes.len() == 1 && notes[0].contains(suffix), "{notes:?}");
            for (name, before) in [ROWS, IDS, META].into_iter().zip(before) {
                let wanted = if name == broken { b"{".to_vec() } else { before };
                assert_eq!(read(&format!("{name}{suffix}")), wanted, "{name}");
                assert!(!folder.path().join(name).exists());
            }
        }
        // A part of a set without a meta file is kept as well.
        std::fs::write(folder.path().join(IDS), b"a\n").expect("written");
        assert_eq!(Table::open(folder.path()).expect("renamed"), None);
        assert_eq!(read("ids.txt.broken-4"), b"a\n");
    }

    #[test]
    fn embeddings_of_another_program_are_used_as_they_are_and_kept_when_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = Array2::from_shape_fn((2, 3), |(r, c)| (r * 3 + c) as f32);
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
        write(ROWS, &npy::encode(&rows));
        write(IDS, b"a\nb\n");
        for meta in [None, Some(r#"{"model":"ViT-B-32","count":2}"#)] {
            meta.into_iter().for_each(|meta| write(META, meta.as_bytes()));
            let table = Table::open(folder.path()).expect("readable").expect("a table");
            assert_eq!((table.ids.as_slice(), &table.rows), (&["a".to_owned(), "b".to_owned()][..], &rows));
        }
        std::fs::remove_file(folder.path().join(META)).expect("removed");
        let own = EmbedderId { embedder: "test".into(), ..EmbedderId::default() };
        let (mut new, in_use) = Table::for_embedder(own, folder.path(), &mut |_| {}).expect("readable");
        assert!(!in_use && new.ids.is_empty());
        new.put(vec![("a".into(), "key".into())], &Array2::ones((1, 7)), &mut HashMap::new());
        new.save(folder.path()).expect("written");
        assert_eq!(npy::read(&folder.path().join(earlier_name(ROWS))), Ok(rows));
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(new));
    }

    #[test]
    fn rows_of_another_embedder_are_kept_and_restored() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = table();
        old.save(folder.path()).expect("written");
        let of =
            |id: &EmbedderId| Table::for_embedder(id.clone(), folder.path(), &mut |_| {}).expect("readable");
        assert_eq!(of(&old.embedder_id), (old.clone(), true));
        let mut new = Table {
            embedder_id: EmbedderId { model: "other".into(), ..EmbedderId::default() },
            ..Table::default()
        };
        assert_eq!(of(&new.embedder_id), (new.clone(), false));
        new.put(vec![("a".into(), "key".into())], &Array2::ones((1, 7)), &mut HashMap::new());
        for _ in 0..2 {
            new.save(folder.path()).expect("written");
        }
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(new.clone()));
        assert_eq!(of(&old.embedder_id), (old.clone(), false));
        // Interrupted while the old rows were being moved back.
        for name in [IDS, META] {
            std::fs::copy(folder.path().join(earlier_name(name)), folder.path().join(staged(name)))
                .expect("copied");
        }
        let at = |name: String| folder.path().join(name);
        let rows = std::fs::read(at(earlier_name(ROWS))).expect("there");
        std::fs::rename(at(ROWS.into()), at(earlier_name(ROWS))).expect("renamed");
        std::fs::write(at(ROWS.into()), rows).expect("written");
        assert_eq!(of(&new.embedder_id), (new, false));
        assert_eq!(of(&old.embedder_id), (old, true));
    }
}
