//! Backups of the performer's data, from the last three starts at which it had changed.

use std::path::Path;

use rusqlite::Connection;

use super::names::{BACKUPS, backup, with_suffix};
use super::salvage::PERFORMER_TABLES;
use super::{Store, StoreError};
use crate::disk;

impl Store {
    /// Backs up the performer's data, such as favourites, bans, plays and taste, unless there is none, or it
    /// equals the newest backup. Takes milliseconds; does nothing for a store in memory.
    ///
    /// # Errors
    /// Fails if the backup cannot be written; older backups are kept.
    pub fn back_up(&self) -> Result<(), StoreError> {
        let Some(path) = self.path() else { return Ok(()) };
        let unusable = |error: &dyn std::fmt::Display| {
            StoreError::Folder(path.to_owned(), std::io::Error::other(error.to_string()))
        };
        let fresh = with_suffix(path, ".backup.part");
        std::fs::remove_file(&fresh).ok(); // Left by a process that was killed.
        let copied = copy(&self.connection, &fresh);
        let same = |copied: bool| -> std::io::Result<bool> {
            let newest = backup(path, 1);
            Ok(!copied || newest.is_file() && std::fs::read(&fresh)? == std::fs::read(newest)?)
        };
        let kept = copied.map_err(|error| unusable(&error)).and_then(|copied| {
            if same(copied).map_err(|error| unusable(&error))? {
                return Ok(false);
            }
            for number in (1..BACKUPS).rev() {
                let (from, to) = (backup(path, number), backup(path, number + 1));
                if from.is_file() {
                    std::fs::rename(from, to).map_err(|error| unusable(&error))?;
                }
            }
            disk::publish(&fresh, &backup(path, 1)).map_err(|error| unusable(&error))?;
            Ok(true)
        });
        if !matches!(kept, Ok(true)) {
            std::fs::remove_file(&fresh).ok(); // Incomplete or not needed.
        }
        kept.map(|_| ())
    }
}

/// Copies the performer's tables to a new database; returns false if they are empty.
fn copy(connection: &Connection, to: &Path) -> Result<bool, rusqlite::Error> {
    connection.execute("ATTACH DATABASE ?1 AS backup", [to.to_string_lossy()])?;
    let copied = (|| {
        let step = connection.unchecked_transaction()?;
        let mut rows = 0;
        for table in PERFORMER_TABLES {
            let sql = format!("CREATE TABLE backup.{table} AS SELECT * FROM main.{table}");
            step.execute(&sql, [])?;
            let sql = format!("SELECT count(*) FROM backup.{table}");
            rows += step.query_row(&sql, [], |row| row.get::<_, i64>(0))?;
        }
        step.commit()?;
        Ok(rows > 0)
    })();
    connection.execute("DETACH DATABASE backup", [])?;
    copied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PresetId;
    use crate::store::STORE_FILE;
    use crate::store::names::backups;

    #[test]
    fn the_last_three_changed_states_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let path = folder.path().join(STORE_FILE);
        store.back_up().expect("nothing to back up");
        assert_eq!(backups(&path).count(), 0, "an empty store replaces no backup");
        for number in 0..5_u8 {
            store.set_favourite(PresetId::of(&[number]), true, i64::from(number)).expect("marked");
            store.back_up().expect("backed up");
            store.back_up().expect("not needed");
        }
        let favourites: Vec<i64> = backups(&path)
            .map(|backup| {
                let backup = Connection::open(backup).expect("opens");
                backup.query_row("SELECT count(*) FROM opinions", [], |row| row.get(0)).expect("read")
            })
            .collect();
        assert_eq!(favourites, [5, 4, 3]);
        let parts = std::fs::read_dir(folder.path()).expect("read").flatten();
        assert!(parts.into_iter().all(|entry| !entry.file_name().to_string_lossy().ends_with(".part")));
    }
}
