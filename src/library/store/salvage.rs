//! What can still be read of a damaged store goes into the new one, row by row, from both ends towards the damage.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Statement, params_from_iter};

/// Tables that nobody could make again, or only in hours, and how they lie in the file, backwards. A scan makes the others.
const TABLES: [(&str, &str); 6] = [
    ("opinions", "id DESC"),
    ("labels", "id DESC, label DESC"),
    ("bans", "id DESC, kind DESC"),
    ("plays", "id DESC"),
    ("memory", "name DESC"),
    ("verdicts", "rowid DESC"),
];
/// Bytes of a preset's identity.
const ID_BYTES: usize = 16;

/// What was taken over.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    favourites: usize,
    bans: usize,
    /// All rows, favourites and bans among them.
    entries: usize,
    /// Something was there that could not be read.
    lost: bool,
}

impl fmt::Display for Salvaged {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { favourites, bans, entries, lost } = self;
        write!(out, "{entries} entries, {favourites} favourites and {bans} bans among them")?;
        if *lost { write!(out, "; others could not be read") } else { Ok(()) }
    }
}

/// Takes over what the store at `old` still holds into a new one. Nothing here fails: what cannot be read is lost
/// already. The old store and its log stay as they are.
pub(super) fn take_over(connection: &Connection, old: &Path) -> Salvaged {
    let mut taken = Salvaged::default();
    let opened = Connection::open(old).and_then(|old| {
        old.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(old)
    });
    let Ok(old) = opened else { return Salvaged { lost: true, ..taken } };
    for (table, backwards) in TABLES {
        let copied = Copier::new(connection, table).and_then(|copier| copier.copy(&old, backwards));
        let (rows, lost) = copied.unwrap_or((0, true));
        taken.entries += rows;
        taken.lost |= lost;
    }
    let count = |what: &str| {
        let sql = format!("SELECT count(*) FROM {what}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_or(0, |count| count as usize)
    };
    taken.favourites = count("opinions WHERE favourite = 1");
    taken.bans = count("bans");
    taken
}

/// Copies one table.
struct Copier<'a> {
    connection: &'a Connection,
    table: &'a str,
    /// What each column is declared to hold.
    kinds: HashMap<String, String>,
}

impl<'a> Copier<'a> {
    fn new(connection: &'a Connection, table: &'a str) -> Result<Self, rusqlite::Error> {
        let mut columns = connection.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
        let kinds = columns.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { connection, table, kinds: kinds.collect::<Result<_, _>>()? })
    }

    /// How many rows were copied, and whether any was lost.
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

    /// Copies rows until the end or the damage; whether it came to the end.
    fn pass(&self, mut from: Statement, (copied, lost): &mut (usize, bool)) -> Result<bool, rusqlite::Error> {
        let names: Vec<String> = from.column_names().map(str::to_owned).collect();
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let places = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {} ({}) VALUES ({places})", self.table, quoted.join(", "));
        let mut put = self.connection.prepare(&sql)?;
        let mut rows = from.query([])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(true),
                Err(_) => return Ok(false),
            };
            let values = names.iter().enumerate().map(|(at, name)| self.sound(name, row.get_ref(at).ok()?));
            let put =
                values.collect::<Option<Vec<Value>>>().map(|values| put.execute(params_from_iter(values)));
            match put {
                Some(Ok(rows)) => *copied += rows,
                Some(Err(_)) | None => *lost = true,
            }
        }
    }

    /// The value when it is what its column holds: damage may leave anything there. Letters that are none are replaced.
    fn sound(&self, name: &str, value: ValueRef) -> Option<Value> {
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
