//! Breeding: new presets from those the performer loves.
//!
//! A child takes each part of a preset (motion, per-vertex code, warp, composite, waves, shapes, colours) whole from one of
//! two parents, and its constants vary. A part that reads `q` variables brings the per-frame code that sets them. Children are ordinary `.milk`
//! files. The audit tells which are alive; of those, the ones that look like no other preset and come close to the
//! favourites are kept. Parents, children and verdicts are all on disk: an interrupted run is resumed by the next one.

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
use crate::facts::PresetId;
use crate::frames::{self, BakeItem, CaptureSettings, FramesSettings};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::progress::{OnProgress, Progress};
use crate::pack::{self, PackFilter, PackSettings, Point, Sample};
use crate::store::Store;
use crate::units::counted;
use brood::{CHILDREN, Child};
use parents::{PARENTS, Parent};
use report::origins;
use taste::{Known, Sorted};

/// Number of children that the report shows.
const BEST: usize = 24;
/// Number of presets of the library to audit, if fewer have a verdict: they show what is usual.
const SAMPLE: usize = 64;
/// Pack of the children that are kept.
const KEPT_PACK: &str = "new";
/// Pack of the children that became favourites.
const FAVOURITES_PACK: &str = "favourites";

/// Breeds children, or resumes the brood in the folder, and packs those that are kept and those that became favourites.
/// Verdicts are saved in `store`, which must be on disk.
pub fn breed(settings: &BreedSettings, store: &Store, on_progress: OnProgress) -> anyhow::Result<Brood> {
    ensure!(settings.library.is_dir(), "{} is not a folder", settings.library.display());
    let _lock = FolderLock::take(&settings.folder)?;
    let mut run = Run { settings, store, on_progress, notes: Vec::new() };
    let parents = parents::parents(settings, store, &mut run.notes)?;
    run.audit("audit parents", &settings.folder.join(PARENTS), None)?;
    let plan = run.audit_sample()?;
    let ledger = run.ledger()?;
    // The parents' own gates must not stay in force for presets that are in the library too.
    let gates = ledger.rejudge(&plan)?;
    let library = known(&plan, &ledger)?;
    if library.len() < plan.presets() {
        run.notes.push(format!(
            "compared the children with {} of the library, those with a verdict out of {}; `aivj bake audit` judges the rest",
            counted(library.len(), "preset"),
            plan.presets()
        ));
    }
    let favourites = AuditPlan::scan(&run.store()?, &[settings.folder.join(PARENTS)])?;
    let ids: BTreeSet<PresetId> = parents.iter().map(|parent| parent.id).collect();
    let favourites: Vec<Known> =
        known(&favourites, &ledger)?.into_iter().filter(|known| ids.contains(&known.id)).collect();
    let children = brood::breed(&parents, &looks(&parents, &favourites), settings)?;
    ensure!(!children.is_empty(), "no child compiles; choose other parents");
    let folder = settings.folder.join(CHILDREN);
    run.audit("audit children", &folder, None)?;
    let verdicts = children.iter().filter_map(|child| match ledger.get(child.id) {
        Ok(record) => Some(Ok((child.id, record?))),
        Err(error) => Some(Err(error)),
    });
    let verdicts = verdicts.collect::<Result<BTreeMap<PresetId, Record>, _>>()?;
    let sorted = taste::sort(&children, &verdicts, &library, &favourites, &gates);
    let brood = run.report(&parents, &children, sorted)?;
    run.finish(brood)
}

/// Returns the presets of a plan that have a verdict.
fn known(plan: &AuditPlan, ledger: &Ledger) -> anyhow::Result<Vec<Known>> {
    let mut families: BTreeMap<PresetId, u64> =
        plan.each_preset().map(|file| (file.id, file.family)).collect();
    let mut known = Vec::new();
    ledger.each(plan, |id, record, _| {
        known.extend(families.remove(&id).map(|family| Known { id, family, record: record.lean() }));
    })?;
    known.sort_by_key(|known| known.id);
    Ok(known)
}

