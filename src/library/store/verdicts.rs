//! What the audit found out about presets; also its checkpoint, because a verdict is kept as soon as it is known.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError, UnixSecs};
use crate::library::PresetId;

/// One verdict: the parts that choices filter by, and everything as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictRow {
    /// Which preset.
    pub id: PresetId,
    /// `ok`, `refused`, `hang`...
    pub safety: String,
    /// `ok`, or what is missing.
    pub completeness: String,
    /// `ok`, `black`, `frozen`...
    pub look: String,
    /// `pass`, `warn`, `fail`.
    pub flash: String,
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
                "INSERT OR REPLACE INTO verdicts (id, safety, completeness, look, flash, cost_ms, json, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for verdict in verdicts {
                let VerdictRow { id, safety, completeness, look, flash, cost_ms, json, at } = verdict;
                put.execute(params![id.0, safety, completeness, look, flash, cost_ms, json, at])?;
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

    /// Hands every verdict to `each`, in order of the presets' identities.
    pub fn each_verdict(&self, mut each: impl FnMut(VerdictRow)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare_cached(&format!("{SELECT} ORDER BY id"))?;
        for verdict in query.query_map([], row)? {
            each(verdict?);
        }
        Ok(())
    }

    /// The presets that have a verdict.
    pub fn judged(&self) -> Result<BTreeSet<PresetId>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT id FROM verdicts ORDER BY id")?;
        let ids = query.query_map([], |row| row.get(0).map(PresetId))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Forgets verdicts, so that the presets are audited again.
    pub fn forget_verdicts(&self, ids: &[PresetId]) -> Result<(), StoreError> {
        let step = self.connection.unchecked_transaction()?;
        {
            let mut delete = step.prepare_cached("DELETE FROM verdicts WHERE id = ?1")?;
            for id in ids {
                delete.execute([id.0])?;
            }
        }
        step.commit()?;
        Ok(())
    }
}

const SELECT: &str = "SELECT id, safety, completeness, look, flash, cost_ms, json, at FROM verdicts";

fn row(row: &rusqlite::Row) -> Result<VerdictRow, rusqlite::Error> {
    Ok(VerdictRow {
        id: PresetId(row.get(0)?),
        safety: row.get(1)?,
        completeness: row.get(2)?,
        look: row.get(3)?,
        flash: row.get(4)?,
        cost_ms: row.get(5)?,
        json: row.get(6)?,
        at: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_kept_replaced_and_forgotten() {
        let store = Store::in_memory().expect("opens");
        let mut verdict = VerdictRow {
            id: PresetId::of(b"a"),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "black".into(),
            flash: "pass".into(),
            cost_ms: Some(2.5),
            json: "{}".into(),
            at: 7,
        };
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("kept");
        verdict.look = "ok".into();
        store.put_verdicts(std::slice::from_ref(&verdict)).expect("kept");
        assert_eq!(store.verdict(verdict.id).expect("read"), Some(verdict.clone()));
        assert_eq!(store.judged().expect("read").len(), 1);
        store.forget_verdicts(&[verdict.id]).expect("forgotten");
        assert_eq!(store.verdict(verdict.id).expect("read"), None);
    }
}
