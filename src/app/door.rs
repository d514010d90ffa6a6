//! The door of the live show: presets from files are audited before they are shown for the first time.

use std::path::PathBuf;
use std::sync::Arc;

use crate::bake::audit::Sentry;
use crate::library::{PresetId, PresetSource, Store};
use crate::show::{Doorkeeper, TurnedAway};

struct Door(Sentry);

impl Doorkeeper for Door {
    fn admit(&self, source: &PresetSource, id: PresetId) -> Result<(), TurnedAway> {
        match source {
            // What comes with the program was audited when the program was made.
            PresetSource::BuiltIn(_) => Ok(()),
            PresetSource::File(path) => self.0.admit(path, id),
        }
    }
}

/// A door that keeps its verdicts in the performer's store; none where that store lives in memory only, because every
/// preset would be audited anew each night.
pub fn door(store: &Store, textures: &[PathBuf]) -> anyhow::Result<Option<Arc<dyn Doorkeeper>>> {
    let Some(store) = store.another()? else { return Ok(None) };
    Ok(Some(Arc::new(Door(Sentry::new(store, textures)?))))
}
