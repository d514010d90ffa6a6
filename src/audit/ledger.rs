//! Verdicts in the store: what was found, by which recipe.

use sha2::{Digest as _, Sha256};

use super::plan::AuditPlan;
use crate::audit::probe::{Look, ProbeSettings};
use crate::audit::verdict::{Gates, LookVerdict, Record, Safety};
use crate::jobs::now;
use crate::library::store::{StoreError, VerdictRow};
use crate::library::{PresetId, Store, Tag, Tags};
use crate::media::flash::FlashVerdict;

/// Raised when the same settings come to other verdicts than before.
const METHOD: u32 = 2;

/// Mean light up to which a preset counts as mostly dark and from which as mostly bright, and change from frame to frame up
/// to which it hardly moves: of 1,925 presets the darkest quarter, the brightest sixth and the stillest fifth.
const DARK: f64 = 0.1;
const BRIGHT: f64 = 0.55;
const LOW_MOTION: f64 = 0.012;

/// Fingerprint of everything that decides a verdict: a verdict by another recipe does not count. Folders with images
/// are left out: what an image changes is told by the verdict, and audited again on request.
pub fn recipe(settings: &ProbeSettings) -> String {
    let ProbeSettings { size, warm_up, frames, seed, textures: _, thumbs: _ } = settings;
    let text = format!("{METHOD} {size:?} {warm_up} {frames} {seed}");
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The store as the audit uses it.
pub struct Ledger {
    store: Store,
    recipe: String,
}

impl Ledger {
    /// Verdicts by this recipe.
    pub fn new(store: Store, recipe: String) -> Self {
        Self { store, recipe }
    }

    /// The recipe verdicts have to be by.
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// Keeps a verdict. Its look is judged by the usual gates until the library speaks for itself.
    pub fn put(&self, id: PresetId, record: &Record) -> Result<(), StoreError> {
        let row = self.row(id, record, &Gates::default(), now())?;
        self.store.put_verdicts(&[row]).inspect_err(|error| self.mark(error))
    }

    /// The verdict on a preset, if there is one by this recipe.
    pub fn get(&self, id: PresetId) -> Result<Option<Record>, StoreError> {
        Ok(self.store.verdict(id)?.and_then(|row| self.record(&row)))
    }

    /// The verdict on a preset by whatever recipe: whether it can be played does not hang on pixels or seeds.
    pub fn of_any_recipe(&self, id: PresetId) -> Result<Option<Record>, StoreError> {
        let row = self.store.verdict(id).inspect_err(|error| self.mark(error))?;
        Ok(row.and_then(|row| serde_json::from_str(&row.json).ok()))
    }

    /// Damage that is met is mended at the next opening, also where nobody hands the error on.
    fn mark(&self, error: &StoreError) {
        self.store.mark_if_damaged(error);
    }

    /// The verdict on a preset with the time it was reached.
    pub fn dated(&self, id: PresetId) -> Result<Option<(Record, i64)>, StoreError> {
        Ok(self.store.verdict(id)?.and_then(|row| Some((self.record(&row)?, row.at))))
    }

    /// Every verdict by this recipe with its preset and whether it asks to be tried again: not ok, or missing an image.
    pub fn known(&self) -> Result<Vec<(PresetId, bool)>, StoreError> {
        let mut known = Vec::new();
        self.store.each_summary(&self.recipe, |id, [safety, completeness, look]| {
            let ok = safety == Safety::Ok.label() && completeness == "ok" && look == LookVerdict::Ok.label();
            known.push((id, !ok));
        })?;
        Ok(known)
    }

    /// Judges all looks of the plan's presets by the library's own gates, which it returns.
    pub fn settle(&self, plan: &AuditPlan) -> Result<Gates, StoreError> {
        let mut looks: Vec<Look> = Vec::new();
        self.each(plan, |_, record, _| looks.extend(record.evidence.look))?;
        let gates = Gates::of(looks.iter());
        let mut changed = Vec::new();
        let mut failed = None;
        self.each(plan, |id, record, row| {
            if record.look_verdict(&gates).label() != row.look {
                match self.row(id, &record, &gates, row.at) {
                    Ok(row) => changed.push(row),
                    Err(error) => failed = Some(error),
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        self.store.put_verdicts(&changed)?;
        Ok(gates)
    }

    /// The gates of the plan's presets as far as they were audited.
    pub fn gates(&self, plan: &AuditPlan) -> Result<Gates, StoreError> {
        let mut looks: Vec<Look> = Vec::new();
        self.each(plan, |_, record, _| looks.extend(record.evidence.look))?;
        Ok(Gates::of(looks.iter()))
    }

    /// Hands every verdict by this recipe on the plan's presets to `each`.
    pub fn each(
        &self,
        plan: &AuditPlan,
        mut each: impl FnMut(PresetId, Record, &VerdictRow),
    ) -> Result<(), StoreError> {
        self.store.each_verdict(&self.recipe, |row| {
            if plan.has(row.id)
                && let Some(record) = self.record(&row)
            {
                each(row.id, record, &row);
            }
        })
    }

    fn record(&self, row: &VerdictRow) -> Option<Record> {
        // A verdict that cannot be read counts as none: the preset is audited again.
        (row.recipe == self.recipe).then(|| serde_json::from_str(&row.json).ok()).flatten()
    }

    fn row(&self, id: PresetId, record: &Record, gates: &Gates, at: i64) -> Result<VerdictRow, StoreError> {
        Ok(VerdictRow {
            id,
            recipe: self.recipe.clone(),
            safety: record.safety.label().into(),
            completeness: completeness(record).into(),
            look: record.look_verdict(gates).label().into(),
            flash: match record.flash_verdict() {
                FlashVerdict::Pass => "pass",
                FlashVerdict::Warn => "warn",
                FlashVerdict::Fail => "fail",
            }
            .into(),
            seen: record.evidence.look.as_ref().map_or_else(Tags::default, seen),
            cost_ms: record.evidence.look.is_some().then_some(record.evidence.cost.full_hd_ms),
            json: serde_json::to_string(record)?,
            at,
        })
    }
}

/// The tags that pictures tell.
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

    fn settings(seed: u64) -> ProbeSettings {
        ProbeSettings { seed, ..ProbeSettings::default() }
    }

    #[test]
    fn a_verdict_by_another_recipe_does_not_count() {
        let store = Store::in_memory().expect("opens");
        let one = Ledger::new(store, recipe(&settings(1)));
        let id = PresetId::of(b"a");
        let record = Record::ended(Safety::Hang, "20 s".into());
        one.put(id, &record).expect("kept");
        assert_eq!(one.get(id).expect("read"), Some(record));
        assert_eq!(one.known().expect("read"), [(id, true)]);
        let other = Ledger::new(one.store, recipe(&settings(2)));
        assert_eq!(other.get(id).expect("read"), None);
        assert!(other.known().expect("read").is_empty());
    }
}
