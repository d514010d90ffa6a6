//! Still frames of every preset, for embedding and for people: `frames-index.jsonl` and WebP files in folders by hash.
//!
//! Presets are rendered by supervised processes in a seeded random order, so that a night cut short has seen some of
//! everything. One line is appended per attempt; the next night goes on with what has no good line.

mod capture;
mod entry;
mod render_stats;
pub mod single;
mod subject;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use capture::MISSING;
pub use capture::{CaptureJob, CaptureSettings, Captured, Clip, ClipFormat, FrameCapturer};
pub use entry::{BandClass, BandResponse, FrameEntry, FrameMetrics, read};
pub use subject::{BakeItem, subjects_in};

use crate::audit::probe::ProbeSettings;
use crate::audit::{AuditPlan, Ledger, recipe};
use crate::jobs::progress::{Progress, Watch};
use crate::jobs::workers::{self, Limits, Outcome, PoolSettings};
use crate::library::{PresetId, PresetSource, Store, library_root};
use crate::units::Rng;

/// Words for attempts that are not repeated: a preset that hangs would hang again. One that cannot be read may be back
/// another night.
const FINAL: [&str; 2] = ["probe-timeout", "preset-load-failed"];

/// How the stage runs.
#[derive(Clone, Debug)]
pub struct FramesSettings {
    /// How frames are captured.
    pub capture: CaptureSettings,
    /// Processes at work.
    pub workers: usize,
    /// Processor time a preset may use.
    pub timeout: Duration,
    /// More attempts at a preset whose process failed.
    pub retries: u32,
    /// When to end, finished or not.
    pub deadline: Option<Instant>,
    /// The sign of a show to give way to.
    pub pause_for: Option<PathBuf>,
    /// Somebody asks it to stop.
    pub stop: Arc<AtomicBool>,
}

/// What a night of rendering did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Presets rendered.
    pub ok: usize,
    /// Presets that failed.
    pub failed: usize,
    /// Presets of earlier nights.
    pub kept: usize,
    /// Whether every preset had its turn.
    pub finished: bool,
}

/// What is known of each preset's frames, by id.
pub fn metrics(folder: &Path) -> HashMap<String, FrameMetrics> {
    let entries = read(folder).into_values().filter(FrameEntry::is_ok);
    entries.map(|entry| (entry.preset_id, entry.metrics)).collect()
}

/// Gives each subject its frames in this folder, as far as they are there.
pub fn attach(subjects: &mut [BakeItem], folder: &Path) {
    let entries = read(folder);
    for subject in subjects {
        if let Some(entry) = entries.get(&subject.id).filter(|entry| entry.is_ok()) {
            let frames = entry.frames.iter().map(|frame| folder.join(frame));
            subject.frames = frames.filter(|frame| frame.is_file()).collect();
        }
    }
}

/// Gives each subject its answer to each part of the sound, as far as an audit of this library has told; says of how
/// many.
pub fn attach_bands(subjects: &mut [BakeItem], library: &Path, store: Store) -> anyhow::Result<usize> {
    let plan = AuditPlan::last(&store, std::iter::once(library_root(library)))?;
    let by_path: HashMap<String, PresetId> =
        plan.each_file().map(|file| (plan.relative(file), file.id)).collect();
    let ledger = Ledger::new(store, recipe(&ProbeSettings::default()));
    let mut told = 0;
    for subject in subjects {
        let Some(&id) = by_path.get(&subject.id) else { continue };
        let look = ledger.of_any_recipe(id)?.and_then(|record| record.evidence.look);
        subject.bands = look.as_ref().map(BandResponse::from);
        told += usize::from(subject.bands.is_some());
    }
    Ok(told)
}

/// How many of these presets have no such frames yet, nor failed for good.
pub fn lacking(subjects: &[BakeItem], folder: &Path, capture: &CaptureSettings) -> usize {
    let (known, name) = (read(folder), capture.name());
    subjects.iter().filter(|subject| !is_done(subject, folder, &known, &name)).count()
}

