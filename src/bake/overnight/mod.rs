//! The whole night in one command: frames, embeddings, clusters, index, and a page to read in the morning.
//!
//! Whatever would fail at four in the morning fails in the first minute: a preflight, then a smoke run of a few presets
//! through every stage. The time is shared so that the last stage always finishes. Every stage can be cut off at any
//! moment; the next start goes on where this one ended and comes to the same index.

mod preflight;
mod report;
mod state;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use preflight::Check;

use super::cluster::{self, ClusterSettings, Styles};
use super::embed::{self, Subject};
use super::files;
use super::frames::{self, CaptureSettings, FramesSettings};
use super::lock::FolderLock;
use super::progress::Progress;
use super::{iso, now};
use crate::library::looks::write_bake_place;
use crate::library::style::{INDEX_V0, INDEX_V1, POLICY_V0};
use state::State;

/// Presets of a smoke run.
const SMOKE_PRESETS: usize = 30;
/// Where their files go, within the pack's folder; each night begins with none.
const SMOKE: &str = "smoke";
/// Share of the night that rendering may take; the rest is for what follows it.
const RENDERING_SHARE: f64 = 0.875;

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
    /// Clusters wanted; suggested without.
    pub clusters: Option<usize>,
    /// `builtin`, or a vision model.
    pub embedder: String,
    /// Where models are kept.
    pub models: Option<PathBuf>,
    /// The smoke run only.
    pub smoke_only: bool,
    /// Folders with images for presets.
    pub textures: Vec<PathBuf>,
    /// What presets hear: a sound file, or `demo`.
    pub audio: String,
    /// Processes and threads at work.
    pub workers: usize,
    /// Decides everything random.
    pub seed: u64,
}

/// What the night says while it works.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase", tag = "event")]
pub enum News {
    /// A check of the preflight.
    Check(Check),
    /// A stage begins: one of the markers of the log.
    Stage {
        /// `render frames`, `embed CLIP`, `cluster embeddings`, `write style policy`, `done.`
        stage: String,
    },
    /// How far the stage has come.
    Progress(Progress),
    /// Something worth reading in the morning.
    Note {
        /// In words.
        text: String,
    },
}

/// Told the news; answers whether the night should go on.
pub type Listen<'a> = &'a mut dyn FnMut(News) -> bool;

/// How a night ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every stage is done; the index is new.
    Finished,
    /// It was asked to stop; the next start goes on from here.
    Stopped,
}

/// Spends a night. The error is one sentence for people.
pub fn overnight(settings: &NightSettings, listen: Listen) -> Result<Ending, String> {
    let subjects =
        embed::subjects_in(&settings.library, settings.limit).map_err(|error| error.to_string())?;
    let _lock = FolderLock::take(&settings.folder).map_err(|error| format!("{error:#}"))?;
    let mut failed = None;
    for check in preflight::run(settings, subjects.len()) {
        if check.fatal {
            failed.get_or_insert_with(|| check.said.clone());
        }
        listen(News::Check(check));
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
            listen(News::Note { text });
        });
    let mut state = State::open(settings)?;
    if settings.smoke_only || !state.smoke_done {
        let smoke = smoke(settings, &subjects, listen)?;
        if smoke == Ending::Stopped || settings.smoke_only {
            return Ok(smoke);
        }
        state.smoke_done = true;
        state.save(&settings.folder)?;
    }
    let ending = stages(settings, &subjects, &settings.folder, settings.time, listen)?;
    if ending == Ending::Finished {
        publish(settings, listen);
        state.finished = true;
        state.save(&settings.folder)?;
        listen(News::Stage { stage: "done.".into() });
    }
    Ok(ending)
}

/// Puts the index beside the presets, where the show looks for it; a library that cannot be written keeps its old one.
fn publish(settings: &NightSettings, listen: Listen) {
    if let Err(error) = write_bake_place(&settings.library, &settings.folder) {
        listen(News::Note { text: format!("the show will not find map and pictures: {error}") });
    }
    for name in [POLICY_V0, INDEX_V0, INDEX_V1] {
        let written = std::fs::read(settings.folder.join(name)).map_err(|error| error.to_string());
        let written = written.and_then(|bytes| files::write_whole(&settings.library.join(name), &bytes));
        if let Err(why) = written {
            let text =
                format!("the show will not find the new index: {why}; copy the index beside the presets");
            listen(News::Note { text });
            return;
        }
    }
    listen(News::Note { text: format!("the show finds the index in {}", settings.library.display()) });
}

