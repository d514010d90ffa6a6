//! The overnight bake in one command: audit, pack, frames, embeddings, tuning on request, clusters, index and morning
//! report.
//!
//! Preflight checks, followed by a smoke test that runs a few presets through every stage, find most failures
//! within the first minutes. The time budget is divided so that the last stage always finishes. Every stage
//! can be interrupted at any time; the next run resumes and produces the same index. While a show is playing
//! on the same computer, the bake slows down: one worker runs and is idle half of the time. Clustering, which
//! is short, runs at full speed.

mod brood_page;
mod clock;
mod error;
mod event;
mod preflight;
mod presets;
mod publish;
mod report;
mod settings;
mod stage_times;
mod stages;
mod state;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub use brood_page::write_brood_page;
pub use error::BakeError;
pub use event::{BakeEvent, BakeOutcome, EventSink};
pub use preflight::Check;
pub use publish::{PublishError, has_previous_index, publish_index, restore_index};
pub use settings::BakeSettings;

use crate::disk;
use crate::frames::{self, BakeItem};
use crate::jobs::folder_lock::{FolderLock, check_output};
use crate::jobs::progress::Progress;
use crate::library::looks::BAKE_FILE;
use crate::store::Store;
use crate::units::counted;
use clock::Clock;
use settings::SMOKE;
use state::State;

/// Number of presets in a smoke test.
const SMOKE_PRESETS: usize = 30;
/// Number of pending presets up to which no smoke test is needed if a bake with the same settings has
/// finished here.
const SMALL_BAKE: usize = 10 * SMOKE_PRESETS;
/// Interval between saves of the time spent.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// The stages in order, by their names in the log, without the optional tuning.
pub const STAGES: [&str; 7] = [AUDIT, PACK, FRAMES, EMBED, CLUSTER, POLICY, DONE];
const AUDIT: &str = "audit presets";
const PACK: &str = "write pack";
const FRAMES: &str = "render frames";
const EMBED: &str = "embed CLIP";
const TUNE: &str = "tune embeddings";
const CLUSTER: &str = "cluster embeddings";
const POLICY: &str = "write style policy";
const DONE: &str = "done.";

/// Returns the label of a stage for the desk and the terminal. The log keeps the names of aivj's
/// browser-based predecessor, because its tools parse them.
pub fn stage_label(stage: &str) -> &str {
    match stage {
        AUDIT => "Audit presets",
        PACK => "Write pack",
        FRAMES => "Render frames",
        EMBED => "Embed presets",
        TUNE => "Tune embeddings",
        CLUSTER => "Cluster embeddings",
        POLICY => "Write style policy",
        DONE => "Done",
        other => other,
    }
}

/// Runs the bake. Verdicts are saved in `store`, which must be on disk.
pub fn overnight(
    settings: &BakeSettings,
    store: &Store,
    on_event: EventSink,
) -> Result<BakeOutcome, BakeError> {
    let items = frames::items_in(&settings.library, settings.limit)?;
    check_folder(settings)?;
    let _lock =
        FolderLock::take_output(&settings.folder).map_err(|error| BakeError::Lock(format!("{error:#}")))?;
    let mut failed = None;
    let known = frames::entries_of(&items, &settings.folder);
    let rendered = |item: &&BakeItem| known.get(&item.id).is_some_and(frames::FrameEntry::is_ok);
    let unrendered = items.len() - items.iter().filter(rendered).count();
    for check in preflight::run(settings, items.len(), unrendered) {
        if check.fatal {
            failed.get_or_insert_with(|| check.message.clone());
        }
        on_event(BakeEvent::Check(check));
    }
    if let Some(why) = failed {
        return Err(BakeError::Preflight(why));
    }
    let _awake = keepawake::Builder::default()
        .sleep(true)
        .idle(true)
        .reason("baking a preset library")
        .app_name("aivj")
        .create()
        .map_err(|error| {
            let text = format!("cannot inhibit sleep ({error}); disable it manually for the bake");
            on_event(BakeEvent::Note { text });
        });
    let state = State::open(settings)?;
    let clock = Clock::new(settings.time, state.spent()).with_stages(state.stage_times.clone());
    let mut bake = Bake {
        settings,
        store,
        clock,
        state,
        saved: Instant::now(),
        incomplete: false,
        index_stays: false,
        on_event,
    };
    let outcome = bake.run(&items);
    // Save the time spent, whatever the outcome.
    bake.save_state()?;
    outcome
}

