//! The plan of an audit: the files of the libraries, their distinct presets, and those without a verdict.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::judge::Attempts;
use super::settings::AuditSettings;
use super::work::AuditJob;
use crate::facts::{Energy, PresetId, Tags};
use crate::jobs::now;
use crate::jobs::wire::WirePreset;
use crate::library;
use crate::library::style::NameTable;
use crate::store::LoadedRow;
use crate::store::Store;
use crate::units::Rng;

/// A folder of presets that was scanned.
#[derive(Clone, Debug)]
pub struct Library {
    /// Path of the folder, as recorded in the store.
    pub root: PathBuf,
    /// Prefix of the report paths of its files; empty if there is only one library.
    pub prefix: String,
    /// Number of unusable files and folders.
    pub unusable: usize,
    /// Folders that could not be entered, although they may contain files.
    pub closed: BTreeSet<PathBuf>,
    /// Relative paths of files that existed in an earlier scan but no longer do.
    pub deleted: Vec<String>,
}

/// A preset file.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// ID of the preset.
    pub id: PresetId,
    /// Index of the file's library in [`AuditPlan::libraries`].
    pub library: usize,
    /// Path of the file, relative to the library.
    pub below: PathBuf,
    /// Tags derived from the source, and those found by an earlier audit.
    pub tags: Tags,
    /// Energy estimated from the source and the file name.
    pub energy: Energy,
    /// ID shared by presets with the same code.
    pub family: u64,
}

/// The files of the libraries to audit, and their distinct presets.
#[derive(Clone, Debug, Default)]
pub struct AuditPlan {
    /// The libraries to audit.
    pub libraries: Vec<Library>,
    /// All files, ordered by library and path.
    files: Vec<PlannedFile>,
    /// Index of the first file of each distinct preset.
    first: BTreeMap<PresetId, usize>,
}

/// The presets that still have to be audited.
pub struct Pending {
    /// Jobs ordered by preset ID, which is a hash, so that the jobs completed by an interrupted run are a
    /// random sample. The order may be rotated.
    pub jobs: Vec<AuditJob>,
    /// Number of distinct presets in the libraries or, if the audit is sharded, in its shard.
    pub presets: usize,
    /// Number of presets in the libraries or the shard that have a verdict and are not to be retried.
    pub known: usize,
}

impl AuditPlan {
    /// Creates a plan by scanning these folders.
    pub fn scan(store: &Store, folders: &[PathBuf]) -> anyhow::Result<Self> {
        let mut libraries = Vec::new();
        for folder in folders {
            let root = library::library_root(folder);
            let mut rows = store.load(&root)?;
            let report = library::scan(store, folder, now(), |_| ())
                .with_context(|| format!("scanning {}", folder.display()))?;
            if let (0, Some((path, why))) = (report.files, report.skipped.first()) {
                bail!("no usable file in {}; {}: {why}", folder.display(), path.display());
            }
            let mut gone = Vec::new();
            if report.read > 0 || report.gone > 0 {
                let before: BTreeSet<PathBuf> = rows.into_iter().map(|row| row.path).collect();
                rows = store.load(&root)?;
                let after: BTreeSet<&PathBuf> = rows.iter().map(|row| &row.path).collect();
                gone.extend(before.iter().filter(|path| !after.contains(path)).map(|path| slashed(path)));
            }
            let deleted = update_deleted(store, &root, gone, &rows)?;
            let unusable = report.skipped.len() + report.skipped_more;
            let library = Library { root, prefix: String::new(), unusable, closed: report.closed, deleted };
            libraries.push((library, rows));
        }
        Ok(Self::of(libraries))
    }

    /// Creates a plan of the libraries at `roots` as of the last scan.
    pub fn last(store: &Store, roots: impl Iterator<Item = PathBuf>) -> anyhow::Result<Self> {
        let mut libraries = Vec::new();
        for root in roots {
            let deleted = store.recall::<Vec<String>>(&deleted_name(&root))?.unwrap_or_default();
            let rows = store.load(&root)?;
            let closed = BTreeSet::new();
            let library = Library { root, prefix: String::new(), unusable: 0, closed, deleted };
            libraries.push((library, rows));
        }
        Ok(Self::of(libraries))
    }

