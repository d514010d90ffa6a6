//! What a night remembers of itself, so that the next start knows whether it goes on or begins anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{NightSettings, SMOKE};
use crate::cluster;
use crate::jobs::{files, iso, now};

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
    /// What it has taken so far, seconds of all its starts.
    #[serde(default)]
    pub spent_secs: f64,
    /// The night before it in this folder finished, and was asked for the same: every stage is known to work here.
    #[serde(default)]
    pub proven: bool,
    /// The library it is a night of.
    #[serde(default)]
    pub library: Option<PathBuf>,
}

impl State {
    /// The night that was cut off in this folder, or a new one. A new night sets aside the clusters of the last one:
    /// however often it is cut off, it begins from those.
    pub fn open(settings: &NightSettings) -> Result<Self, String> {
        let asked = format!(
            "{} {:?} {:?} {} {} {:?} {} {:?}",
            settings.library.display(),
            settings.limit,
            settings.clusters,
            settings.embedder,
            settings.seed,
            settings.pack_size,
            settings.capture.name(),
            settings.capture.textures,
        );
        let old = Self::last(&settings.folder);
        if let Some(old) = old.as_ref().filter(|old| !old.finished && old.asked == asked) {
            return Ok(old.clone());
        }
        let proven = old.is_some_and(|old| old.finished && old.asked == asked);
        let state = Self {
            started: iso(now()),
            asked,
            smoke_done: false,
            finished: false,
            spent_secs: 0.0,
            proven,
            library: std::path::absolute(&settings.library).ok(),
        };
        cluster::set_aside(&settings.folder)?;
        std::fs::remove_dir_all(settings.folder.join(SMOKE)).ok(); // One that is not there is as good.
        state.save(&settings.folder)?;
        Ok(state)
    }

    /// The last night of this folder, finished or not.
    pub fn last(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(STATE)).ok()?).ok()
    }

    /// What it has taken so far.
    pub fn spent(&self) -> Duration {
        Duration::try_from_secs_f64(self.spent_secs).unwrap_or_default()
    }

    /// Writes it.
    pub fn save(&self, folder: &Path) -> Result<(), String> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        files::write_whole(&folder.join(STATE), &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_that_was_cut_off_goes_on_and_one_asked_for_something_else_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = NightSettings { folder: folder.path().to_owned(), ..NightSettings::default() };
        let mut state = State::open(&settings).expect("opened");
        state.spent_secs = 90.0;
        state.smoke_done = true;
        state.save(folder.path()).expect("saved");
        let again = State::open(&settings).expect("opened");
        assert_eq!((again.spent(), again.smoke_done), (Duration::from_secs(90), true));
        let other = State::open(&NightSettings { seed: 7, ..settings.clone() }).expect("opened");
        assert_eq!((other.spent_secs, other.smoke_done, other.proven), (0.0, false, false));
        State { finished: true, ..other }.save(folder.path()).expect("saved");
        assert!(State::open(&NightSettings { seed: 7, ..settings }).expect("opened").proven);
    }
}
