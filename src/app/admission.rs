//! Admission to the live show: presets from files are audited before they are shown for the first time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::audit::LiveAudit;
use crate::facts::PresetId;
use crate::library::PresetSource;
use crate::store::Store;
use crate::warmup::{Admission, DeckError};

struct LiveAdmission {
    audit: LiveAudit,
    /// Whether new presets are audited; otherwise all are admitted unless an earlier audit rejected them.
    guarded: Arc<AtomicBool>,
}

impl Admission for LiveAdmission {
    fn admit(&self, source: &PresetSource, id: PresetId) -> Result<(), DeckError> {
        match source {
            // Built-in presets were audited before release; presets in memory are drawn only by workers.
            PresetSource::BuiltIn(_) | PresetSource::Memory(_) => Ok(()),
            PresetSource::File(_) if !self.guarded.load(Ordering::Relaxed) => self.audit.unguarded(id),
            PresetSource::File(path) => self.audit.admit(path, id),
        }
    }
}

/// Returns an admission check that saves verdicts in `store`; in an in-memory store, they last only until the
/// show ends. `guarded` turns auditing on or off, even while the show is running.
pub fn live_admission(
    store: Store,
    textures: &[PathBuf],
    guarded: Arc<AtomicBool>,
) -> anyhow::Result<Arc<dyn Admission>> {
    // A second connection waits only briefly for locks held by other programs, so that they cannot delay warm-ups.
    let store = store.another()?.unwrap_or(store);
    store.use_small_cache();
    Ok(Arc::new(LiveAdmission { audit: LiveAudit::new(store, textures)?, guarded }))
}
