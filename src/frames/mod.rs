//! Renders still frames of every preset for embedding and viewing: WebP files, listed in `frames-index.jsonl`.
//!
//! Presets are rendered by supervised processes in a seeded random order, so that an interrupted bake covers a random
//! sample. One line is appended per attempt; the next bake resumes with the presets that have no valid line. Presets
//! whose frames an audit has already saved are not rendered again.

pub mod bench;
mod capture;
mod copies;
mod entry;
mod error;
mod item;
mod render_stats;
mod shared;
pub mod single;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use capture::MISSING;
pub use capture::{CaptureJob, CaptureSettings, Captured, Clip, ClipFormat, FrameCapturer, METHOD};
use copies::Copies;
pub use entry::{BandClass, BandResponse, FrameEntry, FrameMetrics, IndexWriter, read, replace_index};
pub use error::FramesError;
pub use item::{BakeItem, item_names, items_in, items_of_shard};
pub use shared::work_shared;

use crate::audit::probe::ProbeSettings;
use crate::audit::verdict::Record;
use crate::audit::{AuditPlan, Continuation, GateLimits, Ledger, recipe};
use crate::confine::Rights;
use crate::disk::{Folder, Input, limit};
use crate::facts::PresetId;
use crate::jobs::progress::{OnProgress, Progress};
use crate::jobs::wire::WirePreset;
use crate::jobs::workers::{self, Limits, Outcome, PoolSettings, WorkerCount};
use crate::library::library_root;
use crate::library::style::NameTable;
use crate::store::Store;
use crate::units::Rng;
use shared::SharedSettings;

/// Maximum memory of a worker that draws pictures of usual sizes, in MiB.
pub const WORKER_MEMORY_MIB: u64 = 2048;
/// Maximum size of the pictures of a preset, in MiB; a worker needs the rest of its memory for the preset itself.
const MAX_PICTURES_MIB: u64 = WORKER_MEMORY_MIB / 2;
/// Estimated memory per pixel, in bytes, of the images of a double preset with deep colour on a software rasteriser,
/// including copies and the coordinates of its meshes.
const BYTES_PER_PIXEL: u64 = 232;
/// Reason codes after which a preset is not tried again: a preset that hangs would hang again. A file that
/// cannot be read is tried again, because it may be readable in the next bake.
const FINAL: [&str; 2] = ["probe-timeout", "preset-load-failed"];

/// Settings of the frames stage.
#[derive(Clone, Debug)]
pub struct FramesSettings {
    /// Settings of the capture.
    pub capture: CaptureSettings,
    /// Number of worker processes.
    pub workers: WorkerCount,
    /// CPU time limit per preset.
    pub timeout: Duration,
    /// Number of times a failed preset is retried, unless its failure is final.
    pub retries: u32,
    /// Time at which to stop, even if unfinished; `None` sets no limit.
    pub deadline: Option<Instant>,
    /// Lock file that a running show holds; rendering slows down while it is held. `None` to ignore shows.
    pub pause_for: Option<PathBuf>,
    /// Set to true to cancel the stage.
    pub stop: Arc<AtomicBool>,
}

/// Result of the frames stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Number of presets rendered in this run.
    pub ok: usize,
    /// Number of presets that failed in this run.
    pub failed: usize,
    /// Number of presets done in earlier runs, by an audit, or with the frames of another preset.
    pub kept: usize,
    /// Whether every preset was processed.
    pub finished: bool,
}

/// Returns the maximum memory of a worker that draws pictures of `size` pixels, in MiB.
pub fn worker_memory_mib(size: [u32; 2]) -> u64 {
    let [width, height] = size.map(u64::from);
    // Half of the memory at usual sizes is for what does not depend on the size.
    WORKER_MEMORY_MIB.max(WORKER_MEMORY_MIB / 2 + ((width * height * BYTES_PER_PIXEL) >> 20))
}

