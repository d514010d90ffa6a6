//! Packs: safe, diverse selections from an audited library, copied with their textures and a manifest.

mod choose;
mod images;
mod measure;
mod previous;
mod spread;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

pub use choose::{Candidate, Sample};
pub use measure::{Diversity, PackGrade, PackReport};
pub use spread::{Point, points};

use crate::audit::probe::{Look, ProbeSettings};
use crate::audit::repeats::{self, Member};
use crate::audit::verdict::{LookVerdict, Record, Safety};
use crate::audit::{self, AuditPlan, Ledger, PlannedFile, read_run};
use crate::disk::{self, Folder};
use crate::facts::PresetId;
use crate::jobs::{find_named, iso, now};
use crate::library::pack::{MANIFEST_FILE, Manifest, ManifestNames, ManifestPreset, QualityBlacklist};
use crate::media::flash::FlashVerdict;
use crate::milk::MAX_PRESET_BYTES;
use crate::store::Store;
use crate::units::Rng;

/// File name of the diversity report in a pack.
pub const REPORT_FILE: &str = "pack-report.json";

/// Which presets a pack may contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PackFilter {
    /// Playable presets with an acceptable look.
    #[default]
    Ok,
    /// All playable presets.
    CrashSafe,
}

/// Settings of a pack.
#[derive(Clone, Debug)]
pub struct PackSettings {
    /// Folder of the audit.
    pub audit: PathBuf,
    /// Folder of the library of an imported audit [default: the one named in the audit].
    pub library: Option<PathBuf>,
    /// Folder for packs; the pack becomes a subfolder of it.
    pub packs: PathBuf,
    /// Name of the pack.
    pub name: String,
    /// Which presets the pack may contain.
    pub from: PackFilter,
    /// Maximum number of presets.
    pub size: usize,
    /// How the presets are selected.
    pub sample: Sample,
    /// Whether to exclude presets that flash too often.
    pub safe_flash: bool,
    /// Maximum estimated cost of a preset at 1080p, in milliseconds per frame; `None` sets no limit.
    pub max_cost_ms: Option<f64>,
    /// If set, the presets to select from: report paths or other names.
    pub rel_paths: Option<BTreeSet<String>>,
    /// Blacklist file with the names of presets to exclude, if any.
    pub blacklist: Option<PathBuf>,
    /// Whether to leave a previous pack in the folder unchanged if it has more presets.
    pub keep_larger: bool,
    /// Folders searched for the presets' images.
    pub textures: Vec<PathBuf>,
    /// Random seed.
    pub seed: u64,
}

/// A finished pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Folder of the pack.
    pub folder: PathBuf,
    /// Report paths of the pack's presets.
    pub presets: Vec<String>,
    /// Number of copied images.
    pub images: usize,
    /// Report on the pack's diversity.
    pub report: PackReport,
    /// Number of presets in the previous pack, if it was left unchanged and this one was not written.
    pub kept: Option<usize>,
}

/// The error when no audited preset passes the filters.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "no audited preset matches: {judged} of {presets} have a verdict; run the audit, or relax the filters"
)]
pub struct NoMatch {
    judged: usize,
    presets: usize,
}

/// Selects a pack and copies it to the subfolder of [`PackSettings::packs`] that has the pack's name. Fails
/// if that folder contains files but no pack.
pub fn make(settings: &PackSettings, store: Store) -> anyhow::Result<Pack> {
    let name = &settings.name;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    ensure!(
        plain && !name.starts_with('.'),
        "{name:?} is not a valid pack name; use letters, digits, - and _"
    );
    let pack = Folder::create(&settings.packs).and_then(|packs| packs.create_below(Path::new(name)));
    let pack = pack.with_context(|| format!("opening the pack {name}"))?;
    previous::presets(&pack)?; // Before writing, rejects a folder with files but no pack.
    write(settings, &pack, store)
}

/// Selects a pack and copies it to `folder`. Of the files already in the folder, only those of a previous pack
/// are removed or replaced.
///
/// # Errors
/// Fails with [`NoMatch`] if no preset passes the filters. Also fails if a preset would replace a file that is not
/// part of the previous pack.
pub fn make_in(settings: &PackSettings, folder: &Path, store: Store) -> anyhow::Result<Pack> {
    let folder = Folder::create(folder).with_context(|| format!("opening {}", folder.display()))?;
    write(settings, &folder, store)
}

