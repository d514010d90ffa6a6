//! Audit verdicts. They are stored as soon as they are given, so that an interrupted audit can be resumed.

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, UnixSecs};
use crate::facts::{PresetId, Tags};

/// Value of [`VerdictRow::judged_by`] for verdicts given by another program.
pub const OTHER_PROGRAM: &str = "another program";

/// A verdict: the fields used for filtering, and the complete verdict as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// ID of the preset.
    pub id: PresetId,
    /// Fingerprint of everything that affects a verdict; verdicts of different recipes are not comparable.
    pub recipe: String,
    /// The engine version, graphics driver and audit method that gave the verdict, or [`OTHER_PROGRAM`].
    pub judged_by: String,
    /// Whether the preset can be played: `ok`, `refused`, `hang` and so on.
    pub safety: String,
    /// Whether the preset is complete: `ok`, `missing-textures` or `broken-parts`.
    pub completeness: String,
    /// Whether the look is acceptable: `ok`, `black`, `frozen` and so on.
    pub look: String,
    /// Whether the preset flashes too often: `pass`, `warn`, `fail` or, if not measured, `unknown`.
    pub flash: String,
    /// Tags that can be determined only by rendering: dark, bright, low motion.
    pub seen: Tags,
    /// Estimated milliseconds per frame at 1080p on this computer; `None` if it was not measured.
    pub cost_ms: Option<f64>,
    /// The complete verdict as JSON.
    pub json: String,
    /// Time of the verdict.
    pub at: UnixSecs,
}

impl VerdictRow {
    /// Returns why the verdict rejects the preset, such as `device lost`, if it does.
    pub fn rejection(&self) -> Option<String> {
        let rejects = self.safety != "ok" || !["ok", "unseen"].contains(&self.look.as_str());
        rejects.then(|| reason(&self.safety, &self.look))
    }
}

/// Returns why a verdict with this safety and look rejects the preset.
fn reason(safety: &str, look: &str) -> String {
    let word = if safety == "ok" { look } else { safety };
    word.replace('-', " ")
}

impl Store {
    /// Stores verdicts in one transaction, replacing older ones of the same presets.
    pub fn put_verdicts(&self, verdicts: &[VerdictRow]) -> Result<(), StoreError> {
        let step = self.connection.unchecked_transaction()?;
        {
            let mut put = step.prepare_cached(
                "INSERT OR REPLACE INTO verdicts
                 (id, recipe, safety, completeness, look, flash, cost_ms, json, at, seen, judged_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?;
            let mut mark = step.prepare_cached("UPDATE presets SET seen = ?2 WHERE id = ?1")?;
            for verdict in verdicts {
                let VerdictRow { id, recipe, judged_by, safety, completeness, look, flash, .. } = verdict;
                let VerdictRow { seen, cost_ms, json, at, .. } = verdict;
                let (id, seen) = (id.0, seen.0);
                put.execute(params![
                    id,
                    recipe,
                    safety,
                    completeness,
                    look,
                    flash,
                    cost_ms,
                    json,
                    at,
                    seen,
                    judged_by
                ])?;
                mark.execute(params![id, seen])?;
            }
        }
        step.commit()?;
        Ok(())
    }

    /// Returns the verdict on a preset; `None` if there is none.
    pub fn verdict(&self, id: PresetId) -> Result<Option<VerdictRow>, StoreError> {
        let mut query = self.connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
        Ok(query.query_row([id.0], row).optional()?)
    }

    /// Calls `each` with every verdict of `recipe`, ordered by preset ID.
    pub fn each_verdict(&self, recipe: &str, mut each: impl FnMut(VerdictRow)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(&format!("{SELECT} WHERE recipe = ?1 ORDER BY id"))?;
        for verdict in query.query_map([recipe], row)? {
            each(verdict?);
        }
        Ok(())
    }

    /// Calls `each` with the ID and the complete verdict, as JSON, of every preset that could be drawn,
    /// whatever the recipe: a preset's look depends little on picture size and seed.
    pub fn each_evidence(&self, mut each: impl FnMut(PresetId, &str)) -> Result<(), StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT id, json FROM verdicts WHERE look != 'unseen' ORDER BY id")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let id = PresetId(row.get(0)?);
            each(id, row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
        }
        Ok(())
    }

    /// Calls `each` with the ID, safety, completeness, look and JSON of every verdict of `recipe`, in storage order,
    /// which is fast even for a large library.
    pub fn each_summary(
        &self,
        recipe: &str,
        mut each: impl FnMut(PresetId, [&str; 4]),
    ) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, safety, completeness, look, json FROM verdicts NOT INDEXED WHERE recipe = ?1",
        )?;
        let mut rows = query.query([recipe])?;
        while let Some(row) = rows.next()? {
            let mut texts = [""; 4];
            for (at, text) in texts.iter_mut().enumerate() {
                *text = row.get_ref(at + 1)?.as_str().map_err(rusqlite::Error::from)?;
            }
            each(PresetId(row.get(0)?), texts);
        }
        Ok(())
    }
}