    fn of(libraries: Vec<(Library, Vec<LoadedRow>)>) -> Self {
        let several = libraries.len() > 1;
        let mut plan = Self::default();
        for (number, (mut library, rows)) in libraries.into_iter().enumerate() {
            if several {
                let name = library.root.file_name().unwrap_or_default().to_string_lossy();
                library.prefix = format!("{number}-{name}/");
            }
            plan.libraries.push(library);
            for row in rows {
                plan.first.entry(row.id).or_insert(plan.files.len());
                plan.files.push(PlannedFile {
                    id: row.id,
                    library: number,
                    below: row.path,
                    tags: row.preset_facts.tags,
                    energy: row.preset_facts.energy,
                    family: row.preset_facts.family,
                });
            }
        }
        plan
    }

    /// Returns the presets to audit. `known` lists the presets with a verdict, each with whether it is worth
    /// retrying. If the run is `resumed` or some verdicts exist, the order starts at a random position that
    /// `seed` determines.
    pub fn pending(
        &self,
        known: &[(PresetId, bool)],
        settings: &AuditSettings,
        resumed: bool,
        seed: u64,
    ) -> anyhow::Result<Pending> {
        let known: BTreeMap<PresetId, bool> = known.iter().copied().collect();
        let done = |id: &PresetId| match known.get(id) {
            None => false,
            Some(retry) => !(settings.retry_failed && *retry),
        };
        let wanted: Option<BTreeSet<PresetId>> = settings.only.as_ref().map(|only| {
            let named = self.files.iter().filter(|file| only.contains(&self.relative(file)));
            named.map(|file| file.id).collect()
        });
        // Files in an unreadable folder are left for a later run.
        let reachable = |file: usize| self.is_reachable(&self.files[file]);
        let open = self.first.iter().filter(|(id, file)| !done(id) && reachable(**file));
        let open = open.filter(|(id, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(id)));
        let in_shard = |id: &PresetId| settings.shard.is_none_or(|shard| shard.contains(*id));
        let open = open.filter(|(id, _)| in_shard(id));
        let presets = self.first.keys().filter(|id| in_shard(id)).count();
        let judged = self.first.keys().filter(|id| in_shard(id) && done(id)).count();
        let open = rotated(open.collect(), (resumed || judged > 0).then_some(seed));
        let open = open.into_iter().take(settings.limit.unwrap_or(usize::MAX));
        let names = settings.continuation.as_ref().map(|continuation| self.names_by_id(&continuation.names));
        let names = names.unwrap_or_default();
        let jobs = open.map(|(id, &file)| AuditJob {
            id: *id,
            preset: WirePreset::new(self.path(&self.files[file])),
            continue_as: names.get(id).map(|name| (*name).to_owned()),
            attempts: Attempts::default(),
        });
        Ok(Pending { jobs: jobs.collect(), presets, known: judged })
    }

    /// Returns the first name of each preset in a list of report paths and names.
    fn names_by_id<'a>(&self, names: &'a [(String, String)]) -> HashMap<PresetId, &'a str> {
        let ids: HashMap<String, PresetId> =
            self.files.iter().map(|file| (self.relative(file), file.id)).collect();
        let mut first = HashMap::new();
        for (path, name) in names {
            if let Some(&id) = ids.get(path) {
                first.entry(id).or_insert(name.as_str());
            }
        }
        first
    }

    /// Returns whether the folders of a file could be entered in the last scan.
    fn is_reachable(&self, file: &PlannedFile) -> bool {
        let closed = &self.libraries[file.library].closed;
        closed.is_empty() || !self.path(file).ancestors().any(|folder| closed.contains(folder))
    }

    /// Iterates over all files.
    pub fn each_file(&self) -> impl Iterator<Item = &PlannedFile> {
        self.files.iter()
    }

    /// Iterates over the first file of each distinct preset.
    pub fn each_preset(&self) -> impl Iterator<Item = &PlannedFile> {
        self.first.values().map(|&file| &self.files[file])
    }

    /// Returns the number of files.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Returns the number of distinct presets.
    pub fn presets(&self) -> usize {
        self.first.len()
    }

    /// Returns whether any file of the plan contains this preset.
    pub fn has(&self, id: PresetId) -> bool {
        self.first.contains_key(&id)
    }

    /// Returns the path of a file.
    pub fn path(&self, file: &PlannedFile) -> PathBuf {
        self.libraries[file.library].root.join(&file.below)
    }

    /// Returns a file's report path: the prefix of its library and the path below the library, with forward
    /// slashes.
    pub fn relative(&self, file: &PlannedFile) -> String {
        format!("{}{}", self.libraries[file.library].prefix, slashed(&file.below))
    }

    /// Returns the file at this position of [`Self::each_file`].
    pub fn file(&self, index: usize) -> &PlannedFile {
        &self.files[index]
    }

    /// Returns every name of the files, with their positions in [`Self::each_file`]: report paths, names in the
    /// manifests of the libraries, paths of the files, and content IDs.
    pub fn names(&self) -> NameTable {
        let mut names = NameTable::for_presets(4 * self.files.len());
        for (index, file) in self.files.iter().enumerate() {
            names.add(&self.relative(file), index);
        }
        for (number, library) in self.libraries.iter().enumerate() {
            let own = self.files.iter().enumerate().filter(|(_, file)| file.library == number);
            let own: Vec<_> = own.map(|(index, file)| (index, slashed(&file.below), file.id)).collect();
            library::add_file_names(&mut names, &library.root, &own);
        }
        names
    }

    /// Returns the report path of a preset's first file, or the preset's ID if the plan does not contain the preset.
    pub fn name(&self, id: PresetId) -> String {
        self.first.get(&id).map_or_else(|| id.to_string(), |&file| self.relative(&self.files[file]))
    }
}