/// Returns the last index entry of every item, by item ID. Entries of earlier bakes and of other programs may
/// identify presets by path, file or content ID.
pub fn entries_of(items: &[BakeItem], folder: &Path) -> HashMap<String, FrameEntry> {
    let known = read(folder);
    if items.iter().all(|item| known.contains_key(&item.id)) {
        return known;
    }
    let by_content = known.keys().any(|id| id.parse::<PresetId>().is_ok());
    let mut entries: Vec<FrameEntry> = known.into_values().collect();
    entries.sort_by(|a, b| a.preset_id.cmp(&b.preset_id));
    let mut names = NameTable::for_presets(3 * entries.len());
    // An ID takes precedence over a path.
    for place in 0..3 {
        for (index, entry) in entries.iter().enumerate() {
            entry.names().nth(place).into_iter().for_each(|name| names.add(name, index));
        }
    }
    let found = items.iter().filter_map(|item| {
        let entry = entries[item.find_in(&names, by_content)?].clone();
        Some((item.id.clone(), FrameEntry { preset_id: item.id.clone(), ..entry }))
    });
    found.collect()
}

/// Sets the frames of each item to those of its rendered frames that exist in `folder`.
pub fn attach_frames(items: &mut [BakeItem], folder: &Path) {
    let entries = entries_of(items, folder);
    for item in items {
        if let Some(entry) = entries.get(&item.id).filter(|entry| entry.is_ok()) {
            let frames = entry.frames.iter().map(|frame| folder.join(frame));
            item.frames = frames.filter(|frame| frame.is_file()).collect();
        }
    }
}

/// Sets the band response of each item from the last audit of `library`. Returns the number of items that
/// have one.
pub fn attach_bands(items: &mut [BakeItem], library: &Path, store: Store) -> anyhow::Result<usize> {
    let plan = AuditPlan::last(&store, std::iter::once(library_root(library)))?;
    let by_path: HashMap<String, PresetId> =
        plan.each_file().map(|file| (plan.relative(file), file.id)).collect();
    let ledger = Ledger::new(store, recipe(&ProbeSettings::default()));
    let mut known = 0;
    for item in items {
        let Some(&id) = by_path.get(&item.below) else { continue };
        let record = ledger.of_any_recipe(id)?;
        item.bands = record.as_ref().and_then(Record::measured_look).map(BandResponse::from);
        known += usize::from(item.bands.is_some());
    }
    Ok(known)
}

/// Returns the continuation with which the workers of an audit with the settings `probe` save the frames of presets
/// that pass and have no up-to-date result in `folder`; `None` if frames with the settings `capture` must be rendered
/// separately. `limits` are the thresholds that the user set for the audit.
///
/// # Errors
/// Fails if the settings cannot be passed to a worker.
pub fn continuation(
    items: &[BakeItem],
    folder: &Path,
    probe: &ProbeSettings,
    limits: GateLimits,
    capture: &CaptureSettings,
) -> Result<Option<Continuation>, FramesError> {
    if !capture.continues(probe) {
        return Ok(None);
    }
    let settings =
        SharedSettings { probe: probe.clone(), limits, capture: capture.clone(), folder: folder.to_owned() };
    let settings =
        serde_json::to_string(&settings).map_err(|error| FramesError::Worker(error.to_string()))?;
    let (known, name) = (entries_of(items, folder), capture.name());
    let open = items.iter().filter(|item| !is_done(item, folder, &known, &name));
    Ok(Some(Continuation {
        arguments: vec!["worker".into(), shared::WORKER.into(), settings],
        rights: Rights {
            read: single::readable_paths(&capture.textures, &capture.audio),
            write: vec![folder.to_owned()],
        },
        names: open.map(|item| (item.below.clone(), item.id.clone())).collect(),
    }))
}

/// Copies valid frames and clips, with their lines in the index, from the folder `from` to `folder`, for the presets
/// that have no up-to-date result with the settings `capture` there.
///
/// # Errors
/// Fails if `folder` cannot be written to.
pub fn copy_frames(
    items: &[BakeItem],
    from: &Path,
    folder: &Path,
    capture: &CaptureSettings,
) -> Result<(), FramesError> {
    let (made, known, name) = (entries_of(items, from), entries_of(items, folder), capture.name());
    let mut index = IndexWriter::open(folder)?;
    let out = Folder::create(folder).map_err(|error| FramesError::Write(error.to_string()))?;
    let open = items.iter().filter(|item| !is_done(item, folder, &known, &name));
    let entries = open.filter_map(|item| made.get(&item.id));
    for entry in entries.filter(|entry| entry.is_ok() && frames_intact(entry, from)) {
        for name in entry.frames.iter().chain(&entry.clip) {
            let copied = Input::open(&from.join(name), limit::STREAM).and_then(|mut file| {
                out.replace(Path::new(name), |out| std::io::copy(&mut file, out).map(drop))
            });
            let failed = |error: std::io::Error| {
                FramesError::Write(format!("{}: {error}", folder.join(name).display()))
            };
            copied.map_err(failed)?;
        }
        index.append(entry)?;
    }
    Ok(())
}

