//! What is known about the presets of a table: their authors, the words of their names, and their labels.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::error::TuneError;
use super::settings::LabelSource;
use crate::cluster::{self, Known, cluster_key};
use crate::embed::Table;
use crate::facts::{PresetId, Tags};
use crate::library::add_file_names;
use crate::library::style::{NameTable, author_key};
use crate::store::{Play, Store, StoreError};

/// Labels of every row, as numbers; only tags give a row more than one.
pub(super) type Labels = Vec<Vec<u32>>;

/// Returns whether two rows have a label in common.
pub(super) fn share_a_label(a: &[u32], b: &[u32]) -> bool {
    a.iter().any(|label| b.contains(label))
}

/// Minimum length of a word in a file name, in letters; shorter words are ignored.
const WORD: usize = 3;

/// What is known about the presets of a table, by row.
pub(super) struct Described {
    /// Author of every row, as an index of `author_keys`.
    pub authors: Vec<u32>,
    /// Keys of the authors.
    pub author_keys: Vec<String>,
    /// Words of the file names.
    pub words: Vec<BTreeSet<String>>,
    /// Labels by source, or why there are none.
    pub labels: BTreeMap<LabelSource, Result<Labels, &'static str>>,
}

impl Described {
    /// Collects what a bake folder and the store contain about the presets of `table`.
    pub fn of(table: &Table, folder: &Path, store: Option<&Store>) -> Result<Self, TuneError> {
        let known = Known::from_folder(folder);
        let paths: Vec<&str> = table.ids.iter().map(|id| known.path(id)).collect();
        let keys: Vec<String> = paths.iter().map(|path| author_key(path)).collect();
        let author_keys: Vec<String> = keys.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let numbers: HashMap<&str, u32> = author_keys.iter().map(String::as_str).zip(0..).collect();
        let authors: Vec<u32> = keys.iter().map(|key| numbers[key.as_str()]).collect();
        let contents = contents(table, &paths, store)?;
        let mut labels = BTreeMap::new();
        for source in LabelSource::ALL {
            let names = names(source, table, &paths, &contents, folder, store)?;
            labels.insert(source, shared(&names, &authors));
        }
        let words = paths.iter().map(|path| words(path)).collect();
        Ok(Self { authors, author_keys, words, labels })
    }

    /// Returns a message that states why the labels of these sources cannot be used; `otherwise` is the reason for
    /// sources that have labels.
    pub fn problems(&self, sources: &[LabelSource], otherwise: &str) -> String {
        let why = |source: &LabelSource| match &self.labels[source] {
            Ok(_) => format!("{}: {otherwise}", source.name()),
            Err(why) => format!("{}: {why}", source.name()),
        };
        sources.iter().map(why).collect::<Vec<_>>().join("; ")
    }
}

