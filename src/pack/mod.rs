//! Packs: a safe, varied choice of an audited library, copied with its images and a manifest.

mod choose;
mod earlier;
mod images;
mod measure;
mod spread;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

pub use choose::{Candidate, Sample};
pub use measure::{PackGrade, PackReport, Variety};

use crate::audit::probe::Look;
use crate::audit::repeats::{self, Member};
use crate::audit::verdict::{LookVerdict, Record, Safety};
use crate::audit::{AuditPlan, Ledger, PlannedFile, read_run};
use crate::jobs::{iso, now};
use crate::library::Store;
use crate::library::pack::{MANIFEST_FILE, Manifest, ManifestPreset, QualityBlacklist};
use crate::library::whole_file;
use crate::media::flash::FlashVerdict;
use crate::units::Rng;

/// Name of the report within a pack.
pub const REPORT_FILE: &str = "pack-report.json";

/// Which presets a pack may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PackFilter {
    /// Those that can be played and have something to see.
    #[default]
    Ok,
    /// All that can be played.
    CrashSafe,
}

/// How a pack is made.
#[derive(Clone, Debug)]
pub struct PackSettings {
    /// The folder of the audit it draws from.
    pub audit: PathBuf,
    /// Where packs lie; this one becomes a folder in it.
    pub packs: PathBuf,
    /// Its name.
    pub name: String,
    /// Which presets it may hold.
    pub from: PackFilter,
    /// How many it holds.
    pub size: usize,
    /// How it is drawn.
    pub sample: Sample,
    /// Leave out what flashes too often.
    pub safe_flash: bool,
    /// Leave out what is expected to cost more at 1080p, milliseconds a frame.
    pub max_cost_ms: Option<f64>,
    /// Paths the pack is limited to, with forward slashes between folders.
    pub rel_paths: Option<BTreeSet<String>>,
    /// A file with presets that are left out.
    pub blacklist: Option<PathBuf>,
    /// Folders with images for presets.
    pub textures: Vec<PathBuf>,
    /// Decides the draw.
    pub seed: u64,
}

/// A pack that was made.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its folder.
    pub folder: PathBuf,
    /// The paths of its presets, as in the library.
    pub presets: Vec<String>,
    /// Images that were copied with it.
    pub images: usize,
    /// How varied it is.
    pub report: PackReport,
}

/// Draws a pack and copies it into a folder of its name.
pub fn make(settings: &PackSettings, store: Store) -> anyhow::Result<Pack> {
    let name = &settings.name;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    ensure!(plain && !name.starts_with('.'), "{name:?} is no name for a pack; use letters, digits, - and _");
    let folder = settings.packs.join(name);
    earlier::presets(&folder)?; // Whatever else is there is refused before anything is done.
    make_in(settings, &folder, store)
}

/// Draws a pack and copies it into this folder, which may hold other things; of those only presets of an earlier pack are
/// touched.
pub fn make_in(settings: &PackSettings, folder: &Path, store: Store) -> anyhow::Result<Pack> {
    let run = read_run(&settings.audit)?;
    let plan = AuditPlan::last(&store, run.libraries.into_iter().map(|root| root.0))?;
    let ledger = Ledger::new(store, run.recipe);
    let pool = Pool::gather(settings, &plan, &ledger)?;
    ensure!(
        !pool.files.is_empty(),
        "no audited preset fits: {} of {} have a verdict; audit first, or ask for less",
        pool.judged,
        plan.presets()
    );
    let looks: Vec<&Look> = pool.looks.iter().collect();
    let points = spread::points(&looks);
    let mut rng = Rng::new(settings.seed);
    let chosen = choose::choose(&pool.candidates, &points, settings.size, settings.sample, &mut rng);
    let traits = pool.traits(&chosen);
    let report = measure::measure(&pool.candidates, &points, &chosen, &traits, &mut rng.fork(1));
    let files: Vec<&PlannedFile> = chosen.iter().map(|&at| pool.files[at]).collect();
    let kept: BTreeSet<PathBuf> = files.iter().map(|file| folder.join(plan.relative(file))).collect();
    for path in earlier::listed(folder)?.difference(&kept) {
        std::fs::remove_file(path).ok(); // The new manifest does not name it, so it is not played either.
    }
    // First, so that a pack that is broken off is still known for one and can be made again.
    manifest(settings, &plan, &pool, &files).write(&folder.join(MANIFEST_FILE))?;
    let images = copy(settings, &plan, &files, folder)?;
    whole_file::write_json(&folder.join(REPORT_FILE), &report)?;
    let presets = files.iter().map(|file| plan.relative(file)).collect();
    Ok(Pack { folder: folder.to_owned(), presets, images, report })
}

/// Everything a pack may be drawn from, in order of the paths.
struct Pool<'a> {
    files: Vec<&'a PlannedFile>,
    looks: Vec<Look>,
    candidates: Vec<Candidate>,
    records: Vec<Record>,
    judged: usize,
}

