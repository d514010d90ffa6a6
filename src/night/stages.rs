//! The stages of a bake in order. The smoke test and the full bake run the same code.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use super::clock::{AUDIT_UNTIL, AUDIT_WITH_FRAMES_UNTIL, Clock, EMBED_UNTIL, FRAMES_UNTIL, TUNE_UNTIL};
use super::presets::{self, BakePresets, UNREAD};
use super::publish::covered;
use super::settings::AUDIT_FOLDER;
use super::{
    AUDIT, Bake, BakeError, BakeEvent, BakeOutcome, CLUSTER, EMBED, FRAMES, PACK, POLICY, Run, TUNE, real,
    report,
};
use crate::audit::probe::{ProbeSettings, thumb_path};
use crate::audit::{self, AuditEvent, AuditPlan, AuditSettings, Continuation, Ledger, recipe};
use crate::cluster::{self, ClusterSettings, Known};
use crate::disk;
use crate::embed;
use crate::frames::BakeItem;
use crate::frames::{self, FramesSettings, Rendered};
use crate::jobs::progress::Progress;
use crate::jobs::show_lock;
use crate::jobs::{iso, now};
use crate::library::looks::keep_index;
use crate::pack::{self, PackSettings, Sample};
use crate::tune::{TuneSettings, Tuned, tune_head};
use crate::units::counted;

/// Folder of the audit's thumbnails, within the audit folder.
const THUMBS: &str = "thumbs";
/// Minimum time for embedding, even when the budget is used up: without embeddings there is no index.
const MIN_EMBED: Duration = Duration::from_secs(60);
/// Minimum time for the audit, even when its share is used up: without verdicts there is nothing to render.
const MIN_AUDIT: Duration = Duration::from_secs(60);
/// Interval between checks for a playing show.
const SHOW_CHECK_EVERY: Duration = Duration::from_millis(200);

impl Bake<'_, '_> {
    /// Runs every stage on these presets.
    pub(super) fn stages(
        &mut self,
        items: &[BakeItem],
        folder: &Path,
        run: Run,
    ) -> Result<BakeOutcome, BakeError> {
        let previous = cluster::previous(folder);
        self.stage(AUDIT);
        let mut judged = self.audit(items, folder)?;
        if self.stopped() {
            return Ok(BakeOutcome::Stopped);
        }
        if judged.accepted.is_empty() {
            let page = folder.join(AUDIT_FOLDER).join(crate::audit::report::PAGE);
            return match run {
                Run::Smoke => {
                    self.note(
                        "no preset of the smoke test is playable; continuing with the full bake".into(),
                    );
                    Ok(BakeOutcome::Finished)
                }
                Run::Whole if judged.pending > 0 => {
                    Err(BakeError::NoTimeForAudit { pending: judged.pending })
                }
                Run::Whole => Err(BakeError::NothingPlayable { report: page }),
            };
        }
        self.incomplete = judged.pending > 0;
        self.stage(PACK);
        let grade = self.pack(&mut judged, folder)?;
        self.stage(FRAMES);
        let rendered = self.render(&judged.accepted, folder)?;
        self.incomplete |= !rendered.finished;
        if self.stopped() {
            return Ok(BakeOutcome::Stopped);
        }
        exclude_empty(&mut judged, folder);
        if self.keeps_index(judged.accepted.len(), folder) {
            return Ok(BakeOutcome::Finished);
        }
        frames::attach_frames(&mut judged.accepted, folder);
        self.stage(EMBED);
        let Some(mut table) = self.table(&judged.accepted, folder)? else {
            return Ok(BakeOutcome::Stopped);
        };
        let settings = self.settings;
        if self.keeps_index(table.ids.len(), folder) {
            return Ok(BakeOutcome::Finished);
        }
        let mut tuning = None;
        if settings.tune {
            self.stage(TUNE);
            let (tuned, summary) = self.tune(&table, folder)?;
            if self.stopped() {
                return Ok(BakeOutcome::Stopped);
            }
            table = tuned.unwrap_or(table);
            tuning = Some(summary);
        }
        self.stage(CLUSTER);
        let settings_of_clusters = ClusterSettings {
            count: settings.clusters,
            seed: settings.seed,
            threads: settings.workers.threads(),
            pack: settings.pack.clone(),
            at: iso(now()),
            method: None,
            passes: cluster::PASSES,
        };
        let clustering = cluster::cluster(
            &mut table,
            &Known::of(&judged.accepted, folder),
            previous.as_ref(),
            &settings_of_clusters,
        )
        .map_err(anyhow::Error::from)?;
        if let Some(count) = settings.clusters.filter(|count| *count > table.ids.len()) {
            self.note(cluster::reduced(count, table.ids.len()));
        }
        self.stage(POLICY);
        if run == Run::Whole && !self.state.index_kept {
            keep_index(folder).map_err(|error| error.to_string())?;
            self.state.index_kept = true;
            self.save_state()?;
        }
        clustering.write(folder, &table).map_err(anyhow::Error::from)?;
        let input = report::PageInput {
            styles: &clustering.styles,
            previous: previous.as_ref(),
            presets: items.len(),
            excluded: &judged.excluded,
            pending: judged.pending,
            grade,
            tuning,
            rendered,
            spent: self.clock.spent(),
            stages: self.clock.stages.all(),
        };
        let page = report::write(folder, &input)?;
        self.note(format!("report: {}", page.display()));
        Ok(BakeOutcome::Finished)
    }

