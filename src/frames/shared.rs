//! Frames that the workers of an audit save: the run of a preset that passes continues after its probe.
//!
//! A worker writes a note next to the frames once all are saved. The frames stage adds the frames to the index and
//! deletes the note, so that only one process writes the index, and an interrupted bake loses nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::capture::{CaptureSettings, Captured, FrameCapturer};
use super::entry::{folder_of, id_hash};
use super::item::BakeItem;
use crate::audit;
use crate::audit::probe::{ProbeEvidence, ProbeOutcome, ProbeReport, ProbeSettings, Prober};
use crate::audit::verdict::{GateLimits, Gates, Record};
use crate::disk::{Folder, limit};
use crate::facts::PresetId;
use crate::show::Solo;
use crate::stage::{Gpu, RenderContext};

/// Name of this kind of worker on the command line.
pub(super) const WORKER: &str = "audit-frames";
/// File name of the note, in the folder of a preset's frames.
const NOTE: &str = "captured.json";

/// Settings of the workers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SharedSettings {
    /// Settings of the probes.
    pub probe: ProbeSettings,
    /// Thresholds set by the user; those of the library are not known yet.
    pub limits: GateLimits,
    /// Settings of the frames.
    pub capture: CaptureSettings,
    /// Folder of the pack.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub folder: PathBuf,
}

/// The frames that an audit saved for one preset.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Note {
    /// Fingerprint of the capture settings.
    capture: String,
    captured: Captured,
}

/// Runs this process as a worker of an audit that also saves frames. `settings` are the JSON-encoded settings.
pub fn work_shared(settings: &str) -> anyhow::Result<()> {
    let settings: SharedSettings = serde_json::from_str(settings).context("reading the settings")?;
    let context = Arc::new(RenderContext::new(Gpu::headless()?, &settings.probe.textures));
    let prober = Prober::on(context.clone(), settings.probe.clone())?;
    let shared = SharedCapture::on(context, settings)?;
    audit::serve(prober, |job, solo, evidence| {
        shared.proceed(job.continue_as.as_deref(), job.id, solo, evidence)
    })
}

/// Saves the frames of presets that pass.
struct SharedCapture {
    settings: SharedSettings,
    gates: Gates,
    capturer: FrameCapturer,
}

impl SharedCapture {
    fn on(context: Arc<RenderContext>, settings: SharedSettings) -> anyhow::Result<Self> {
        let capturer = FrameCapturer::on(context, settings.capture.clone())?;
        let gates = Gates::default().within(settings.limits);
        Ok(Self { settings, gates, capturer })
    }

    /// Saves the frames of a preset after its probe under the ID `name`, if there is one and the preset passes. Returns
    /// whether the worker can take another job.
    fn proceed(&self, name: Option<&str>, id: PresetId, solo: &mut Solo, evidence: &ProbeEvidence) -> bool {
        let Some(name) = name.filter(|_| passes(evidence, &self.gates)) else { return true };
        // The verdict must not depend on the frames.
        catch_unwind(AssertUnwindSafe(|| self.save(name, id, solo))).is_ok()
    }

    /// Saves the frames and the note. If this fails, the frames stage renders the preset.
    fn save(&self, name: &str, id: PresetId, solo: &mut Solo) {
        let SharedSettings { probe, capture, folder, .. } = &self.settings;
        let captured = self.capturer.complete(solo, probe.drawn(), id, name, folder);
        if let Some((_, why)) = &captured.failed {
            log::warn!("cannot save the frames of {name} yet: {why}");
            return;
        }
        let note = Note { capture: capture.name(), captured };
        let written = Folder::create(folder).and_then(|folder| folder.write_json(&note_of(name), &note));
        if let Err(error) = written {
            log::warn!("cannot save the frames of {name} yet: {error}");
        }
    }
}

/// Returns whether a preset that was drawn is acceptable.
fn passes(evidence: &ProbeEvidence, gates: &Gates) -> bool {
    let report = ProbeReport { outcome: ProbeOutcome::Drawn, evidence: evidence.clone() };
    Record::of(report).is_ok_and(|record| record.good(gates))
}

