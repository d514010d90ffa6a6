//! Copies data that cannot be recreated to a new store, from backups and from a store that is damaged or cannot
//! be opened.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ToSql, params_from_iter};

use super::{BanKind, UnixSecs};
use crate::salvage::{self, Depth, Kind, Row, Shape, Value};
use crate::units::counted;

use Kind::{Id, Integer, IntegerOrNull, Number, NumberOrNull, Text};

/// A table whose rows cannot be recreated, or only by an audit that takes hours. A scan recreates the other
/// tables.
struct Table {
    /// Names of the columns, in the order in which they are stored.
    columns: &'static [&'static str],
    /// Number of leading columns that identify a row.
    keys: usize,
    /// The column that determines which of two rows with the same key is newer; `None` if all columns are
    /// part of the key.
    time: Option<&'static str>,
    shape: Shape,
}

const fn table(
    name: &'static str,
    columns: &'static [&'static str],
    kinds: &'static [Kind],
    (keys, required): (usize, usize),
    time: Option<&'static str>,
) -> Table {
    Table { columns, keys, time, shape: Shape { table: name, columns: kinds, required } }
}

const TABLES: [Table; 6] = [
    table(
        "opinions",
        &["id", "favourite", "rating", "note", "at"],
        &[Id, Integer, IntegerOrNull, Text, Integer],
        (1, 5),
        Some("at"),
    ),
    table("labels", &["id", "label"], &[Id, Text], (2, 2), None),
    table(
        "bans",
        &["id", "kind", "until", "reason", "at"],
        &[Id, Text, IntegerOrNull, Text, Integer],
        (2, 5),
        Some("at"),
    ),
    table(
        "plays",
        &["id", "plays", "skips", "seconds", "last_at"],
        &[Id, Integer, Integer, Number, Integer],
        (1, 5),
        Some("last_at"),
    ),
    table("memory", &["name", "json", "at"], &[Text, Text, Integer], (1, 3), Some("at")),
    table(
        "verdicts",
        &[
            "id",
            "safety",
            "completeness",
            "look",
            "flash",
            "cost_ms",
            "json",
            "at",
            "recipe",
            "seen",
            "judged_by",
        ],
        &[Id, Text, Text, Text, Text, NumberOrNull, Text, Integer, Text, Integer, Text],
        (1, 8),
        Some("at"),
    ),
];

/// Tables with the performer's data, which are backed up.
pub(super) const PERFORMER_TABLES: [&str; 5] = ["opinions", "labels", "bans", "plays", "memory"];

/// Numbers of favourites, bans and ratings in a store, for messages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CopiedRows {
    favourites: usize,
    bans: usize,
    ratings: usize,
}

impl fmt::Display for CopiedRows {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { favourites, bans, ratings } = self;
        let (favourites, bans) = (counted(*favourites, "favourite"), counted(*bans, "ban"));
        write!(out, "{favourites}, {bans} and {}", counted(*ratings, "rating"))
    }
}