/// Whether a preset has had its turn since it was last written, with these settings, and its frames are there.
fn is_done(subject: &BakeItem, folder: &Path, known: &HashMap<String, FrameEntry>, capture: &str) -> bool {
    let Some(entry) = known.get(&subject.id).filter(|entry| is_final(entry)) else { return false };
    // A line by another program does not tell how its frames were captured, nor of what.
    entry.capture.as_deref().is_none_or(|name| name == capture)
        && are_whole(entry, folder)
        && match &entry.content {
            Some(content) => content_of(&subject.path).is_some_and(|now| now == *content),
            None => !changed_since(&subject.path, &entry.at),
        }
}

/// Whether the frames of this line are there, in the length they were written in where that is told.
fn are_whole(entry: &FrameEntry, folder: &Path) -> bool {
    let length = |frame: &String| std::fs::metadata(folder.join(frame)).ok().filter(|facts| facts.is_file());
    let lengths: Option<Vec<u64>> = entry.frames.iter().map(|frame| Some(length(frame)?.len())).collect();
    lengths.is_some_and(|lengths| entry.bytes.is_none_or(|bytes| lengths.iter().sum::<u64>() == bytes))
}

/// The identity of a preset that can be read.
fn content_of(path: &Path) -> Option<String> {
    let bytes = PresetSource::File(path.to_owned()).read().ok()?;
    Some(PresetId::of(&bytes).to_string())
}

/// Whether nothing is left of the folder that a preset's id leads down from.
fn library_is_gone(job: &CaptureJob) -> bool {
    let root = job.preset.ancestors().nth(job.id.split('/').count());
    root.is_some_and(|root| std::fs::read_dir(root).map_or(true, |mut inside| inside.next().is_none()))
}

/// Renders the presets that have no frames yet.
pub fn render(
    subjects: &[BakeItem],
    folder: &Path,
    settings: &FramesSettings,
    watch: Watch,
) -> Result<Rendered, String> {
    let mut done = Rendered { finished: true, ..Rendered::default() };
    let (known, name) = (read(folder), settings.capture.name());
    let mut open: Vec<BakeItem> = Vec::new();
    let mut index = entry::IndexWriter::open(folder)?;
    for subject in subjects {
        if !is_done(subject, folder, &known, &name) {
            open.push(subject.clone());
            continue;
        }
        done.kept += 1;
        // The frames came before the audit: what it heard is told in a line of its own.
        let entry = known.get(&subject.id).filter(|entry| entry.is_ok());
        if let (Some(entry), Some(bands)) = (entry, subject.bands)
            && entry.metrics.band_response.is_none()
        {
            index.append(&FrameEntry { metrics: entry.metrics.hearing(bands), ..entry.clone() })?;
        }
    }
    Rng::new(settings.capture.seed).shuffle(&mut open);
    for attempt in 0..=settings.retries {
        if open.is_empty() || !done.finished {
            break;
        }
        let last = attempt == settings.retries;
        open = one_round(&open, folder, settings, last, &mut index, &mut done, subjects.len(), watch)?;
    }
    Ok(done)
}