/// Returns the names of the labels of every row.
fn names(
    source: LabelSource,
    table: &Table,
    paths: &[&str],
    contents: &[Option<PresetId>],
    folder: &Path,
    store: Option<&Store>,
) -> Result<Vec<Vec<String>>, TuneError> {
    let by_content = |names: &dyn Fn(PresetId) -> Vec<String>| -> Vec<Vec<String>> {
        contents.iter().map(|id| id.map_or_else(Vec::new, names)).collect()
    };
    let one = |name: Option<String>| Vec::from_iter(name);
    Ok(match (source, store) {
        (LabelSource::Folders, _) => {
            let folder = |path: &&str| one(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
            paths.iter().map(folder).collect()
        }
        (LabelSource::Clusters, _) => {
            // Clusters of tuned embeddings would give another head in every bake.
            let styles = cluster::read(folder).filter(|styles| styles.model == table.embedder_id.model);
            let members = styles.map(|styles| styles.members).unwrap_or_default();
            table.ids.iter().map(|id| one(members.get(id).copied().map(cluster_key))).collect()
        }
        (_, None) => vec![Vec::new(); table.ids.len()],
        (LabelSource::Tags, Some(store)) => {
            let tags = store.labels()?;
            by_content(&|id| tags.get(&id).cloned().unwrap_or_default())
        }
        (LabelSource::Taste, Some(store)) => {
            let (favourites, plays) = (store.favourites()?, store.plays()?);
            let usually_skipped = |play: &&Play| play.skips > 0 && play.skips * 2 >= play.plays;
            by_content(&|id| {
                let favourite = favourites.get(&id).map(|_| "favourite");
                let skipped = || plays.get(&id).filter(usually_skipped).map(|_| "skipped");
                one(favourite.or_else(skipped).map(str::to_owned))
            })
        }
        (LabelSource::Elements, Some(store)) => {
            let mut tags: HashMap<PresetId, Tags> = HashMap::new();
            for root in store.libraries()? {
                tags.extend(store.load(&root)?.into_iter().map(|row| (row.id, row.preset_facts.tags)));
            }
            by_content(&|id| one(tags.get(&id).map(|tags| tags.bucket())))
        }
    })
}

/// Returns the content ID of the preset of every row, if known. Rows of other programs do not contain it; it is that of
/// the file with the name of the row, in the scanned library that has the most of these names.
fn contents(
    table: &Table,
    paths: &[&str],
    store: Option<&Store>,
) -> Result<Vec<Option<PresetId>>, StoreError> {
    let named = |row: usize| table.content(row).or_else(|| table.ids[row].parse().ok());
    let mut contents: Vec<Option<PresetId>> = (0..table.ids.len()).map(named).collect();
    let open: Vec<usize> = (0..contents.len()).filter(|&row| contents[row].is_none()).collect();
    let Some(store) = store.filter(|_| !open.is_empty()) else { return Ok(contents) };
    let (mut best, mut most) = (Vec::new(), 0);
    for root in store.libraries()? {
        let files = store.load(&root)?.into_iter().enumerate();
        let files: Vec<(usize, String, PresetId)> =
            files.map(|(index, row)| (index, row.path.to_string_lossy().into_owned(), row.id)).collect();
        let mut names = NameTable::for_presets(4 * files.len());
        add_file_names(&mut names, &root, &files);
        let id = |&row: &usize| {
            let index =
                [table.ids[row].as_str(), paths[row]].into_iter().find_map(|name| names.index_of(name))?;
            Some(files[index].2)
        };
        let found: Vec<Option<PresetId>> = open.iter().map(id).collect();
        let count = found.iter().flatten().count();
        if count > most {
            (best, most) = (found, count);
        }
    }
    open.into_iter().zip(best).for_each(|(row, id)| contents[row] = id);
    Ok(contents)
}

/// Numbers the labels that presets of several authors share. Fails if there are fewer than two.
fn shared(names: &[Vec<String>], authors: &[u32]) -> Result<Labels, &'static str> {
    let mut authors_of: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (names, author) in names.iter().zip(authors) {
        for name in names {
            authors_of.entry(name).or_default().insert(*author);
        }
    }
    match authors_of.len() {
        0 => return Err("none"),
        1 => return Err("only one"),
        _ => authors_of.retain(|_, authors| authors.len() > 1),
    }
    if authors_of.len() < 2 {
        return Err("fewer than two are shared by several authors");
    }
    let numbers: HashMap<&str, u32> = authors_of.into_keys().zip(0..).collect();
    let number = |name: &String| numbers.get(name.as_str()).copied();
    Ok(names.iter().map(|names| names.iter().filter_map(number).collect()).collect())
}

