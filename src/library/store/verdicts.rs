//! What the audit found out about presets; also its checkpoint, because a verdict is kept as soon as it is known.

use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError, UnixSecs};
use crate::library::{PresetId, Tags};

/// One verdict: the parts that choices filter by, and everything as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictRow {
    /// Which preset.
    pub id: PresetId,
    /// Fingerprint of how it was reached; verdicts by another recipe say something else.
    pub recipe: String,
    /// `ok`, `refused`, `hang`...
    pub safety: String,
    /// `ok`, or what is missing.
    pub completeness: String,
    /// `ok`, `black`, `frozen`...
    pub look: String,
    /// `pass`, `warn`, `fail`.
    pub flash: String,
    /// Tags that only its pictures tell: dark, bright, low motion.
    pub seen: Tags,
    /// Estimated milliseconds a frame at 1080p on this machine.
    pub cost_ms: Option<f64>,
    /// The whole verdict.
    pub json: String,
    /// When it was reached.
    pub at: UnixSecs,
}

impl Store {
    /// Keeps verdicts, all of them or none; one of a preset that already has one replaces it.
    pub fn put_verdicts(&self, verdicts: &[VerdictRow]) -> Result<(), StoreError> {
        let step = self.connection.unchecked_transaction()?;
        {
            let mut put = step.prepare_cached(
                "INSERT OR REPLACE INTO verdicts
                 (id, recipe, safety, completeness, look, flash, cost_ms, json, at, seen)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            let mut mark = step.prepare_cached("UPDATE presets SET seen = ?2 WHERE id = ?1")?;
            for verdict in verdicts {
                let VerdictRow { id, recipe, safety, completeness, look, flash, seen, cost_ms, json, at } =
                    verdict;
                let (id, seen) = (id.0, seen.0);
                put.execute(params![id, recipe, safety, completeness, look, flash, cost_ms, json, at, seen])?;
                mark.execute(params![id, seen])?;
            }
        }
        step.commit()?;
        Ok(())
    }

    /// The verdict on one preset.
    pub fn verdict(&self, id: PresetId) -> Result<Option<VerdictRow>, StoreError> {
        let mut query = self.connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
        Ok(query.query_row([id.0], row).optional()?)
    }

    /// Hands every verdict by `recipe` to `each`, in order of the presets' identities.
    pub fn each_verdict(&self, recipe: &str, mut each: impl FnMut(VerdictRow)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(&format!("{SELECT} WHERE recipe = ?1 ORDER BY id"))?;
        for verdict in query.query_map([recipe], row)? {
            each(verdict?);
        }
        Ok(())
    }

    /// Hands every preset with a verdict by `recipe` to `each`, with its safety, completeness and look. Reads no JSON,
    /// so it takes a moment even for a large library.
    pub fn each_judged(
        &self,
        recipe: &str,
        mut each: impl FnMut(PresetId, [&str; 3]),
    ) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, safety, completeness, look FROM verdicts INDEXED BY verdicts_by_recipe WHERE recipe = ?1",
        )?;
        let mut rows = query.query([recipe])?;
        while let Some(row) = rows.next()? {
            let mut words = [""; 3];
            for (at, word) in words.iter_mut().enumerate() {
                *word = row.get_ref(at + 1)?.as_str().map_err(rusqlite::Error::from)?;
            }
            each(PresetId(row.get(0)?), words);
        }
        Ok(())
    }
}

const SELECT: &str =
    "SELECT id, recipe, safety, completeness, look, flash, seen, cost_ms, json, at FROM verdicts";

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
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Tag;

    #[test]
    fn a_verdict_is_kept_and_replaced_and_counts_by_its_recipe_only() {
        let store = Store::in_memory().expect("opens");
        let mut verdict = VerdictRow {
            id: PresetId::of(b"a"),
            recipe: "old".into(),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "black".into(),
            flash: "pass".into(),
            seen: [Tag::Dark].into_iter().collect(),
            cost_ms: Some(2.5),
            json: "{}".into(),
            at: 7,
        };
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("kept");
        verdict.recipe = "new".into();
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("kept");
        assert_eq!(store.verdict(verdict.id).expect("read"), Some(verdict.clone()));
        let judged = |recipe: &str| {
            let mut judged = Vec::new();
            store.each_judged(recipe, |id, [_, _, look]| judged.push((id, look.to_owned()))).expect("read");
            judged
        };
        assert_eq!((judged("old"), judged("new")), (Vec::new(), vec![(verdict.id, "black".to_owned())]));
        let mut rows = Vec::new();
        store.each_verdict("new", |row| rows.push(row)).expect("read");
        assert_eq!(rows, [verdict]);
    }
}