/// Tries each preset once; gives back those worth another attempt.
#[expect(clippy::too_many_arguments, reason = "one round of the loop above, split off to be read")]
fn one_round(
    open: &[BakeItem],
    folder: &Path,
    settings: &FramesSettings,
    last: bool,
    index: &mut entry::IndexWriter,
    done: &mut Rendered,
    total: usize,
    watch: Watch,
) -> Result<Vec<BakeItem>, String> {
    let pool = PoolSettings {
        workers: settings.workers.clamp(1, open.len().max(1)),
        limits: Limits {
            cpu: settings.timeout,
            wall: settings.timeout * 8,
            memory_mib: 2048,
            recycle_mib: 1024,
        },
        arguments: vec![
            "worker".into(),
            "frames".into(),
            serde_json::to_string(&settings.capture).map_err(|error| error.to_string())?,
        ],
        environment: workers::drawing_environment(settings.workers),
        pause_for: settings.pause_for.clone(),
        stop: settings.stop.clone(),
    };
    let name = settings.capture.name();
    let by_id: HashMap<String, BakeItem> = open.iter().map(|s| (s.id.clone(), s.clone())).collect();
    let job =
        |s: &BakeItem| CaptureJob { id: s.id.clone(), preset: s.path.clone(), folder: folder.to_owned() };
    let jobs: Vec<CaptureJob> = open.iter().map(job).collect();
    let (mut again, mut trouble) = (Vec::new(), None);
    let mut seen = 0;
    workers::run_all(&pool, jobs.into_iter(), |job: CaptureJob, outcome: Outcome<Captured>| {
        seen += 1;
        let captured = match outcome {
            Outcome::Done(captured) => captured,
            Outcome::Hang(why) => Captured::failed("probe-timeout", why),
            Outcome::Stuck(why) => Captured::failed("render-failed", why),
            Outcome::Memory(why) => Captured::failed("render-failed", format!("too much memory: {why}")),
            Outcome::Died(why) => Captured::failed("render-failed", format!("its process died: {why}")),
            Outcome::NotTried(why) => {
                trouble = Some(format!("frames cannot be rendered: {why}"));
                return false;
            }
        };
        match &captured.failed {
            Some((word, why)) if word == "write-failed" => {
                trouble = Some(why.clone());
                return false;
            }
            Some((word, why)) if word == MISSING && library_is_gone(&job) => {
                trouble = Some(format!(
                    "the library is gone ({why}); start it again when it is back, it goes on from here"
                ));
                return false;
            }
            _ => {}
        }
        let mut entry = line(&job, captured, &name);
        if let Some(bands) = by_id.get(&job.id).and_then(|subject| subject.bands) {
            entry.metrics = entry.metrics.hearing(bands);
        }
        if let Err(why) = index.append(&entry) {
            trouble = Some(why);
            return false;
        }
        if entry.is_ok() {
            done.ok += 1;
        } else if last || is_final(&entry) {
            done.failed += 1;
        } else {
            again.extend(by_id.get(&job.id).cloned());
        }
        let mut progress = Progress::at("render frames", done.kept + done.ok + done.failed, total);
        progress.picture = entry.frames.first().map(|frame| folder.join(frame));
        let in_time = settings.deadline.is_none_or(|deadline| Instant::now() < deadline);
        watch(&progress) && in_time
    });
    done.finished &= seen == open.len();
    match trouble {
        Some(why) => Err(why),
        None => Ok(again),
    }
}

fn is_final(entry: &FrameEntry) -> bool {
    entry.is_ok() || entry.reasons.iter().any(|reason| FINAL.contains(&reason.as_str()))
}

/// Whether a file was written after this date; a file without a date was not.
fn changed_since(path: &Path, at: &str) -> bool {
    let written = std::fs::metadata(path).and_then(|meta| meta.modified());
    let written = written.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    written.is_some_and(|since| crate::jobs::iso(since.as_secs() as i64).as_str() > at)
}

