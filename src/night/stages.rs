//! The stages of a night, one after the other, on some presets and in some folder: the same for the smoke run and for
//! the long one.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use super::clock::{AUDIT_UNTIL, EMBED_UNTIL, FRAMES_UNTIL};
use super::presets::{self, NightPresets, UNREAD};
use super::{
    AUDIT, CLUSTER, EMBED, FRAMES, Night, NightEvent, NightOutcome, PACK, POLICY, Run, real, report,
};
use crate::audit::probe::{ProbeSettings, thumb_path};
use crate::audit::{self, AuditEvent, AuditSettings, recipe};
use crate::cluster::{self, ClusterSettings};
use crate::embed;
use crate::frames::BakeItem;
use crate::frames::{self, FramesSettings, Rendered};
use crate::jobs::progress::Progress;
use crate::jobs::show_lock;
use crate::jobs::{iso, now};
use crate::pack::{self, PackSettings, Sample};

/// Where the audit's reports go, within the pack's folder.
pub(super) const AUDIT_FOLDER: &str = "audit";
/// Where its pictures are.
const THUMBS: &str = "thumbs";
/// Time that embedding has even when the night is over: without rows there is no index.
const EMBED_AT_LEAST: Duration = Duration::from_secs(60);
/// Time that the audit has even when its share is over: without a verdict there is nothing to render.
const AUDIT_AT_LEAST: Duration = Duration::from_secs(60);
/// How often a rest looks whether the show still plays.
const REST: Duration = Duration::from_millis(200);

impl Night<'_, '_> {
    /// Every stage on these presets.
    pub(super) fn stages(
        &mut self,
        subjects: &[BakeItem],
        folder: &Path,
        run: Run,
    ) -> Result<NightOutcome, String> {
        let before = cluster::before(folder);
        self.stage(AUDIT);
        let mut judged = self.audit(subjects, folder)?;
        if self.stopped() {
            return Ok(NightOutcome::Stopped);
        }
        if judged.fit.is_empty() {
            let page = folder.join(AUDIT_FOLDER).join(crate::audit::report::PAGE);
            return match run {
                Run::Smoke => {
                    self.note(
                        "none of these few is fit to be played: the night itself is the first try".into(),
                    );
                    Ok(NightOutcome::Finished)
                }
                Run::Whole if judged.waiting > 0 => Err(format!(
                    "the time was over before one fit preset was found; {} wait for their verdict: start it again to \
                     go on, or with more hours",
                    judged.waiting
                )),
                Run::Whole => Err(format!("no preset is fit to be played; see {}", page.display())),
            };
        }
        self.stage(PACK);
        let light = self.pack(&mut judged, folder)?;
        self.stage(FRAMES);
        let rendered = self.render(&judged.fit, folder)?;
        if self.stopped() {
            return Ok(NightOutcome::Stopped);
        }
        drop_empty(&mut judged, folder);
        frames::attach(&mut judged.fit, folder);
        self.stage(EMBED);
        let maker = self.embed(&judged.fit, folder)?;
        if self.stopped() {
            return Ok(NightOutcome::Stopped);
        }
        self.stage(CLUSTER);
        let settings = self.settings;
        let table = embed::Table::open(folder).map_err(|error| error.to_string())?;
        let mut table = table.filter(|table| table.maker == maker).ok_or_else(|| {
            format!(
                "{} has no row for any of {} presets, and rows of another model are not used; start it again \
                 to go on, or with more hours",
                maker.embedder,
                judged.fit.len()
            )
        })?;
        table.keep_only(judged.fit.iter().map(|subject| subject.id.as_str()));
        let gathering = ClusterSettings {
            count: settings.clusters,
            seed: settings.seed,
            threads: settings.workers,
            pack: settings.pack.clone(),
            at: iso(now()),
            method: None,
            passes: cluster::PASSES,
        };
        let gathered = cluster::gather(&table, &frames::metrics(folder), before.as_ref(), &gathering)
            .map_err(|error| error.to_string())?;
        self.stage(POLICY);
        gathered.write(folder, &table).map_err(|error| error.to_string())?;
        let told = report::PageInput {
            styles: &gathered.styles,
            before: before.as_ref(),
            presets: subjects.len(),
            dropped: &judged.dropped,
            waiting: judged.waiting,
            light,
            rendered,
            spent: self.clock.spent(),
        };
        let page = report::write(folder, &told)?;
        self.note(format!("the morning's page is {}", page.display()));
        Ok(NightOutcome::Finished)
    }