/// Returns the words of a file name.
fn words(path: &str) -> BTreeSet<String> {
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".milk").to_lowercase();
    let words = name.split(|c: char| !c.is_ascii_lowercase()).filter(|word| word.len() >= WORD);
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::EmbedderId;
    use ndarray::Array2;

    fn table(ids: &[&str]) -> Table {
        Table {
            embedder_id: EmbedderId::default(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            keys: ids.iter().map(|id| format!("{}+17", PresetId::of(id.as_bytes()))).collect(),
            rows: Array2::ones((ids.len(), 2)),
        }
    }

    #[test]
    fn labels_come_from_folders_tags_and_taste() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = table(&["x/Geiss - a.milk", "x/Flexi - b.milk", "y/Geiss - c.milk", "y/Flexi - d.milk"]);
        let store = Store::in_memory().expect("opens");
        let id = |row: usize| table.content(row).expect("a content ID");
        store.set_label(id(0), "smoke", true).expect("tagged");
        store.set_favourite(id(1), true, 1).expect("marked");
        store.set_favourite(id(2), true, 1).expect("marked");
        store.played(id(0), 3.0, true, 1).expect("skipped");
        store.played(id(3), 3.0, true, 1).expect("skipped");
        let described = Described::of(&table, folder.path(), Some(&store)).expect("described");
        assert_eq!(described.author_keys, ["flexi", "geiss"]);
        assert_eq!(described.authors, [1, 0, 1, 0]);
        let labels = |source| described.labels[&source].clone();
        assert_eq!(labels(LabelSource::Folders), Ok(vec![vec![0], vec![0], vec![1], vec![1]]));
        assert_eq!(labels(LabelSource::Taste), Ok(vec![vec![1], vec![0], vec![0], vec![1]]));
        assert_eq!(labels(LabelSource::Tags), Err("only one"));
        assert_eq!(labels(LabelSource::Clusters), Err("none"));
        let problems = described.problems(&[LabelSource::Tags, LabelSource::Folders], "too few");
        assert_eq!(problems, "tags: only one; folders: too few");
        assert!(described.words[0].contains("geiss") && !described.words[0].contains("milk"));
    }

    #[test]
    fn rows_of_another_program_get_the_tags_and_taste_of_the_presets_they_name() {
        let (folder, library) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let presets = ["Geiss - a", "Flexi - b", "Geiss - c", "Flexi - d"];
        for name in presets {
            std::fs::write(library.path().join(format!("{name}.milk")), format!("zoom={name}"))
                .expect("written");
        }
        let manifest = r#"{"version":"v0","target":"run3","presets":[
            {"id":"run3-a-1b2c3d","label":"Geiss - a.milk","relPath":"run3/Geiss - a.milk"}]}"#;
        for place in [&folder, &library] {
            std::fs::write(place.path().join("library-manifest.json"), manifest).expect("written");
        }
        let store = Store::in_memory().expect("opens");
        crate::library::scan(&store, library.path(), 1, |_| ()).expect("scanned");
        let [a, b, c, d] = presets.map(|name| PresetId::of(format!("zoom={name}").as_bytes()));
        let by_content = d.to_string();
        let mut table = table(&["run3-a-1b2c3d", "Flexi - b.milk", "Geiss - c.milk", &by_content]);
        table.keys.fill(String::new());
        for (id, tags) in [(a, ["smoke", "drop"]), (b, ["drop", "sea"]), (c, ["sea", "own"])] {
            tags.into_iter().for_each(|tag| store.set_label(id, tag, true).expect("tagged"));
        }
        store.set_favourite(a, true, 1).expect("marked");
        store.set_favourite(b, true, 1).expect("marked");
        store.played(c, 3.0, true, 1).expect("skipped");
        store.played(d, 3.0, true, 1).expect("skipped");
        let described = Described::of(&table, folder.path(), Some(&store)).expect("described");
        let labels = |source| described.labels[&source].clone();
        assert_eq!(labels(LabelSource::Tags), Ok(vec![vec![0], vec![0, 1], vec![1], vec![]]));
        assert_eq!(labels(LabelSource::Taste), Ok(vec![vec![0], vec![0], vec![1], vec![1]]));
    }

    #[test]
    fn a_label_that_only_one_author_has_is_not_used() {
        let names = ["a", "a", "b", "b", "c", "c"].map(|name| vec![name.to_owned()]);
        assert_eq!(
            shared(&names, &[0, 1, 0, 1, 2, 2]),
            Ok(vec![vec![0], vec![0], vec![1], vec![1], vec![], vec![]])
        );
        assert!(shared(&names, &[0, 1, 0, 0, 2, 2]).is_err());
    }
}
