//! What there is to audit: the files of the libraries, the different presets in them, and which have no verdict yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::judge::Tries;
use super::work::AuditJob;
use super::{AuditSettings, Ledger};
use crate::jobs::now;
use crate::jobs::wire::WirePath;
use crate::library::store::LoadedRow;
use crate::library::{self, Energy, PresetId, Store, Tags};
use crate::units::Rng;

/// One scanned folder.
#[derive(Clone, Debug)]
pub struct Library {
    /// The folder, as it is called in the store.
    pub root: PathBuf,
    /// What goes before the relative paths of its files; empty when it is the only one.
    pub prefix: String,
    /// Files that cannot be used, and why.
    pub left_out: Vec<(PathBuf, String)>,
    /// Files that were there at an earlier scan, below the root.
    pub deleted: Vec<String>,
}

/// One file with a preset.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// Which preset.
    pub id: PresetId,
    /// Place of its library.
    pub library: usize,
    /// Below its library.
    pub below: PathBuf,
    /// What its text says it is.
    pub tags: Tags,
    /// How much it moves, as its text says.
    pub energy: Energy,
    /// Presets with the same shader code.
    pub family: u64,
}

/// The files of some libraries.
#[derive(Clone, Debug, Default)]
pub struct AuditPlan {
    /// The libraries.
    pub libraries: Vec<Library>,
    /// Their files, by library and path.
    files: Vec<PlannedFile>,
    /// First file of each different preset.
    first: BTreeMap<PresetId, usize>,
}

/// What is left to do.
pub struct Todo {
    /// Jobs, in an order that the presets' content decides, or the same begun elsewhere: every part is a fair sample.
    pub jobs: Vec<AuditJob>,
    /// Presets that have a verdict.
    pub known: usize,
}

impl AuditPlan {
    /// Scans the libraries.
    pub fn make(store: &Store, settings: &AuditSettings) -> anyhow::Result<Self> {
        let mut libraries = Vec::new();
        for folder in &settings.libraries {
            let root = library::library_root(folder);
            let mut rows = store.load(&root)?;
            let report = library::scan(store, folder, now(), |_| ())
                .with_context(|| format!("looking through {}", folder.display()))?;
            if let (0, Some((path, why))) = (report.files, report.skipped.first()) {
                bail!("nothing in {} can be used; {}: {why}", folder.display(), path.display());
            }
            let mut gone = Vec::new();
            if report.read > 0 || report.gone > 0 {
                let before: BTreeSet<PathBuf> = rows.into_iter().map(|row| row.path).collect();
                rows = store.load(&root)?;
                let after: BTreeSet<&PathBuf> = rows.iter().map(|row| &row.path).collect();
                gone.extend(before.iter().filter(|path| !after.contains(path)).map(|path| slashed(path)));
            }
            let deleted = remember_deleted(store, &root, gone, &rows)?;
            let library = Library { root, prefix: String::new(), left_out: report.skipped, deleted };
            libraries.push((library, rows));
        }
        Ok(Self::of(libraries))
    }

