//! What a night remembers of itself, so that the next start knows whether it goes on or begins anew.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{NightSettings, SMOKE};
use crate::bake::{cluster, files, iso, now};

const STATE: &str = "overnight-state.json";

/// One night.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// When it began.
    pub started: String,
    /// What it was asked for; a night asked for something else is another one.
    pub asked: String,
    /// The smoke run has passed.
    pub smoke_done: bool,
    /// Every stage is done.
    pub finished: bool,
}

impl State {
    /// The night that was cut off in this folder, or a new one. A new night sets aside the clusters of the last one:
    /// however often it is cut off, it begins from those.
    pub fn open(settings: &NightSettings) -> Result<Self, String> {
        let asked = format!(
            "{} {:?} {:?} {} {}",
            settings.library.display(),
            settings.limit,
            settings.clusters,
            settings.embedder,
            settings.seed
        );
        let old = std::fs::read(settings.folder.join(STATE)).ok();
        let old = old.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        if let Some(old) = old.filter(|old| !old.finished && old.asked == asked) {
            return Ok(old);
        }
        let state = Self { started: iso(now()), asked, smoke_done: false, finished: false };
        cluster::set_aside(&settings.folder)?;
        std::fs::remove_dir_all(settings.folder.join(SMOKE)).ok(); // One that is not there is as good.
        state.save(&settings.folder)?;
        Ok(state)
    }

    /// Writes it.
    pub fn save(&self, folder: &Path) -> Result<(), String> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        files::write_whole(&folder.join(STATE), &bytes)
    }
}
