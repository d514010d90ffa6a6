//! Verdicts in the store, each with the recipe of its audit.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::plan::AuditPlan;
use crate::audit::probe::{Look, ProbeSettings};
use crate::audit::verdict::{GateLimits, Gates, LookVerdict, Record, Safety};
use crate::facts::{PresetId, Tag, Tags};
use crate::jobs::now;
use crate::stage;
use crate::store::{OTHER_PROGRAM, Store, StoreError, VerdictRow};

/// Version of the audit method. Increase it with every change that makes equal settings give different verdicts.
const METHOD: u32 = 5;

/// Maximum mean luma, 0 to 1, of a preset tagged dark; about a quarter of a library of 1,925 presets is below
/// it.
const DARK: f64 = 0.1;
/// Minimum mean luma, 0 to 1, of a preset tagged bright; about a sixth of a library of 1,925 presets is above
/// it.
const BRIGHT: f64 = 0.55;
/// Maximum mean motion, 0 to 1, of a preset tagged low-motion; about a fifth of a library of 1,925 presets is
/// below it.
const LOW_MOTION: f64 = 0.012;

/// Returns the engine version, the graphics driver and the version of the audit method. Only verdicts for
/// which all three are equal are comparable.
pub fn judged_by() -> String {
    format!("aivj {}, {}, method {METHOD}", env!("CARGO_PKG_VERSION"), stage::driver())
}

