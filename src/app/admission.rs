//! The door of the live show: presets from files are audited before they are shown for the first time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::audit::LiveAudit;
use crate::library::{PresetId, PresetSource, Store};
use crate::show::{Admission, DeckError};

struct LiveAdmission {
    sentry: LiveAudit,
    /// Shut for unknown presets; open, all pass.
    guarded: Arc<AtomicBool>,
}

impl Admission for LiveAdmission {
    fn admit(&self, source: &PresetSource, id: PresetId) -> Result<(), DeckError> {
        match source {
            // What comes with the program was audited when the program was made.
            PresetSource::BuiltIn(_) => Ok(()),
            PresetSource::File(_) if !self.guarded.load(Ordering::Relaxed) => Ok(()),
            PresetSource::File(path) => self.sentry.admit(path, id),
        }
    }
}

/// A door that keeps its verdicts in the performer's store; none where that store lives in memory only, because every
/// preset would be audited anew each night.
/// `guarded` may be switched while the show runs.
pub fn door(
    store: &Store,
    textures: &[PathBuf],
    guarded: Arc<AtomicBool>,
) -> anyhow::Result<Option<Arc<dyn Admission>>> {
    let Some(store) = store.another()? else { return Ok(None) };
    Ok(Some(Arc::new(LiveAdmission { sentry: LiveAudit::new(store, textures)?, guarded })))
}