    /// How many presets may still have to be rendered: those without frames that no audit has left out.
    pub(super) fn open(&self, subjects: &[BakeItem]) -> Result<usize, String> {
        let Self { settings, .. } = self;
        let recipe = recipe(&self.probe(&settings.folder));
        let judged = presets::judge(subjects, &settings.library, self.store()?, recipe)
            .map_err(|error| format!("{error:#}"))?;
        let left_out: HashSet<&str> =
            judged.dropped.iter().filter(|(_, why)| why != UNREAD).map(|(id, _)| id.as_str()).collect();
        let left: Vec<BakeItem> =
            subjects.iter().filter(|subject| !left_out.contains(subject.id.as_str())).cloned().collect();
        Ok(frames::lacking(&left, &settings.folder, &settings.capture))
    }

    fn probe(&self, folder: &Path) -> ProbeSettings {
        ProbeSettings {
            seed: self.settings.seed,
            textures: self.settings.capture.textures.clone(),
            thumbs: Some(folder.join(AUDIT_FOLDER).join(THUMBS)),
            ..ProbeSettings::default()
        }
    }

    /// A verdict on every preset that has none, as far as the time goes.
    fn audit(&mut self, subjects: &[BakeItem], folder: &Path) -> Result<NightPresets, String> {
        let settings = self.settings;
        let out = folder.join(AUDIT_FOLDER);
        let probe = self.probe(folder);
        let auditing = AuditSettings {
            libraries: vec![settings.library.clone()],
            workers: settings.workers,
            limit: None,
            budget: Some(self.clock.left(AUDIT_UNTIL).max(AUDIT_AT_LEAST)),
            retry_failed: false,
            preset_cpu: Duration::from_secs(20),
            only: Some(subjects.iter().map(|subject| subject.id.clone()).collect::<BTreeSet<_>>()),
            stop: settings.stop.clone(),
            pause_for: settings.pause_for.clone(),
            probe: probe.clone(),
            out: out.clone(),
        };
        let store = self.store()?;
        let (mut done, mut total) = (0, 0);
        let tell = |event: AuditEvent| {
            let mut progress = Progress::at(AUDIT, done, total);
            match event {
                AuditEvent::Scanned { todo, .. } => total = todo,
                AuditEvent::Judged { id, .. } => {
                    done += 1;
                    progress.picture = Some(thumb_path(&out.join(THUMBS), id));
                }
                AuditEvent::Trouble { path, why, given_up: true } => self.note(format!("{path}: {why}")),
                AuditEvent::Trouble { .. } => {}
            }
            (progress.done, progress.total) = (done, total);
            self.progress(&progress);
        };
        let audited = audit::audit(&auditing, store, tell).map_err(|error| format!("{error:#}"))?;
        let judged = presets::judge(subjects, &settings.library, self.store()?, recipe(&probe))
            .map_err(|error| format!("{error:#}"))?;
        if let Some(why) = audited.stopped.filter(|_| !self.stopped()) {
            if !self.clock.over(AUDIT_UNTIL) {
                return Err(why);
            }
            self.note(format!("the time for the audit is up; {} presets wait for a night", judged.waiting));
        }
        let (fit, dropped) = (judged.fit.len(), judged.dropped.len());
        self.note(format!("{fit} presets are fit, {dropped} are left out"));
        Ok(judged)
    }

