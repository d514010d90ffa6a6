//! The performer's data: favourites, ratings, notes, labels, plays, bans, and named JSON values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BanKind, Store, StoreError, UnixSecs};
use crate::facts::PresetId;

/// A ban that excludes a preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// ID of the preset.
    pub id: PresetId,
    /// Kind of the ban.
    pub kind: BanKind,
    /// End of the ban; `None` if unlimited.
    pub until: Option<UnixSecs>,
    /// Reason shown to the performer.
    pub reason: String,
}

/// The performer's opinion of a preset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opinion {
    /// Whether the preset is a favourite.
    pub favourite: bool,
    /// Rating from 1 to 5, if any.
    pub rating: Option<u8>,
    /// The performer's note; may be empty.
    pub note: String,
    /// The performer's own tags.
    pub labels: Vec<String>,
}

/// Play statistics of a preset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Play {
    /// Number of times on air.
    pub plays: u32,
    /// Number of times skipped.
    pub skips: u32,
    /// Total seconds on air.
    pub seconds: f64,
    /// Time of the last play.
    pub last_at: UnixSecs,
}

impl Store {
    /// Marks or unmarks a favourite.
    pub fn set_favourite(&self, id: PresetId, favourite: bool, now: UnixSecs) -> Result<(), StoreError> {
        let mut set = self.connection.prepare_cached(
            "INSERT INTO opinions (id, favourite, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET favourite = ?2, at = ?3",
        )?;
        set.execute(params![id.0, favourite, now])?;
        Ok(())
    }

    /// Returns the favourite presets.
    pub fn favourites(&self) -> Result<BTreeSet<PresetId>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT id FROM opinions WHERE favourite = 1")?;
        let ids = query.query_map([], |row| row.get(0).map(PresetId))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Rates a preset from 1 to 5, or removes the rating.
    pub fn set_rating(&self, id: PresetId, rating: Option<u8>, now: UnixSecs) -> Result<(), StoreError> {
        let mut set = self.connection.prepare_cached(
            "INSERT INTO opinions (id, rating, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET rating = ?2, at = ?3",
        )?;
        set.execute(params![id.0, rating.map(|rating| rating.clamp(1, 5)), now])?;
        Ok(())
    }

    /// Calls `each` with every rating, from 1 to 5.
    pub fn each_rating(&self, mut each: impl FnMut(PresetId, u8)) -> Result<(), StoreError> {
        let sql = "SELECT id, rating FROM opinions WHERE rating IS NOT NULL";
        let mut query = self.connection.prepare_cached(sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(PresetId(row.get(0)?), row.get(1)?);
        }
        Ok(())
    }

    /// Sets the note of a preset.
    pub fn set_note(&self, id: PresetId, note: &str, now: UnixSecs) -> Result<(), StoreError> {
        let mut set = self.connection.prepare_cached(
            "INSERT INTO opinions (id, note, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET note = ?2, at = ?3",
        )?;
        set.execute(params![id.0, note, now])?;
        Ok(())
    }

    /// Adds or removes one of the performer's own tags, which search also finds.
    pub fn set_label(&self, id: PresetId, label: &str, on: bool) -> Result<(), StoreError> {
        let label = label.trim();
        if label.is_empty() {
            return Ok(());
        }
        let sql = if on {
            "INSERT OR IGNORE INTO labels (id, label) VALUES (?1, ?2)"
        } else {
            "DELETE FROM labels WHERE id = ?1 AND label = ?2"
        };
        let step = self.connection.unchecked_transaction()?;
        step.execute(sql, params![id.0, label])?;
        let key = "SELECT key FROM presets WHERE id = ?1";
        let key: Option<i64> = step.query_row(key, [id.0], |row| row.get(0)).optional()?;
        if let Some(key) = key {
            super::full_text::refresh(&step, key)?;
        }
        step.commit()?;
        Ok(())
    }

