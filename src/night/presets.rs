//! Sorts the presets of a bake by their verdicts: accepted, excluded with a reason, or pending.

use std::collections::HashMap;
use std::path::Path;

use crate::audit::{AuditPlan, Ledger};
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

/// Sorts presets by their verdicts under this audit recipe.
pub(super) fn sort(
    items: &[BakeItem],
    library: &Path,
    store: Store,
    recipe: String,
) -> anyhow::Result<BakePresets> {
    let plan = AuditPlan::last(&store, [library_root(library)].into_iter())?;
    let ledger = Ledger::new(store, recipe);
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
                let bands = record.evidence.look.as_ref().map(BandResponse::from);
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