impl<'a> Pool<'a> {
    fn gather(settings: &PackSettings, plan: &'a AuditPlan, ledger: &Ledger) -> anyhow::Result<Self> {
        let only = settings.rel_paths.as_ref();
        let banned: BTreeSet<String> = match &settings.blacklist {
            Some(path) => QualityBlacklist::read(path)?.names().map(slashed).collect(),
            None => BTreeSet::new(),
        };
        let gates = ledger.gates(plan)?;
        let mut pool = Self {
            files: Vec::new(),
            looks: Vec::new(),
            candidates: Vec::new(),
            records: Vec::new(),
            judged: 0,
        };
        // A path that was asked for stands for its preset, whichever other files hold the same one.
        let mut files: Vec<&PlannedFile> = match only {
            Some(only) => plan.each_file().filter(|file| only.contains(&plan.relative(file))).collect(),
            None => plan.each_preset().collect(),
        };
        files.sort_by_cached_key(|file| plan.relative(file));
        let mut met = HashSet::new();
        files.retain(|file| met.insert(file.id));
        let mut members = Vec::new();
        for file in files {
            let Some(record) = ledger.get(file.id)? else { continue };
            pool.judged += 1;
            let relative = plan.relative(file);
            let fits = record.safety == Safety::Ok
                && (settings.from == PackFilter::CrashSafe || record.look_verdict(&gates) == LookVerdict::Ok)
                && !(settings.safe_flash && record.flash_verdict() == FlashVerdict::Fail)
                && settings.max_cost_ms.is_none_or(|most| record.evidence.cost.full_hd_ms <= most)
                && !banned.contains(&relative);
            let Some(look) = record.evidence.look.clone().filter(|_| fits) else { continue };
            members.push(Member::new(file.id, file.family, record.evidence.likeness, Some(&look)));
            let folder = relative.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            pool.candidates.push(Candidate { folder, family: file.family, look_group: 0 });
            pool.files.push(file);
            pool.looks.push(look);
            pool.records.push(record.lean());
        }
        for (candidate, group) in pool.candidates.iter_mut().zip(repeats::look_groups(&members)) {
            candidate.look_group = group;
        }
        Ok(pool)
    }

    /// What may make a pack uniform without anybody noticing.
    fn traits(&self, chosen: &[usize]) -> [measure::Traits; 3] {
        let share = |has: &dyn Fn(&Record) -> bool| {
            let of = |count: usize, all: usize| count as f64 / all.max(1) as f64;
            let pack = chosen.iter().filter(|&&at| has(&self.records[at])).count();
            let library = self.records.iter().filter(|record| has(record)).count();
            (of(pack, chosen.len()), of(library, self.records.len()))
        };
        let named = |name, has: &dyn Fn(&Record) -> bool| {
            let (pack, library) = share(has);
            measure::Traits { name, pack, library }
        };
        [
            named("have code for every frame", &|record| record.evidence.text.counts.per_frame > 0),
            named("bring shaders", &|record| {
                record.evidence.text.counts.warp + record.evidence.text.counts.comp > 0
            }),
            named("draw shapes", &|record| record.evidence.text.counts.shape > 0),
        ]
    }
}

/// Copies presets with their folders, and the images they name; a preset that was changed since the audit is refused.
fn copy(
    settings: &PackSettings,
    plan: &AuditPlan,
    files: &[&PlannedFile],
    folder: &Path,
) -> anyhow::Result<usize> {
    let mut wanted = images::Wanted::default();
    for file in files {
        let from = plan.path(file);
        let bytes = std::fs::read(&from).with_context(|| format!("reading {}", from.display()))?;
        if crate::library::PresetId::of(&bytes) != file.id {
            bail!("{} was changed after it was audited; audit again", from.display());
        }
        wanted.read(&bytes);
        let to = folder.join(plan.relative(file));
        if !std::fs::read(&to).is_ok_and(|there| there == bytes) {
            whole_file::replace(&to, |out| std::io::Write::write_all(out, &bytes))?;
        }
    }
    Ok(wanted.copy(&settings.textures, &folder.join("textures"))?)
}

fn manifest(settings: &PackSettings, plan: &AuditPlan, pool: &Pool, files: &[&PlannedFile]) -> Manifest {
    let name = &settings.name;
    let preset = |file: &&PlannedFile| {
        let label = plan.relative(file);
        let rel_path = format!("{name}/{label}");
        ManifestPreset {
            id: format!("{name}-{}-{}", slug(&label), &file.id.to_string()[..6]),
            url: format!("/presets/{rel_path}"),
            pack: name.clone(),
            file_name: label.rsplit('/').next().unwrap_or_default().to_owned(),
            file_size: std::fs::metadata(plan.path(file)).map_or(0, |facts| facts.len()),
            label,
            rel_path,
        }
    };
    Manifest {
        version: "v0".into(),
        generated_at: iso(now()),
        source_root: plan
            .libraries
            .first()
            .map(|l| l.root.to_string_lossy().into_owned())
            .unwrap_or_default(),
        total_files_scanned: plan.files(),
        total_eligible_scanned: pool.files.len(),
        total_presets_included: files.len(),
        sample_mode: settings.sample.label().into(),
        seed: settings.seed,
        scan_limit: 0,
        target: name.clone(),
        presets: files.iter().map(preset).collect(),
    }
}

/// Letters and digits of a path, joined by `-`.
fn slug(path: &str) -> String {
    let stem = path.rsplit('/').next().unwrap_or(path);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-").to_lowercase();
    slug.truncate(80);
    slug
}

/// One path a line; `#` begins a comment, back-slashes are taken for slashes.
pub fn read_paths(file: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(slashed).collect())
}

fn slashed(path: &str) -> String {
    path.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_paths_may_hold_comments_and_back_slashes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("list.txt");
        std::fs::write(&file, "# chosen\n a\\b.milk \n\nc.milk\n").expect("written");
        let paths: Vec<String> = read_paths(&file).expect("read").into_iter().collect();
        assert_eq!(paths, ["a/b.milk", "c.milk"]);
    }

    #[test]
    fn a_slug_is_plain_whatever_the_name_is() {
        assert_eq!(slug("Dancer/Märtin - Ünder (Water)!.milk"), "m-rtin-nder-water");
    }
}