    /// Returns whether the bake covers only part of the library.
    pub(super) fn is_partial(&self) -> bool {
        self.settings.limit.is_some() || self.incomplete
    }

    /// Returns whether the index in `folder` stays as it is, because the bake is partial and its index would cover only
    /// `count` presets, fewer than the existing one. Such a bake also leaves the embeddings and the report as they are.
    fn keeps_index(&mut self, count: usize, folder: &Path) -> bool {
        let old = covered(folder);
        self.index_stays = self.is_partial() && count < old;
        if self.index_stays {
            self.note(format!(
                "index not replaced: this bake covers {}, but the index in {} covers {old}; bake the whole library to \
                 replace it",
                counted(count, "preset"),
                folder.display()
            ));
        }
        self.index_stays
    }

    /// Returns how many presets may still have to be rendered: those without frames, except presets that an
    /// audit excluded.
    pub(super) fn pending(&self, items: &[BakeItem]) -> Result<usize, BakeError> {
        let Self { settings, .. } = self;
        let recipe = recipe(&self.probe(&settings.folder));
        let judged = presets::sort(items, &settings.library, self.store()?, recipe, settings.gates)?;
        let excluded: HashSet<&str> =
            judged.excluded.iter().filter(|(_, why)| why != UNREAD).map(|(id, _)| id.as_str()).collect();
        let left: Vec<BakeItem> =
            items.iter().filter(|item| !excluded.contains(item.id.as_str())).cloned().collect();
        Ok(frames::count_pending(&left, &settings.folder, &settings.capture))
    }

    fn probe(&self, folder: &Path) -> ProbeSettings {
        ProbeSettings {
            seed: self.settings.seed,
            textures: self.settings.capture.textures.clone(),
            thumbs: Some(folder.join(AUDIT_FOLDER).join(THUMBS)),
            ..ProbeSettings::default()
        }
    }

    /// Returns the continuation with which the audit also saves the frames of presets that pass; `None` if the frames
    /// need a separate run, or if the pack has fewer presets than the library.
    fn continuation(
        &self,
        items: &[BakeItem],
        folder: &Path,
        probe: &ProbeSettings,
    ) -> Result<Option<Continuation>, BakeError> {
        let Self { settings, .. } = self;
        if settings.pack_size.is_some_and(|size| size < items.len()) {
            return Ok(None);
        }
        Ok(frames::continuation(items, folder, probe, settings.gates, &settings.capture)?)
    }