/// Returns the number of presets that still have to be rendered with the settings `capture`.
pub fn count_pending(items: &[BakeItem], folder: &Path, capture: &CaptureSettings) -> usize {
    let (known, name) = (entries_of(items, folder), capture.name());
    items.iter().filter(|item| !is_done(item, folder, &known, &name)).count()
}

/// Returns whether the current version of a preset was processed with the settings named `capture`, and its
/// frames are intact.
fn is_done(item: &BakeItem, folder: &Path, known: &HashMap<String, FrameEntry>, capture: &str) -> bool {
    let Some(entry) = known.get(&item.id) else { return false };
    // Another program may fail on presets that this one renders.
    (entry.is_ok() || (is_final(entry) && !entry.is_foreign()))
        && entry.capture.as_deref().is_none_or(|name| name == capture)
        && frames_intact(entry, folder)
        && match &entry.content {
            Some(content) => content_of(&item.path).is_some_and(|now| now == *content),
            // The file may be a copy, with a later time.
            None if entry.is_foreign() => item.listed_size.is_none_or(|size| has_size(&item.path, size)),
            None => !changed_since(&item.path, &entry.at),
        }
}

fn has_size(path: &Path, size: u64) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == size)
}

/// Returns whether all of an entry's frames exist and their total size matches the recorded one, if any.
fn frames_intact(entry: &FrameEntry, folder: &Path) -> bool {
    let length =
        |frame: &String| std::fs::metadata(folder.join(frame)).ok().filter(|metadata| metadata.is_file());
    let lengths: Option<Vec<u64>> = entry.frames.iter().map(|frame| Some(length(frame)?.len())).collect();
    lengths.is_some_and(|lengths| entry.bytes.is_none_or(|bytes| lengths.iter().sum::<u64>() == bytes))
}

/// Returns the content ID of a preset; `None` if the file cannot be read.
fn content_of(path: &Path) -> Option<String> {
    item::file_id(path).map(|id| id.to_string())
}

/// Returns whether the library of an item is missing or empty, as on an unmounted disk.
fn library_missing(item: &BakeItem) -> bool {
    let root = item.path.ancestors().nth(item.below.split('/').count());
    root.is_some_and(|root| std::fs::read_dir(root).map_or(true, |mut inside| inside.next().is_none()))
}

/// Renders every preset that has no up-to-date result in `folder`.
///
/// # Errors
/// Fails before anything is rendered if the pictures of a preset would not fit into the memory of a worker. Also fails
/// if no worker can be started, if a result cannot be written, or if the library is missing.
pub fn render(
    items: &[BakeItem],
    folder: &Path,
    settings: &FramesSettings,
    on_progress: OnProgress,
) -> Result<Rendered, FramesError> {
    let mib = settings.capture.pictures_mib();
    if mib > MAX_PICTURES_MIB {
        return Err(FramesError::TooLarge { mib, max_mib: MAX_PICTURES_MIB });
    }
    let mut done = Rendered { finished: true, ..Rendered::default() };
    entry::compact(folder)?;
    let (known, name) = (entries_of(items, folder), settings.capture.name());
    let (mut open, mut contents) = (Vec::new(), HashSet::new());
    let mut index = entry::IndexWriter::open(folder)?;
    for item in items {
        if !is_done(item, folder, &known, &name) {
            let saved = shared::saved(item, folder, &name).map(|captured| line(item, captured, &name));
            match saved.filter(|entry| frames_intact(entry, folder)) {
                Some(entry) => {
                    index.append(&entry)?;
                    done.kept += 1;
                }
                None => open.push(item.clone()),
            }
            shared::delete_note(item, folder); // The frames are in the index, or will be replaced.
            continue;
        }
        done.kept += 1;
        let Some(entry) = known.get(&item.id).filter(|entry| entry.is_ok()) else { continue };
        let mut updated = entry.clone();
        if let Some(bands) = item.bands.filter(|_| entry.metrics.band_response.is_none()) {
            updated.metrics = entry.metrics.with_bands(bands); // The frames were rendered before the audit.
        }
        if entry.content.is_none() {
            updated.content = content_of(&item.path);
        }
        if updated != *entry {
            index.append(&updated)?;
        }
        if updated.capture.as_ref() == Some(&name) {
            contents.extend(updated.content);
        }
    }
    let copies = Copies::take(&mut open, contents);
    Rng::new(settings.capture.seed).shuffle(&mut open);
    for attempt in 0..=settings.retries {
        if open.is_empty() || !done.finished {
            break;
        }
        let last = attempt == settings.retries;
        open = one_round(&open, folder, settings, last, &mut index, &mut done, items.len(), on_progress)?;
    }
    let [shared, without] = copies.share(folder, &name, &mut index)?;
    done.kept += shared;
    if done.finished {
        done.failed += without;
    }
    Ok(done)
}