/// Removes the pack in `folder`, if there is one: its presets, manifest and report. Other files, including
/// copied images, are kept.
pub fn clear(folder: &Path) -> anyhow::Result<()> {
    if !folder.join(MANIFEST_FILE).exists() {
        return Ok(());
    }
    let folder = Folder::create(folder).with_context(|| format!("opening {}", folder.display()))?;
    let presets = previous::listed(&folder)?;
    for path in &presets {
        open_parent(&folder, path)?;
    }
    for path in &presets {
        folder.remove_file(path)?;
    }
    folder.remove_file(Path::new(REPORT_FILE)).ok(); // An interrupted pack has none.
    folder.remove_file(Path::new(MANIFEST_FILE))?;
    Ok(())
}

fn write(settings: &PackSettings, folder: &Folder, store: Store) -> anyhow::Result<Pack> {
    let (plan, ledger) = audited(settings, store)?;
    let pool = Pool::gather(settings, &plan, &ledger)?;
    if pool.files.is_empty() {
        return Err(NoMatch { judged: pool.judged, presets: plan.presets() }.into());
    }
    let looks: Vec<&Look> = pool.looks.iter().collect();
    let points = spread::points(&looks);
    let mut rng = Rng::new(settings.seed);
    let chosen = choose::choose(&pool.candidates, &points, settings.size, settings.sample, &mut rng);
    let traits = pool.traits(&chosen);
    let report = measure::measure(&pool.candidates, &points, &chosen, &traits, &mut rng.fork(1));
    let files: Vec<&PlannedFile> = chosen.iter().map(|&at| pool.files[at]).collect();
    let kept: BTreeSet<PathBuf> = files.iter().map(|file| plan.relative(file).into()).collect();
    let old = previous::listed(folder)?;
    let mut pack = Pack {
        folder: folder.path().to_owned(),
        presets: files.iter().map(|file| plan.relative(file)).collect(),
        images: 0,
        report,
        kept: (settings.keep_larger && old.len() > files.len()).then_some(old.len()),
    };
    if pack.kept.is_some() {
        return Ok(pack);
    }
    // Checked before anything is changed: a subfolder that is a link would lead out of the pack.
    for path in old.union(&kept) {
        open_parent(folder, path)?;
    }
    for file in &files {
        let path = PathBuf::from(plan.relative(file));
        let is_equal = |bytes: &[u8]| PresetId::of(bytes) == file.id;
        ensure!(
            old.contains(&path) || previous::is_free(folder, &path, MAX_PRESET_BYTES as u64, is_equal),
            "{} is not part of the pack and would be replaced; move it away, or choose another folder",
            folder.path().join(&path).display()
        );
    }
    for path in old.difference(&kept) {
        folder.remove_file(path).ok(); // Presets missing from the manifest are not played anyway.
    }
    // The manifest is written first, so that an interrupted pack is recognised and can be written again.
    let mut manifest = manifest(settings, &plan, &pool, &files);
    manifest.images = previous::images(folder)?;
    folder.write_json(Path::new(MANIFEST_FILE), &manifest)?;
    let images = copy(settings, &plan, &files, folder, &manifest.images)?;
    if !images.is_subset(&manifest.images) {
        manifest.images.extend(images.iter().cloned());
        folder.write_json(Path::new(MANIFEST_FILE), &manifest)?;
    }
    folder.write_json(Path::new(REPORT_FILE), &pack.report)?;
    pack.images = images.len();
    Ok(pack)
}

/// Opens an audit by this program, or a finished one by its predecessor, whose verdicts are imported.
fn audited(settings: &PackSettings, store: Store) -> anyhow::Result<(AuditPlan, Ledger)> {
    let Some(named) = audit::audited_library(&settings.audit)? else {
        let run = read_run(&settings.audit)?;
        let plan = AuditPlan::last(&store, run.libraries.into_iter().map(|root| root.0))?;
        return Ok((plan, Ledger::new(store, run.recipe).within(run.gates)));
    };
    let library = settings.library.clone().unwrap_or(named);
    ensure!(
        library.is_dir(),
        "the audited library {} is not on this computer; give its folder with --library",
        library.display()
    );
    let plan = AuditPlan::scan(&store, &[library])?;
    let ledger = Ledger::new(store, audit::recipe(&ProbeSettings::default()));
    audit::import_predecessor(&settings.audit, &plan, &ledger)?;
    Ok((plan, ledger))
}

/// The presets that may be selected, ordered by path.
struct Pool<'a> {
    files: Vec<&'a PlannedFile>,
    looks: Vec<Look>,
    candidates: Vec<Candidate>,
    records: Vec<Record>,
    judged: usize,
}

