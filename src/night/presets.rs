//! What the audit says of a night's presets: which are fit, which are not and why, which still wait for a verdict.

use std::collections::HashMap;
use std::path::Path;

use crate::audit::{AuditPlan, Ledger};
use crate::frames::BakeItem;
use crate::frames::BandResponse;
use crate::library::{PresetId, Store, library_root};

/// Why a preset is left out that no scan has read; before the night's own it may only be new.
pub(super) const UNREAD: &str = "it cannot be read";

/// The presets of a night, sorted.
#[derive(Debug, Default)]
pub(super) struct NightPresets {
    /// Can be played, and there is something to see.
    pub fit: Vec<BakeItem>,
    /// Left out, and why.
    pub dropped: Vec<(String, String)>,
    /// Presets without a verdict.
    pub waiting: usize,
}

/// Sorts presets by their verdicts of this recipe.
pub(super) fn judge(
    subjects: &[BakeItem],
    library: &Path,
    store: Store,
    recipe: String,
) -> anyhow::Result<NightPresets> {
    let plan = AuditPlan::last(&store, [library_root(library)].into_iter())?;
    let ledger = Ledger::new(store, recipe);
    let gates = ledger.gates(&plan)?;
    let by_path: HashMap<String, PresetId> =
        plan.each_file().map(|file| (plan.relative(file), file.id)).collect();
    let mut first: HashMap<PresetId, &str> = HashMap::new();
    let mut judged = NightPresets::default();
    for subject in subjects {
        let Some(&id) = by_path.get(&subject.id) else {
            judged.dropped.push((subject.id.clone(), UNREAD.into()));
            continue;
        };
        if let Some(same) = first.get(&id) {
            judged.dropped.push((subject.id.clone(), format!("the same as {same}")));
            continue;
        }
        first.insert(id, &subject.id);
        match ledger.get(id)? {
            None => judged.waiting += 1,
            Some(record) if record.good(&gates) => {
                let bands = record.evidence.look.as_ref().map(BandResponse::from);
                judged.fit.push(BakeItem { bands, ..subject.clone() });
            }
            Some(record) => {
                let why = record.reasons(&gates).into_iter().next();
                judged.dropped.push((subject.id.clone(), why.unwrap_or_else(|| "it was not drawn".into())));
            }
        }
    }
    Ok(judged)
}

/// What a reason is counted under: `too dark` of `too dark: light 0.002, below 0.03`.
pub(super) fn kind(reason: &str) -> &str {
    reason.split([':', '/']).next().unwrap_or(reason).trim_end_matches(|c: char| c.is_ascii_digit())
}
