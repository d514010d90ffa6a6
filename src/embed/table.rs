//! The embeddings on disk: `embeddings.npy`, `ids.txt` in row order, `embeddings.meta.json` with what made them.
//!
//! Rows of two models never share a file. A new set of the three is written beside the old one, its description last,
//! and then takes its place file by file; an end of the program in the middle of that is made good by the next start.
//! Where the old set is of another model it is kept as `NAME.earlier`, for the night that asks for that model again. Sets
//! that cannot be read, or do not belong together by the hashes in the description, are kept as `NAME.broken` and made
//! again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::npy;
use crate::jobs::files;

/// What made the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedderId {
    /// `builtin`, or the name of a vision model.
    pub embedder: String,
    /// A hash of the model; rows of another one are not comparable.
    pub model: String,
    /// What is done to a preset before it is embedded.
    pub preprocessing: String,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    version: String,
    #[serde(flatten)]
    maker: EmbedderId,
    dimensions: usize,
    rows: usize,
    /// Hashes of the two other files; files of before it was told are taken at their word.
    #[serde(default)]
    rows_hash: String,
    #[serde(default)]
    ids_hash: String,
    /// What each row was made from; a preset whose key has changed is done again.
    keys: Vec<String>,
}

/// Why there are no embeddings to be had.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A set that is broken stands in the way of a new one.
    #[error("{path} could not be set aside: {why}; move it away to embed everything again")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file cannot be written.
    #[error("{0}; the embeddings of earlier nights are untouched")]
    Write(String),
}

/// Embeddings of presets, one row each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What made the rows.
    pub maker: EmbedderId,
    /// The presets, in row order.
    pub ids: Vec<String>,
    /// What each row was made from.
    pub keys: Vec<String>,
    /// The rows.
    pub rows: Array2<f32>,
}

impl Table {
    /// The table in this folder; nothing where none was ever written, or it is broken: then its files are set aside and
    /// the log tells.
    pub fn open(folder: &Path) -> Result<Option<Self>, TableError> {
        Self::open_telling(folder, &mut |note| log::warn!("{note}"))
    }

    /// The same; `tell` hears what was set aside.
    fn open_telling(folder: &Path, tell: &mut dyn FnMut(String)) -> Result<Option<Self>, TableError> {
        finish_exchange(folder).map_err(TableError::Write)?;
        match Self::read(folder, str::to_owned) {
            Ok(table) => Ok(table),
            Err(why) => {
                let suffix = set_aside(folder)?;
                tell(format!(
                    "the embeddings in {} cannot be used ({why}); they are kept as *{suffix}, and all are made again",
                    folder.display()
                ));
                Ok(None)
            }
        }
    }

    /// The rows to go on with in this folder for this maker: those in use, those that it made before another one took
    /// over, or none. The second value is whether they are those in use. `tell` hears what becomes of other rows.
    pub(super) fn of(
        maker: EmbedderId,
        folder: &Path,
        tell: &mut dyn FnMut(String),
    ) -> Result<(Self, bool), TableError> {
        let Some(current) = Self::open_telling(folder, tell)? else {
            return Ok((Self { maker, ..Self::default() }, true));
        };
        if current.maker == maker {
            return Ok((current, true));
        }
        let (old, new) = (&current.maker.embedder, &maker.embedder);
        // One that cannot be read is of no use; making the rows again is all that is left.
        let earlier = Self::read(folder, earlier).ok().flatten().filter(|earlier| earlier.maker == maker);
        tell(match &earlier {
            Some(table) => format!(
                "the embeddings in use are of {old}; {} of {new} from an earlier night take their place, and they are kept \
                 as *{EARLIER}",
                table.ids.len()
            ),
            None => format!(
                "the embeddings in use are of {old}, or of another version of it; all are made again by {new}, and they \
                 are kept as *{EARLIER}"
            ),
        });
        Ok((earlier.unwrap_or(Self { maker, ..Self::default() }), false))
    }

