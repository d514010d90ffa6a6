//! Breeding: new presets from the performer's favourites.
//!
//! A child takes each part of a preset (motion, per-vertex code, warp, composite, waves, shapes, colours) whole from
//! one of two parents, and its constants vary. A part that reads `q` variables brings the per-frame code that sets
//! them. Children are ordinary `.milk` files. The audit rejects children that fail, hang or stay black; of the others,
//! those that look like no other preset and come close to the favourites are kept. Parents, children and verdicts are
//! all on disk: an interrupted run is resumed by the next one.

mod brood;
mod combine;
mod genome;
mod graft;
mod mutate;
mod parents;
mod part;
mod report;
mod settings;
mod shared;
mod taste;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

pub use report::{Bred, Brood, Origin};
pub use settings::{BreedSettings, Mates};

use crate::audit::probe::ProbeSettings;
use crate::audit::verdict::Record;
use crate::audit::{self, AuditEvent, AuditPlan, AuditSettings, GateLimits, Ledger};
use crate::disk;
use crate::facts::PresetId;
use crate::frames::{self, BakeItem, CaptureSettings, FramesSettings};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::progress::{OnProgress, Progress};
use crate::pack::{self, NoMatch, PackFilter, PackSettings, Point, Sample};
use crate::store::Store;
use crate::units::counted;
use brood::{CHILDREN, Child};
use parents::{PARENTS, Parent};
use report::origins;
use taste::{AuditedPreset, Comparison, Kept, Selection};

/// Maximum number of children that the report shows with pictures.
const BEST: usize = 24;
/// Minimum number of audited library presets to compare the children with; if there are fewer, a sample of this size is
/// audited.
const SAMPLE: usize = 64;
/// Name of the pack of the children that are kept.
const KEPT_PACK: &str = "new";
/// Name of the pack of the children that became favourites.
const FAVOURITES_PACK: &str = "favourites";

/// Breeds children, or resumes the brood in the folder, and packs those that are kept and those that became favourites.
/// Verdicts are saved in `store`, which must be on disk.
pub fn breed(settings: &BreedSettings, store: &Store, on_progress: OnProgress) -> anyhow::Result<Brood> {
    ensure!(settings.library.is_dir(), "{} is not a folder", settings.library.display());
    let _lock = FolderLock::take_output(&settings.folder)?;
    let mut run = Run { settings, store, on_progress, notes: Vec::new() };
    let (parents, mut state) = parents::parents(settings, store, &mut run.notes)?;
    let ids: BTreeSet<PresetId> = parents.iter().map(|parent| parent.id).collect();
    let ledger = run.ledger()?;
    let before = ledger.saved(&ids)?;
    run.audit("audit parents", &settings.folder.join(PARENTS), None)?;
    let plan = run.audit_sample()?;
    let gates = ledger.gates(&plan)?;
    // Presets that are also in the library must not keep the gates from the audit of the parents.
    ledger.restore(&ids, &before, &gates)?;
    let library = known(&plan, &ledger)?;
    if library.len() < plan.presets() {
        run.notes.push(format!(
            "compared with only {} of {} library presets; run `aivj bake audit` to include the rest",
            library.len(),
            plan.presets()
        ));
    }
    let favourites = AuditPlan::scan(&run.store()?, &[settings.folder.join(PARENTS)])?;
    let favourites: Vec<AuditedPreset> =
        known(&favourites, &ledger)?.into_iter().filter(|known| ids.contains(&known.id)).collect();
    let pairs = if state.pairs.is_empty() {
        brood::pairs(&parents, &looks(&parents, &favourites), settings.mates)
    } else {
        state.pairs.clone()
    };
    if state.pairs.is_empty() && settings.mates != Mates::Any {
        state.pairs.clone_from(&pairs);
        state.save(&settings.folder)?;
    }
    let children = brood::breed(&parents, &pairs, state.count, settings, &mut *run.on_progress)?;
    ensure!(!children.is_empty(), "no child compiles; choose other parents");
    let folder = settings.folder.join(CHILDREN);
    run.audit("audit children", &folder, None)?;
    let verdicts = children.iter().filter_map(|child| match ledger.get(child.id) {
        Ok(record) => Some(Ok((child.id, record?))),
        Err(error) => Some(Err(error)),
    });
    let verdicts = verdicts.collect::<Result<BTreeMap<PresetId, Record>, _>>()?;
    let flashes = |parent: &Parent| favourites.iter().any(|known| known.id == parent.id && known.flashes());
    let flashing: BTreeSet<usize> = (0..parents.len()).filter(|index| flashes(&parents[*index])).collect();
    let comparison =
        Comparison { library: &library, favourites: &favourites, flashing: &flashing, gates: &gates };
    let selection = taste::select(&children, &verdicts, &comparison);
    let brood = run.report(&parents, &children, selection)?;
    run.finish(brood)
}