/// Rotates the jobs by a random number that `seed` determines, so that presets that crash or stall a run do
/// not block all others forever. Without a seed, the order is unchanged.
fn rotated<T>(mut open: Vec<T>, seed: Option<u64>) -> Vec<T> {
    if let Some(seed) = seed.filter(|_| !open.is_empty()) {
        let place = Rng::new(seed).below(open.len());
        open.rotate_left(place);
    }
    open
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

fn deleted_name(root: &Path) -> String {
    format!("deleted {}", root.display())
}

/// Adds newly deleted paths to the saved ones, removes those that exist again, and returns the result.
fn update_deleted(
    store: &Store,
    root: &Path,
    gone: Vec<String>,
    existing: &[LoadedRow],
) -> anyhow::Result<Vec<String>> {
    let name = deleted_name(root);
    let before: BTreeSet<String> = store.recall(&name)?.unwrap_or_default();
    let mut all = before.clone();
    all.extend(gone);
    if !all.is_empty() {
        let back: BTreeSet<String> = existing.iter().map(|row| slashed(&row.path)).collect();
        all.retain(|path| !back.contains(path));
    }
    if all != before {
        store.remember(&name, &all, now())?;
    }
    Ok(all.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn files_below_a_folder_that_cannot_be_entered_are_left_for_a_later_run() {
        let library = tempfile::tempdir().expect("a folder");
        let at = |name: &str| library.path().join(name);
        std::fs::create_dir(at("sub")).expect("made");
        for name in ["sub/one.milk", "two.milk"] {
            std::fs::write(at(name), format!("zoom={name}")).expect("written");
        }
        let store = Store::in_memory().expect("opens");
        let reachable = || {
            let plan = AuditPlan::scan(&store, &[library.path().to_owned()]).expect("scanned");
            let files = plan.each_file().filter(|file| plan.is_reachable(file));
            files.map(|file| plan.relative(file)).collect::<BTreeSet<_>>()
        };
        assert_eq!(reachable().len(), 2);
        std::fs::remove_dir_all(at("sub")).expect("removed");
        std::os::unix::fs::symlink("sub", at("sub")).expect("a link to itself");
        assert_eq!(reachable(), BTreeSet::from(["two.milk".to_owned()]));
    }

    #[test]
    fn copies_of_a_preset_share_the_first_name() {
        let library = tempfile::tempdir().expect("a folder");
        for (name, text) in [("a.milk", "zoom=1"), ("b.milk", "zoom=1"), ("c.milk", "zoom=2")] {
            std::fs::write(library.path().join(name), text).expect("written");
        }
        let store = Store::in_memory().expect("opens");
        let plan = AuditPlan::scan(&store, &[library.path().to_owned()]).expect("scanned");
        let names =
            ["b.milk", "a.milk", "gone.milk"].map(|path| (path.to_owned(), format!("name of {path}")));
        let found = plan.names_by_id(&names);
        assert_eq!(found, HashMap::from([(PresetId::of(b"zoom=1"), "name of b.milk")]));
    }

    #[test]
    fn resumed_runs_start_at_different_positions_and_skip_nothing() {
        let all: Vec<u32> = (0..60).collect();
        assert_eq!(rotated(all.clone(), None), all);
        assert!(rotated(Vec::<u32>::new(), Some(1)).is_empty());
        // Runs started by a timer, at the same second of every day.
        let runs = (0..100).map(|day| rotated(all.clone(), Some(1_800_000_000 + day * 86_400)));
        let mut first = BTreeSet::new();
        for mut run in runs {
            first.insert(run[0]);
            run.sort_unstable();
            assert_eq!(run, all);
        }
        assert!(first.len() > 30, "{first:?}");
    }
}
