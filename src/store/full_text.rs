//! Full-text search over all libraries ever scanned, by name, path, tag, energy and label; a query word
//! matches every word that starts with it. The current library is searched in memory instead.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::paths::text_of;
use super::{Store, StoreError};
use crate::facts::Tags;
use crate::facts::{Energy, PresetId};

/// A preset found by a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// ID of the preset.
    pub id: PresetId,
    /// Path of one of the preset's files, relative to the library.
    pub path: String,
}

impl Store {
    /// Returns up to `limit` presets for which every word of `text` is the start of a word in the name, path,
    /// tags, energy or labels; words after the twelfth are ignored. Returns nothing if `text`
    /// contains no letters or digits.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<Found>, StoreError> {
        let Some(search) = fts_query(text) else { return Ok(Vec::new()) };
        let mut query = self.connection.prepare_cached(
            "SELECT p.id, (SELECT path FROM files WHERE preset = p.key LIMIT 1)
             FROM words JOIN presets p ON p.key = words.rowid WHERE words MATCH ?1 LIMIT ?2",
        )?;
        let rows = query.query_map(params![search, limit as i64], |row| {
            let path: Option<Vec<u8>> = row.get(1)?;
            Ok(Found { id: PresetId(row.get(0)?), path: text_of(&path.unwrap_or_default()) })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the number of presets that [`Self::search`] would find without a limit.
    pub fn count(&self, text: &str) -> Result<usize, StoreError> {
        let Some(search) = fts_query(text) else { return Ok(0) };
        let mut query = self.connection.prepare_cached("SELECT count(*) FROM words WHERE words MATCH ?1")?;
        Ok(query.query_row([search], |row| row.get::<_, i64>(0))? as usize)
    }
}

/// Converts a search text to FTS5 syntax: every word is quoted, matched by prefix and required. Returns `None` if
/// `text` contains no letters or digits.
fn fts_query(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.take(12).map(|word| format!("\"{word}\"*")).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Updates the search text of a preset.
pub(super) fn refresh(connection: &Connection, key: i64) -> Result<(), rusqlite::Error> {
    let mut facts =
        connection.prepare_cached("SELECT id, tags | seen, energy FROM presets WHERE key = ?1")?;
    let read = |row: &rusqlite::Row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, u32>(1)?, row.get(2)?));
    let Some((id, tags, energy)) = facts.query_row([key], read).optional()? else { return Ok(()) };
    let mut words = String::new();
    let mut paths = connection.prepare_cached("SELECT path FROM files WHERE preset = ?1")?;
    for path in paths.query_map([key], |row| row.get::<_, Vec<u8>>(0))? {
        words.push_str(&text_of(&path?));
        words.push(' ');
    }
    connection.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([key])?;
    if words.is_empty() {
        return Ok(()); // No file contains the preset any more.
    }
    let mut labels = connection.prepare_cached("SELECT label FROM labels WHERE id = ?1")?;
    for label in labels.query_map([id], |row| row.get::<_, String>(0))? {
        words.push_str(&label?);
        words.push(' ');
    }
    words.push_str(&Tags(tags).to_string());
    words.push(' ');
    words.push_str(Energy::of_rank(energy).label());
    connection
        .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
        .execute(params![key, words])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_text_is_never_interpreted_as_syntax() {
        assert_eq!(
            fts_query("  \"a' OR b* (c) NEAR -d: "),
            Some(r#""a"* "OR"* "b"* "c"* "NEAR"* "d"*"#.into())
        );
        assert_eq!(fts_query(" -- \" "), None);
    }
}