/// Returns the presets of a plan that have a verdict.
fn known(plan: &AuditPlan, ledger: &Ledger) -> anyhow::Result<Vec<AuditedPreset>> {
    let mut families: BTreeMap<PresetId, u64> =
        plan.each_preset().map(|file| (file.id, file.family)).collect();
    let mut known = Vec::new();
    ledger.each(plan, |id, record, _| {
        known.extend(families.remove(&id).map(|family| AuditedPreset {
            id,
            family,
            record: record.without_params(),
        }));
    })?;
    known.sort_by_key(|known| known.id);
    Ok(known)
}

/// Returns the looks of the parents as points, by index; parents without a look are omitted.
fn looks(parents: &[Parent], favourites: &[AuditedPreset]) -> BTreeMap<usize, Point> {
    let look = |(index, parent): (usize, &Parent)| {
        let known = favourites.iter().find(|known| known.id == parent.id)?;
        Some((index, known.record.measured_look()?))
    };
    let (indices, looks): (Vec<usize>, Vec<_>) = parents.iter().enumerate().filter_map(look).unzip();
    indices.into_iter().zip(pack::points(&looks)).collect()
}

/// A breeding run in progress.
struct Run<'a, 'b> {
    settings: &'a BreedSettings,
    store: &'a Store,
    on_progress: OnProgress<'b>,
    notes: Vec<String>,
}

impl Run<'_, '_> {
    fn store(&self) -> anyhow::Result<Store> {
        self.store.another()?.context("verdicts need a store on disk; set AIVJ_DATA to a folder")
    }

    fn probe(&self) -> ProbeSettings {
        ProbeSettings { textures: self.settings.textures.clone(), ..ProbeSettings::default() }
    }

    fn ledger(&self) -> anyhow::Result<Ledger> {
        Ok(Ledger::new(self.store()?, audit::recipe(&self.probe())))
    }

    /// Audits the presets in a folder that have no verdict; with `only`, just those whose paths it contains.
    fn audit(&mut self, stage: &str, folder: &Path, only: Option<BTreeSet<String>>) -> anyhow::Result<()> {
        let settings = self.settings;
        let out = settings.folder.join(stage.replace(' ', "-"));
        disk::create_folder(&out)?;
        let auditing = AuditSettings {
            libraries: vec![folder.to_owned()],
            out,
            workers: settings.workers,
            limit: None,
            budget: None,
            retry_failed: false,
            gates: GateLimits::default(),
            preset_cpu: Duration::from_secs(20),
            only,
            shard: None,
            stop: settings.stop.clone(),
            pause_for: settings.pause_for.clone(),
            probe: self.probe(),
            continuation: None,
        };
        let store = self.store()?;
        let (mut done, mut total) = (0, 0);
        let report = audit::audit(&auditing, store, |event| {
            match event {
                AuditEvent::Scanned { pending, .. } => total = pending,
                AuditEvent::Judged { .. } => done += 1,
                AuditEvent::Trouble { path, why, deferred: true } => {
                    self.notes.push(format!("{path}: {why}"));
                }
                AuditEvent::Trouble { .. } | AuditEvent::Imported { .. } => {}
            }
            if !(self.on_progress)(&Progress::at(stage, done, total)) {
                settings.stop.store(true, Ordering::Relaxed);
            }
        })?;
        if let Some(why) = report.stopped {
            bail!(why);
        }
        Ok(())
    }

    /// Audits a random sample of the library, unless enough of its presets have a verdict. Returns the
    /// library's presets.
    fn audit_sample(&mut self) -> anyhow::Result<AuditPlan> {
        let library = &self.settings.library;
        let plan = AuditPlan::scan(&self.store()?, std::slice::from_ref(library))?;
        let ledger = self.ledger()?;
        let audited = ledger.known()?.into_iter().map(|(id, _)| id).filter(|id| plan.has(*id));
        let audited: BTreeSet<PresetId> = audited.collect();
        if audited.len() < SAMPLE.min(plan.presets()) {
            let before = ledger.saved(&audited)?;
            // IDs are hashes, so the first ones are a random sample.
            let sample = plan.each_preset().take(SAMPLE).map(|file| plan.relative(file)).collect();
            self.audit("audit library", library, Some(sample))?;
            ledger.restore(&audited, &before, &ledger.gates(&plan)?)?;
        }
        Ok(plan)
    }

    fn report(&self, parents: &[Parent], children: &[Child], selection: Selection) -> anyhow::Result<Brood> {
        let (loved, banned) = (self.store.favourites()?, parents::banned(self.store)?);
        let path = |child: &Child| format!("{CHILDREN}/{}", child.file);
        let Selection { mut rejected, repeats, far, kept, median } = selection;
        let (unwanted, kept): (Vec<Kept>, Vec<Kept>) =
            kept.into_iter().partition(|kept| banned.contains(&children[kept.index].id));
        if !unwanted.is_empty() {
            rejected.insert("banned".into(), unwanted.len());
        }
        let best = taste::best(&kept, children, median, BEST);
        let found: BTreeMap<usize, &Kept> = kept.iter().map(|kept| (kept.index, kept)).collect();
        let rest = kept.iter().map(|kept| kept.index).filter(|index| !best.contains(index));
        let bred = |index: usize| {
            let child = &children[index];
            Bred {
                id: child.id,
                path: path(child),
                parents: origins(child, parents),
                distance: found[&index].distance,
                flashes: found[&index].flashes,
            }
        };
        Ok(Brood {
            parents: parents.len(),
            children: children.len(),
            rejected,
            repeats,
            far,
            median: Some(median).filter(|median| median.is_finite()),
            kept: best.iter().copied().chain(rest).map(bred).collect(),
            best: best.len(),
            favourites: children.iter().filter(|child| loved.contains(&child.id)).map(path).collect(),
            notes: Vec::new(),
        })
    }

