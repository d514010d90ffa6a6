//! The whole night in one command: audit, pack, frames, embeddings, clusters, index, and a page to read in the morning.
//!
//! Whatever would fail at four in the morning fails in the first minute: a preflight, then a smoke run of a few presets
//! through every stage. The time is shared so that the last stage always finishes. Every stage can be cut off at any
//! moment; the next start goes on where this one ended and comes to the same index. While a show plays to music on the
//! same machine the night gives way to it; only clustering, which is short, does not.

mod clock;
mod preflight;
mod presets;
mod report;
mod stages;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use preflight::Check;
use serde::{Deserialize, Serialize};

use crate::frames::{self, BakeItem};
use crate::jobs::files;
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::progress::Progress;
use crate::library::Store;
use crate::library::looks::{BAKE_FILE, write_bake_folder};
use crate::library::style::{INDEX_V0, INDEX_V1, POLICY_V0, StylePolicy};
use clock::Clock;
use state::State;

/// Presets of a smoke run.
const SMOKE_PRESETS: usize = 30;
/// Where their files go, within the pack's folder; each night begins with none, and one that passed leaves none.
const SMOKE: &str = "smoke";
/// Work too small for a smoke run of its own, once a night like it has finished here.
const SMALL_NIGHT: usize = 10 * SMOKE_PRESETS;
/// How often a night remembers what it has spent.
const REMEMBER_EVERY: Duration = Duration::from_secs(5);

/// The stages in their order, by the markers of the log.
pub const STAGES: [&str; 7] = [AUDIT, PACK, FRAMES, EMBED, CLUSTER, POLICY, DONE];
const AUDIT: &str = "audit presets";
const PACK: &str = "write pack";
const FRAMES: &str = "render frames";
const EMBED: &str = "embed CLIP";
const CLUSTER: &str = "cluster embeddings";
const POLICY: &str = "write style policy";
const DONE: &str = "done.";

/// How a night is spent.
#[derive(Clone, Debug)]
pub struct NightSettings {
    /// A folder of presets.
    pub library: PathBuf,
    /// The name of the pack.
    pub pack: String,
    /// Where its files go.
    pub folder: PathBuf,
    /// How long it may take.
    pub time: Duration,
    /// At most so many presets.
    pub limit: Option<usize>,
    /// Presets of the pack, drawn so that they vary; all that are fit without.
    pub pack_size: Option<usize>,
    /// Clusters wanted; suggested without.
    pub clusters: Option<usize>,
    /// `builtin`, or a vision model.
    pub embedder: String,
    /// Where models are kept.
    pub models: Option<PathBuf>,
    /// The smoke run only.
    pub smoke_only: bool,
    /// How frames are captured, with which images, sound and seed.
    pub capture: frames::CaptureSettings,
    /// Processes and threads at work.
    pub workers: usize,
    /// Decides everything random.
    pub seed: u64,
    /// The sign of a show to give way to.
    pub pause_for: Option<PathBuf>,
    /// Somebody asks it to stop; what is done stays done.
    pub stop: Arc<AtomicBool>,
}

impl Default for NightSettings {
    fn default() -> Self {
        Self {
            library: PathBuf::new(),
            pack: "library".into(),
            folder: PathBuf::new(),
            time: Duration::from_secs(8 * 3600),
            limit: None,
            pack_size: None,
            clusters: None,
            embedder: "builtin".into(),
            models: None,
            smoke_only: false,
            capture: frames::CaptureSettings::default(),
            workers: 1,
            seed: 1,
            pause_for: None,
            stop: Arc::default(),
        }
    }
}

/// What the night says while it works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "event")]
pub enum NightEvent {
    /// A check of the preflight.
    Check(Check),
    /// A stage begins: one of the markers of the log.
    Stage {
        /// One of [`STAGES`].
        stage: String,
    },
    /// How far the stage has come.
    Progress(Progress),
    /// Something worth reading in the morning.
    Note {
        /// In words.
        text: String,
    },
    /// The last news of a night that failed.
    Failed {
        /// Why, in one sentence for people.
        why: String,
    },
    /// The last news of any other.
    Ended {
        /// How.
        ending: NightOutcome,
    },
}