/// Returns a fingerprint of everything that affects a verdict; verdicts with a different recipe are ignored. Texture
/// folders are not part of it: missing images are recorded in the verdict, and presets that lack images can be audited
/// again on request.
pub fn recipe(settings: &ProbeSettings) -> String {
    let ProbeSettings { size, warm_up, frames, seed, textures: _, thumbs: _ } = settings;
    let text = format!("{} {size:?} {warm_up} {frames} {seed}", judged_by());
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Access to the verdicts of one recipe in the store.
pub struct Ledger {
    store: Store,
    recipe: String,
    judged_by: String,
    limits: GateLimits,
}

impl Ledger {
    /// Creates a ledger of verdicts with this recipe.
    pub fn new(store: Store, recipe: String) -> Self {
        Self { store, recipe, judged_by: judged_by(), limits: GateLimits::default() }
    }

    /// Returns this ledger with thresholds set by the user.
    pub fn within(self, limits: GateLimits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the thresholds that apply until those of the library are known.
    pub fn first_gates(&self) -> Gates {
        Gates::default().within(self.limits)
    }

    /// Returns the recipe of the verdicts.
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// Saves a verdict. Its look is judged by [`Self::first_gates`] until [`Self::rejudge`] is called.
    pub fn put(&self, id: PresetId, record: &Record) -> Result<(), StoreError> {
        let row = self.row(id, record, &self.first_gates(), now())?;
        self.save(&[row])
    }

    /// Returns the verdict on a preset; `None` if there is none with this ledger's recipe.
    pub fn get(&self, id: PresetId) -> Result<Option<Record>, StoreError> {
        Ok(self.stored(id)?.and_then(|row| self.record(&row)))
    }

    /// Returns the verdict that this engine, driver and method gave on a preset, whatever its recipe: safety
    /// does not depend on picture size or seed.
    pub fn of_any_recipe(&self, id: PresetId) -> Result<Option<Record>, StoreError> {
        let row = self.stored(id)?.filter(|row| row.judged_by == self.judged_by);
        Ok(row.and_then(|row| serde_json::from_str(&row.json).ok()))
    }

    /// Saves verdicts that another program gave; audits during a live show ignore them.
    pub fn import(&self, verdicts: &[(PresetId, Record)]) -> Result<(), StoreError> {
        let (gates, at) = (self.first_gates(), now());
        let row = |(id, record): &(PresetId, Record)| {
            let row = self.row(*id, record, &gates, at)?;
            Ok(VerdictRow { judged_by: OTHER_PROGRAM.into(), ..row })
        };
        let rows: Vec<VerdictRow> = verdicts.iter().map(row).collect::<Result<_, StoreError>>()?;
        self.save(&rows)
    }

    /// Returns the stored verdict on a preset, whatever its recipe.
    pub(super) fn stored(&self, id: PresetId) -> Result<Option<VerdictRow>, StoreError> {
        self.store.verdict(id).inspect_err(|error| self.mark(error))
    }

    fn save(&self, rows: &[VerdictRow]) -> Result<(), StoreError> {
        self.store.put_verdicts(rows).inspect_err(|error| self.mark(error))
    }

    /// Marks the store for repair at the next opening if `error` indicates damage.
    fn mark(&self, error: &StoreError) {
        self.store.mark_if_damaged(error);
    }

    /// Returns the verdict on a preset and when it was given, in seconds since 1970.
    pub fn dated(&self, id: PresetId) -> Result<Option<(Record, i64)>, StoreError> {
        Ok(self.stored(id)?.and_then(|row| Some((self.record(&row)?, row.at))))
    }

    /// Returns all presets that have a readable verdict with this ledger's recipe, each with whether it is worth
    /// retrying, because it is unsafe or incomplete or its look is not ok.
    pub fn known(&self) -> Result<Vec<(PresetId, bool)>, StoreError> {
        let mut known = Vec::new();
        let read = self.store.each_summary(&self.recipe, |id, [safety, completeness, look, json]| {
            let ok = safety == Safety::Ok.label() && completeness == "ok" && look == LookVerdict::Ok.label();
            if serde_json::from_str::<Record>(json).is_ok() {
                known.push((id, !ok));
            }
        });
        read.inspect_err(|error| self.mark(error))?;
        Ok(known)
    }

    /// Re-evaluates the looks of all presets of the plan against thresholds derived from these looks, saves
    /// changed verdicts, and returns the thresholds.
    pub fn rejudge(&self, plan: &AuditPlan) -> Result<Gates, StoreError> {
        let mut looks: Vec<Look> = Vec::new();
        self.each(plan, |_, record, _| looks.extend(record.evidence.look))?;
        let gates = Gates::of(looks.iter()).within(self.limits);
        let mut changed = Vec::new();
        let mut failed = None;
        self.each(plan, |id, record, row| {
            if record.look_verdict(&gates).label() != row.look {
                match self.row(id, &record, &gates, row.at) {
                    Ok(new) => changed.push(VerdictRow { judged_by: row.judged_by.clone(), ..new }),
                    Err(error) => failed = Some(error),
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        self.save(&changed)?;
        Ok(gates)
    }

    /// Returns the saved verdicts on the presets in `ids` that have this ledger's recipe.
    pub fn saved(&self, ids: &BTreeSet<PresetId>) -> Result<BTreeMap<PresetId, VerdictRow>, StoreError> {
        let mut saved = BTreeMap::new();
        for id in ids {
            let row = self.stored(*id)?.filter(|row| row.recipe == self.recipe);
            saved.extend(row.map(|row| (*id, row)));
        }
        Ok(saved)
    }

    /// Undoes the re-evaluation of looks by an audit of other folders: saves the verdicts in `before` as they
    /// were, and re-evaluates the looks of the other presets in `ids` against `gates`.
    pub fn restore(
        &self,
        ids: &BTreeSet<PresetId>,
        before: &BTreeMap<PresetId, VerdictRow>,
        gates: &Gates,
    ) -> Result<(), StoreError> {
        let mut changed = Vec::new();
        for (id, row) in self.saved(ids)? {
            // A verdict with a different time was given after `before` was read.
            let wanted = match before.get(&id).filter(|earlier| earlier.at == row.at) {
                Some(earlier) => earlier.clone(),
                None => {
                    let Some(record) = self.record(&row) else { continue };
                    let new = self.row(id, &record, gates, row.at)?;
                    VerdictRow { judged_by: row.judged_by.clone(), ..new }
                }
            };
            if wanted != row {
                changed.push(wanted);
            }
        }
        self.save(&changed)
    }

    /// Returns the thresholds derived from the audited presets of the plan, overridden by those set by the
    /// user.
    pub fn gates(&self, plan: &AuditPlan) -> Result<Gates, StoreError> {
        let mut looks: Vec<Look> = Vec::new();
        self.each(plan, |_, record, _| looks.extend(record.evidence.look))?;
        Ok(Gates::of(looks.iter()).within(self.limits))
    }

    /// Calls `each` for every verdict on a preset of the plan.
    pub fn each(
        &self,
        plan: &AuditPlan,
        mut each: impl FnMut(PresetId, Record, &VerdictRow),
    ) -> Result<(), StoreError> {
        let read = self.store.each_verdict(&self.recipe, |row| {
            if plan.has(row.id)
                && let Some(record) = self.record(&row)
            {
                each(row.id, record, &row);
            }
        });
        read.inspect_err(|error| self.mark(error))
    }

    fn record(&self, row: &VerdictRow) -> Option<Record> {
        // Unreadable verdicts are ignored.
        (row.recipe == self.recipe).then(|| serde_json::from_str(&row.json).ok()).flatten()
    }

    fn row(&self, id: PresetId, record: &Record, gates: &Gates, at: i64) -> Result<VerdictRow, StoreError> {
        Ok(VerdictRow {
            id,
            recipe: self.recipe.clone(),
            judged_by: self.judged_by.clone(),
            safety: record.safety.label().into(),
            completeness: completeness(record).into(),
            look: record.look_verdict(gates).label().into(),
            flash: record.flash_label().into(),
            seen: record.evidence.look.as_ref().map_or_else(Tags::default, seen),
            cost_ms: record.is_measured().then_some(record.evidence.cost.full_hd_ms),
            json: serde_json::to_string(record)?,
            at,
        })
    }
}

/// Returns the tags derived from the rendered frames.
fn seen(look: &Look) -> Tags {
    let tags = [
        (look.luma <= DARK, Tag::Dark),
        (look.luma >= BRIGHT, Tag::Bright),
        (look.motion <= LOW_MOTION, Tag::LowMotion),
    ];
    tags.into_iter().filter(|(is, _)| *is).map(|(_, tag)| tag).collect()
}

fn completeness(record: &Record) -> &'static str {
    match (record.evidence.missing.is_empty(), record.evidence.broken.is_empty()) {
        (true, true) => "ok",
        (false, _) => "missing-textures",
        (true, false) => "broken-parts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::STORE_FILE;

    fn settings(seed: u64) -> ProbeSettings {
        ProbeSettings { seed, ..ProbeSettings::default() }
    }

    #[test]
    fn restored_verdicts_are_as_before_and_new_ones_follow_the_gates() {
        let ledger = Ledger::new(Store::in_memory().expect("opens"), recipe(&settings(1)));
        let ids = BTreeSet::from([PresetId::of(b"a"), PresetId::of(b"b")]);
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        let luma_range = [0.04, 0.04];
        record.evidence.look =
            Some(Look { luma: 0.04, luma_range, motion: 0.01, motion_peak: 0.01, ..Look::default() });
        let dim = GateLimits { min_avg_luma: Some(0.035), ..GateLimits::default() };
        let first = *ids.first().expect("an id");
        let judge = |id: PresetId, limits: GateLimits| {
            let row = ledger.row(id, &record, &Gates::default().within(limits), 1).expect("a row");
            ledger.store.put_verdicts(&[row]).expect("saved");
        };
        judge(first, dim);
        let before = ledger.saved(&ids).expect("read");
        let dark = GateLimits { min_avg_luma: Some(0.05), ..GateLimits::default() };
        ids.iter().for_each(|id| judge(*id, dark));
        let changed = ledger.saved(&ids).expect("read");
        assert!(changed.values().all(|row| row.look == LookVerdict::TooDark.label()), "{changed:?}");
        ledger.restore(&ids, &before, &Gates::default().within(dim)).expect("restored");
        let after = ledger.saved(&ids).expect("read");
        assert!(after.values().all(|row| row.look == LookVerdict::Ok.label()), "{after:?}");
        assert_eq!(after[&first], before[&first]);
    }

    #[test]
    fn flashes_and_cost_of_a_preset_that_was_not_drawn_are_stored_as_unknown() {
        let ledger = Ledger::new(Store::in_memory().expect("opens"), recipe(&settings(1)));
        let stored = |record: &Record| {
            let row = ledger.row(PresetId::of(b"a"), record, &Gates::default(), 1).expect("a row");
            (row.flash, row.cost_ms)
        };
        let mut record = Record::without_evidence(Safety::Memory, "1000 MiB".into());
        assert_eq!(stored(&record), ("unknown".to_owned(), None));
        record.evidence.look = Some(Look::default());
        assert_eq!(stored(&record), ("pass".to_owned(), Some(0.0)));
        record.imported = Some(LookVerdict::Ok);
        assert_eq!(stored(&record), ("unknown".to_owned(), None));
    }

    #[test]
    fn a_preset_with_a_damaged_verdict_counts_as_unaudited() {
        let ledger = Ledger::new(Store::in_memory().expect("opens"), recipe(&settings(1)));
        let [cut, renamed, whole] = [b"a", b"b", b"c"].map(|bytes| PresetId::of(bytes));
        let record = Record::without_evidence(Safety::Hang, "20 s".into());
        let damage = |id: PresetId, damage: &dyn Fn(&str) -> String| {
            let row = ledger.row(id, &record, &Gates::default(), 1).expect("a row");
            ledger.store.put_verdicts(&[VerdictRow { json: damage(&row.json), ..row }]).expect("saved");
        };
        damage(cut, &|json| json[..json.len() / 2].to_owned());
        damage(renamed, &|json| json.replace("\"safety\"", "\"safexy\""));
        ledger.put(whole, &record).expect("saved");
        assert_eq!([cut, renamed].map(|id| ledger.get(id).expect("read")), [None, None]);
        assert_eq!(ledger.known().expect("read"), [(whole, true)]);
    }

    #[test]
    fn a_store_whose_damage_is_found_while_reading_verdicts_is_marked() {
        const PRESETS: u32 = 300;
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let (path, mark) = (folder.path().join(STORE_FILE), folder.path().join("aivj.suspect"));
        let writer = Ledger::new(store, recipe(&settings(1)));
        let record = Record::without_evidence(Safety::Hang, "x".repeat(1500));
        let id = |number: u32| PresetId::of(&number.to_le_bytes());
        let row = |number: u32| writer.row(id(number), &record, &Gates::default(), 1).expect("a row");
        writer.save(&(0..PRESETS).map(row).collect::<Vec<_>>()).expect("saved");
        writer.store.checkpoint().expect("written");
        let store = writer.store.another().expect("opens").expect("on disk");
        let ledger = Ledger::new(store, writer.recipe.clone());
        let mut bytes = std::fs::read(&path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xa5);
        std::fs::write(&path, bytes).expect("written");
        let plan = AuditPlan::default();
        let reads: [(&str, &dyn Fn() -> bool); 4] = [
            ("get", &|| (0..PRESETS).any(|number| ledger.get(id(number)).is_err())),
            ("known", &|| ledger.known().is_err()),
            ("each", &|| ledger.each(&plan, |_, _, _| {}).is_err()),
            ("gates", &|| ledger.gates(&plan).is_err()),
        ];
        for (name, fails) in reads {
            assert!(fails() && mark.exists(), "{name}");
            std::fs::remove_file(&mark).expect("removed");
        }
    }

    #[test]
    fn verdicts_with_another_recipe_are_ignored() {
        let store = Store::in_memory().expect("opens");
        let one = Ledger::new(store, recipe(&settings(1)));
        let id = PresetId::of(b"a");
        let record = Record::without_evidence(Safety::Hang, "20 s".into());
        one.put(id, &record).expect("kept");
        assert_eq!(one.get(id).expect("read"), Some(record));
        assert_eq!(one.known().expect("read"), [(id, true)]);
        let other = Ledger::new(one.store, recipe(&settings(2)));
        assert_eq!(other.get(id).expect("read"), None);
        assert!(other.known().expect("read").is_empty());
        assert!(other.of_any_recipe(id).expect("read").is_some());
        let other_driver = Ledger { judged_by: "another driver".into(), ..other };
        assert_eq!(other_driver.of_any_recipe(id).expect("read"), None, "it is judged again");
    }
}