/// Tries to render each preset once, and returns those worth another attempt.
#[expect(clippy::too_many_arguments, reason = "one iteration of the loop in `render`")]
fn one_round(
    open: &[BakeItem],
    folder: &Path,
    settings: &FramesSettings,
    last: bool,
    index: &mut entry::IndexWriter,
    done: &mut Rendered,
    total: usize,
    on_progress: OnProgress,
) -> Result<Vec<BakeItem>, FramesError> {
    let pool = PoolSettings {
        workers: settings.workers,
        limits: Limits {
            cpu: settings.timeout,
            wall: settings.timeout * 8,
            memory_mib: worker_memory_mib(settings.capture.size),
            recycle_mib: worker_memory_mib(settings.capture.size) / 2,
        },
        arguments: vec![
            "worker".into(),
            "frames".into(),
            serde_json::to_string(&settings.capture)
                .map_err(|error| FramesError::Worker(error.to_string()))?,
        ],
        rights: Rights {
            read: single::readable_paths(&settings.capture.textures, &settings.capture.audio),
            write: vec![folder.to_owned()],
        },
        environment: workers::drawing_environment(settings.workers),
        start_pauses: &workers::START_PAUSES,
        pause_for: settings.pause_for.clone(),
        stop: settings.stop.clone(),
    };
    let name = settings.capture.name();
    let by_id: HashMap<String, BakeItem> = open.iter().map(|s| (s.id.clone(), s.clone())).collect();
    let job = |s: &BakeItem| CaptureJob {
        id: s.id.clone(),
        preset: WirePreset::new(s.path.clone()),
        folder: folder.to_owned(),
    };
    let jobs: Vec<CaptureJob> = open.iter().map(job).collect();
    let (mut again, mut trouble) = (Vec::new(), None);
    let mut seen = 0;
    workers::run_all(&pool, jobs.into_iter(), |job: CaptureJob, outcome: Outcome<Captured>| {
        seen += 1;
        // Every job belongs to a preset in `open`.
        let Some(item) = by_id.get(&job.id) else { return true };
        let captured = match outcome {
            Outcome::Done(captured) => captured,
            Outcome::Hang(why) => Captured::failed("probe-timeout", why),
            Outcome::Stuck(why) => Captured::failed("render-failed", why),
            Outcome::Memory(why) => Captured::failed("render-failed", format!("too much memory: {why}")),
            Outcome::Died(why) => Captured::failed("render-failed", format!("process died: {why}")),
            Outcome::Skipped(why) => {
                trouble = Some(FramesError::Worker(why));
                return false;
            }
        };
        match &captured.failed {
            Some((word, why)) if word == "write-failed" => {
                trouble = Some(FramesError::Write(why.clone()));
                return false;
            }
            Some((word, why)) if word == MISSING && library_missing(item) => {
                trouble = Some(FramesError::LibraryMissing(why.clone()));
                return false;
            }
            _ => {}
        }
        let entry = line(item, captured, &name);
        if let Err(error) = index.append(&entry) {
            trouble = Some(error);
            return false;
        }
        if entry.is_ok() {
            done.ok += 1;
        } else if last || is_final(&entry) {
            done.failed += 1;
        } else {
            again.push(item.clone());
        }
        let mut progress = Progress::at("render frames", done.kept + done.ok + done.failed, total);
        progress.picture = entry.frames.first().map(|frame| folder.join(frame));
        let in_time = settings.deadline.is_none_or(|deadline| Instant::now() < deadline);
        on_progress(&progress) && in_time
    });
    done.finished &= seen == open.len();
    match trouble {
        Some(error) => Err(error),
        None => Ok(again),
    }
}

