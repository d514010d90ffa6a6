//! The tables, and the migration of older files.

use rusqlite::{Connection, Transaction};

/// The format version written by this program, stored in `PRAGMA user_version`.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Stores up to this size, in bytes, have all tables checked each time they are opened, which takes a few
/// milliseconds.
const CHECKED_BYTES: u64 = 4 << 20;
/// Small tables that cannot be recreated and are checked each time a store is opened.
const PRECIOUS: [&str; 5] = ["opinions", "labels", "bans", "plays", "memory"];

/// Step `n` migrates a file of version `n` to `n + 1`. Steps are only ever appended.
const MIGRATIONS: &[&str] = &[
    "
    -- A preset: one row per content, regardless of its files.
    CREATE TABLE presets (
        key INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        -- Version of the text analysis that filled the columns below; 0 means never.
        analysed INTEGER NOT NULL DEFAULT 0,
        tags INTEGER NOT NULL DEFAULT 0,
        energy INTEGER NOT NULL DEFAULT 1,
        family INTEGER NOT NULL DEFAULT 0
    );
    -- A scanned folder.
    CREATE TABLE libraries (
        key INTEGER PRIMARY KEY,
        root BLOB NOT NULL UNIQUE,
        scanned_at INTEGER NOT NULL DEFAULT 0
    );
    -- Files of a library; path is below the root, in the platform's encoding. Files with the same size and time are not
    -- read again.
    CREATE TABLE files (
        library INTEGER NOT NULL,
        path BLOB NOT NULL,
        preset INTEGER NOT NULL,
        size INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL,
        PRIMARY KEY (library, path)
    ) WITHOUT ROWID;
    CREATE INDEX files_of_preset ON files (preset);
    -- Search text of names, paths and tags; rowid is presets.key.
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = '', contentless_delete = 1, detail = none,
        prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
    );
    -- The performer's opinions; IDs are content hashes, so nothing depends on a scan.
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
    -- Audit verdicts; fields used for filtering are columns, the rest is JSON.
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
    -- Named JSON values, such as the taste.
    CREATE TABLE memory (
        name TEXT PRIMARY KEY,
        json TEXT NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
",
    "
    -- The recipe of a verdict, and a covering index to find verdicts without reading JSON.
    ALTER TABLE verdicts ADD COLUMN recipe TEXT NOT NULL DEFAULT '';
    CREATE INDEX verdicts_by_recipe ON verdicts (recipe, id, safety, completeness, look);
",
    "
    -- Tags found by an audit, stored with the verdict and copied to the preset for opening a library.
    ALTER TABLE verdicts ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE presets ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
",
    "
    -- The energy of a preset depends on the name of its file, so copies in other libraries must not change it. Files with
    -- copies are read again.
    ALTER TABLE files ADD COLUMN energy INTEGER;
    UPDATE files SET energy = (SELECT energy FROM presets WHERE key = files.preset)
        WHERE preset IN (SELECT preset FROM files GROUP BY preset HAVING count(*) = 1);
",
    "
    -- The engine, graphics driver and method of a verdict. Presets with older verdicts are audited again.
    ALTER TABLE verdicts ADD COLUMN judged_by TEXT NOT NULL DEFAULT '';
",
    "
    -- A covering index to find the origin of a recipe without reading JSON.
    CREATE INDEX verdicts_by_origin ON verdicts (recipe, judged_by);
",
];

/// Returns the format version of the file.
pub(super) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Checks the store and returns the damage found, if any. Checks everything if `suspect` is set, otherwise only
/// what can be checked quickly. Other damage in a large store goes unnoticed until it causes an error, which
/// marks the store as suspect. `file_bytes` is called after the expected size has been read, because other
/// processes may be writing.
pub(super) fn probe(
    connection: &Connection,
    file_bytes: impl FnOnce() -> u64,
    suspect: bool,
) -> Result<Option<String>, rusqlite::Error> {
    // A read transaction, so that no other process shrinks the store in the meantime.
    let _look = connection.unchecked_transaction()?;
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = (pragma("page_count")? * pragma("page_size")?).unsigned_abs();
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    let file_bytes = file_bytes();
    if file_bytes < bytes {
        return Ok(Some(format!("truncated to {file_bytes} of {bytes} bytes")));
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

/// Migrates the file to [`VERSION`]; each step is atomic and runs once even if two processes open the file at
/// the same time.
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
