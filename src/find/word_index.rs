//! An in-memory word index of a library: a search takes about a millisecond.
//!
//! A query word matches every indexed word that starts with it. These words are adjacent in the sorted list,
//! so their presets form one range.

use std::collections::HashMap;

use super::bits::Bits;
use crate::facts::PresetId;
use crate::library::Catalogue;

/// Maximum number of words used from a search text; further words are ignored.
const MAX_WORDS: usize = 12;

/// The word index of a library.
#[derive(Debug)]
pub(super) struct WordIndex {
    /// All distinct words, sorted.
    words: Vec<Box<str>>,
    /// Start of each word's presets in `indices`, with one more entry for the end.
    starts: Vec<u32>,
    /// Preset indices, grouped by word.
    indices: Vec<u32>,
    presets: usize,
}

impl WordIndex {
    /// Builds the index over paths, tags, energies and the performer's own `labels`. Takes about a second for
    /// 100,000 presets.
    pub fn of(library: &Catalogue, labels: &HashMap<PresetId, Vec<String>>) -> Self {
        let mut numbers: HashMap<Box<str>, u32> = HashMap::new();
        let mut found: Vec<(u32, u32)> = Vec::new();
        let mut word = String::new();
        for (index, entry) in library.entries.iter().enumerate() {
            let tags = entry.tags.to_string();
            let own = labels.get(&entry.id).into_iter().flatten().map(String::as_str);
            for text in [entry.path.as_str(), &tags, entry.energy.label()].into_iter().chain(own) {
                each_word(text, &mut word, |word| {
                    let next = numbers.len() as u32;
                    let number = match numbers.get(word) {
                        Some(&number) => number,
                        None => *numbers.entry(word.into()).or_insert(next),
                    };
                    found.push((number, index as u32));
                });
            }
        }
        let mut sorted: Vec<(Box<str>, u32)> = numbers.into_iter().collect();
        sorted.sort_unstable();
        let mut rank = vec![0; sorted.len()];
        sorted.iter().enumerate().for_each(|(at, (_, number))| rank[*number as usize] = at as u32);
        // Counting sort: groups the presets by word.
        let mut starts = vec![0_u32; sorted.len() + 1];
        found.iter().for_each(|(number, _)| starts[rank[*number as usize] as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut indices = vec![0; found.len()];
        for (number, index) in found {
            let slot = &mut next[rank[number as usize] as usize];
            indices[*slot as usize] = index;
            *slot += 1;
        }
        let words = sorted.into_iter().map(|(word, _)| word).collect();
        Self { words, starts, indices, presets: library.entries.len() }
    }

    /// Returns the indices of the presets that match every word of `text` by prefix, ascending; `None` if `text`
    /// contains no letters or digits.
    pub fn search(&self, text: &str) -> Option<Vec<u32>> {
        Some(self.all(text)?.numbers())
    }

    /// Returns the indices of the presets that match every word of `text` by prefix. Empty if `text` contains no letters
    /// or digits.
    pub fn bits(&self, text: &str) -> Bits {
        self.all(text).unwrap_or_default()
    }

    fn all(&self, text: &str) -> Option<Bits> {
        let mut all: Option<Bits> = None;
        let mut wanted = 0;
        each_word(text, &mut String::new(), |word| {
            wanted += 1;
            if wanted > MAX_WORDS {
                return;
            }
            let marks = self.marks(word);
            all = Some(match all.take() {
                Some(mut all) => {
                    all.intersect(&marks);
                    all
                }
                None => marks,
            });
        });
        all
    }

    /// Returns the indices of the presets that have a word with this prefix.
    fn marks(&self, prefix: &str) -> Bits {
        let mut marks = Bits::new(self.presets);
        let from = self.words.partition_point(|word| &**word < prefix);
        let count = self.words[from..].partition_point(|word| word.starts_with(prefix));
        let [start, end] = [from, from + count].map(|at| self.starts[at] as usize);
        for &index in &self.indices[start..end] {
            marks.insert(index as usize);
        }
        marks
    }
}

/// Calls `each` with every word of `text` (a run of letters and digits), in lower case and without accents.
/// `word` is a reusable buffer.
fn each_word(text: &str, word: &mut String, mut each: impl FnMut(&str)) {
    word.clear();
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase().map(plain));
        } else if !word.is_empty() {
            each(word);
            word.clear();
        }
    }
    if !word.is_empty() {
        each(word);
    }
}

/// Returns a Latin letter without its accent, and any other character unchanged.
fn plain(letter: char) -> char {
    match letter {
        ..='\u{7f}' => letter,
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ĺ' | 'ļ' | 'ľ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' => 's',
        'ţ' | 'ť' | 'ŧ' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Tag;
    use crate::library::load_built_in;

    #[test]
    fn words_match_by_prefix_and_all_must_match() {
        let mut library = load_built_in(&crate::store::Store::in_memory().expect("opens")).expect("loads");
        library.entries[1].path = "Björk/Über-Nova 2.milk".into();
        library.entries[1].tags.insert(Tag::Dark);
        let labels = HashMap::from([(library.entries[2].id, vec!["smoke machine".to_owned()])]);
        let index = WordIndex::of(&library, &labels);
        let found = |text: &str| index.search(text).expect("words");
        assert_eq!(found("uber bjo 2"), [1]);
        assert_eq!(found("ÜBER, dark"), [1]);
        assert_eq!(found("smoke mach"), [2]);
        assert!(found("ova").is_empty() && found("uber smoke").is_empty() && found("zzz").is_empty());
        assert_eq!(found("milk").len(), library.entries.len());
        assert_eq!(index.search(" - \" "), None);
        let empty = WordIndex::of(&Catalogue::default(), &labels);
        assert!(empty.search("a").expect("words").is_empty());
    }
}