fn is_final(entry: &FrameEntry) -> bool {
    entry.is_ok() || entry.reasons.iter().any(|reason| FINAL.contains(&reason.as_str()))
}

/// Returns whether a file was modified after `at` (ISO 8601); `false` if the modification time is unknown.
fn changed_since(path: &Path, at: &str) -> bool {
    let written = std::fs::metadata(path).and_then(|meta| meta.modified());
    let written = written.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    written.is_some_and(|since| crate::jobs::iso(since.as_secs() as i64).as_str() > at)
}

/// Returns the line of the index for an attempt with the settings named `capture`.
fn line(item: &BakeItem, captured: Captured, capture: &str) -> FrameEntry {
    let Captured { frames, bytes, content, clip, metrics, failed } = captured;
    let (reasons, error_text) = match failed {
        Some((word, why)) => (vec![word], Some(why).filter(|why| !why.is_empty())),
        None => (Vec::new(), None),
    };
    FrameEntry {
        version: "v0".into(),
        at: crate::jobs::iso(crate::jobs::now()),
        preset_id: item.id.clone(),
        rel_path: item.rel_path.clone(),
        file_path: item.path.to_string_lossy().replace('\\', "/"),
        status: Some(if reasons.is_empty() { "ok" } else { "failed" }.into()),
        id_hash: entry::id_hash(&item.id),
        frames,
        clip,
        reasons,
        error_text,
        metrics: item.bands.map_or(metrics, |bands| metrics.with_bands(bands)),
        capture: Some(capture.to_owned()),
        content,
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(below: &str, path: &Path, bands: Option<BandResponse>) -> BakeItem {
        let name = || below.to_owned();
        BakeItem {
            id: name(),
            rel_path: name(),
            below: name(),
            path: path.to_owned(),
            listed_size: None,
            frames: Vec::new(),
            bands,
        }
    }

    #[test]
    fn frames_stored_under_another_name_of_the_preset_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.milk");
        std::fs::write(&path, b"zoom=1").expect("written");
        let of_pack = BakeItem {
            id: "run3-a-1b2c3d".into(),
            rel_path: "run3/x/a.milk".into(),
            ..item("x/a.milk", &path, None)
        };
        let content = PresetId::of(b"zoom=1").to_string();
        for name in ["run3-a-1b2c3d", "x/a.milk", "run3/x/a.milk", &content] {
            std::fs::remove_file(folder.path().join(entry::INDEX)).ok(); // There is none at first.
            let line =
                FrameEntry { preset_id: name.into(), frames: vec!["f.webp".into()], ..FrameEntry::default() };
            entry::IndexWriter::open(folder.path()).expect("open").append(&line).expect("written");
            let found = entries_of(std::slice::from_ref(&of_pack), folder.path());
            assert_eq!(found.get("run3-a-1b2c3d").map(|line| line.frames.len()), Some(1), "{name}");
        }
    }

    #[test]
    fn a_changed_preset_and_truncated_frames_are_rendered_again() {
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
        let item = item("a.milk", &preset, None);
        let due = || count_pending(std::slice::from_ref(&item), folder.path(), &CaptureSettings::default());
        assert_eq!(due(), 0);
        std::fs::write(&frame, b"pict").expect("written");
        assert_eq!(due(), 1, "a frame is truncated");
        std::fs::write(&frame, b"picture").expect("written");
        std::fs::write(&preset, b"zoom=2").expect("written");
        assert_eq!(due(), 1, "the preset has changed");
    }

    #[test]
    fn frames_of_another_program_are_kept_although_the_preset_was_copied_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let (preset, settings) = (folder.path().join("a.milk"), settings(CaptureSettings::default()));
        for file in ["a.milk", "0.webp"] {
            std::fs::write(folder.path().join(file), b"zoom=1").expect("written");
        }
        let rendered = |status: &str| FrameEntry {
            preset_id: "a.milk".into(),
            at: "2025-01-01T00:00:00Z".into(),
            status: Some(status.to_owned()),
            frames: vec!["0.webp".into()],
            reasons: if status == "ok" { Vec::new() } else { vec!["probe-timeout".into()] },
            ..FrameEntry::default()
        };
        let append = |entry: &FrameEntry| {
            entry::IndexWriter::open(folder.path()).expect("open").append(entry).expect("written");
        };
        let item = |listed_size| BakeItem { listed_size, ..item("a.milk", &preset, None) };
        let due = |size| count_pending(&[item(size)], folder.path(), &settings.capture);
        append(&rendered("failed"));
        assert_eq!(due(None), 1, "only the other program failed");
        append(&rendered("ok"));
        assert_eq!([None, Some(6), Some(7)].map(due), [0, 0, 1]);
        let done = render(&[item(None)], folder.path(), &settings, &mut |_| true).expect("rendered");
        assert_eq!((done.kept, done.ok), (1, 0));
        std::fs::write(&preset, b"zoom=2").expect("written");
        assert_eq!(due(None), 1, "the preset has changed since");
    }

    #[test]
    fn frames_saved_by_an_audit_are_added_to_the_index_without_rendering() {
        let folder = tempfile::tempdir().expect("a folder");
        let preset = folder.path().join("a.milk");
        std::fs::write(&preset, b"zoom=1").expect("written");
        let below = entry::folder_of(&entry::id_hash("a.milk"));
        let frame = format!("{below}/frame-000.webp");
        std::fs::create_dir_all(folder.path().join(&below)).expect("made");
        std::fs::write(folder.path().join(&frame), b"picture").expect("written");
        let settings = settings(CaptureSettings::default());
        let captured = Captured {
            frames: vec![frame.clone()],
            bytes: Some(7),
            content: Some(PresetId::of(b"zoom=1").to_string()),
            ..Captured::default()
        };
        let note = folder.path().join(&below).join("captured.json");
        let text =
            serde_json::json!({ "capture": settings.capture.name(), "captured": captured }).to_string();
        std::fs::write(&note, &text).expect("written");
        let bands = BandResponse { low: 0.5, mid: 0.1, high: 0.1 };
        let item = item("a.milk", &preset, Some(bands));
        for _ in 0..2 {
            let done = render(std::slice::from_ref(&item), folder.path(), &settings, &mut |_| true);
            assert_eq!(done.map(|done| (done.kept, done.ok)).expect("rendered"), (1, 0));
            assert!(!note.exists());
        }
        let line = &read(folder.path())["a.milk"];
        assert_eq!((&line.frames, line.metrics.band_response), (&vec![frame], Some(bands)));
        let other = text.replace(&settings.capture.name(), "other");
        for (version, text, saved) in
            [("zoom=1", &text, true), ("zoom=2", &text, false), ("zoom=1", &other, false)]
        {
            std::fs::write(&preset, version).expect("written");
            std::fs::write(&note, text).expect("written");
            let found = shared::saved(&item, folder.path(), &settings.capture.name());
            assert_eq!(found.is_some(), saved, "{version}: {text}");
        }
    }

    #[test]
    fn copied_frames_are_up_to_date_and_damaged_ones_are_not_copied() {
        let (from, to) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let mut index = entry::IndexWriter::open(from.path()).expect("open");
        let capture = CaptureSettings::default();
        let items = ["a.milk", "b.milk"].map(|name| {
            let preset = from.path().join(name);
            std::fs::write(&preset, name).expect("written");
            let frame = format!("frames/{name}/0.webp");
            std::fs::create_dir_all(from.path().join("frames").join(name)).expect("made");
            std::fs::write(from.path().join(&frame), b"picture").expect("written");
            let line = FrameEntry {
                preset_id: name.into(),
                frames: vec![frame],
                capture: Some(capture.name()),
                content: Some(PresetId::of(name.as_bytes()).to_string()),
                bytes: Some(7),
                ..FrameEntry::default()
            };
            index.append(&line).expect("written");
            item(name, &preset, None)
        });
        std::fs::write(from.path().join("frames/b.milk/0.webp"), b"pict").expect("cut");
        copy_frames(&items, from.path(), to.path(), &capture).expect("copied");
        let copied = std::fs::read(to.path().join("frames-index.jsonl")).expect("an index");
        copy_frames(&items[..1], from.path(), to.path(), &capture).expect("copied");
        assert_eq!(std::fs::read(to.path().join("frames-index.jsonl")).expect("an index"), copied);
        let pending = items.map(|item| count_pending(&[item], to.path(), &capture));
        assert_eq!(pending, [0, 1]);
    }

    #[test]
    fn a_library_is_missing_if_its_folder_is_gone_or_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("library");
        std::fs::create_dir_all(root.join("deep")).expect("made");
        let job = item("deep/a.milk", &root.join("deep/a.milk"), None);
        assert!(!library_missing(&job));
        std::fs::remove_dir(root.join("deep")).expect("removed");
        assert!(library_missing(&job), "an unmounted disk leaves an empty folder");
        std::fs::remove_dir(&root).expect("removed");
        assert!(library_missing(&job));
    }

    #[test]
    fn clips_that_do_not_fit_into_memory_are_refused_before_anything_is_rendered() {
        let folder = tempfile::tempdir().expect("a folder");
        let rendered = |secs, size| {
            let clip = Some(Clip { secs, format: ClipFormat::Webp });
            let settings = settings(CaptureSettings { size, clip, ..CaptureSettings::default() });
            render(&[], folder.path(), &settings, &mut |_| true)
        };
        assert!(rendered(60.0, [256, 144]).is_ok() && rendered(10.0, [1280, 720]).is_ok());
        let refused = rendered(60.0, [1920, 1080]).expect_err("refused").to_string();
        assert!(refused.contains("--size") && refused.contains("--clip-seconds"), "{refused}");
    }

    #[test]
    fn workers_may_use_more_memory_for_larger_pictures() {
        assert_eq!([[256, 144], [1920, 1080]].map(worker_memory_mib), [WORKER_MEMORY_MIB; 2]);
        let pixels = 7680 * 4320;
        assert!(worker_memory_mib([7680, 4320]) << 20 > pixels * BYTES_PER_PIXEL);
    }

    fn settings(capture: CaptureSettings) -> FramesSettings {
        FramesSettings {
            capture,
            workers: WorkerCount::Fixed(1),
            timeout: Duration::from_secs(1),
            retries: 0,
            deadline: None,
            pause_for: None,
            stop: Arc::default(),
        }
    }

    #[test]
    fn frames_rendered_before_the_audit_get_its_band_response_without_rendering_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (preset, frame) = (folder.path().join("a.milk"), "frames/a.webp".to_owned());
        std::fs::create_dir(folder.path().join("frames")).expect("made");
        for file in [&preset, &folder.path().join(&frame)] {
            std::fs::write(file, b"zoom=1").expect("written");
        }
        let settings = settings(CaptureSettings::default());
        let rendered = FrameEntry {
            preset_id: "a.milk".into(),
            at: "2999-01-01T00:00:00Z".into(),
            frames: vec![frame],
            capture: Some(settings.capture.name()),
            metrics: FrameMetrics { motion: Some(0.25), ..FrameMetrics::default() },
            ..FrameEntry::default()
        };
        entry::IndexWriter::open(folder.path()).expect("open").append(&rendered).expect("written");
        let bands = BandResponse { low: 0.5, mid: 0.1, high: 0.1 };
        let item = item("a.milk", &preset, Some(bands));
        for _ in 0..2 {
            let done = render(std::slice::from_ref(&item), folder.path(), &settings, &mut |_| true);
            assert_eq!(done.map(|done| (done.kept, done.ok)).expect("rendered"), (1, 0));
        }
        let metrics = &read(folder.path())["a.milk"].metrics;
        assert_eq!(
            (metrics.band_response, metrics.band_class, metrics.motion),
            (Some(bands), Some(BandClass::Low), Some(0.25))
        );
        let lines = std::fs::read_to_string(folder.path().join(entry::INDEX)).expect("an index");
        assert_eq!(lines.lines().count(), 2);
    }
}
