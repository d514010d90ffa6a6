//! What is known about the presets of a table: their authors, the words of their names, and their labels.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::error::TuneError;
use super::settings::LabelSource;
use crate::cluster::{self, Known, cluster_key};
use crate::embed::Table;
use crate::facts::{PresetId, Tags};
use crate::library::style::author_key;
use crate::store::{Play, Store};

/// Label of every row, as a number; `None` for rows without one.
pub(super) type Labels = Vec<Option<u32>>;

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
        let mut labels = BTreeMap::new();
        for source in LabelSource::ALL {
            let names = names(source, table, &paths, folder, store)?;
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

/// Returns the name of the label of every row.
fn names(
    source: LabelSource,
    table: &Table,
    paths: &[&str],
    folder: &Path,
    store: Option<&Store>,
) -> Result<Vec<Option<String>>, TuneError> {
    let by_content = |name: &dyn Fn(PresetId) -> Option<String>| -> Vec<Option<String>> {
        (0..table.ids.len()).map(|row| name(table.content(row)?)).collect()
    };
    let none = || vec![None; table.ids.len()];
    Ok(match (source, store) {
        (LabelSource::Folders, _) => {
            paths.iter().map(|path| path.rsplit_once('/').map(|(folder, _)| folder.to_owned())).collect()
        }
        (LabelSource::Clusters, _) => {
            // Clusters of tuned embeddings would give another head in every bake.
            let styles = cluster::read(folder).filter(|styles| styles.model == table.embedder_id.model);
            let members = styles.map(|styles| styles.members).unwrap_or_default();
            table.ids.iter().map(|id| members.get(id).copied().map(cluster_key)).collect()
        }
        (_, None) => none(),
        (LabelSource::Tags, Some(store)) => {
            let tags = store.labels()?;
            by_content(&|id| tags.get(&id).cloned())
        }
        (LabelSource::Taste, Some(store)) => {
            let (favourites, plays) = (store.favourites()?, store.plays()?);
            let usually_skipped = |play: &&Play| play.skips > 0 && play.skips * 2 >= play.plays;
            by_content(&|id| {
                let favourite = favourites.get(&id).map(|_| "favourite");
                let skipped = || plays.get(&id).filter(usually_skipped).map(|_| "skipped");
                favourite.or_else(skipped).map(str::to_owned)
            })
        }
        (LabelSource::Elements, Some(store)) => {
            let mut tags: HashMap<PresetId, Tags> = HashMap::new();
            for root in store.libraries()? {
                tags.extend(store.load(&root)?.into_iter().map(|row| (row.id, row.preset_facts.tags)));
            }
            by_content(&|id| tags.get(&id).map(|tags| tags.bucket()))
        }
    })
}

/// Numbers the labels that presets of several authors share. Fails if there are fewer than two.
fn shared(names: &[Option<String>], authors: &[u32]) -> Result<Labels, &'static str> {
    let mut authors_of: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (name, author) in names.iter().zip(authors) {
        if let Some(name) = name {
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
    Ok(names.iter().map(|name| numbers.get(name.as_deref()?).copied()).collect())
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
        assert_eq!(labels(LabelSource::Folders), Ok(vec![Some(0), Some(0), Some(1), Some(1)]));
        assert_eq!(labels(LabelSource::Taste), Ok(vec![Some(1), Some(0), Some(0), Some(1)]));
        assert_eq!(labels(LabelSource::Tags), Err("only one"));
        assert_eq!(labels(LabelSource::Clusters), Err("none"));
        let problems = described.problems(&[LabelSource::Tags, LabelSource::Folders], "too few");
        assert_eq!(problems, "tags: only one; folders: too few");
        assert!(described.words[0].contains("geiss") && !described.words[0].contains("milk"));
    }

    #[test]
    fn a_label_that_only_one_author_has_is_not_used() {
        let names = ["a", "a", "b", "b", "c", "c"].map(|name| Some(name.to_owned()));
        assert_eq!(
            shared(&names, &[0, 1, 0, 1, 2, 2]),
            Ok(vec![Some(0), Some(0), Some(1), Some(1), None, None])
        );
        assert!(shared(&names, &[0, 1, 0, 0, 2, 2]).is_err());
    }
}