    /// Audits every preset without a verdict, within the share of the time budget for audits.
    fn audit(&mut self, items: &[BakeItem], folder: &Path) -> Result<BakePresets, BakeError> {
        let settings = self.settings;
        let out = folder.join(AUDIT_FOLDER);
        disk::create_folder(&out).map_err(|error| error.to_string())?;
        let probe = self.probe(folder);
        if let Some(from) = &settings.audit {
            self.import_verdicts(from, &probe)?;
        }
        let continuation = self.continuation(items, folder, &probe)?;
        let until = if continuation.is_some() { AUDIT_WITH_FRAMES_UNTIL } else { AUDIT_UNTIL };
        let auditing = AuditSettings {
            libraries: vec![settings.library.clone()],
            workers: settings.workers,
            limit: None,
            budget: Some(self.clock.left(until).max(MIN_AUDIT)),
            retry_failed: false,
            gates: settings.gates,
            preset_cpu: Duration::from_secs(20),
            shard: None,
            only: Some(items.iter().map(|item| item.below.clone()).collect::<BTreeSet<_>>()),
            stop: settings.stop.clone(),
            pause_for: settings.pause_for.clone(),
            probe: probe.clone(),
            continuation,
            out: out.clone(),
        };
        let store = self.store()?;
        let (mut done, mut total) = (0, 0);
        let on_event = |event: AuditEvent| {
            let mut progress = Progress::at(AUDIT, done, total);
            match event {
                AuditEvent::Scanned { pending, .. } => total = pending,
                AuditEvent::Imported { verdicts, again, .. } => self.note(reused(verdicts, again)),
                AuditEvent::Judged { id, .. } => {
                    done += 1;
                    progress.picture = Some(thumb_path(&out.join(THUMBS), id));
                }
                AuditEvent::Trouble { path, why, deferred: true } => self.note(format!("{path}: {why}")),
                AuditEvent::Trouble { .. } => {}
            }
            (progress.done, progress.total) = (done, total);
            self.progress(&progress);
        };
        let audited = audit::audit(&auditing, store, on_event)?;
        let judged = presets::sort(items, &settings.library, self.store()?, recipe(&probe), settings.gates)?;
        if let Some(why) = audited.stopped.filter(|_| !self.stopped()) {
            if !self.clock.over(until) {
                return Err(why.into());
            }
            self.note(format!(
                "time limit for the audit reached; {} pending",
                counted(judged.pending, "preset")
            ));
        }
        let (accepted, excluded) = (judged.accepted.len(), judged.excluded.len());
        self.note(format!("{} accepted, {excluded} excluded", counted(accepted, "preset")));
        Ok(judged)
    }

    /// Imports the verdicts of a finished audit of another program.
    fn import_verdicts(&mut self, from: &Path, probe: &ProbeSettings) -> Result<(), BakeError> {
        let store = self.store()?;
        let plan = AuditPlan::scan(&store, std::slice::from_ref(&self.settings.library))?;
        let ledger = Ledger::new(store, recipe(probe)).within(self.settings.gates);
        let imported = audit::import_predecessor(from, &plan, &ledger)?;
        let imported = imported.ok_or_else(|| {
            format!("{} contains no finished preset-audit.json of another program", from.display())
        })?;
        if imported.verdicts > 0 {
            self.note(reused(imported.verdicts, imported.again));
        }
        Ok(())
    }

    /// Copies the accepted presets and their images to the pack's folder and returns the pack's grade. Presets
    /// that are not selected for the pack become excluded. The bake continues if the pack cannot be written.
    fn pack(&mut self, judged: &mut BakePresets, folder: &Path) -> Result<Option<String>, BakeError> {
        let settings = self.settings;
        if within(folder, &settings.library) || within(&settings.library, folder) {
            self.note("no pack written: its folder and the library overlap".into());
            return Ok(None);
        }
        let packing = PackSettings {
            audit: folder.join(AUDIT_FOLDER),
            library: None,
            packs: folder.to_owned(),
            name: settings.pack.clone(),
            from: pack::PackFilter::Ok,
            size: settings.pack_size.unwrap_or(usize::MAX),
            sample: if settings.pack_size.is_some() { Sample::Diverse } else { Sample::First },
            safe_flash: false,
            max_cost_ms: None,
            rel_paths: Some(judged.accepted.iter().map(|item| item.below.clone()).collect()),
            blacklist: None,
            keep_larger: self.is_partial(),
            textures: settings.capture.textures.clone(),
            seed: settings.seed,
        };
        let pack = match pack::make_in(&packing, folder, self.store()?) {
            Ok(pack) => pack,
            Err(error) => {
                self.store.mark_if_damaged(&*error);
                self.note(format!("no pack written: {error:#}; the index is still created"));
                return Ok(None);
            }
        };
        let (presets, grade) = (counted(pack.presets.len(), "preset"), pack.report.summary());
        self.note(match pack.kept {
            Some(old) => {
                format!("pack not replaced: this bake selected {presets}, but the existing pack has {old}")
            }
            None => {
                format!("{presets} and {} in the pack; diversity: {grade}", counted(pack.images, "image"))
            }
        });
        let selected: HashSet<&str> = pack.presets.iter().map(String::as_str).collect();
        let BakePresets { accepted, excluded, .. } = judged;
        accepted.retain(|item| {
            let kept = selected.contains(item.below.as_str());
            if !kept {
                excluded.push((item.id.clone(), "accepted, but not selected for the pack".into()));
            }
            kept
        });
        Ok(pack.kept.is_none().then_some(grade))
    }

