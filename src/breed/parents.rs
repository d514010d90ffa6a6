//! The parents of a brood: chosen once, copied to its folder, and the same in every later run.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::genome::Genome;
use super::settings::{BreedSettings, Mates};
use crate::disk::{self, FileError};
use crate::facts::PresetId;
use crate::frames;
use crate::jobs::now;
use crate::library::{self, BuiltIn, PresetSource, is_preset};
use crate::milk::MAX_PRESET_BYTES;
use crate::store::{BanKind, Store};
use crate::units::counted;

/// File that describes a brood, in its folder.
const STATE: &str = "breed.json";
/// Folder of the copies of the parents, within the brood's folder.
pub(super) const PARENTS: &str = "parents";
/// Maximum number of children, as on the command line.
const MAX_CHILDREN: usize = 100_000;

/// What determines the children of a brood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Random seed.
    seed: u64,
    /// Which parents are paired.
    mates: Mates,
    /// The list or folder of the parents; `None` for the favourites.
    #[serde(with = "crate::disk::as_wire_paths", default)]
    from: Option<PathBuf>,
    /// Number of children.
    #[serde(default)]
    pub count: usize,
    /// The mates of each parent; empty if any two may be paired. Saved because audits by other versions may measure
    /// different looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Vec<usize>>,
    /// The parents.
    parents: Vec<StateParent>,
}

impl State {
    /// Saves the state in the folder of the brood.
    pub fn save(&self, folder: &Path) -> Result<(), FileError> {
        disk::write_json(&folder.join(STATE), self)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.parents.is_empty(), "it lists no parents");
        ensure!(self.count <= MAX_CHILDREN, "it has more than {MAX_CHILDREN} children");
        for parent in &self.parents {
            ensure!(is_plain(&parent.file), "{:?} is not a file name", parent.file);
        }
        let count = self.parents.len();
        let exist = |mates: &Vec<usize>| !mates.is_empty() && mates.iter().all(|mate| *mate < count);
        ensure!(
            self.pairs.is_empty() || (self.pairs.len() == count && self.pairs.iter().all(exist)),
            "it pairs parents that do not exist"
        );
        Ok(())
    }
}

/// Returns whether a name is a plain file name, without folders.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let (first, second) = (parts.next(), parts.next());
    let is_whole = matches!(first, Some(Component::Normal(part)) if part.to_str() == Some(name));
    is_whole && second.is_none()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StateParent {
    id: PresetId,
    name: String,
    /// File name of the copy.
    file: String,
}

/// A preset to breed from.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    /// ID of the preset.
    pub id: PresetId,
    /// Path of the copy.
    pub path: PathBuf,
    /// The preset, split into its parts.
    pub genome: Genome,
}

/// Returns the parents and the state of an existing brood, or chooses the parents of a new one. Files that
/// cannot be bred are skipped with a note.
pub(super) fn parents(
    settings: &BreedSettings,
    store: &Store,
    notes: &mut Vec<String>,
) -> anyhow::Result<(Vec<Parent>, State)> {
    let path = settings.folder.join(STATE);
    let from = settings.from.as_deref().map(std::path::absolute).transpose()?;
    let state = if path.exists() {
        let mut state: State = disk::read_json(&path)?;
        state.check().with_context(|| format!("reading {}", path.display()))?;
        let same = state.seed == settings.seed
            && state.mates == settings.mates
            && (from.is_none() || state.from == from);
        ensure!(
            same,
            "{} contains a run with other parents or options (--seed {}, --mates {}{}); repeat them, or choose another \
             --out",
            settings.folder.display(),
            state.seed,
            state.mates.label(),
            state.from.as_ref().map(|from| format!(", --from {}", from.display())).unwrap_or_default(),
        );
        if settings.count > state.count {
            state.count = settings.count;
            state.save(&settings.folder)?;
        } else if settings.count < state.count {
            notes.push(format!(
                "--count {} has no effect: the folder already has {}",
                settings.count, state.count
            ));
        }
        state
    } else {
        let state = choose(settings, from, store, notes)?;
        state.save(&settings.folder)?;
        state
    };
    let parents = state.parents.iter().map(|parent| read(parent, &settings.folder));
    Ok((parents.collect::<anyhow::Result<_>>()?, state))
}