    /// The libraries as they were last scanned.
    pub fn last(store: &Store, roots: impl Iterator<Item = PathBuf>) -> anyhow::Result<Self> {
        let mut libraries = Vec::new();
        for root in roots {
            let deleted = store.recall::<Vec<String>>(&deleted_name(&root))?.unwrap_or_default();
            let rows = store.load(&root)?;
            let library = Library { root, prefix: String::new(), left_out: Vec::new(), deleted };
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

    /// What has no verdict yet. After an `earlier` run, or one that has left verdicts, it begins at a place that `seed`
    /// decides.
    pub fn todo(
        &self,
        ledger: &Ledger,
        settings: &AuditSettings,
        earlier: bool,
        seed: u64,
    ) -> anyhow::Result<Todo> {
        let known: BTreeMap<PresetId, bool> = ledger.known()?.into_iter().collect();
        let done = |id: &PresetId| match known.get(id) {
            None => false,
            Some(asks_again) => !(settings.retry_failed && *asks_again),
        };
        // An identity is a hash: its order has nothing to do with names or folders.
        let wanted: Option<BTreeSet<PresetId>> = settings.only.as_ref().map(|only| {
            let named = self.files.iter().filter(|file| only.contains(&self.relative(file)));
            named.map(|file| file.id).collect()
        });
        // A file in a folder that could not be opened keeps its place for better days.
        let left_out = self.libraries.iter().flat_map(|library| &library.left_out);
        let closed: Vec<&PathBuf> = left_out.map(|(path, _)| path).filter(|path| path.is_dir()).collect();
        let within_reach = |&file: &usize| {
            closed.is_empty() || {
                let path = self.path(&self.files[file]);
                !closed.iter().any(|closed| path.starts_with(closed))
            }
        };
        let open = self.first.iter().filter(|(id, file)| !done(id) && within_reach(file));
        let open = open.filter(|(id, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(id)));
        let judged = self.first.keys().filter(|id| done(id)).count();
        let open = begun_elsewhere(open.collect(), (earlier || judged > 0).then_some(seed));
        let open = open.into_iter().take(settings.limit.unwrap_or(usize::MAX));
        let jobs = open.map(|(id, &file)| AuditJob {
            id: *id,
            path: WirePath(self.path(&self.files[file])),
            tries: Tries::default(),
        });
        Ok(Todo { jobs: jobs.collect(), known: judged })
    }

    /// Every file.
    pub fn each_file(&self) -> impl Iterator<Item = &PlannedFile> {
        self.files.iter()
    }

    /// One file of each different preset.
    pub fn each_preset(&self) -> impl Iterator<Item = &PlannedFile> {
        self.first.values().map(|&file| &self.files[file])
    }

    /// Number of files.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Number of different presets.
    pub fn presets(&self) -> usize {
        self.first.len()
    }

    /// Whether one of the files holds this preset.
    pub fn has(&self, id: PresetId) -> bool {
        self.first.contains_key(&id)
    }

    /// Where a file lies.
    pub fn path(&self, file: &PlannedFile) -> PathBuf {
        self.libraries[file.library].root.join(&file.below)
    }

    /// A file's path as reports tell it, with forward slashes.
    pub fn relative(&self, file: &PlannedFile) -> String {
        format!("{}{}", self.libraries[file.library].prefix, slashed(&file.below))
    }

    /// The path of a preset's first file.
    pub fn name(&self, id: PresetId) -> String {
        self.first.get(&id).map_or_else(|| id.to_string(), |&file| self.relative(&self.files[file]))
    }
}

/// The same in a circle from another place: what took the last run down, or takes longer than runs last, must not stand
/// before everything else for ever.
fn begun_elsewhere<T>(mut open: Vec<T>, seed: Option<u64>) -> Vec<T> {
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

/// Adds what is gone to what was gone before, and takes off what has come back.
fn remember_deleted(
    store: &Store,
    root: &Path,
    gone: Vec<String>,
    there: &[LoadedRow],
) -> anyhow::Result<Vec<String>> {
    let name = deleted_name(root);
    let before: BTreeSet<String> = store.recall(&name)?.unwrap_or_default();
    let mut all = before.clone();
    all.extend(gone);
    if !all.is_empty() {
        let back: BTreeSet<String> = there.iter().map(|row| slashed(&row.path)).collect();
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

    #[test]
    fn runs_that_go_on_begin_at_many_places_and_leave_nothing_out() {
        let all: Vec<u32> = (0..60).collect();
        assert_eq!(begun_elsewhere(all.clone(), None), all);
        assert!(begun_elsewhere(Vec::<u32>::new(), Some(1)).is_empty());
        // A timer that starts it at the same second of every day.
        let runs = (0..100).map(|day| begun_elsewhere(all.clone(), Some(1_800_000_000 + day * 86_400)));
        let mut first = BTreeSet::new();
        for mut run in runs {
            first.insert(run[0]);
            run.sort_unstable();
            assert_eq!(run, all);
        }
        assert!(first.len() > 30, "{first:?}");
    }
}