/// Told the news.
pub type EventSink<'a> = &'a mut dyn FnMut(NightEvent);

/// How a night ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NightOutcome {
    /// Every stage is done; the index is new.
    Finished,
    /// It was asked to stop; the next start goes on from here.
    Stopped,
}

/// Spends a night; verdicts are kept in `store`, which must lie on disk. The error is one sentence for people.
pub fn overnight(settings: &NightSettings, store: &Store, listen: EventSink) -> Result<NightOutcome, String> {
    let subjects =
        frames::subjects_in(&settings.library, settings.limit).map_err(|error| error.to_string())?;
    let _lock = FolderLock::take(&settings.folder).map_err(|error| format!("{error:#}"))?;
    if let Some(other) = library_of(&settings.folder).filter(|other| !same_folder(other, &settings.library)) {
        return Err(format!(
            "{} holds the pack of {}; choose another name or another place for this one",
            settings.folder.display(),
            other.display()
        ));
    }
    let mut failed = None;
    for check in preflight::run(settings, subjects.len()) {
        if check.fatal {
            failed.get_or_insert_with(|| check.said.clone());
        }
        listen(NightEvent::Check(check));
    }
    if let Some(why) = failed {
        return Err(format!("the night does not begin: {why}"));
    }
    let _awake = keepawake::Builder::default()
        .sleep(true)
        .idle(true)
        .reason("baking a preset library")
        .app_name("aivj")
        .create()
        .map_err(|error| {
            let text = format!("sleep could not be inhibited ({error}); switch it off by hand for the night");
            listen(NightEvent::Note { text });
        });
    let state = State::open(settings)?;
    let clock = Clock::new(settings.time, state.spent());
    let mut night = Night { settings, store, clock, state, remembered: Instant::now(), listen };
    let ending = night.spend(&subjects);
    // Whatever has become of it, the time is spent.
    night.remember()?;
    ending
}

/// The library whose night this folder holds; nothing where it holds none, or one of a library that is no more.
pub fn library_of(folder: &Path) -> Option<PathBuf> {
    State::last(folder)?.library.filter(|library| library.is_dir())
}

/// Whether two paths lead to one folder.
pub fn same_folder(a: &Path, b: &Path) -> bool {
    real(a) == real(b)
}

/// A path without links; as it is where it leads nowhere.
fn real(path: &Path) -> PathBuf {
    dunce::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// What the stages are run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// To see that each of them works here.
    Smoke,
    /// For the index.
    Whole,
}

/// A night under way.
struct Night<'a, 'b> {
    settings: &'a NightSettings,
    store: &'a Store,
    clock: Clock,
    state: State,
    remembered: Instant,
    listen: EventSink<'b>,
}

impl Night<'_, '_> {
    fn spend(&mut self, subjects: &[BakeItem]) -> Result<NightOutcome, String> {
        let settings = self.settings;
        if settings.smoke_only || !self.state.smoke_done {
            let open = self.open(subjects)?;
            if self.state.proven && open <= SMALL_NIGHT && !settings.smoke_only {
                self.note(format!(
                    "at most {open} presets to render and a night like this has finished: no smoke run"
                ));
            } else if self.smoke(subjects)? == NightOutcome::Stopped {
                return Ok(NightOutcome::Stopped);
            } else if settings.smoke_only {
                return Ok(NightOutcome::Finished);
            }
            self.state.smoke_done = true;
            self.remember()?;
        }
        let ending = self.stages(subjects, &settings.folder, Run::Whole)?;
        if ending == NightOutcome::Finished {
            self.publish();
            self.state.finished = true;
            self.remember()?;
            self.stage(DONE);
        }
        Ok(ending)
    }