/// A few presets from all over the library through every stage, in a folder of their own.
fn smoke(settings: &NightSettings, subjects: &[Subject], listen: Listen) -> Result<Ending, String> {
    let step = (subjects.len() / SMOKE_PRESETS).max(1);
    let few: Vec<Subject> = subjects.iter().step_by(step).take(SMOKE_PRESETS).cloned().collect();
    listen(News::Note { text: format!("smoke run: {} presets through every stage", few.len()) });
    let folder = settings.folder.join(SMOKE);
    let ending = stages(settings, &few, &folder, settings.time, listen)?;
    let good = frames::read(&folder).values().filter(|entry| entry.is_ok()).count();
    if ending == Ending::Finished && good * 2 < few.len() {
        return Err(format!(
            "only {good} of {} presets of the smoke run could be rendered; see {}",
            few.len(),
            folder.join("frames-index.jsonl").display()
        ));
    }
    listen(News::Note { text: format!("smoke run passed: {good} of {} presets rendered", few.len()) });
    Ok(ending)
}

/// Every stage on these presets.
fn stages(
    settings: &NightSettings,
    subjects: &[Subject],
    folder: &Path,
    time: Duration,
    listen: Listen,
) -> Result<Ending, String> {
    let started = Instant::now();
    let before = cluster::before(folder);
    listen(News::Stage { stage: "render frames".into() });
    let rendering = FramesSettings {
        capture: CaptureSettings {
            textures: settings.textures.clone(),
            audio: settings.audio.clone(),
            seed: settings.seed,
            ..CaptureSettings::default()
        },
        workers: settings.workers,
        timeout: Duration::from_secs(40),
        retries: 2,
        deadline: Some(started + time.mul_f64(RENDERING_SHARE)),
    };
    let mut stopped = false;
    let rendered = frames::render(subjects, folder, &rendering, &mut |progress| {
        stopped |= !listen(News::Progress(progress.clone()));
        !stopped
    })?;
    if stopped {
        return Ok(Ending::Stopped);
    }
    if !rendered.finished {
        let text = format!(
            "the time for rendering is up after {} presets; the next night goes on",
            rendered.ok + rendered.kept
        );
        listen(News::Note { text });
    }
    let (mut kept, dropped) = sort_out(subjects, folder);
    frames::attach(&mut kept, folder);
    listen(News::Stage { stage: "embed CLIP".into() });
    let mut embedder = embed::open_embedder(
        &settings.embedder,
        settings.models.as_deref(),
        &kept,
        folder,
        settings.seed,
        settings.workers,
        &mut |text| {
            listen(News::Note { text });
        },
    )?;
    let embedded = embed::embed(&kept, embedder.as_mut(), folder, &mut |progress| {
        stopped |= !listen(News::Progress(progress.clone()));
        !stopped
    })
    .map_err(|error| error.to_string())?;
    if stopped || !embedded.finished {
        return Ok(Ending::Stopped);
    }
    listen(News::Stage { stage: "cluster embeddings".into() });
    let mut table = embed::Table::open(folder).map_err(|error| error.to_string())?.unwrap_or_default();
    table.keep_only(kept.iter().map(|subject| subject.id.as_str()));
    let gathering = ClusterSettings {
        count: settings.clusters,
        seed: settings.seed,
        threads: settings.workers,
        pack: settings.pack.clone(),
        at: iso(now()),
        method: None,
        passes: cluster::PASSES,
    };
    let gathered = cluster::gather(&table, &frames::motions(folder), before.as_ref(), &gathering)
        .map_err(|error| error.to_string())?;
    listen(News::Stage { stage: "write style policy".into() });
    gathered.write(folder, &table).map_err(|error| error.to_string())?;
    let night =
        report::Night { styles: &gathered.styles, before: before.as_ref(), dropped: &dropped, rendered };
    let page = report::write(folder, &night)?;
    listen(News::Note { text: format!("the morning's page is {}", page.display()) });
    Ok(Ending::Finished)
}

/// The subjects worth embedding, and why the others are not: presets that fail, or show nothing at all.
fn sort_out(subjects: &[Subject], folder: &Path) -> (Vec<Subject>, Vec<(String, String)>) {
    let entries = frames::read(folder);
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    for subject in subjects {
        match entries.get(&subject.id).and_then(why_dropped) {
            Some(why) => dropped.push((subject.id.clone(), why)),
            None => kept.push(subject.clone()),
        }
    }
    (kept, dropped)
}

/// Light, and change, below which nothing is to be seen.
const NOTHING: f32 = 1e-4;

fn why_dropped(entry: &frames::FrameEntry) -> Option<String> {
    let metrics = &entry.metrics;
    if !entry.is_ok() {
        Some(entry.reasons.join(", "))
    } else if metrics.avg_luma < NOTHING && metrics.motion < NOTHING {
        Some("black".into())
    } else {
        None
    }
}

/// Presets whose cluster is another than before.
fn moved(before: &Styles, now: &Styles) -> usize {
    let members: &HashMap<String, u32> = &now.members;
    before.members.iter().filter(|(id, cluster)| members.get(*id).is_some_and(|now| now != *cluster)).count()
}