impl Store {
    /// Returns the presets that an audit rejected because they are not playable or their look is not
    /// acceptable, each with the reason, such as `device lost`. Reads no JSON.
    ///
    /// If `judged_by` is given, verdicts of recipes that belong to another engine, graphics driver or audit method are
    /// ignored.
    pub fn rejected(&self, judged_by: Option<&str>) -> Result<Vec<(PresetId, String)>, StoreError> {
        let mut query = self.connection.prepare_cached(REJECTED)?;
        let rows = query.query_map(params![judged_by, OTHER_PROGRAM], |row| {
            let (safety, look): (String, String) = (row.get(1)?, row.get(2)?);
            Ok((PresetId(row.get(0)?), reason(&safety, &look)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// All verdicts of a recipe have the same origin, except those imported from another program.
const REJECTED: &str = "WITH every AS (SELECT DISTINCT recipe FROM verdicts),
     outdated AS (SELECT recipe FROM every WHERE ?1 != (
         SELECT judged_by FROM verdicts WHERE recipe = every.recipe AND judged_by != ?2 LIMIT 1))
     SELECT id, safety, look FROM verdicts
     WHERE (safety != 'ok' OR look NOT IN ('ok', 'unseen'))
     AND recipe NOT IN (SELECT recipe FROM outdated)";

const SELECT: &str =
    "SELECT id, recipe, safety, completeness, look, flash, seen, cost_ms, json, at, judged_by FROM verdicts";

fn row(row: &rusqlite::Row) -> Result<VerdictRow, rusqlite::Error> {
    Ok(VerdictRow {
        id: PresetId(row.get(0)?),
        recipe: row.get(1)?,
        safety: row.get(2)?,
        completeness: row.get(3)?,
        look: row.get(4)?,
        flash: row.get(5)?,
        seen: Tags(row.get(6)?),
        cost_ms: row.get(7)?,
        json: row.get(8)?,
        at: row.get(9)?,
        judged_by: row.get(10)?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::facts::Tag;

    #[test]
    fn a_newer_verdict_replaces_one_of_another_recipe() {
        let store = Store::in_memory().expect("opens");
        let mut verdict = VerdictRow {
            id: PresetId::of(b"a"),
            recipe: "old".into(),
            judged_by: "aivj 1, a driver, method 1".into(),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "black".into(),
            flash: "pass".into(),
            seen: [Tag::Dark].into_iter().collect(),
            cost_ms: Some(2.5),
            json: "{}".into(),
            at: 7,
        };
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("stored");
        verdict.recipe = "new".into();
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("stored");
        assert_eq!(store.verdict(verdict.id).expect("read"), Some(verdict.clone()));
        assert_eq!(store.rejected(None).expect("read"), [(verdict.id, "black".to_owned())]);
        let judged = |recipe: &str| {
            let mut judged = Vec::new();
            store
                .each_summary(recipe, |id, [_, _, look, _]| judged.push((id, look.to_owned())))
                .expect("read");
            judged
        };
        assert_eq!((judged("old"), judged("new")), (Vec::new(), vec![(verdict.id, "black".to_owned())]));
        let mut rows = Vec::new();
        store.each_verdict("new", |row| rows.push(row)).expect("read");
        assert_eq!(rows, [verdict.clone()]);
        let mut evidence = Vec::new();
        store.each_evidence(|id, json| evidence.push((id, json.to_owned()))).expect("read");
        assert_eq!(evidence, [(verdict.id, "{}".to_owned())]);
        (verdict.safety, verdict.look) = ("device-lost".into(), "unseen".into());
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("stored");
        assert_eq!(store.rejected(None).expect("read"), [(verdict.id, "device lost".to_owned())]);
        (verdict.safety, verdict.look) = ("ok".into(), "ok".into());
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("stored");
        assert_eq!(store.rejected(None).expect("read"), []);
    }

    #[test]
    fn rejected_presets_are_found_without_reading_whole_rows() {
        let store = Store::in_memory().expect("opens");
        let mut plan = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {REJECTED}")).expect("a query");
        let steps =
            plan.query_map(params!["", OTHER_PROGRAM], |row| row.get::<_, String>(3)).expect("a plan");
        let steps: Vec<String> = steps.map(|step| step.expect("a step")).collect();
        let mut reads = steps.iter().filter(|step| step.contains(" verdicts")).peekable();
        assert!(reads.peek().is_some() && reads.all(|step| step.contains("COVERING INDEX")), "{steps:?}");
    }

    #[test]
    fn rejections_by_another_engine_or_driver_are_outdated_and_imported_ones_follow_their_recipe() {
        let store = Store::in_memory().expect("opens");
        let reject = |content: &[u8], recipe: &str, judged_by: &str| {
            let verdict = VerdictRow {
                id: PresetId::of(content),
                recipe: recipe.into(),
                judged_by: judged_by.into(),
                safety: "hang".into(),
                completeness: "ok".into(),
                look: "unseen".into(),
                flash: "unknown".into(),
                seen: Tags::default(),
                cost_ms: None,
                json: "{}".into(),
                at: 1,
            };
            store.put_verdicts(&[verdict]).expect("stored");
        };
        reject(b"old engine", "1", "aivj 1");
        reject(b"imported by the old engine", "1", OTHER_PROGRAM);
        reject(b"current", "2", "aivj 2");
        reject(b"current, another size", "3", "aivj 2");
        reject(b"imported by the current engine", "2", OTHER_PROGRAM);
        reject(b"only imported", "4", OTHER_PROGRAM);
        reject(b"of unknown origin", "0", "");
        let rejected = |judged_by| {
            let rejected = store.rejected(judged_by).expect("read");
            rejected.into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>()
        };
        assert_eq!(rejected(None).len(), 7);
        let current: [&[u8]; 4] =
            [b"current", b"current, another size", b"imported by the current engine", b"only imported"];
        assert_eq!(rejected(Some("aivj 2")), BTreeSet::from(current.map(PresetId::of)));
    }
}