    fn render(&mut self, items: &[BakeItem], folder: &Path) -> Result<Rendered, BakeError> {
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
        let rendered = frames::render(items, folder, &rendering, &mut |progress| self.progress(progress))?;
        if !rendered.finished && !self.stopped() {
            self.note(format!(
                "time limit for rendering reached after {}; the next run resumes",
                counted(rendered.ok + rendered.kept, "preset")
            ));
        }
        Ok(rendered)
    }

    /// Returns the embeddings of these presets, which are computed unless existing ones are used; `None` if stopped.
    fn table(&mut self, items: &[BakeItem], folder: &Path) -> Result<Option<embed::Table>, BakeError> {
        if let Some(table) = self.existing_table(items)? {
            return Ok(Some(table));
        }
        let id = self.embed(items, folder)?;
        if self.stopped() {
            return Ok(None);
        }
        let table = embed::Table::open(folder).map_err(anyhow::Error::from)?;
        let mut table = table.filter(|table| table.embedder_id == id).ok_or_else(|| {
            BakeError::NothingEmbedded { embedder: id.embedder.clone(), presets: items.len() }
        })?;
        table.rename(items);
        table.keep_only(items.iter().map(|item| item.id.as_str()));
        Ok(Some(table))
    }

    /// Returns the existing embeddings in the folder of the bake, if they were requested, or if no embedder was and they
    /// are those of another program and cover all of these presets.
    fn existing_table(&mut self, items: &[BakeItem]) -> Result<Option<embed::Table>, BakeError> {
        let requested = match self.settings.embedder.as_deref() {
            None => false,
            Some(embed::EXISTING) => true,
            Some(_) => return Ok(None),
        };
        let table = embed::Table::open(&self.settings.folder).map_err(anyhow::Error::from)?;
        let Some(mut table) = table.filter(|table| requested || table.is_foreign()) else { return Ok(None) };
        table.rename(items);
        table.keep_only(items.iter().map(|item| item.id.as_str()));
        let index = table.index();
        let missing = items.iter().filter(|item| !index.contains_key(&item.id)).count();
        if missing > 0 && !requested {
            return Ok(None);
        }
        if table.ids.is_empty() {
            let folder = self.settings.folder.display();
            return Err(format!(
                "none of the embeddings in {folder} belongs to a preset that passed the audit"
            )
            .into());
        }
        let (rows, model) = (counted(table.ids.len(), "preset"), &table.embedder_id.model);
        self.note(format!("using the existing embeddings of {rows} ({model}); {missing} without one"));
        self.incomplete |= missing > 0;
        Ok(Some(table))
    }

    /// Embeds these presets and returns the ID of the embedder.
    fn embed(&mut self, items: &[BakeItem], folder: &Path) -> Result<embed::EmbedderId, BakeError> {
        let settings = self.settings;
        let mut embedder = embed::open_embedder(
            settings.embedder.as_deref().unwrap_or(embed::BUILTIN),
            settings.models.as_deref(),
            items,
            folder,
            settings.seed,
            embed::ModelHost::Worker(settings.workers.threads()),
            &mut |text| {
                (self.on_event)(BakeEvent::Note { text });
            },
        )
        .map_err(anyhow::Error::from)?;
        let least = Instant::now() + MIN_EMBED;
        let mut worked = Instant::now();
        let done = embed::embed(items, embedder.as_mut(), folder, &mut |progress| {
            self.paced(progress, &mut worked, |clock| !clock.over(EMBED_UNTIL) || Instant::now() < least)
        })
        .map_err(anyhow::Error::from)?;
        done.notes.into_iter().for_each(|note| self.note(note));
        self.incomplete |= !done.finished;
        if !done.finished && !self.stopped() {
            let presets = counted(done.computed + done.reused, "preset");
            self.note(format!("time limit for embedding reached after {presets}; the next run resumes"));
        }
        Ok(embedder.id())
    }

