//! The tables, and how older files become this version.

use rusqlite::{Connection, Transaction};

/// The format this program writes; `PRAGMA user_version` of the file.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Stores no larger than this are checked page by page at every opening; it takes a few milliseconds.
const CHECKED_BYTES: u64 = 4 << 20;
/// What nobody could make again is small, and checked at every opening.
const PRECIOUS: [&str; 5] = ["opinions", "labels", "bans", "plays", "memory"];

/// Step `n` brings a file of version `n` to `n + 1`. Steps are only ever added.
const MIGRATIONS: &[&str] = &[
    "
    -- A preset: one row for each content, whatever its files are called.
    CREATE TABLE presets (
        key INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        -- Version of the text analysis that filled the columns below; 0 is never.
        analysed INTEGER NOT NULL DEFAULT 0,
        tags INTEGER NOT NULL DEFAULT 0,
        energy INTEGER NOT NULL DEFAULT 1,
        family INTEGER NOT NULL DEFAULT 0
    );
    -- A folder that was scanned.
    CREATE TABLE libraries (
        key INTEGER PRIMARY KEY,
        root BLOB NOT NULL UNIQUE,
        scanned_at INTEGER NOT NULL DEFAULT 0
    );
    -- Its files; path is below the root, in the system's own bytes. Unchanged size and time: not read again.
    CREATE TABLE files (
        library INTEGER NOT NULL,
        path BLOB NOT NULL,
        preset INTEGER NOT NULL,
        size INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL,
        PRIMARY KEY (library, path)
    ) WITHOUT ROWID;
    CREATE INDEX files_of_preset ON files (preset);
    -- Words of names, paths and tags; rowid is presets.key.
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = '', contentless_delete = 1, detail = none,
        prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
    );
    -- What the performer said; ids are content hashes, so nothing depends on a scan.
    CREATE TABLE opinions (
        id BLOB PRIMARY KEY,
        favourite INTEGER NOT NULL DEFAULT 0,
        rating INTEGER,
        note TEXT NOT NULL DEFAULT '',
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE labels (
        id BLOB NOT NULL,
        label TEXT NOT NULL,
        PRIMARY KEY (id, label)
    ) WITHOUT ROWID;
    CREATE TABLE bans (
        id BLOB NOT NULL,
        kind TEXT NOT NULL,
        until INTEGER,
        reason TEXT NOT NULL DEFAULT '',
        at INTEGER NOT NULL,
        PRIMARY KEY (id, kind)
    ) WITHOUT ROWID;
    CREATE TABLE plays (
        id BLOB PRIMARY KEY,
        plays INTEGER NOT NULL DEFAULT 0,
        skips INTEGER NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0,
        last_at INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    -- What the audit found; the parts a choice depends on as columns, the rest as JSON.
    CREATE TABLE verdicts (
        id BLOB PRIMARY KEY,
        safety TEXT NOT NULL,
        completeness TEXT NOT NULL,
        look TEXT NOT NULL,
        flash TEXT NOT NULL,
        cost_ms REAL,
        json TEXT NOT NULL,
        at INTEGER NOT NULL
    );
    -- One JSON text for each thing that is remembered whole: the taste, the last profile.
    CREATE TABLE memory (
        name TEXT PRIMARY KEY,
        json TEXT NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
",
    "
    -- By which recipe a verdict was reached, and what asks whether there is one, without reading any JSON.
    ALTER TABLE verdicts ADD COLUMN recipe TEXT NOT NULL DEFAULT '';
    CREATE INDEX verdicts_by_recipe ON verdicts (recipe, id, safety, completeness, look);
",
    "
    -- Tags that only an audit can see: with the verdict, and beside the tags of the text for whoever opens a library.
    ALTER TABLE verdicts ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE presets ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
",
];

/// The file's version.
pub(super) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Looks for damage and says what it finds: as far as is quick, or everywhere when the store is `suspect`. A large store
/// may be damaged where nobody looked; who meets that marks it as suspect. `file_bytes` is how long the file is, asked for
/// after the store was asked how long it should be: others may be writing.
pub(super) fn probe(
    connection: &Connection,
    file_bytes: impl FnOnce() -> u64,
    suspect: bool,
) -> Result<Option<String>, rusqlite::Error> {
    // One state of the store, which nobody makes shorter meanwhile.
    let _look = connection.unchecked_transaction()?;
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = (pragma("page_count")? * pragma("page_size")?).unsigned_abs();
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    let file_bytes = file_bytes();
    if file_bytes < bytes {
        return Ok(Some(format!("it was cut off after {file_bytes} of {bytes} bytes")));
    }
    let checks = match bytes {
        _ if suspect => vec!["integrity_check(1)".to_owned()],
        ..=CHECKED_BYTES => vec!["quick_check(1)".to_owned()],
        _ => PRECIOUS.iter().map(|table| format!("quick_check('{table}')")).collect(),
    };
    for check in checks {
        let answer: String = connection.query_row(&format!("PRAGMA {check}"), [], |row| row.get(0))?;
        if answer != "ok" {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// Brings the file to [`VERSION`]; a step is done whole or not at all, and once when two processes open at a time.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    while version(connection)? < VERSION {
        let step = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        take_step(&step)?;
        step.commit()?;
    }
    Ok(())
}

fn take_step(step: &Transaction) -> Result<(), rusqlite::Error> {
    let from = version(step)?;
    let Some(sql) = MIGRATIONS.get(from as usize) else { return Ok(()) };
    step.execute_batch(sql)?;
    step.pragma_update(None, "user_version", from + 1)
}