    /// Packs the children and renders frames of the best and of their parents.
    fn finish(mut self, mut brood: Brood) -> anyhow::Result<Brood> {
        self.pack(KEPT_PACK, brood.kept.iter().map(|bred| bred.path.as_str()).collect())?;
        self.pack(FAVOURITES_PACK, brood.favourites.iter().map(String::as_str).collect())?;
        let best = &brood.kept[..brood.best];
        let shown: BTreeSet<&str> = best
            .iter()
            .flat_map(|bred| {
                std::iter::once(&bred.path).chain(bred.parents.iter().map(|origin| &origin.path))
            })
            .map(String::as_str)
            .collect();
        let folder = &self.settings.folder;
        let item = |path: &&str| BakeItem {
            id: (*path).to_owned(),
            rel_path: (*path).to_owned(),
            below: (*path).to_owned(),
            path: folder.join(path),
            listed_size: None,
            frames: Vec::new(),
            bands: None,
        };
        let rendering = FramesSettings {
            capture: CaptureSettings {
                textures: self.settings.textures.clone(),
                seed: self.settings.seed,
                ..CaptureSettings::default()
            },
            workers: self.settings.workers,
            timeout: Duration::from_secs(40),
            retries: 2,
            deadline: None,
            pause_for: self.settings.pause_for.clone(),
            stop: self.settings.stop.clone(),
        };
        let items: Vec<BakeItem> = shown.iter().map(item).collect();
        let rendered = frames::render(&items, folder, &rendering, self.on_progress)?;
        ensure!(rendered.finished, "stopped; run it again to resume");
        brood.notes.append(&mut self.notes);
        Ok(brood)
    }

    /// Packs the children at `paths` as the pack `name`. If none can be packed, the previous pack is emptied.
    fn pack(&mut self, name: &str, paths: Vec<&str>) -> anyhow::Result<()> {
        let folder = self.settings.folder.join(name);
        if paths.is_empty() {
            return pack::clear(&folder);
        }
        let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let packing = PackSettings {
            audit: self.settings.folder.join("audit-children"),
            library: None,
            packs: self.settings.folder.clone(),
            name: name.to_owned(),
            from: PackFilter::CrashSafe,
            size: usize::MAX,
            sample: Sample::First,
            safe_flash: false,
            max_cost_ms: None,
            rel_paths: Some(paths.into_iter().map(file).collect()),
            blacklist: None,
            keep_larger: false,
            textures: self.settings.textures.clone(),
            seed: self.settings.seed,
        };
        let note = match pack::make_in(&packing, &folder, self.store()?) {
            Ok(pack) => format!("{} in {}", counted(pack.presets.len(), "preset"), folder.display()),
            Err(error) if error.is::<NoMatch>() => {
                pack::clear(&folder)?;
                format!("the pack `{name}` is empty: none of its presets can be played")
            }
            Err(error) => return Err(error),
        };
        self.notes.push(note);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::combine::Origins;
    use super::genome::Genome;
    use super::part::Part;
    use super::*;
    use crate::store::BanKind;

    #[test]
    fn banned_children_are_not_kept() {
        let store = Store::in_memory().expect("opens");
        let parent =
            Parent { id: PresetId([9; 16]), path: "parents/a.milk".into(), genome: Genome::default() };
        let child = |number: u8| {
            let origins = Origins { parts: [0; Part::COUNT], palette: 0 };
            Child::for_test(PresetId([number; 16]), [0, 0], origins)
        };
        let kept = |index: usize| Kept { index, distance: 1.0, flashes: false };
        let selection = Selection { kept: vec![kept(0), kept(1)], median: 1.0, ..Selection::default() };
        store.ban(PresetId([0; 16]), BanKind::Permanent, "by the performer", 1).expect("banned");
        let settings = BreedSettings::default();
        let run = Run { settings: &settings, store: &store, on_progress: &mut |_| true, notes: Vec::new() };
        let brood = run.report(&[parent], &[child(0), child(1)], selection).expect("reported");
        let kept: Vec<PresetId> = brood.kept.iter().map(|bred| bred.id).collect();
        assert_eq!((kept, brood.best), (vec![PresetId([1; 16])], 1));
        assert_eq!(brood.rejected, BTreeMap::from([("banned".to_owned(), 1)]));
    }
}