impl<'a> Pool<'a> {
    fn gather(settings: &PackSettings, plan: &'a AuditPlan, ledger: &Ledger) -> anyhow::Result<Self> {
        let names = plan.names();
        let mut banned: BTreeSet<PresetId> = BTreeSet::new();
        if let Some(path) = &settings.blacklist {
            let listed = find_named(QualityBlacklist::read(path)?.names(), &names);
            banned.extend(listed.into_iter().map(|index| plan.file(index).id));
        }
        let gates = ledger.gates(plan)?;
        let mut pool = Self {
            files: Vec::new(),
            looks: Vec::new(),
            candidates: Vec::new(),
            records: Vec::new(),
            judged: 0,
        };
        // A listed path selects that file even if others have the same content.
        let mut files: Vec<&PlannedFile> = match &settings.rel_paths {
            Some(only) => {
                let listed = find_named(only.iter().map(String::as_str), &names);
                listed.into_iter().map(|index| plan.file(index)).collect()
            }
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
                // Without measurements, a preset may be unsafe or expensive.
                && !(settings.safe_flash
                    && record.flash_verdict().is_none_or(|flash| flash == FlashVerdict::Fail))
                && settings.max_cost_ms.is_none_or(|most| {
                    record.is_measured() && record.evidence.cost.full_hd_ms <= most
                })
                && !banned.contains(&file.id);
            let Some(look) = record.evidence.look.clone().filter(|_| fits) else { continue };
            members.push(Member::new(file.id, file.family, record.evidence.perceptual_hash, Some(&look)));
            let folder = relative.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            pool.candidates.push(Candidate { folder, family: file.family, look_group: 0 });
            pool.files.push(file);
            pool.looks.push(look);
            pool.records.push(record.without_params());
        }
        for (candidate, group) in pool.candidates.iter_mut().zip(repeats::look_groups(&members)) {
            candidate.look_group = group;
        }
        Ok(pool)
    }

    /// Returns the shares of presets with per-frame code, shaders and shapes in the pack and in the library. Looks
    /// do not include these traits, so the shares reveal packs that are uniform in one of them.
    fn traits(&self, chosen: &[usize]) -> [measure::TraitShare; 3] {
        let share = |has: &dyn Fn(&Record) -> bool| {
            let of = |count: usize, all: usize| count as f64 / all.max(1) as f64;
            let pack = chosen.iter().filter(|&&at| has(&self.records[at])).count();
            let library = self.records.iter().filter(|record| has(record)).count();
            (of(pack, chosen.len()), of(library, self.records.len()))
        };
        let named = |name, has: &dyn Fn(&Record) -> bool| {
            let (pack, library) = share(has);
            measure::TraitShare { name, pack, library }
        };
        [
            named("have per-frame code", &|record| record.evidence.text.counts.per_frame > 0),
            named("use shaders", &|record| {
                record.evidence.text.counts.warp + record.evidence.text.counts.comp > 0
            }),
            named("draw shapes", &|record| record.evidence.text.counts.shape > 0),
        ]
    }
}

/// Copies the presets, preserving their folder structure, and their images; returns the file names of the images.
/// `own` names the images of the previous pack, which may be replaced. Fails if a preset has changed since the audit.
fn copy(
    settings: &PackSettings,
    plan: &AuditPlan,
    files: &[&PlannedFile],
    folder: &Folder,
    own: &BTreeSet<String>,
) -> anyhow::Result<BTreeSet<String>> {
    let mut wanted = images::UsedImages::default();
    for file in files {
        let from = plan.path(file);
        let limit = MAX_PRESET_BYTES as u64;
        let bytes = disk::read(&from, limit).with_context(|| format!("reading {}", from.display()))?;
        if PresetId::of(&bytes) != file.id {
            bail!("{} has changed since the audit; audit again", from.display());
        }
        wanted.read(&bytes);
        let to = PathBuf::from(plan.relative(file));
        if !folder.read(&to, limit).is_ok_and(|there| there == bytes) {
            folder.replace(&to, |out| std::io::Write::write_all(out, &bytes))?;
        }
    }
    Ok(wanted.copy(&settings.textures, &folder.create_below(Path::new("textures"))?, own)?)
}