    /// A few presets from all over the library through every stage, in a folder of their own.
    fn smoke(&mut self, subjects: &[BakeItem]) -> Result<NightOutcome, String> {
        let step = (subjects.len() / SMOKE_PRESETS).max(1);
        let few: Vec<BakeItem> = subjects.iter().step_by(step).take(SMOKE_PRESETS).cloned().collect();
        self.note(format!("smoke run: {} presets through every stage", few.len()));
        let folder = self.settings.folder.join(SMOKE);
        if self.stages(&few, &folder, Run::Smoke)? == NightOutcome::Stopped {
            return Ok(NightOutcome::Stopped);
        }
        let tried = frames::read(&folder);
        let good = tried.values().filter(|entry| entry.is_ok()).count();
        if good * 2 < tried.len() {
            return Err(format!(
                "only {good} of {} presets of the smoke run could be rendered; see {}",
                tried.len(),
                folder.display()
            ));
        }
        self.note(format!("smoke run passed: {good} of {} presets rendered", tried.len()));
        if !self.settings.smoke_only {
            std::fs::remove_dir_all(&folder).ok(); // What is left of it harms nobody.
        }
        Ok(NightOutcome::Finished)
    }

    /// Puts the index beside the presets, where the show looks for it; a library that cannot be written keeps its old
    /// one.
    fn publish(&mut self) {
        let settings = self.settings;
        let (folder, library) = (&settings.folder, &settings.library);
        self.keep_foreign_indexes();
        if let Err(error) = write_bake_folder(library, folder) {
            (self.listen)(NightEvent::Note {
                text: format!("the show will not find map and pictures: {error}"),
            });
        }
        let put = |name: &&str| {
            let there = library.join(name);
            if *name == POLICY_V0 && StylePolicy::read(&there).is_ok() {
                return None; // A policy is the performer's to change.
            }
            let bytes = std::fs::read(folder.join(name)).map_err(|error| error.to_string());
            bytes.and_then(|bytes| files::write_whole(&there, &bytes)).err()
        };
        let text = match [POLICY_V0, INDEX_V0, INDEX_V1].iter().find_map(put) {
            None => format!("the show finds the index in {}", library.display()),
            Some(why) => {
                let folder = folder.display();
                format!("the index could not be put beside the presets: {why}; play {folder} to use it")
            }
        };
        self.note(text);
    }

    /// An index beside the presets that no bake of this program has put there may be somebody's work.
    fn keep_foreign_indexes(&mut self) {
        let library = &self.settings.library;
        if library.join(BAKE_FILE).exists() {
            return;
        }
        for name in [INDEX_V0, INDEX_V1] {
            let kept = format!("{name}.before-bake");
            if library.join(name).is_file() && std::fs::copy(library.join(name), library.join(&kept)).is_ok()
            {
                self.note(format!("the {name} that was there is kept as {kept}"));
            }
        }
    }

    fn stage(&mut self, stage: &str) {
        (self.listen)(NightEvent::Stage { stage: stage.into() });
    }

    fn note(&mut self, text: String) {
        (self.listen)(NightEvent::Note { text });
    }

    /// Tells progress and keeps the time; false once somebody asked the night to stop.
    fn progress(&mut self, progress: &Progress) -> bool {
        (self.listen)(NightEvent::Progress(progress.clone()));
        if self.remembered.elapsed() > REMEMBER_EVERY
            && let Err(why) = self.remember()
        {
            log::warn!("the time spent so far is not remembered: {why}");
        }
        !self.stopped()
    }

    fn stopped(&self) -> bool {
        self.settings.stop.load(Ordering::Relaxed)
    }

    fn remember(&mut self) -> Result<(), String> {
        self.remembered = Instant::now();
        self.state.spent_secs = self.clock.spent().as_secs_f64();
        self.state.save(&self.settings.folder)
    }

    /// Another connection to the store, for a stage that keeps it.
    fn store(&self) -> Result<Store, String> {
        let another = self.store.another().map_err(|error| error.to_string())?;
        another.ok_or_else(|| "verdicts need a store on disk; set AIVJ_DATA to a folder".into())
    }
}