    /// The set whose files have these names; nothing where there is none, an error in words where it cannot be used.
    fn read(folder: &Path, named: fn(&str) -> String) -> Result<Option<Self>, String> {
        let path = |name: &str| folder.join(named(name));
        let meta = match std::fs::read(path(META)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return match [ROWS, IDS].iter().find(|name| path(name).exists()) {
                    None => Ok(None),
                    Some(left) => Err(format!("{left} is there without {META}")),
                };
            }
            Err(error) => return Err(format!("{META}: {error}")),
        };
        let meta: Meta = serde_json::from_slice(&meta).map_err(|error| format!("{META}: {error}"))?;
        let bytes = |name: &str| std::fs::read(path(name)).map_err(|error| format!("{name}: {error}"));
        let fits = |told: &str, bytes: &[u8]| told.is_empty() || told == hash_of(bytes);
        let ids_file = bytes(IDS)?;
        let ids: Vec<String> = String::from_utf8_lossy(&ids_file).lines().map(str::to_owned).collect();
        let rows = npy::read(&path(ROWS)).map_err(|error| format!("{ROWS}: {error}"))?;
        let of_one_another = fits(&meta.rows_hash, &bytes(ROWS)?)
            && fits(&meta.ids_hash, &ids_file)
            && rows.dim() == (meta.rows, meta.dimensions)
            && ids.len() == meta.rows
            && meta.keys.len() == meta.rows;
        if !of_one_another {
            return Err("its files are not of one another".into());
        }
        let mut table = Self { maker: meta.maker, ids, keys: meta.keys, rows };
        table.drop_broken_rows();
        Ok(Some(table))
    }

    /// Rows that hold no finite numbers are taken out; their presets are done again.
    fn drop_broken_rows(&mut self) {
        let sound: Vec<usize> = (0..self.ids.len())
            .filter(|&row| self.rows.row(row).iter().all(|value| value.is_finite()))
            .collect();
        if sound.len() < self.ids.len() {
            log::warn!("{} embeddings are no numbers and are made again", self.ids.len() - sound.len());
            self.select(&sound);
        }
    }

    /// Writes the table; whenever the program ends, the old one or the new one is there. One of another maker is kept.
    pub fn save(&self, folder: &Path) -> Result<(), TableError> {
        let mut ids = self.ids.join("\n");
        ids.push('\n');
        let (rows, ids) = (npy::encode(&self.rows), ids.into_bytes());
        let meta = Meta {
            version: "v0".into(),
            maker: self.maker.clone(),
            dimensions: self.rows.ncols(),
            rows: self.rows.nrows(),
            rows_hash: hash_of(&rows),
            ids_hash: hash_of(&ids),
            keys: self.keys.clone(),
        };
        let meta = serde_json::to_vec(&meta).map_err(|error| TableError::Write(error.to_string()))?;
        for (name, bytes) in [(ROWS, rows), (IDS, ids), (META, meta)] {
            files::write_whole(&folder.join(coming(name)), &bytes).map_err(TableError::Write)?;
        }
        finish_exchange(folder).map_err(TableError::Write)
    }

    /// Leaves out the rows of all presets but these; the files keep them.
    pub fn keep_only<'a>(&mut self, ids: impl Iterator<Item = &'a str>) {
        let wanted: std::collections::HashSet<&str> = ids.collect();
        let rows: Vec<usize> =
            (0..self.ids.len()).filter(|&at| wanted.contains(self.ids[at].as_str())).collect();
        self.select(&rows);
    }

    fn select(&mut self, rows: &[usize]) {
        self.rows = self.rows.select(Axis(0), rows);
        self.ids = rows.iter().map(|&row| self.ids[row].clone()).collect();
        self.keys = rows.iter().map(|&row| self.keys[row].clone()).collect();
    }

    /// Row of every preset.
    pub fn index(&self) -> HashMap<String, usize> {
        self.ids.iter().cloned().zip(0..).collect()
    }

    /// Takes in rows; a preset that has one gets the new one in its place. `index` is that of this table and is kept up.
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
        self.rows.append(Axis(0), fresh.view()).expect("rows of one maker are of one width");
    }
}

/// Where a file waits until its set is whole.
fn coming(name: &str) -> String {
    format!("{name}.new")
}

/// Where a file is kept once another maker's has its place.
fn earlier(name: &str) -> String {
    format!("{name}{EARLIER}")
}

/// Puts a set that was written as a whole in its place; what is left of one that was not is of no use to anybody. A set
/// of another maker that has the place is kept.
fn finish_exchange(folder: &Path) -> Result<(), String> {
    if !folder.join(coming(META)).is_file() {
        return Ok(());
    }
    let (old, new) = (maker_of(&folder.join(META)), maker_of(&folder.join(coming(META))));
    let keep = old.is_some() && old != new;
    for name in [ROWS, IDS, META] {
        let (from, place) = (folder.join(coming(name)), folder.join(name));
        if !from.exists() {
            continue; // It has its place already: the program ended in between.
        }
        if keep && place.exists() {
            exchange(&place, &folder.join(earlier(name)))?;
        }
        exchange(&from, &place)?;
    }
    Ok(())
}

fn exchange(from: &Path, to: &Path) -> Result<(), String> {
    std::fs::rename(from, to)
        .map_err(|error| format!("{} could not be put in its place: {error}", from.display()))
}

/// What the rows of this description are made by; nothing where it cannot be read.
fn maker_of(meta: &Path) -> Option<EmbedderId> {
    serde_json::from_slice(&std::fs::read(meta).ok()?).ok()
}

