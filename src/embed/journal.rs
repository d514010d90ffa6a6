//! Journal of the embedding stage: the rows computed since the table was last saved. It makes every batch survive a
//! crash, although the whole table, whose size grows with the library, is saved only a few times.
//!
//! The first line is the embedder. Each row is a line with the ID and the key of its preset, followed by its values as
//! 32-bit little-endian floats. A row that was cut off, and all rows after it, are ignored.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::table::{EmbedderId, Table, TableError, hash_of};
use crate::disk::{self, Folder, Input, limit};

/// File name of the journal, next to the table.
const JOURNAL: &str = "embeddings.journal";
/// Maximum number of values in a row.
const MAX_WIDTH: usize = 1 << 20;

/// The line before the values of a row.
#[derive(Serialize, Deserialize)]
struct RowHeader {
    id: String,
    key: String,
    width: usize,
    /// Hash of the values.
    hash: String,
}

/// The journal of a table that is being extended.
pub(super) struct Journal<'a> {
    folder: &'a Path,
    embedder_id: EmbedderId,
    rows: usize,
}

impl<'a> Journal<'a> {
    /// Starts an empty journal in `folder`. The rows of an earlier one are first added to `table`, which is saved;
    /// those of another embedder are dropped.
    pub fn open(folder: &'a Path, table: &mut Table) -> Result<Self, TableError> {
        let recovered = recover(folder, table).map_err(|error| failed(&error))?;
        if recovered > 0 {
            table.save(folder)?;
        }
        let mut journal = Self { folder, embedder_id: table.embedder_id.clone(), rows: 0 };
        journal.clear()?;
        Ok(journal)
    }

    /// Returns the number of rows in the journal.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends rows, whose IDs and keys are `names`.
    pub fn append(&mut self, names: &[(String, String)], rows: &Array2<f32>) -> Result<(), TableError> {
        if names.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        if self.rows == 0 {
            put_line(&mut bytes, &self.embedder_id)?;
        }
        for ((id, key), row) in names.iter().zip(rows.outer_iter()) {
            let values: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
            let hash = hash_of(&values);
            put_line(&mut bytes, &RowHeader { id: id.clone(), key: key.clone(), width: row.len(), hash })?;
            bytes.extend(values);
        }
        let opened = Folder::create(self.folder).and_then(|folder| folder.append(Path::new(JOURNAL)));
        opened.and_then(|mut file| file.write_all(&bytes)).map_err(|error| failed(&error))?;
        self.rows += names.len();
        Ok(())
    }

    /// Empties the journal, after the table has been saved.
    pub fn clear(&mut self) -> Result<(), TableError> {
        self.rows = 0;
        disk::remove_if_exists(&self.folder.join(JOURNAL)).map_err(|error| failed(&error))
    }
}

fn put_line(bytes: &mut Vec<u8>, line: &impl Serialize) -> Result<(), TableError> {
    bytes.extend(serde_json::to_vec(line).map_err(|error| failed(&error.into()))?);
    bytes.push(b'\n');
    Ok(())
}

fn failed(error: &io::Error) -> TableError {
    TableError::Write(format!("{JOURNAL}: {error}"))
}

/// Adds the rows of the journal in `folder` to the table of the same embedder. Returns how many there are.
fn recover(folder: &Path, table: &mut Table) -> io::Result<usize> {
    let mut file = match Input::open(&folder.join(JOURNAL), limit::STREAM) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    if line::<EmbedderId>(&mut file)?.as_ref() != Some(&table.embedder_id) {
        return Ok(0);
    }
    let (mut names, mut values) = (Vec::new(), Vec::new());
    let mut width = table.rows.ncols();
    while let Some((header, row)) = next_row(&mut file)? {
        if width == 0 {
            width = row.len();
        }
        if row.len() != width || row.iter().any(|value| !value.is_finite()) {
            break;
        }
        names.push((header.id, header.key));
        values.extend(row);
    }
    let count = names.len();
    if let Ok(rows) = Array2::from_shape_vec((count, width), values)
        && count > 0
    {
        let mut index = table.index();
        table.put(names, &rows, &mut index);
    }
    Ok(count)
}

/// Reads the next row; `None` at the end, and if the row is incomplete.
fn next_row(file: &mut Input) -> io::Result<Option<(RowHeader, Vec<f32>)>> {
    let header = line::<RowHeader>(file)?.filter(|header| (1..=MAX_WIDTH).contains(&header.width));
    let Some(header) = header else { return Ok(None) };
    let mut bytes = vec![0; 4 * header.width];
    match file.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    if hash_of(&bytes) != header.hash {
        return Ok(None);
    }
    let (values, _) = bytes.as_chunks::<4>();
    let row = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    Ok(Some((header, row)))
}

/// Reads a line of JSON; `None` if there is none.
fn line<T: serde::de::DeserializeOwned>(file: &mut Input) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    file.take(limit::TEXT).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(model: &str) -> Table {
        let embedder_id = EmbedderId { model: model.into(), ..EmbedderId::default() };
        Table { embedder_id, ..Table::default() }
    }

    fn names(ids: &[&str]) -> Vec<(String, String)> {
        ids.iter().map(|id| ((*id).to_owned(), format!("key {id}"))).collect()
    }

    #[test]
    fn rows_are_recovered_after_a_crash_up_to_one_that_was_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(JOURNAL);
        let rows = Array2::from_shape_fn((2, 3), |(row, column)| (row * 3 + column) as f32 + 0.1);
        for (cut, expected) in [(0, &["a", "b", "c", "d"][..]), (1, &["a", "b", "c"][..])] {
            let mut journal = Journal::open(folder.path(), &mut table("m")).expect("open");
            journal.append(&names(&["a", "b"]), &rows).expect("written");
            journal.append(&names(&["c", "d"]), &rows).expect("written");
            let length = std::fs::metadata(&path).expect("there").len();
            let file = std::fs::File::options().write(true).open(&path).expect("opened");
            file.set_len(length - cut).expect("cut");
            let mut recovered = table("m");
            Journal::open(folder.path(), &mut recovered).expect("open");
            assert_eq!(recovered.ids, expected);
            assert_eq!(recovered.rows.row(1), rows.row(1));
            assert_eq!(Table::open(folder.path()).expect("readable"), Some(recovered));
            assert!(!path.exists(), "the rows are in the table");
        }
    }

    #[test]
    fn the_rows_of_another_embedder_are_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(folder.path(), &mut table("old")).expect("open");
        journal.append(&names(&["a"]), &Array2::ones((1, 3))).expect("written");
        let mut other = table("new");
        Journal::open(folder.path(), &mut other).expect("open");
        assert!(other.ids.is_empty() && !folder.path().join(JOURNAL).exists());
    }
}