fn read(parent: &StateParent, folder: &Path) -> anyhow::Result<Parent> {
    let path = folder.join(PARENTS).join(&parent.file);
    let bytes = disk::read(&path, MAX_PRESET_BYTES as u64).with_context(|| path.display().to_string())?;
    ensure!(
        PresetId::of(&bytes) == parent.id,
        "{} has changed since breeding started; choose another --out",
        path.display()
    );
    let genome = Genome::read(&parent.name, &bytes).map_err(anyhow::Error::msg)?;
    Ok(Parent { id: parent.id, path, genome })
}

/// A preset that may become a parent.
struct Candidate {
    name: String,
    source: PresetSource,
}

impl Candidate {
    fn of_file(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, source: PresetSource::File(path) }
    }

    fn built_in(preset: BuiltIn) -> Self {
        Self { name: preset.name().to_owned(), source: PresetSource::BuiltIn(preset.text) }
    }
}

/// Returns the presets that the performer has banned.
pub(super) fn banned(store: &Store) -> anyhow::Result<BTreeSet<PresetId>> {
    let banned = store.bans(now())?.into_iter().filter(|ban| ban.kind == BanKind::Permanent);
    Ok(banned.map(|ban| ban.id).collect())
}

/// Chooses the parents of a new brood and copies them.
fn choose(
    settings: &BreedSettings,
    from: Option<PathBuf>,
    store: &Store,
    notes: &mut Vec<String>,
) -> anyhow::Result<State> {
    let (candidates, what): (Vec<Candidate>, &str) = match &from {
        Some(from) => {
            (listed(from, &settings.library)?.into_iter().map(Candidate::of_file).collect(), "preset")
        }
        None => (favourites(store, &settings.library, notes)?, "favourite"),
    };
    let banned = banned(store)?;
    let (mut parents, mut skipped, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut skipped_bans = BTreeSet::new();
    for Candidate { name, source } in candidates {
        match source.read().and_then(|bytes| Ok((Genome::read(&name, &bytes)?, bytes))) {
            Ok((_, bytes)) => {
                let id = PresetId::of(&bytes);
                if banned.contains(&id) {
                    skipped_bans.insert(id);
                } else if ids.insert(id) {
                    let file = format!("{:03} {}.milk", parents.len() + 1, file_name(&name));
                    disk::write_below(&settings.folder, &Path::new(PARENTS).join(&file), &bytes)?;
                    parents.push(StateParent { id, name, file });
                }
            }
            Err(why) => skipped.push(format!("{name}: {why}")),
        }
    }
    if let Some(first) = skipped.first() {
        notes.push(format!("skipped {} that cannot be bred, such as {first}", counted(skipped.len(), what)));
    }
    if !skipped_bans.is_empty() {
        notes.push(format!("skipped {} that you have banned", counted(skipped_bans.len(), what)));
    }
    if parents.is_empty() {
        match from {
            _ if !skipped_bans.is_empty() => {
                bail!("every {what} that can be bred is banned; unban one, or list presets with --from")
            }
            Some(from) => bail!("none of the presets in {} can be bred", from.display()),
            None => {
                bail!("there are no favourites to breed; mark some in a show, or list presets with --from")
            }
        }
    }
    let BreedSettings { seed, mates, count, .. } = *settings;
    Ok(State { seed, mates, from, count, pairs: Vec::new(), parents })
}

/// Returns the presets in a folder, or those of the library that are listed in a file, one path or other name per line.
fn listed(from: &Path, library: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if from.is_dir() {
        return Ok(frames::items_in(from, None)?.into_iter().map(|item| item.path).collect());
    }
    ensure!(!is_preset(from), "{} is a preset; --from is a folder or a list of presets", from.display());
    let paths = crate::pack::read_paths(from)?;
    ensure!(!paths.is_empty(), "{} lists no presets", from.display());
    let items = frames::items_in(library, None)?;
    let by_content = paths.iter().any(|name| name.parse::<PresetId>().is_ok());
    let names = frames::item_names(&items, by_content);
    let found = |name: &String| -> anyhow::Result<PathBuf> {
        let path = library.join(name);
        if path.is_file() {
            return Ok(path);
        }
        let index = names.index_of(name);
        let index = index.with_context(|| {
            format!("{name} is not a preset in {}; it is listed in {}", library.display(), from.display())
        })?;
        Ok(items[index].path.clone())
    };
    paths.iter().map(found).collect()
}

/// Returns the favourites: one file of each, preferably from the library, ordered by path, then the built-in presets.
/// Adds a note if the files of some are missing.
fn favourites(store: &Store, library: &Path, notes: &mut Vec<String>) -> anyhow::Result<Vec<Candidate>> {
    let favourites = store.favourites()?;
    if !favourites.is_empty() {
        library::scan(store, library, now(), |_| ())
            .with_context(|| format!("scanning {}", library.display()))?;
    }
    let root = library::library_root(library);
    let (mut files, mut built_in, mut missing) = (BTreeSet::new(), Vec::new(), 0);
    for id in favourites {
        let of_preset = |path: &PathBuf| {
            PresetSource::File(path.clone()).read().is_ok_and(|bytes| PresetId::of(&bytes) == id)
        };
        let mut copies = store.files_of(id)?;
        copies.sort_by_key(|path| !path.starts_with(&root));
        if let Some(file) = copies.into_iter().find(of_preset) {
            files.insert(file);
        } else if let Some(preset) = library::built_in().find(|preset| preset.id == id) {
            built_in.push(Candidate::built_in(preset));
        } else {
            missing += 1;
        }
    }
    if missing > 0 {
        notes.push(format!("skipped {} whose files are missing", counted(missing, "favourite")));
    }
    Ok(files.into_iter().map(Candidate::of_file).chain(built_in).collect())
}

/// Returns up to 48 characters of a name, with `-` for each character that a file system may reject.
pub(super) fn file_name(name: &str) -> String {
    const MAX_CHARS: usize = 48;
    let plain = |c: char| if c.is_control() || r#"<>:"/\|?*"#.contains(c) { '-' } else { c };
    let name: String = name.chars().take(MAX_CHARS).map(plain).collect();
    name.trim_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &Path) -> BreedSettings {
        let library = folder.join("library");
        BreedSettings { library, folder: folder.join("out"), ..BreedSettings::default() }
    }

    fn written(folder: &Path, presets: &[(&str, &str)]) {
        for (name, text) in presets {
            disk::write(&folder.join(name), text.as_bytes()).expect("written");
        }
    }

    fn chosen(settings: &BreedSettings, notes: &mut Vec<String>) -> Result<Vec<String>, String> {
        let store = Store::in_memory().expect("opens");
        let names = |parents: Vec<Parent>| parents.into_iter().map(|parent| parent.genome.name).collect();
        let chosen = parents(settings, &store, notes).map(|(parents, _)| names(parents));
        chosen.map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_later_run_has_the_same_parents() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        written(
            &settings.library,
            &[("a.milk", "zoom=1"), ("b.milk", "zoom=2"), ("b2.milk", "zoom=2"), ("c.milk", "rubbish")],
        );
        let from = |from: &Path| BreedSettings { from: Some(from.to_owned()), ..settings.clone() };
        let mut notes = Vec::new();
        let all = from(&settings.library);
        assert_eq!(chosen(&all, &mut notes).expect("chosen"), ["a", "b"]);
        assert!(
            notes[0].starts_with("skipped 1 preset that cannot be bred, such as c: not a preset"),
            "{notes:?}"
        );
        written(&settings.library, &[("d.milk", "zoom=3")]);
        std::fs::remove_file(settings.library.join("a.milk")).expect("removed");
        assert_eq!(chosen(&settings, &mut notes).expect("resumed"), ["a", "b"]);
        let other = chosen(&BreedSettings { seed: 9, ..settings.clone() }, &mut notes).expect_err("refused");
        assert!(other.contains("other parents or options (--seed 1, --mates any, --from "), "{other}");
    }

    #[test]
    fn a_smaller_count_removes_no_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        written(&settings.library, &[("a.milk", "zoom=1")]);
        let counted = |count: usize| {
            let from = Some(settings.library.clone());
            let settings = BreedSettings { count, from, ..settings.clone() };
            let mut notes = Vec::new();
            let store = Store::in_memory().expect("opens");
            let (_, state) = parents(&settings, &store, &mut notes).expect("chosen");
            (state.count, notes.len())
        };
        assert_eq!([20, 5, 20, 30, 20].map(counted), [(20, 0), (20, 1), (20, 0), (30, 0), (30, 1)]);
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        written(&settings.library, &[("a.milk", "zoom=1")]);
        let refused = |files: &[&str], pairs: &[Vec<usize>]| {
            let parent = |file: &&str| StateParent {
                id: PresetId::of(b"zoom=1"),
                name: "a".into(),
                file: (*file).to_owned(),
            };
            let state = State {
                seed: settings.seed,
                mates: settings.mates,
                from: None,
                count: 1,
                pairs: pairs.to_vec(),
                parents: files.iter().map(parent).collect(),
            };
            state.save(&settings.folder).expect("saved");
            chosen(&settings, &mut Vec::new()).expect_err("refused")
        };
        let why = refused(&[], &[]);
        assert!(why.ends_with("it lists no parents"), "{why}");
        for file in ["../library/a.milk", "../../library/a.milk", "x/a.milk", "/a.milk", "..", ".", ""] {
            let why = refused(&[file], &[]);
            assert!(why.ends_with(" is not a file name"), "{why}");
        }
        for pairs in [vec![vec![1]], vec![vec![]], vec![vec![0], vec![0]]] {
            let why = refused(&["a.milk"], &pairs);
            assert!(why.ends_with("it pairs parents that do not exist"), "{why}");
        }
    }

    #[test]
    fn a_list_names_presets_of_the_library() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = settings(folder.path());
        written(&settings.library, &[("x/a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        let list = folder.path().join("list.txt");
        settings.from = Some(list.clone());
        for (text, why) in
            [("# none\n", "lists no presets"), ("x/gone.milk\n", "x/gone.milk is not a preset in ")]
        {
            std::fs::write(&list, text).expect("written");
            let refused = chosen(&settings, &mut Vec::new()).expect_err("refused");
            assert!(refused.contains(why), "{refused}");
        }
        std::fs::write(&list, format!("x/a.milk\n{}\n", PresetId::of(b"zoom=2"))).expect("written");
        let mut both = chosen(&settings, &mut Vec::new()).expect("chosen");
        both.sort();
        assert_eq!(both, ["a", "b"]);
    }

    #[test]
    fn without_favourites_the_error_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let why = chosen(&settings(folder.path()), &mut Vec::new()).expect_err("none");
        assert!(why.contains("no favourites to breed") && why.contains("--from"), "{why}");
    }

    #[test]
    fn favourites_are_taken_from_the_library_unless_they_are_banned() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        let (store, other) = (Store::in_memory().expect("opens"), folder.path().join("another"));
        written(&other, &[("copy.milk", "zoom=1")]);
        library::scan(&store, &other, now(), |_| ()).expect("scanned");
        written(&settings.library, &[("mine.milk", "zoom=1"), ("banned.milk", "zoom=2")]);
        let [good, banned] = [PresetId::of(b"zoom=1"), PresetId::of(b"zoom=2")];
        for id in [good, banned] {
            store.set_favourite(id, true, now()).expect("marked");
        }
        store.ban(banned, BanKind::Permanent, "by the performer", now()).expect("banned");
        let mut notes = Vec::new();
        let (parents, _) = parents(&settings, &store, &mut notes).expect("chosen");
        let names: Vec<&str> = parents.iter().map(|parent| parent.genome.name.as_str()).collect();
        assert_eq!(names, ["mine"]);
        assert_eq!(notes, ["skipped 1 favourite that you have banned"]);
        store.ban(good, BanKind::Permanent, "by the performer", now()).expect("banned");
        let again = BreedSettings { folder: folder.path().join("again"), ..settings };
        let why = super::parents(&again, &store, &mut notes).expect_err("refused").to_string();
        assert!(why.contains("every favourite that can be bred is banned"), "{why}");
    }

    #[test]
    fn built_in_favourites_are_bred_and_missing_ones_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        written(&settings.library, &[("other.milk", "zoom=1")]);
        let store = Store::in_memory().expect("opens");
        let own = library::built_in().next().expect("a built-in preset");
        for id in [own.id, PresetId::of(b"zoom=9")] {
            store.set_favourite(id, true, now()).expect("marked");
        }
        let mut notes = Vec::new();
        let (parents, _) = parents(&settings, &store, &mut notes).expect("chosen");
        let parents: Vec<(&str, PresetId)> =
            parents.iter().map(|parent| (parent.genome.name.as_str(), parent.id)).collect();
        assert_eq!(parents, [(own.name(), own.id)]);
        assert_eq!(notes, ["skipped 1 favourite whose files are missing"]);
    }

    #[test]
    fn file_names_are_plain() {
        assert_eq!(file_name("a/b: c?"), "a-b- c-");
        assert_eq!(file_name(&"é".repeat(99)).chars().count(), 48);
    }
}
