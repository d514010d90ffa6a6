//! Saved state of a bake, which determines whether the next run resumes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::settings::{BakeSettings, SMOKE};
use super::stage_times::StageTime;
use crate::audit::GateLimits;
use crate::cluster;
use crate::disk;
use crate::embed::BUILTIN;
use crate::jobs::{iso, now};

const STATE: &str = "overnight-state.json";

/// State of one bake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Start time, in ISO 8601 format.
    pub started: String,
    /// Fingerprint of the settings; a run with different settings starts a new bake.
    #[serde(rename = "asked")]
    pub fingerprint: String,
    /// Whether the smoke test has passed.
    pub smoke_done: bool,
    /// Whether every stage is done.
    pub finished: bool,
    /// Time spent in all runs, in seconds.
    #[serde(default)]
    pub spent_secs: f64,
    /// What each stage has taken in all runs, by name of the stage.
    #[serde(default)]
    pub stage_times: BTreeMap<String, StageTime>,
    /// Whether the previous bake in this folder finished with the same settings, so that every stage is known
    /// to work.
    #[serde(default)]
    pub proven: bool,
    /// Whether the index of the previous bake was saved before this bake's index replaced it.
    #[serde(default)]
    pub index_kept: bool,
    /// The baked library.
    #[serde(default, with = "crate::disk::as_wire_paths")]
    pub library: Option<PathBuf>,
}

impl State {
    /// Resumes the interrupted bake in this folder if it has the same settings, or starts a new one. A new bake
    /// first saves the clusters of the last one, so that its report can compare against them even after an
    /// interruption.
    pub fn open(settings: &BakeSettings) -> Result<Self, String> {
        let fingerprint = format!(
            "{} {:?} {:?} {} {} {:?} {} {:?}{}{}",
            settings.library.display(),
            settings.limit,
            settings.clusters,
            settings.embedder.as_deref().unwrap_or(BUILTIN),
            settings.seed,
            settings.pack_size,
            settings.capture.name(),
            settings.capture.textures,
            if settings.tune { " tune" } else { "" },
            // Without thresholds, the fingerprint is that of earlier versions.
            Some(settings.gates)
                .filter(|gates| *gates != GateLimits::default())
                .map_or_else(String::new, |gates| format!(" {gates:?}")),
        );
        let old = Self::last(&settings.folder)?;
        if let Some(old) = old.as_ref().filter(|old| !old.finished && old.fingerprint == fingerprint) {
            return Ok(old.clone());
        }
        let proven = old.is_some_and(|old| old.finished && old.fingerprint == fingerprint);
        let state = Self {
            started: iso(now()),
            fingerprint,
            smoke_done: false,
            finished: false,
            spent_secs: 0.0,
            stage_times: BTreeMap::new(),
            proven,
            index_kept: false,
            library: std::path::absolute(&settings.library).ok(),
        };
        cluster::save_previous(&settings.folder).map_err(|error| error.to_string())?;
        std::fs::remove_dir_all(settings.folder.join(SMOKE)).ok(); // It may not exist.
        state.save(&settings.folder)?;
        Ok(state)
    }

    /// Returns the state of the last bake in this folder, finished or not; `None` if there is no valid one. Fails if
    /// the file cannot be read.
    pub fn last(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(STATE);
        let bytes = disk::read_if_exists(&path, disk::limit::LIST);
        let bytes = bytes.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Returns the baked library, if it exists.
    pub fn library(&self) -> Option<&Path> {
        self.library.as_deref().filter(|library| library.is_dir())
    }

    /// Returns the time spent so far.
    pub fn spent(&self) -> Duration {
        Duration::try_from_secs_f64(self.spent_secs).unwrap_or_default()
    }

    /// Saves the state to `folder`.
    pub fn save(&self, folder: &Path) -> Result<(), String> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        disk::write(&folder.join(STATE), &bytes).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_bake_resumes_only_with_equal_settings() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = BakeSettings { folder: folder.path().to_owned(), ..BakeSettings::default() };
        let mut state = State::open(&settings).expect("opened");
        state.spent_secs = 90.0;
        state.smoke_done = true;
        let time = StageTime { presets: 3, secs: 1.5, cpu_secs: 2.5 };
        state.stage_times.insert("audit presets".into(), time);
        state.save(folder.path()).expect("saved");
        let again = State::open(&settings).expect("opened");
        assert_eq!((again.spent(), again.smoke_done), (Duration::from_secs(90), true));
        assert_eq!(again.stage_times, state.stage_times);
        let other = State::open(&BakeSettings { seed: 7, ..settings.clone() }).expect("opened");
        assert_eq!((other.spent_secs, other.smoke_done, other.proven), (0.0, false, false));
        let gates = GateLimits { min_avg_luma: Some(0.1), ..GateLimits::default() };
        let strict = BakeSettings { seed: 7, gates, ..settings.clone() };
        assert_ne!(State::open(&strict).expect("opened").fingerprint, other.fingerprint);
        State { finished: true, ..other }.save(folder.path()).expect("saved");
        assert!(State::open(&BakeSettings { seed: 7, ..settings }).expect("opened").proven);
    }

    #[test]
    fn a_bake_whose_state_cannot_be_read_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = BakeSettings { folder: folder.path().to_owned(), ..BakeSettings::default() };
        let large = std::fs::File::create(folder.path().join(STATE));
        large.and_then(|file| file.set_len(disk::limit::LIST + 1)).expect("holes");
        let error = State::open(&settings).expect_err("refused");
        assert!(error.contains(STATE) && error.contains("larger than"), "{error}");
    }
}