/// Checks, without writing anything, that the folder for the results is new, empty, or that of an earlier bake of the
/// same library.
pub fn check_folder(settings: &BakeSettings) -> Result<(), BakeError> {
    let BakeSettings { folder, library, .. } = settings;
    let last = State::last(folder).map_err(BakeError::Folder)?;
    let baked = last.as_ref().and_then(State::library);
    // Earlier versions baked a library in place.
    if same_folder(folder, library) && baked.is_none_or(|other| !same_folder(other, library)) {
        return Err(BakeError::IntoLibrary(folder.clone()));
    }
    if let Some(other) = baked.filter(|other| !same_folder(other, library)) {
        return Err(BakeError::OtherLibrary { folder: folder.clone(), library: other.to_owned() });
    }
    // A library whose bake is in another folder.
    if last.is_none() && folder.join(BAKE_FILE).exists() {
        return Err(BakeError::IntoLibrary(folder.clone()));
    }
    check_output(folder).map_err(|error| BakeError::Folder(format!("{error:#}")))
}

/// Returns the library baked in this folder, if the state of a bake can be read and the library exists.
pub fn library_of(folder: &Path) -> Option<PathBuf> {
    State::last(folder).ok()??.library().map(Path::to_owned)
}

/// Returns whether two paths refer to the same folder.
pub fn same_folder(a: &Path, b: &Path) -> bool {
    real(a) == real(b)
}

/// Resolves symbolic links; returns the path unchanged if it does not exist.
fn real(path: &Path) -> PathBuf {
    dunce::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Purpose of a pass through the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// Check that every stage works.
    Smoke,
    /// Produce the index.
    Whole,
}

/// A running bake.
struct Bake<'a, 'b> {
    settings: &'a BakeSettings,
    store: &'a Store,
    clock: Clock,
    state: State,
    saved: Instant,
    /// Whether presets were left without a verdict, frames or an embedding.
    incomplete: bool,
    /// Whether the existing index was left unchanged, because it covers more presets than this bake.
    index_stays: bool,
    on_event: EventSink<'b>,
}

impl Bake<'_, '_> {
    fn run(&mut self, items: &[BakeItem]) -> Result<BakeOutcome, BakeError> {
        let settings = self.settings;
        if settings.smoke_only || !self.state.smoke_done {
            let pending = self.pending(items)?;
            if self.state.proven && pending <= SMALL_BAKE && !settings.smoke_only {
                self.note(format!(
                    "skipping the smoke test: a bake with the same settings has finished here ({} pending)",
                    counted(pending, "preset")
                ));
            } else if self.smoke(items)? == BakeOutcome::Stopped {
                return Ok(BakeOutcome::Stopped);
            } else if settings.smoke_only {
                return Ok(BakeOutcome::Finished);
            }
            self.state.smoke_done = true;
            self.save_state()?;
        }
        let outcome = self.stages(items, &settings.folder, Run::Whole)?;
        if outcome == BakeOutcome::Finished {
            if !self.index_stays {
                self.publish();
            }
            self.state.finished = true;
            self.save_state()?;
            self.stage(DONE);
        }
        Ok(outcome)
    }