/// Fails if the parent folder of a file cannot be opened, unless that folder does not exist yet.
fn open_parent(folder: &Folder, path: &Path) -> std::io::Result<()> {
    match path.parent().map(|parent| folder.below(parent)) {
        Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn manifest(settings: &PackSettings, plan: &AuditPlan, pool: &Pool, files: &[&PlannedFile]) -> Manifest {
    let name = &settings.name;
    // Use the IDs from the library's manifest, because the library's frames and embeddings are named after
    // them; without a manifest, use paths, as a bake of the library does.
    let names = match plan.libraries.as_slice() {
        [library] => ManifestNames::from_folder(&library.root).unwrap_or_default(),
        _ => ManifestNames::default(),
    };
    let preset = |file: &&PlannedFile| {
        let label = plan.relative(file);
        let known = names.preset(&label).map(|preset| preset.id.clone()).filter(|id| !id.is_empty());
        let rel_path = format!("{name}/{label}");
        ManifestPreset {
            id: known.unwrap_or_else(|| label.clone()),
            url: format!("/presets/{rel_path}"),
            pack: name.clone(),
            file_name: label.rsplit('/').next().unwrap_or_default().to_owned(),
            file_size: std::fs::metadata(plan.path(file)).map_or(0, |metadata| metadata.len()),
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
        images: BTreeSet::new(),
    }
}

/// Reads a list of paths or other names, one per line. Blank lines and lines starting with `#` are skipped; backslashes are
/// converted to forward slashes.
pub fn read_paths(file: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text =
        disk::read_text(file, disk::limit::LIST).with_context(|| format!("reading {}", file.display()))?;
    let lines = disk::lines(&text).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(slashed).collect())
}

fn slashed(path: &str) -> String {
    path.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_presets_by_id_path_file_or_content() {
        let (library, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(library.path().join("x")).expect("made");
        for name in ["a", "b", "c"] {
            std::fs::write(library.path().join(format!("x/{name}.milk")), format!("zoom={name}"))
                .expect("written");
        }
        let manifest = r#"{"version":"v0","target":"run3","presets":[
            {"id":"run3-a-1b2c3d","label":"x/a.milk","relPath":"run3/x/a.milk"}]}"#;
        std::fs::write(library.path().join(MANIFEST_FILE), manifest).expect("written");
        let store = Store::in_memory().expect("opens");
        let plan = AuditPlan::scan(&store, &[library.path().to_owned()]).expect("scanned");
        let ledger = Ledger::new(store, "recipe".into());
        let mut record = Record::without_evidence(Safety::Ok, String::new());
        record.imported = Some(LookVerdict::Ok);
        record.evidence.look = Some(Look::default());
        let verdicts: Vec<_> = plan.each_file().map(|file| (file.id, record.clone())).collect();
        ledger.import(&verdicts).expect("saved");
        let selected = |rel_paths: Option<[&str; 2]>, blacklist: Option<PathBuf>| {
            let settings = PackSettings {
                audit: PathBuf::new(),
                library: None,
                packs: PathBuf::new(),
                name: "pack".into(),
                from: PackFilter::Ok,
                size: usize::MAX,
                sample: Sample::First,
                safe_flash: false,
                max_cost_ms: None,
                rel_paths: rel_paths.map(|names| names.map(str::to_owned).into()),
                blacklist,
                keep_larger: false,
                textures: Vec::new(),
                seed: 1,
            };
            let pool = Pool::gather(&settings, &plan, &ledger).expect("gathered");
            pool.files.into_iter().map(|file| plan.relative(file)).collect::<Vec<_>>()
        };
        let content = PresetId::of(b"zoom=c").to_string();
        assert_eq!(selected(Some(["run3-a-1b2c3d", content.as_str()]), None), ["x/a.milk", "x/c.milk"]);
        let list = out.path().join("list.json");
        let file =
            plan.path(plan.each_file().find(|file| plan.relative(file) == "x/b.milk").expect("a file"));
        let blacklist = QualityBlacklist {
            version: "v0".into(),
            bad_ids: vec!["run3-a-1b2c3d".into()],
            bad_source_rel_paths: vec![file.to_string_lossy().into_owned()],
            ..QualityBlacklist::default()
        };
        blacklist.write(&list).expect("written");
        assert_eq!(selected(None, Some(list)), ["x/c.milk"]);
    }

    #[test]
    fn a_list_of_paths_accepts_comments_and_backslashes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("list.txt");
        std::fs::write(&file, "# chosen\n a\\b.milk \n\nc.milk\n").expect("written");
        let paths: Vec<String> = read_paths(&file).expect("read").into_iter().collect();
        assert_eq!(paths, ["a/b.milk", "c.milk"]);
    }
}