    /// Tunes the embeddings in `base`. Returns the tuned embeddings, if they are better, and a summary for the report.
    /// The bake continues if tuning fails.
    fn tune(
        &mut self,
        base: &embed::Table,
        folder: &Path,
    ) -> Result<(Option<embed::Table>, String), BakeError> {
        let settings = self.settings;
        let tuning = TuneSettings {
            seed: settings.seed,
            threads: settings.workers.threads(),
            ..TuneSettings::default()
        };
        let (store, mut notes) = (self.store()?, Vec::new());
        let mut worked = Instant::now();
        let tuned =
            tune_head(base, folder, Some(&store), &tuning, &mut |note| notes.push(note), &mut |progress| {
                self.paced(progress, &mut worked, |clock| !clock.over(TUNE_UNTIL))
            });
        let (table, summary) = match tuned {
            Ok(Tuned::Improved(gate, table)) => (Some(table), gate.to_string()),
            Ok(Tuned::Kept(gate)) => (None, gate.to_string()),
            Ok(Tuned::Stopped) => {
                (None, "time limit for tuning reached; keeping the base embeddings until the next run".into())
            }
            Err(error) => {
                self.store.mark_if_damaged(&error);
                (None, format!("keeping the base embeddings: {error}"))
            }
        };
        notes.push(format!("tuning: {summary}"));
        notes.into_iter().for_each(|note| self.note(note));
        Ok((table, summary))
    }

    /// Reports progress; while a show is playing, pauses for as long as the work since `worked` took. Returns whether
    /// to proceed: `false` once cancelled, or when there is no time left.
    fn paced(
        &mut self,
        progress: &Progress,
        worked: &mut Instant,
        has_time: impl Fn(&Clock) -> bool,
    ) -> bool {
        let (took, rested) = (worked.elapsed(), Instant::now());
        loop {
            let proceed = self.progress(progress) && has_time(&self.clock);
            let show = self.settings.pause_for.as_deref().is_some_and(show_lock::is_locked);
            if !proceed || !show || rested.elapsed() >= took {
                *worked = Instant::now();
                return proceed;
            }
            std::thread::sleep(SHOW_CHECK_EVERY);
        }
    }
}

/// Returns a message about imported verdicts.
fn reused(verdicts: usize, again: usize) -> String {
    format!("reused {} from a finished audit; {again} to audit again", counted(verdicts, "verdict"))
}

/// Excludes presets whose frames failed or are black.
fn exclude_empty(judged: &mut BakePresets, folder: &Path) {
    let entries = frames::entries_of(&judged.accepted, folder);
    let BakePresets { accepted, excluded, .. } = judged;
    accepted.retain(|item| {
        let why = entries.get(&item.id).and_then(reason);
        let kept = why.is_none();
        excluded.extend(why.map(|why| (item.id.clone(), why)));
        kept
    });
}

/// A preset counts as black if both its mean luma and its motion, if known, are below this, from 0 to 1.
const MIN_VISIBLE: f32 = 1e-4;

fn reason(entry: &frames::FrameEntry) -> Option<String> {
    let metrics = &entry.metrics;
    if !entry.is_ok() {
        // Another program may fail on presets that this one renders.
        (!entry.is_foreign()).then(|| entry.reasons.join(", "))
    } else if metrics.avg_luma.is_some_and(|luma| luma < MIN_VISIBLE)
        && metrics.motion.is_none_or(|motion| motion < MIN_VISIBLE)
    {
        Some("black".into())
    } else {
        None
    }
}

/// Returns whether `folder` is `other` or inside it.
fn within(folder: &Path, other: &Path) -> bool {
    real(folder).starts_with(real(other))
}
