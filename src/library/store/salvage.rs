//! What can still be read of a damaged store goes into the new one, row by row until the damage.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Tables that nobody could make again, or only in hours. A scan makes the others.
const TABLES: [&str; 6] = ["opinions", "labels", "bans", "plays", "memory", "verdicts"];

/// Takes over what the store at `old` still holds; how many rows that is. Nothing here fails: what cannot be read is
/// lost already.
pub(super) fn take_over(connection: &Connection, old: &Path) -> usize {
    let Ok(old) = Connection::open(old) else { return 0 };
    let copied = TABLES.iter().map(|table| copy(connection, &old, table).unwrap_or(0));
    copied.sum()
}

fn copy(connection: &Connection, old: &Connection, table: &str) -> Result<usize, rusqlite::Error> {
    let mut rows = old.prepare(&format!("SELECT * FROM {table}"))?;
    let names: Vec<String> = rows.column_names().map(|name| format!("\"{name}\"")).collect();
    let places = vec!["?"; names.len()].join(", ");
    let step = connection.unchecked_transaction()?;
    let mut copied = 0;
    {
        let sql = format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({places})", names.join(", "));
        let mut put = step.prepare(&sql)?;
        let mut rows = rows.query([])?;
        while let Ok(Some(row)) = rows.next() {
            let values: Result<Vec<Value>, _> = (0..names.len()).map(|at| row.get(at)).collect();
            let Ok(values) = values else { break };
            copied += put.execute(params_from_iter(values))?;
        }
    }
    step.commit()?;
    Ok(copied)
}
