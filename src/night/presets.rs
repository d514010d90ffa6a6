//! Sorts the presets of a bake by their verdicts: accepted, excluded with a reason, or pending.

use std::collections::HashMap;
use std::path::Path;

use crate::audit::{AuditPlan, GateLimits, Ledger};
use crate::facts::PresetId;
use crate::frames::BakeItem;
use crate::frames::BandResponse;
use crate::library::library_root;
use crate::store::Store;

/// Reason for excluding a preset that is missing from the last scan; before the bake's own scan, it may
/// simply be new.
pub(super) const UNREAD: &str = "cannot be read";

/// The presets of a bake, sorted by verdict.
#[derive(Debug, Default)]
pub(super) struct BakePresets {
    /// Playable presets with an acceptable look.
    pub accepted: Vec<BakeItem>,
    /// IDs of excluded presets, with reasons.
    pub excluded: Vec<(String, String)>,
    /// Number of presets without a verdict.
    pub pending: usize,
}

/// Sorts presets by their verdicts under this audit recipe and the thresholds `limits`.
pub(super) fn sort(
    items: &[BakeItem],
    library: &Path,
    store: Store,
    recipe: String,
    limits: GateLimits,
) -> anyhow::Result<BakePresets> {
    let plan = AuditPlan::last(&store, [library_root(library)].into_iter())?;
    let ledger = Ledger::new(store, recipe).within(limits);
    let gates = ledger.gates(&plan)?;
    let by_path: HashMap<String, PresetId> =
        plan.each_file().map(|file| (plan.relative(file), file.id)).collect();
    let mut first: HashMap<PresetId, &str> = HashMap::new();
    let mut judged = BakePresets::default();
    for item in items {
        let Some(&id) = by_path.get(&item.below) else {
            judged.excluded.push((item.id.clone(), UNREAD.into()));
            continue;
        };
        if let Some(same) = first.get(&id) {
            judged.excluded.push((item.id.clone(), format!("the same as {same}")));
            continue;
        }
        first.insert(id, &item.id);
        match ledger.get(id)? {
            None => judged.pending += 1,
            Some(record) if record.good(&gates) => {
                let bands = record.measured_look().map(BandResponse::from);
                judged.accepted.push(BakeItem { bands, ..item.clone() });
            }
            Some(record) => {
                let why = record.reasons(&gates).into_iter().next();
                judged.excluded.push((item.id.clone(), why.unwrap_or_else(|| "not drawn".into())));
            }
        }
    }
    Ok(judged)
}

/// Returns the category of a reason, such as `too dark` for `too dark: luma 0.002, below 0.030 for this library`.
pub(super) fn category(reason: &str) -> &str {
    reason.split([':', '/']).next().unwrap_or(reason).trim_end_matches(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::probe::Look;
    use crate::audit::verdict::{LookVerdict, Record, Safety};
    use crate::frames::items_in;

    #[test]
    fn the_bands_of_a_preset_that_another_program_judged_are_unknown() {
        let (library, data) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        std::fs::write(library.path().join("a.milk"), "zoom=1").expect("written");
        let store = Store::open(data.path(), 0).expect("opens").store;
        AuditPlan::scan(&store, &[library.path().to_owned()]).expect("scanned");
        let another = || store.another().expect("opens").expect("on disk");
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        let luma_range = [0.3, 0.3];
        record.evidence.look =
            Some(Look { luma: 0.3, luma_range, motion: 0.1, motion_peak: 0.1, ..Look::default() });
        let bands = |record: &Record| {
            let ledger = Ledger::new(another(), "recipe".into());
            ledger.import(&[(PresetId::of(b"zoom=1"), record.clone())]).expect("saved");
            let items = items_in(library.path(), None).expect("presets");
            let sorted = sort(&items, library.path(), another(), "recipe".into(), GateLimits::default());
            let sorted = sorted.expect("sorted");
            sorted.accepted.first().map(|item| item.bands)
        };
        assert_eq!(bands(&record), Some(Some(BandResponse::default())));
        record.imported = Some(LookVerdict::Ok);
        assert_eq!(bands(&record), Some(None));
    }
}
