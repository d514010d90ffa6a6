//! Copies readable rows of a damaged store to a new one, from both ends towards the damage.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Statement, params_from_iter};

use crate::units::counted;

/// Tables that cannot be recreated, or only in hours, with their reverse storage order. A scan recreates the others.
const TABLES: [(&str, &str); 6] = [
    ("opinions", "id DESC"),
    ("labels", "id DESC, label DESC"),
    ("bans", "id DESC, kind DESC"),
    ("plays", "id DESC"),
    ("memory", "name DESC"),
    ("verdicts", "rowid DESC"),
];
/// Length of a preset id, bytes.
const ID_BYTES: usize = 16;

/// What was copied.
#[derive(Debug, Default)]
pub(super) struct CopiedRows {
    favourites: usize,
    bans: usize,
    /// All rows, including favourites and bans.
    entries: usize,
    /// Whether some rows could not be read.
    lost: bool,
}

impl fmt::Display for CopiedRows {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { favourites, bans, entries, lost } = self;
        let (favourites, bans) = (counted(*favourites, "favourite"), counted(*bans, "ban"));
        write!(out, "{}, including {favourites} and {bans}", counted(*entries, "row"))?;
        if *lost { write!(out, "; some could not be read") } else { Ok(()) }
    }
}

/// Copies the readable rows of the store at `old` to a new one. Never fails: unreadable rows are lost anyway. The old
/// store and its log are left unchanged.
pub(super) fn copy_rows(connection: &Connection, old: &Path) -> CopiedRows {
    let mut copied_rows = CopiedRows::default();
    let opened = Connection::open(old).and_then(|old| {
        old.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(old)
    });
    let Ok(old) = opened else { return CopiedRows { lost: true, ..copied_rows } };
    for (table, backwards) in TABLES {
        let copied = Copier::new(connection, table).and_then(|copier| copier.copy(&old, backwards));
        let (rows, lost) = copied.unwrap_or((0, true));
        copied_rows.entries += rows;
        copied_rows.lost |= lost;
    }
    let count = |what: &str| {
        let sql = format!("SELECT count(*) FROM {what}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_or(0, |count| count as usize)
    };
    copied_rows.favourites = count("opinions WHERE favourite = 1");
    copied_rows.bans = count("bans");
    copied_rows
}

/// Copies one table.
struct Copier<'a> {
    connection: &'a Connection,
    table: &'a str,
    /// Declared type of each column.
    kinds: HashMap<String, String>,
}

impl<'a> Copier<'a> {
    fn new(connection: &'a Connection, table: &'a str) -> Result<Self, rusqlite::Error> {
        let mut columns = connection.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
        let kinds = columns.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { connection, table, kinds: kinds.collect::<Result<_, _>>()? })
    }

    /// Copies the table; returns the number of rows and whether any were lost.
    fn copy(&self, old: &Connection, backwards: &str) -> Result<(usize, bool), rusqlite::Error> {
        let step = self.connection.unchecked_transaction()?;
        let mut done = (0, false);
        let whole = self.pass(old.prepare(&format!("SELECT * FROM {}", self.table))?, &mut done)?;
        if !whole {
            let sql = format!("SELECT * FROM {} ORDER BY {backwards}", self.table);
            self.pass(old.prepare(&sql)?, &mut done)?;
        }
        step.commit()?;
        Ok((done.0, done.1 || !whole))
    }

    /// Copies rows up to the end or the damage; returns whether it reached the end.
    fn pass(&self, mut from: Statement, (copied, lost): &mut (usize, bool)) -> Result<bool, rusqlite::Error> {
        let names: Vec<String> = from.column_names().map(str::to_owned).collect();
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let placeholders = vec!["?"; names.len()].join(", ");
        let sql =
            format!("INSERT OR IGNORE INTO {} ({}) VALUES ({placeholders})", self.table, quoted.join(", "));
        let mut put = self.connection.prepare(&sql)?;
        let mut rows = from.query([])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(true),
                Err(_) => return Ok(false),
            };
            let values = names.iter().enumerate().map(|(at, name)| self.valid(name, row.get_ref(at).ok()?));
            let put =
                values.collect::<Option<Vec<Value>>>().map(|values| put.execute(params_from_iter(values)));
            match put {
                Some(Ok(rows)) => *copied += rows,
                Some(Err(_)) | None => *lost = true,
            }
        }
    }

    /// Returns the value if it has the type of its column, since damaged rows may contain anything. Invalid UTF-8 is
    /// replaced.
    fn valid(&self, name: &str, value: ValueRef) -> Option<Value> {
        let kind = self.kinds.get(name)?.as_str();
        match (value, kind) {
            (ValueRef::Null, _) => Some(Value::Null),
            (ValueRef::Integer(number), "INTEGER" | "REAL") => Some(Value::Integer(number)),
            (ValueRef::Real(number), "REAL") => Some(Value::Real(number)),
            (ValueRef::Text(text), "TEXT") => Some(Value::Text(String::from_utf8_lossy(text).into_owned())),
            (ValueRef::Blob(bytes), "BLOB") if name != "id" || bytes.len() == ID_BYTES => {
                Some(Value::Blob(bytes.to_vec()))
            }
            _ => None,
        }
    }
}
