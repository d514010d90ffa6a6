//! Saves the state of a running show in a small file, so that the supervisor's next child can resume it.
//!
//! The show's thread compares each state with the previous one and passes on changes; another thread writes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use super::placements::WindowPlacements;
use crate::disk;
use crate::handoff::Latest;
use crate::library::{Settings, UserFolders};
use crate::show::{ResumeState, Show};
use crate::watchdog::Start;

/// Name of the state file in the data folder.
const FILE: &str = "show-state.json";

/// Interval between updates of the ages of the layers on air, in seconds of show time.
const AGES_EVERY: f64 = 5.0;

/// Everything that a restarted show needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedShow {
    /// Process ID of the supervisor; a show with another supervisor ignores this state.
    pub supervisor: u32,
    /// Random seed of the show.
    pub seed: u64,
    /// State of the show.
    pub show: ResumeState,
    /// State of the program around the show.
    pub surroundings: Surroundings,
}

/// State of the program around the show: the settings, and the placement of the windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Surroundings {
    /// The settings, with the changes made during the show.
    pub settings: Settings,
    /// Placement of the windows.
    pub places: WindowPlacements,
}

/// Returns the saved state of the show that `start` restarts; `None` on a first start, or if there is no usable state.
pub fn saved_show(start: Option<&Start>) -> Option<SavedShow> {
    let start = start.filter(|start| start.restarts > 0)?;
    let text = disk::read(&path()?, disk::limit::TEXT).ok()?;
    let saved: SavedShow = serde_json::from_slice(&text)
        .inspect_err(|error| {
            log::warn!("cannot read the saved state of the show: {error}; starting a new show");
        })
        .ok()?;
    (saved.supervisor == start.supervisor).then_some(saved)
}

fn path() -> Option<PathBuf> {
    UserFolders::of_user().map(|places| places.data.join(FILE))
}

/// Saves the state of a supervised show whenever it changes.
pub(super) struct StateSaver {
    last: Arc<SavedShow>,
    newest: Latest<SavedShow>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StateSaver {
    /// Starts the thread; `None` without a supervisor or a home folder, or if the thread cannot start.
    pub fn start(start: Option<&Start>) -> Option<Self> {
        start?;
        Self::at(path()?).inspect_err(|error| log::warn!("cannot save the state of the show: {error}")).ok()
    }

    fn at(path: PathBuf) -> std::io::Result<Self> {
        let last = Arc::new(SavedShow::default());
        let newest = Latest::new(SavedShow::default());
        let closing = Arc::new(AtomicBool::new(false));
        let (cell, closed, mut written) = (newest.clone(), closing.clone(), last.clone());
        let work = move || {
            loop {
                let last_look = closed.load(Ordering::Relaxed);
                let now = cell.read();
                if *now != *written {
                    if let Err(error) = write(&path, &now) {
                        log::warn!("could not save the state of the show: {error}");
                    }
                    written = now;
                }
                if last_look {
                    return;
                }
                std::thread::park();
            }
        };
        let thread = std::thread::Builder::new().name("show state".into()).spawn(work)?;
        Ok(Self { last, newest, closing, thread: Some(thread) })
    }

    /// Returns whether the last state that was passed on is still valid, apart from the show time. Allocates nothing.
    pub fn is_current(&self, supervisor: u32, show: &Show, surroundings: &Surroundings) -> bool {
        self.last.supervisor == supervisor
            && self.last.surroundings == *surroundings
            && show.would_resume(&self.last.show)
    }

    /// Passes the state to the writer thread if it has changed. The show time and the ages of layers do not count as
    /// changes, but the ages are updated every [`AGES_EVERY`] seconds. Never blocks.
    pub fn update(&mut self, mut state: SavedShow) {
        let (times, last) = (state.show.times(), self.last.show.times());
        state.show.set_times(&last);
        let aged = !state.show.layers.is_empty() && times.0 - last.0 >= AGES_EVERY;
        if state == *self.last && !aged {
            return;
        }
        state.show.set_times(&times);
        self.last = Arc::new(state);
        self.newest.swap(self.last.clone());
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for StateSaver {
    /// Waits until the last state is written.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // If the thread has panicked, nothing more can be saved.
        }
    }
}

fn write(path: &Path, state: &SavedShow) -> Result<(), String> {
    #[cfg(feature = "faults")]
    crate::faults::check_disk().map_err(|error| error.to_string())?;
    disk::write_json(path, state).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{LayerContent, LayerOnAir};

    #[test]
    fn a_state_without_layers_can_be_read() {
        let state =
            serde_json::from_str::<SavedShow>(r#"{"supervisor":7,"show":{"now":2.5,"title":"A song"}}"#);
        let show = state.expect("a state").show;
        assert_eq!((show.now, show.title.as_str(), show.layers), (2.5, "A song", Vec::new()));
    }

    #[test]
    fn placements_without_the_display_of_the_output_can_be_read() {
        let places = serde_json::from_str::<WindowPlacements>(r#"{"desk_hidden":true}"#).expect("placements");
        assert_eq!((places.desk_hidden, places.screen.by_hand), (true, None));
    }

    #[test]
    fn changes_are_written_but_time_alone_is_not_a_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        let mut saver = StateSaver::at(path.clone()).expect("starts");
        let mut state = SavedShow { supervisor: 7, seed: 3, ..SavedShow::default() };
        state.show.now = 1.0;
        saver.update(state.clone());
        let first = saver.last.clone();
        state.show.now = 2.0;
        saver.update(state.clone());
        assert!(Arc::ptr_eq(&first, &saver.last), "only the time has changed");
        state.show.held = true;
        let content = LayerContent::Title("Live tonight".into());
        state.show.layers = vec![LayerOnAir { id: 4, age_secs: 0.5, seed: 9, content }];
        saver.update(state.clone());
        let launched = saver.last.clone();
        state.show.set_times(&(3.0, vec![1.5]));
        saver.update(state.clone());
        assert!(Arc::ptr_eq(&launched, &saver.last), "only the times have changed");
        state.show.set_times(&(2.0 + AGES_EVERY, vec![0.5 + AGES_EVERY]));
        saver.update(state.clone());
        drop(saver);
        let read: SavedShow = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("state");
        assert_eq!(read, state);
    }
}