/// Returns the frames of a preset that an audit saved with the settings named `capture`; `None` if there are none, or
/// if the preset has changed since.
pub(super) fn saved(item: &BakeItem, folder: &Path, capture: &str) -> Option<Captured> {
    let opened = Folder::open(folder).ok()?;
    let bytes = opened.read(&note_of(&item.id), limit::TEXT).ok()?;
    let note: Note = serde_json::from_slice(&bytes).ok()?;
    let current = note.capture == capture && note.captured.content == item.content();
    current.then_some(note.captured)
}

/// Deletes the note on a preset, if there is one.
pub(super) fn delete_note(item: &BakeItem, folder: &Path) {
    Folder::open(folder).and_then(|folder| folder.remove_file(&note_of(&item.id))).ok();
}

/// Returns the path of the note on the preset with this ID, relative to the pack's folder.
fn note_of(id: &str) -> PathBuf {
    Path::new(&folder_of(&id_hash(id))).join(NOTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::probe::Look;
    use crate::frames::capture::CaptureJob;
    use crate::jobs::wire::WirePreset;
    use crate::library::built_in;

    #[test]
    fn frames_saved_by_an_audit_equal_those_of_a_separate_run_and_leave_the_verdict_unchanged() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = Arc::new(RenderContext::new(gpu, &[]));
        let (separate, together) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let (size, name) = ([96, 54], "a.milk");
        let probe = ProbeSettings { size, ..ProbeSettings::default() };
        let capture =
            CaptureSettings { size, out_size: 24, count: 2, every: 3, ..CaptureSettings::default() };
        assert!(capture.continues(&probe));
        let text = built_in().next().expect("a built-in preset").text;
        let path = separate.path().join(name);
        std::fs::write(&path, text).expect("written");
        let (preset, id) = (WirePreset::new(path.clone()), PresetId::of(text.as_bytes()));

        let mut prober = Prober::on(context.clone(), probe.clone()).expect("a prober");
        let alone = prober.probe(&preset, id);
        let settings = SharedSettings {
            probe,
            limits: GateLimits::default(),
            capture: capture.clone(),
            folder: together.path().to_owned(),
        };
        let shared = SharedCapture::on(context.clone(), settings).expect("a capturer");
        let mut usable = false;
        let report = prober.probe_then(&preset, id, |solo, evidence| {
            usable = shared.proceed(Some(name), id, solo, evidence);
        });
        assert!(usable);
        let measured = |report: &ProbeReport| {
            let ProbeEvidence { look, perceptual_hash, flash, broken, .. } = report.evidence.clone();
            (report.outcome.clone(), look, perceptual_hash, flash, broken)
        };
        assert_eq!(measured(&report), measured(&alone));

        let capturer = FrameCapturer::on(context, capture.clone()).expect("a capturer");
        let job = CaptureJob { id: name.into(), preset, folder: separate.path().to_owned() };
        let expected = capturer.capture(&job);
        assert_eq!((expected.failed.clone(), expected.frames.len()), (None, 2));
        let item = BakeItem {
            id: name.into(),
            rel_path: name.into(),
            below: name.into(),
            path,
            listed_size: None,
            frames: Vec::new(),
            bands: None,
        };
        let captured = saved(&item, together.path(), &capture.name()).expect("the preset passes");
        let files = |folder: &Path, captured: &Captured| {
            let read = |frame: &String| std::fs::read(folder.join(frame)).expect("a frame");
            captured.frames.iter().map(read).collect::<Vec<_>>()
        };
        assert!(files(together.path(), &captured) == files(separate.path(), &expected), "equal frames");
        assert_eq!((captured.metrics, captured.bytes), (expected.metrics, expected.bytes));
    }

    #[test]
    fn only_presets_with_an_acceptable_look_are_continued() {
        let luma_range = [0.3, 0.3];
        let look = Look { luma: 0.3, luma_range, motion: 0.1, motion_peak: 0.1, ..Look::default() };
        let passes_within = |look: Option<Look>, min_avg_luma| {
            let limits = GateLimits { min_avg_luma, ..GateLimits::default() };
            passes(&ProbeEvidence { look, ..ProbeEvidence::default() }, &Gates::default().within(limits))
        };
        assert!(passes_within(Some(look.clone()), None));
        assert!(!passes_within(Some(look), Some(0.5)), "too dark for the user");
        assert!(!passes_within(Some(Look::default()), None), "black");
    }
}
