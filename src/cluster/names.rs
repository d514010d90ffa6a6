//! Names of clusters: their typical energy, and the words that are most specific to the names of their presets.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Energy;

/// Maximum number of words per cluster.
const WORDS: usize = 6;
/// Minimum number of presets in a cluster that must use a word for it to name the cluster, and minimum number of
/// distinct authors of those presets.
const MIN_COUNT: usize = 2;

/// Returns the name and the typical words of every cluster.
///
/// The weight of a word is its share in the cluster times the log of how much more common it is there than
/// overall, the class-based TF-IDF of topic models (Grootendorst, 2022). Words before ` - ` are the author
/// and are ignored.
pub(super) fn names(
    paths: &[String],
    labels: &[u32],
    energies: &[Energy],
    clusters: usize,
) -> Vec<(String, Vec<String>)> {
    let mut everywhere: BTreeMap<String, usize> = BTreeMap::new();
    let mut within: Vec<BTreeMap<String, (usize, BTreeSet<String>)>> = vec![BTreeMap::new(); clusters];
    let mut sizes = vec![0_usize; clusters];
    for (path, &label) in paths.iter().zip(labels) {
        sizes[label as usize] += 1;
        let (author, words) = words_of(path);
        for word in words {
            *everywhere.entry(word.clone()).or_default() += 1;
            let (count, authors) = within[label as usize].entry(word).or_default();
            *count += 1;
            authors.insert(author.clone());
        }
    }
    let mut used = BTreeSet::new();
    let mut names = Vec::new();
    for (cluster, words) in within.into_iter().enumerate() {
        let mut weighed: Vec<(f64, String)> = words
            .into_iter()
            .filter(|(_, (count, authors))| *count >= MIN_COUNT && authors.len() >= MIN_COUNT)
            .map(|(word, (count, _))| {
                let here = count as f64 / sizes[cluster].max(1) as f64;
                let all = everywhere[&word] as f64 / paths.len().max(1) as f64;
                (here * (here / all).ln().max(0.0), word)
            })
            .collect();
        if weighed.is_empty() {
            // No shared words: use the main author.
            weighed.extend(main_author(paths, labels, cluster).map(|author| (1.0, author)));
        }
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let words: Vec<String> = weighed.into_iter().take(WORDS).map(|(_, word)| word).collect();
        let look =
            typical(energies.iter().zip(labels).filter(|(_, l)| **l as usize == cluster).map(|(e, _)| *e));
        let mut name =
            [look].into_iter().chain(words.iter().take(2).map(String::as_str)).collect::<Vec<_>>().join(" ");
        let mut number = 2;
        while !used.insert(name.clone()) {
            let more = words.get(number).cloned().unwrap_or_else(|| number.to_string());
            name = format!("{name} {more}");
            number += 1;
        }
        names.push((name, words));
    }
    names
}

/// Returns the author with the most presets in a cluster; `None` if no preset names an author.
fn main_author(paths: &[String], labels: &[u32], cluster: usize) -> Option<String> {
    let mut authors: BTreeMap<String, usize> = BTreeMap::new();
    for (path, _) in paths.iter().zip(labels).filter(|(_, label)| **label as usize == cluster) {
        *authors.entry(words_of(path).0).or_default() += 1;
    }
    authors.remove("");
    let most = authors.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))?;
    Some(most.0)
}

fn typical(energies: impl Iterator<Item = Energy>) -> &'static str {
    let mut counts = [0_usize; 3];
    energies.for_each(|energy| counts[energy as usize] += 1);
    let most = (0..3).max_by_key(|&at| (counts[at], at == 1)).unwrap_or(1);
    Energy::ALL[most].label()
}

/// Returns the author and the distinct words of the folders and the title, in lower case.
fn words_of(path: &str) -> (String, BTreeSet<String>) {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem).to_lowercase();
    let (folders, file) = stem.rsplit_once('/').unwrap_or(("", &stem));
    let (author, title) = file.split_once(" - ").unwrap_or(("", file));
    let words = format!("{folders} {title}");
    let words = words
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() >= 3 && !COMMON.contains(word))
        .map(str::to_owned)
        .collect();
    (author.trim().to_owned(), words)
}

/// Words that do not describe a picture.
const COMMON: [&str; 24] = [
    "the", "and", "for", "with", "from", "mix", "remix", "edit", "milk", "preset", "version", "new", "old",
    "test", "not", "you", "this", "that", "all", "more", "bit", "isn", "mash", "mashup",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_after_the_shared_words_of_its_titles() {
        let paths = [
            "F/Ann - deep tunnel",
            "F/Bob - tunnel ride 2",
            "F/Cid - the tunnel",
            "F/Ann - star",
            "F/Bob - star x",
        ]
        .map(|path| format!("{path}.milk"));
        let energies = [Energy::Peak, Energy::Peak, Energy::Calm, Energy::Calm, Energy::Calm];
        let named = names(&paths, &[0, 0, 0, 1, 1], &energies, 2);
        assert_eq!(named[0], ("peak tunnel".into(), vec!["tunnel".into()]));
        assert_eq!(named[1].0, "calm star");
    }
}