fn line(job: &CaptureJob, captured: Captured, capture: &str) -> FrameEntry {
    let Captured { frames, bytes, content, clip, metrics, failed } = captured;
    let (reasons, error_text) = match failed {
        Some((word, why)) => (vec![word], Some(why).filter(|why| !why.is_empty())),
        None => (Vec::new(), None),
    };
    FrameEntry {
        version: "v0".into(),
        at: crate::jobs::iso(crate::jobs::now()),
        preset_id: job.id.clone(),
        rel_path: job.id.clone(),
        file_path: job.preset.to_string_lossy().replace('\\', "/"),
        status: Some(if reasons.is_empty() { "ok" } else { "failed" }.into()),
        id_hash: entry::id_hash(&job.id),
        frames,
        clip,
        reasons,
        error_text,
        metrics,
        capture: Some(capture.to_owned()),
        content,
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_preset_under_the_same_name_and_frames_cut_short_are_due_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (preset, frame) = (folder.path().join("a.milk"), folder.path().join("0.webp"));
        std::fs::write(&preset, b"zoom=1").expect("written");
        std::fs::write(&frame, b"picture").expect("written");
        let entry = FrameEntry {
            preset_id: "a.milk".into(),
            at: "2999-01-01T00:00:00Z".into(),
            frames: vec!["0.webp".into()],
            content: Some(PresetId::of(b"zoom=1").to_string()),
            bytes: Some(7),
            ..FrameEntry::default()
        };
        entry::IndexWriter::open(folder.path()).expect("open").append(&entry).expect("written");
        let subject = BakeItem { id: "a.milk".into(), path: preset.clone(), frames: Vec::new(), bands: None };
        let due = || lacking(std::slice::from_ref(&subject), folder.path(), &CaptureSettings::default());
        assert_eq!(due(), 0);
        std::fs::write(&frame, b"pict").expect("written");
        assert_eq!(due(), 1, "a frame is cut short");
        std::fs::write(&frame, b"picture").expect("written");
        std::fs::write(&preset, b"zoom=2").expect("written");
        assert_eq!(due(), 1, "the preset is another");
    }

    #[test]
    fn a_library_is_gone_when_nothing_is_left_of_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("library");
        std::fs::create_dir_all(root.join("deep")).expect("made");
        let preset = root.join("deep/a.milk");
        let job = CaptureJob { id: "deep/a.milk".into(), preset, folder: folder.path().to_owned() };
        assert!(!library_is_gone(&job));
        std::fs::remove_dir(root.join("deep")).expect("removed");
        assert!(library_is_gone(&job), "a disk that is away leaves an empty folder");
        std::fs::remove_dir(&root).expect("removed");
        assert!(library_is_gone(&job));
    }

    #[test]
    fn frames_that_came_before_the_audit_are_told_what_it_heard_and_are_not_rendered_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (preset, frame) = (folder.path().join("a.milk"), "frames/a.webp".to_owned());
        std::fs::create_dir(folder.path().join("frames")).expect("made");
        for file in [&preset, &folder.path().join(&frame)] {
            std::fs::write(file, b"zoom=1").expect("written");
        }
        let settings = FramesSettings {
            capture: CaptureSettings::default(),
            workers: 1,
            timeout: Duration::from_secs(1),
            retries: 0,
            deadline: None,
            pause_for: None,
            stop: Arc::default(),
        };
        let rendered = FrameEntry {
            preset_id: "a.milk".into(),
            at: "2999-01-01T00:00:00Z".into(),
            frames: vec![frame],
            capture: Some(settings.capture.name()),
            metrics: FrameMetrics { motion: 0.25, ..FrameMetrics::default() },
            ..FrameEntry::default()
        };
        entry::IndexWriter::open(folder.path()).expect("open").append(&rendered).expect("written");
        let bands = BandResponse { low: 0.5, mid: 0.1, high: 0.1 };
        let subject = BakeItem { id: "a.milk".into(), path: preset, frames: Vec::new(), bands: Some(bands) };
        for _ in 0..2 {
            let done = render(std::slice::from_ref(&subject), folder.path(), &settings, &mut |_| true);
            assert_eq!(done.map(|done| (done.kept, done.ok)), Ok((1, 0)));
        }
        let told = &read(folder.path())["a.milk"].metrics;
        assert_eq!(
            (told.band_response, told.band_class, told.motion),
            (Some(bands), Some(BandClass::Low), 0.25)
        );
        let lines = std::fs::read_to_string(folder.path().join(entry::INDEX)).expect("there");
        assert_eq!(lines.lines().count(), 2);
    }
}