/// Gives the files of a set that cannot be used names under which nothing lies yet; gives back what was added to them.
fn set_aside(folder: &Path) -> Result<String, TableError> {
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

fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

const ROWS: &str = "embeddings.npy";
const IDS: &str = "ids.txt";
const META: &str = "embeddings.meta.json";
/// Added to the names of a set that another maker's has taken the place of.
const EARLIER: &str = ".earlier";
/// Added to the names of a set that cannot be used.
const BROKEN: &str = ".broken";

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table {
            maker: EmbedderId { embedder: "test".into(), ..EmbedderId::default() },
            ..Table::default()
        };
        let named = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), format!("key {id}"))).collect();
        let rows = Array2::from_shape_fn((2, 3), |(r, c)| (r * 3 + c) as f32);
        table.put(named(&["a", "b"]), &rows, &mut HashMap::new());
        table
    }

    #[test]
    fn a_table_survives_being_written_and_rows_are_replaced_in_place() {
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
    fn a_set_that_was_whole_takes_its_place_and_half_of_one_changes_nothing() {
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
        // Ended while the new set was written.
        bring(ROWS, &coming(ROWS));
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(old));
        // Ended while it took its place.
        bring(ROWS, ROWS);
        std::fs::remove_file(folder.path().join(coming(ROWS))).expect("removed");
        bring(IDS, &coming(IDS));
        bring(META, &coming(META));
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(new));
    }

    #[test]
    fn rows_of_no_numbers_cost_those_rows_and_files_that_are_not_of_one_another_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = table();
        table.rows[[0, 1]] = f32::NAN;
        table.save(folder.path()).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable").expect("there").ids, ["b"]);
        std::fs::write(folder.path().join(ROWS), npy::encode(&Array2::ones((2, 3)))).expect("written");
        assert_eq!(Table::open(folder.path()).expect("readable"), None);
    }

    #[test]
    fn a_broken_set_is_kept_beside_the_new_one_whatever_is_broken_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = table();
        let read = |name: &str| std::fs::read(folder.path().join(name)).expect("there");
        for (broken, suffix) in [(META, ".broken"), (ROWS, ".broken-2"), (IDS, ".broken-3")] {
            table.save(folder.path()).expect("written");
            let before = [ROWS, IDS, META].map(read);
            std::fs::write(folder.path().join(broken), b"{").expect("written");
            let mut notes = Vec::new();
            let opened = Table::open_telling(folder.path(), &mut |note| notes.push(note));
            assert_eq!(opened.expect("set aside"), None);
            assert!(notes.len() == 1 && notes[0].contains(suffix), "{notes:?}");
            for (name, before) in [ROWS, IDS, META].into_iter().zip(before) {
                let wanted = if name == broken { b"{".to_vec() } else { before };
                assert_eq!(read(&format!("{name}{suffix}")), wanted, "{name}");
                assert!(!folder.path().join(name).exists());
            }
        }
        // What lies there without its description is kept as well.
        std::fs::write(folder.path().join(IDS), b"a\n").expect("written");
        assert_eq!(Table::open(folder.path()).expect("set aside"), None);
        assert_eq!(read("ids.txt.broken-4"), b"a\n");
    }

    #[test]
    fn rows_of_another_maker_are_kept_and_come_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = table();
        old.save(folder.path()).expect("written");
        let of = |maker: &EmbedderId| Table::of(maker.clone(), folder.path(), &mut |_| {}).expect("readable");
        assert_eq!(of(&old.maker), (old.clone(), true));
        let mut new = Table {
            maker: EmbedderId { model: "other".into(), ..EmbedderId::default() },
            ..Table::default()
        };
        assert_eq!(of(&new.maker), (new.clone(), false));
        new.put(vec![("a".into(), "key".into())], &Array2::ones((1, 7)), &mut HashMap::new());
        for _ in 0..2 {
            new.save(folder.path()).expect("written");
        }
        assert_eq!(Table::open(folder.path()).expect("readable"), Some(new.clone()));
        assert_eq!(of(&old.maker), (old.clone(), false));
        // Ended while the old rows took their place again.
        for name in [IDS, META] {
            std::fs::copy(folder.path().join(earlier(name)), folder.path().join(coming(name)))
                .expect("copied");
        }
        let at = |name: String| folder.path().join(name);
        let rows = std::fs::read(at(earlier(ROWS))).expect("there");
        std::fs::rename(at(ROWS.into()), at(earlier(ROWS))).expect("renamed");
        std::fs::write(at(ROWS.into()), rows).expect("written");
        assert_eq!(of(&new.maker), (new, false));
        assert_eq!(of(&old.maker), (old, true));
    }
}