    /// Returns the performer's own tags of every preset that has any, in alphabetical order.
    pub fn labels(&self) -> Result<HashMap<PresetId, Vec<String>>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT id, label FROM labels ORDER BY id, label")?;
        let mut labels: HashMap<PresetId, Vec<String>> = HashMap::new();
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            labels.entry(PresetId(row.get(0)?)).or_default().push(row.get(1)?);
        }
        Ok(labels)
    }

    /// Returns the performer's opinion of a preset.
    pub fn opinion(&self, id: PresetId) -> Result<Opinion, StoreError> {
        let sql = "SELECT favourite, rating, note FROM opinions WHERE id = ?1";
        let read = |row: &rusqlite::Row| {
            let (favourite, rating, note) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Opinion { favourite, rating, note, labels: Vec::new() })
        };
        let mut opinion = self.connection.query_row(sql, [id.0], read).optional()?.unwrap_or_default();
        let mut labels = self.connection.prepare_cached("SELECT label FROM labels WHERE id = ?1")?;
        opinion.labels = labels.query_map([id.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(opinion)
    }

    /// Excludes a preset for the duration of this kind of ban; deletes expired bans.
    pub fn ban(&self, id: PresetId, kind: BanKind, reason: &str, now: UnixSecs) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM bans WHERE until <= ?1")?.execute([now])?;
        let mut set = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO bans (id, kind, until, reason, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        set.execute(params![id.0, kind.word(), kind.duration_secs().map(|secs| now + secs), reason, now])?;
        Ok(())
    }

    /// Lifts one kind of ban from a preset, or all of its bans.
    pub fn allow(&self, id: PresetId, kind: Option<BanKind>) -> Result<(), StoreError> {
        let sql = "DELETE FROM bans WHERE id = ?1 AND (?2 IS NULL OR kind = ?2)";
        self.connection.execute(sql, params![id.0, kind.map(BanKind::word)])?;
        Ok(())
    }

    /// Returns the bans in force at `now`.
    pub fn bans(&self, now: UnixSecs) -> Result<Vec<Ban>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, kind, until, reason FROM bans WHERE until IS NULL OR until > ?1 ORDER BY id, kind",
        )?;
        let rows = query.query_map([now], |row| {
            Ok((PresetId(row.get(0)?), row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
        })?;
        let mut bans = Vec::new();
        for row in rows {
            let (id, word, until, reason) = row?;
            let kind = BanKind::ALL.into_iter().find(|kind| kind.word() == word);
            bans.extend(kind.map(|kind| Ban { id, kind, until, reason }));
        }
        Ok(bans)
    }

    /// Records that a preset was on air for `seconds`, and whether it was skipped.
    pub fn played(&self, id: PresetId, seconds: f64, skipped: bool, now: UnixSecs) -> Result<(), StoreError> {
        let mut add = self.connection.prepare_cached(
            "INSERT INTO plays (id, plays, skips, seconds, last_at) VALUES (?1, 1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET plays = plays + 1, skips = skips + ?2, seconds = seconds + ?3,
             last_at = ?4",
        )?;
        add.execute(params![id.0, skipped, seconds, now])?;
        Ok(())
    }

    /// Records a skip unless one is already recorded; advances the time of the last play to `at` if that is
    /// later.
    pub fn set_skipped(&self, id: PresetId, at: UnixSecs) -> Result<(), StoreError> {
        let mut set = self.connection.prepare_cached(
            "INSERT INTO plays (id, skips, last_at) VALUES (?1, 1, ?2)
             ON CONFLICT (id) DO UPDATE SET skips = max(skips, 1), last_at = max(last_at, ?2)",
        )?;
        set.execute(params![id.0, at])?;
        Ok(())
    }

    /// Returns the play statistics of all presets that have any.
    pub fn plays(&self) -> Result<BTreeMap<PresetId, Play>, StoreError> {
        let mut query =
            self.connection.prepare_cached("SELECT id, plays, skips, seconds, last_at FROM plays")?;
        let rows = query.query_map([], |row| {
            let (plays, skips, seconds, last_at) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            Ok((PresetId(row.get(0)?), Play { plays, skips, seconds, last_at }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Stores a value, such as the taste, as JSON under a name.
    pub fn remember(&self, name: &str, what: &impl Serialize, now: UnixSecs) -> Result<(), StoreError> {
        self.remember_json(name, &serde_json::to_string(what)?, now)
    }

    pub(super) fn remember_json(&self, name: &str, json: &str, now: UnixSecs) -> Result<(), StoreError> {
        let mut set = self
            .connection
            .prepare_cached("INSERT OR REPLACE INTO memory (name, json, at) VALUES (?1, ?2, ?3)")?;
        set.execute(params![name, json, now])?;
        Ok(())
    }

    /// Returns when the value under this name was stored; `None` if there is none.
    pub(super) fn remembered_at(&self, name: &str) -> Result<Option<UnixSecs>, StoreError> {
        let sql = "SELECT at FROM memory WHERE name = ?1";
        Ok(self.connection.query_row(sql, [name], |row| row.get(0)).optional()?)
    }

    /// Loads the value stored under this name; `None` if there is none.
    pub fn recall<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let sql = "SELECT json FROM memory WHERE name = ?1";
        let json: Option<String> = self.connection.query_row(sql, [name], |row| row.get(0)).optional()?;
        Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_opinion_are_independent() {
        let store = Store::in_memory().expect("opens");
        let id = PresetId::of(b"a");
        store.set_rating(id, Some(9), 1).expect("rated");
        store.set_favourite(id, true, 2).expect("marked");
        store.set_note(id, "for the drop", 3).expect("noted");
        store.set_label(id, " smoke ", true).expect("labelled");
        let opinion = store.opinion(id).expect("read");
        let labels = vec!["smoke".to_owned()];
        assert_eq!(
            opinion,
            Opinion { favourite: true, rating: Some(5), note: "for the drop".into(), labels }
        );
        store.set_favourite(id, false, 4).expect("unmarked");
        assert!(store.favourites().expect("read").is_empty());
        assert_eq!(store.opinion(id).expect("read").rating, Some(5));
    }

    #[test]
    fn bans_expire_unless_permanent() {
        let store = Store::in_memory().expect("opens");
        let (soft, gone) = (PresetId::of(b"soft"), PresetId::of(b"gone"));
        store.ban(soft, BanKind::Soft, "timed out", 1000).expect("banned");
        store.ban(gone, BanKind::Permanent, "never again", 1000).expect("banned");
        assert_eq!(store.bans(1000 + 86_399).expect("read").len(), 2);
        let left = store.bans(1000 + 86_400).expect("read");
        assert_eq!(left.iter().map(|ban| ban.id).collect::<Vec<_>>(), [gone]);
        store.allow(gone, None).expect("allowed");
        store.ban(gone, BanKind::Soft, "timed out", 1000 + 86_400).expect("banned");
        assert_eq!(store.bans(0).expect("read").len(), 1, "expired bans are deleted");
    }

    #[test]
    fn plays_add_up_and_values_survive_a_round_trip() {
        let store = Store::in_memory().expect("opens");
        let id = PresetId::of(b"a");
        store.played(id, 20.0, false, 5).expect("added");
        store.played(id, 3.0, true, 9).expect("added");
        store.set_skipped(id, 7).expect("known already");
        let play = store.plays().expect("read")[&id];
        assert_eq!(play, Play { plays: 2, skips: 1, seconds: 23.0, last_at: 9 });
        store.set_skipped(PresetId::of(b"b"), 7).expect("added");
        let play = store.plays().expect("read")[&PresetId::of(b"b")];
        assert_eq!((play.plays, play.skips, play.last_at), (0, 1, 7));
        store.remember("taste", &vec![0.1, 1.0 / 3.0], 1).expect("stored");
        assert_eq!(store.recall::<Vec<f64>>("taste").expect("read"), Some(vec![0.1, 1.0 / 3.0]));
        assert_eq!(store.recall::<Vec<f64>>("nothing").expect("read"), None);
    }
}