impl CopiedRows {
    /// Counts the favourites, bans and ratings in a store.
    pub fn of(connection: &Connection) -> Self {
        let count = |what: &str| {
            let sql = format!("SELECT count(*) FROM {what}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_or(0, |count| count as usize)
        };
        Self {
            favourites: count("opinions WHERE favourite = 1"),
            bans: count("bans"),
            ratings: count("opinions WHERE rating IS NOT NULL"),
        }
    }
}

/// Copies the rows that can still be read from the store or backup at `old`; of two rows with the same key, keeps
/// the newer one. The old file and its log are left unchanged. If the file cannot be read, a warning is logged.
///
/// # Errors
/// Fails if the new store cannot be written.
pub(super) fn copy_rows(
    connection: &Connection,
    old: &Path,
    depth: Depth,
    now: UnixSecs,
) -> Result<(), rusqlite::Error> {
    let shapes = TABLES.map(|table| table.shape);
    let step = connection.unchecked_transaction()?;
    let statements = Statements::of(connection);
    let mut failed = None;
    let read = salvage::rows(old, &shapes, depth, |row| {
        if let Some(row) = valid(row, now)
            && failed.is_none()
        {
            failed = statements.put(&row).err();
        }
    });
    if let Err(error) = read {
        log::warn!("cannot read {}: {error}", old.display());
    }
    match failed {
        Some(error) => Err(error),
        None => step.commit(),
    }
}

/// Returns a row with implausible values replaced; `None` if the row is unusable.
fn valid(mut row: Row, now: UnixSecs) -> Option<Row> {
    let at = |row: &Row, name: &str| {
        let table = TABLES.iter().find(|table| table.shape.table == row.table)?;
        table.columns.iter().position(|column| *column == name)
    };
    for name in ["at", "last_at"] {
        // A row with a time in the future would take precedence over everything that the performer does
        // later.
        if let Some(Value::Integer(time)) = at(&row, name).and_then(|at| row.values.get_mut(at)) {
            *time = (*time).clamp(0, now);
        }
    }
    let text = |value: &Value| matches!(value, Value::Text(text) if !text.is_empty());
    match (row.table, &mut row.values[..]) {
        ("opinions", [_, favourite, rating, _, at]) => {
            *favourite = Value::Integer(i64::from(*favourite == Value::Integer(1)));
            if !matches!(rating, Value::Integer(1..=5)) {
                *rating = Value::Null;
            }
            if *at == Value::Null {
                *at = Value::Integer(0); // The end of a long note is lost, and the time with it.
            }
        }
        ("bans", [_, Value::Text(kind), _, _, at])
            if BanKind::ALL.iter().any(|known| known.word() == *kind) =>
        {
            if *at == Value::Null {
                *at = Value::Integer(0);
            }
        }
        ("labels", [_, label]) if row.complete && text(label) => {}
        ("memory", [name, Value::Text(json), _])
            if row.complete && text(name) && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok() => {}
        ("plays" | "verdicts", _) if row.complete => {}
        _ => return None,
    }
    Some(row)
}

/// The statements that store a row, by table, number of columns, and whether the row is certain.
struct Statements<'a> {
    connection: &'a Connection,
    sql: BTreeMap<(&'static str, usize, bool), String>,
}

impl<'a> Statements<'a> {
    fn of(connection: &'a Connection) -> Self {
        let mut sql = BTreeMap::new();
        for table in &TABLES {
            for count in table.shape.required..=table.columns.len() {
                for certain in [false, true] {
                    sql.insert((table.shape.table, count, certain), upsert(table, count, certain));
                }
            }
        }
        Self { connection, sql }
    }

    fn put(&self, row: &Row) -> Result<(), rusqlite::Error> {
        let Some(sql) = self.sql.get(&(row.table, row.values.len(), row.certain)) else { return Ok(()) };
        let mut put = self.connection.prepare_cached(sql)?;
        put.execute(params_from_iter(row.values.iter().map(Stored)))?;
        Ok(())
    }
}

/// Returns the statement that stores the first `count` columns of a row. It replaces an existing row with the
/// same key if the existing row is older or, provided that the new row is certain, has the same time.
fn upsert(table: &Table, count: usize, certain: bool) -> String {
    let columns = &table.columns[..count];
    let name = table.shape.table;
    let places = vec!["?"; count].join(", ");
    let insert = format!("INSERT INTO {name} ({}) VALUES ({places})", columns.join(", "));
    let keys = table.columns[..table.keys].join(", ");
    let Some(time) = table.time else { return format!("{insert} ON CONFLICT ({keys}) DO NOTHING") };
    let sets: Vec<String> =
        columns[table.keys..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let newer = if certain { ">=" } else { ">" };
    format!(
        "{insert} ON CONFLICT ({keys}) DO UPDATE SET {} WHERE excluded.{time} {newer} {time}",
        sets.join(", ")
    )
}

/// A value as a parameter of an SQL statement.
struct Stored<'a>(&'a Value);

impl ToSql for Stored<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::Null => Ok(ToSqlOutput::Owned(rusqlite::types::Value::Null)),
            Value::Integer(number) => number.to_sql(),
            Value::Real(number) => number.to_sql(),
            Value::Text(text) => text.to_sql(),
            Value::Blob(bytes) => bytes.to_sql(),
        }
    }
}