    /// Runs a sample of the library through every stage, in a separate folder.
    fn smoke(&mut self, items: &[BakeItem]) -> Result<BakeOutcome, BakeError> {
        let step = (items.len() / SMOKE_PRESETS).max(1);
        let few: Vec<BakeItem> = items.iter().step_by(step).take(SMOKE_PRESETS).cloned().collect();
        self.note(format!("smoke test: {} through every stage", counted(few.len(), "preset")));
        let folder = self.settings.folder.join(SMOKE);
        disk::create_folder(&folder).map_err(|error| error.to_string())?;
        if self.stages(&few, &folder, Run::Smoke)? == BakeOutcome::Stopped {
            return Ok(BakeOutcome::Stopped);
        }
        let tried = frames::read(&folder);
        let good = tried.values().filter(|entry| entry.is_ok()).count();
        if good * 2 < tried.len() {
            return Err(BakeError::Smoke { good, tried: tried.len(), folder });
        }
        self.note(format!("smoke test passed: {good} of {} rendered", counted(tried.len(), "preset")));
        if !self.settings.smoke_only {
            frames::copy_frames(&few, &folder, &self.settings.folder, &self.settings.capture)?;
            std::fs::remove_dir_all(&folder).ok(); // Leftovers are harmless.
        }
        Ok(BakeOutcome::Finished)
    }

    /// Copies the index to the library and reports the result. The bake succeeds even if this fails.
    fn publish(&mut self) {
        let settings = self.settings;
        let (folder, library) = (&settings.folder, &settings.library);
        let text = match publish_index(folder, library, self.is_partial()) {
            Ok(messages) => {
                messages.into_iter().for_each(|message| self.note(message));
                format!("index saved in {}", library.display())
            }
            Err(error @ PublishError::Smaller { .. }) => error.to_string(),
            Err(error) => {
                let folder = folder.display();
                format!("cannot save the index next to the presets: {error}; open {folder} to use it")
            }
        };
        self.note(text);
    }

    fn stage(&mut self, stage: &str) {
        self.clock.stages.begin(stage);
        (self.on_event)(BakeEvent::Stage { stage: stage.into() });
    }

    fn note(&mut self, text: String) {
        (self.on_event)(BakeEvent::Note { text });
    }

    /// Reports progress and, from time to time, saves the time spent. Returns `false` once cancelled.
    fn progress(&mut self, progress: &Progress) -> bool {
        (self.on_event)(BakeEvent::Progress(progress.clone()));
        self.clock.stages.progress(progress.done);
        if self.saved.elapsed() > SAVE_EVERY
            && let Err(error) = self.save_state()
        {
            log::warn!("cannot save the time spent so far: {error}");
        }
        !self.stopped()
    }

    fn stopped(&self) -> bool {
        self.settings.stop.load(Ordering::Relaxed)
    }

    fn save_state(&mut self) -> Result<(), BakeError> {
        self.saved = Instant::now();
        self.state.spent_secs = self.clock.spent().as_secs_f64();
        self.state.stage_times = self.clock.stages.all();
        Ok(self.state.save(&self.settings.folder)?)
    }

    /// Opens another connection to the store.
    fn store(&self) -> Result<Store, BakeError> {
        let missing = || anyhow::anyhow!("verdicts need a store on disk; set AIVJ_DATA to a folder");
        Ok(self.store.another()?.ok_or_else(missing)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{STORE_FILE, StoreError, is_damage};

    #[test]
    fn a_damaged_store_is_a_cause_of_the_error_of_a_bake() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        store.checkpoint().expect("written");
        std::fs::write(folder.path().join(STORE_FILE), [0xa5; 4096]).expect("damaged");
        let settings = BakeSettings { folder: folder.path().join("bake"), ..BakeSettings::default() };
        std::fs::create_dir(&settings.folder).expect("a folder");
        let bake = Bake {
            settings: &settings,
            store: &store,
            clock: Clock::new(settings.time, Duration::ZERO),
            state: State::open(&settings).expect("a state"),
            saved: Instant::now(),
            incomplete: false,
            index_stays: false,
            on_event: &mut |_| {},
        };
        let damage = || -> StoreError { store.another().err().expect("the damage") };
        let errors: [BakeError; 3] = [
            bake.pending(&[]).expect_err("the damage"),
            anyhow::Error::from(damage()).into(),
            anyhow::Error::from(damage()).context("reading the verdicts").into(),
        ];
        for error in errors.map(anyhow::Error::from) {
            assert!(error.chain().any(is_damage) && store.mark_if_damaged(&*error), "{error:#}");
        }
    }
}