    /// The fit presets with their images in the pack's folder, beside the index to come. Says how varied they are. A
    /// pack that cannot be written costs the night nothing else.
    fn pack(&mut self, judged: &mut NightPresets, folder: &Path) -> Result<Option<String>, String> {
        let settings = self.settings;
        if within(folder, &settings.library) || within(&settings.library, folder) {
            self.note("no pack is copied: its folder and the library lie in one another".into());
            return Ok(None);
        }
        let packing = PackSettings {
            audit: folder.join(AUDIT_FOLDER),
            packs: folder.to_owned(),
            name: settings.pack.clone(),
            from: pack::PackFilter::Ok,
            size: settings.pack_size.unwrap_or(usize::MAX),
            sample: if settings.pack_size.is_some() { Sample::Diverse } else { Sample::First },
            safe_flash: false,
            max_cost_ms: None,
            rel_paths: Some(judged.fit.iter().map(|subject| subject.id.clone()).collect()),
            blacklist: None,
            textures: settings.capture.textures.clone(),
            seed: settings.seed,
        };
        let pack = match pack::make_in(&packing, folder, self.store()?) {
            Ok(pack) => pack,
            Err(error) => {
                self.note(format!("the pack is not copied: {error:#}; the index is made all the same"));
                return Ok(None);
            }
        };
        let reasons = pack.report.reasons.join("; ");
        let light = format!("{:?}: {reasons}", pack.report.light).to_lowercase();
        self.note(format!("{} presets and {} images in the pack; {light}", pack.report.size, pack.images));
        let drawn: HashSet<&str> = pack.presets.iter().map(String::as_str).collect();
        let NightPresets { fit, dropped, .. } = judged;
        fit.retain(|subject| {
            let kept = drawn.contains(subject.id.as_str());
            if !kept {
                dropped.push((subject.id.clone(), "fit, but not drawn into the pack".into()));
            }
            kept
        });
        Ok(Some(light))
    }

    fn render(&mut self, subjects: &[BakeItem], folder: &Path) -> Result<Rendered, String> {
        let settings = self.settings;
        let rendering = FramesSettings {
            capture: settings.capture.clone(),
            workers: settings.workers,
            timeout: Duration::from_secs(40),
            retries: 2,
            deadline: Some(Instant::now() + self.clock.left(FRAMES_UNTIL)),
            pause_for: settings.pause_for.clone(),
            stop: settings.stop.clone(),
        };
        let rendered = frames::render(subjects, folder, &rendering, &mut |progress| self.progress(progress))?;
        if !rendered.finished && !self.stopped() {
            self.note(format!(
                "the time for rendering is up after {} presets; the next night goes on",
                rendered.ok + rendered.kept
            ));
        }
        Ok(rendered)
    }

    /// Rows of these presets; gives back whose they are.
    fn embed(&mut self, subjects: &[BakeItem], folder: &Path) -> Result<embed::EmbedderId, String> {
        let settings = self.settings;
        let mut embedder = embed::open_embedder(
            &settings.embedder,
            settings.models.as_deref(),
            subjects,
            folder,
            settings.seed,
            settings.workers,
            &mut |text| {
                (self.listen)(NightEvent::Note { text });
            },
        )?;
        let least = Instant::now() + EMBED_AT_LEAST;
        let mut worked = Instant::now();
        let done = embed::embed(subjects, embedder.as_mut(), folder, &mut |progress| {
            let (took, rested) = (worked.elapsed(), Instant::now());
            loop {
                let go_on =
                    self.progress(progress) && (!self.clock.over(EMBED_UNTIL) || Instant::now() < least);
                // While a show plays it rests for as long as the last presets took.
                let show = settings.pause_for.as_deref().is_some_and(show_lock::is_up);
                if !go_on || !show || rested.elapsed() >= took {
                    worked = Instant::now();
                    return go_on;
                }
                std::thread::sleep(REST);
            }
        })
        .map_err(|error| error.to_string())?;
        done.notes.into_iter().for_each(|note| self.note(note));
        if !done.finished && !self.stopped() {
            let rows = done.made + done.kept;
            self.note(format!("the time for embedding is up after {rows} presets; the next night goes on"));
        }
        Ok(embedder.maker())
    }
}

/// Presets whose frames failed, or show nothing at all, are no longer fit.
fn drop_empty(judged: &mut NightPresets, folder: &Path) {
    let entries = frames::read(folder);
    let NightPresets { fit, dropped, .. } = judged;
    fit.retain(|subject| {
        let why = entries.get(&subject.id).and_then(why_dropped);
        let kept = why.is_none();
        dropped.extend(why.map(|why| (subject.id.clone(), why)));
        kept
    });
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

/// Whether a folder lies in another one, or is it.
fn within(folder: &Path, other: &Path) -> bool {
    real(folder).starts_with(real(other))
}