/// Returns the looks of the parents as points.
fn looks(parents: &[Parent], favourites: &[Known]) -> BTreeMap<usize, Point> {
    let look = |(index, parent): (usize, &Parent)| {
        let known = favourites.iter().find(|known| known.id == parent.id)?;
        Some((index, known.record.evidence.look.as_ref()?))
    };
    let (indices, looks): (Vec<usize>, Vec<_>) = parents.iter().enumerate().filter_map(look).unzip();
    indices.into_iter().zip(pack::points(&looks)).collect()
}

/// A run.
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

    /// Audits the presets of a folder that have no verdict: all, or only those with these paths.
    fn audit(&mut self, stage: &str, folder: &Path, only: Option<BTreeSet<String>>) -> anyhow::Result<()> {
        let settings = self.settings;
        let auditing = AuditSettings {
            libraries: vec![folder.to_owned()],
            out: settings.folder.join(stage.replace(' ', "-")),
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
        };
        let store = self.store()?;
        let (mut done, mut total) = (0, 0);
        let report = audit::audit(&auditing, store, |event| {
            match event {
                AuditEvent::Scanned { todo, .. } => total = todo,
                AuditEvent::Judged { .. } => done += 1,
                AuditEvent::Trouble { path, why, given_up: true } => {
                    self.notes.push(format!("{path}: {why}"))
                }
                AuditEvent::Trouble { .. } | AuditEvent::TakenOver { .. } => {}
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

    /// Audits a random sample of the library, unless enough of it has a verdict, and returns the library's presets.
    fn audit_sample(&mut self) -> anyhow::Result<AuditPlan> {
        let library = &self.settings.library;
        let plan = AuditPlan::scan(&self.store()?, std::slice::from_ref(library))?;
        let audited = self.ledger()?.known()?.into_iter().filter(|(id, _)| plan.has(*id)).count();
        if audited < SAMPLE.min(plan.presets()) {
            // Ids are hashes, so the first ones are a random sample.
            let sample = plan.each_preset().take(SAMPLE).map(|file| plan.relative(file)).collect();
            self.audit("audit library", library, Some(sample))?;
        }
        Ok(plan)
    }

    fn report(&self, parents: &[Parent], children: &[Child], sorted: Sorted) -> anyhow::Result<Brood> {
        let loved = self.store.favourites()?;
        let path = |child: &Child| format!("{CHILDREN}/{}", child.file);
        let Sorted { dead, repeats, far, kept, usual } = sorted;
        let best = taste::best(&kept, children, usual, BEST);
        let distance: BTreeMap<usize, f32> = kept.iter().copied().collect();
        let rest = kept.iter().map(|(index, _)| *index).filter(|index| !best.contains(index));
        let bred = |index: usize| {
            let child = &children[index];
            Bred {
                id: child.id,
                path: path(child),
                parents: origins(child, parents),
                distance: distance[&index],
            }
        };
        Ok(Brood {
            parents: parents.len(),
            children: children.len(),
            dead,
            repeats,
            far,
            usual: Some(usual).filter(|usual| usual.is_finite()),
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

    /// Packs these children, unless there are none.
    fn pack(&mut self, name: &str, paths: Vec<&str>) -> anyhow::Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        let folder = self.settings.folder.join(name);
        let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let packing = PackSettings {
            audit: self.settings.folder.join("audit-children"),
            library: None,
            packs: self.settings.folder.clone(),
            name: name.to_owned(),
            from: PackFilter::CrashSafe,
            size: usize::MAX,
            sample: Sample::First,
            safe_flash: true,
            max_cost_ms: None,
            rel_paths: Some(paths.into_iter().map(file).collect()),
            blacklist: None,
            textures: self.settings.textures.clone(),
            seed: self.settings.seed,
        };
        let pack = pack::make_in(&packing, &folder, self.store()?)?;
        self.notes.push(format!("{} in {}", counted(pack.presets.len(), "preset"), folder.display()));
        Ok(())
    }
}
