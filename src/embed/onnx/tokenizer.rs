//! The tokenizer of CLIP: byte-pair encoding of lower-case words (Radford et al., "Learning transferable visual models
//! from natural language supervision", 2021).

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::disk;

/// Possible paths, within the folder of a model, of a tokenizer in one file.
const WHOLE: [&str; 2] = ["tokenizer.json", "textual/tokenizer.json"];
/// Possible paths of a tokenizer in two files: the vocabulary and the merges.
const PARTS: [[&str; 2]; 2] = [["vocab.json", "merges.txt"], ["textual/vocab.json", "textual/merges.txt"]];
/// Possible paths of all files of a tokenizer.
pub(crate) const TOKENIZER_FILES: [&str; 6] =
    [WHOLE[0], WHOLE[1], PARTS[0][0], PARTS[0][1], PARTS[1][0], PARTS[1][1]];
/// Tokens at the start and at the end of a text.
const ENDS: [&str; 2] = ["<|startoftext|>", "<|endoftext|>"];
/// Suffix of the last token of a word.
const WORD_END: &str = "</w>";
/// Endings that are split from the word before them.
const CONTRACTIONS: [&str; 7] = ["'re", "'ve", "'ll", "'s", "'t", "'m", "'d"];
/// Maximum length of a word, in bytes; the rest is ignored.
const MAX_WORD: usize = 64;

/// A tokenizer.
pub(super) struct Tokenizer {
    vocabulary: HashMap<String, i64>,
    /// Rank of each pair of tokens, joined by a space; the lowest is merged first.
    ranks: HashMap<String, usize>,
    ends: [i64; 2],
    /// The character that stands for each byte.
    letters: [char; 256],
}

/// The parts of `tokenizer.json` that are used.
#[derive(Deserialize)]
struct Whole {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, i64>,
    merges: Vec<Merge>,
}

/// A pair of tokens that are merged.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Text(String),
    Pair([String; 2]),
}

impl Tokenizer {
    /// Reads the tokenizer in the folder of a model.
    ///
    /// # Errors
    /// Fails if there is none, or if it is not that of a CLIP model.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        if let Some(path) = WHOLE.iter().find_map(|name| file(name)) {
            let Whole { model } = json(&path)?;
            let merge = |merge| match merge {
                Merge::Text(text) => text,
                Merge::Pair([one, other]) => format!("{one} {other}"),
            };
            return Self::of(model.vocab, model.merges.into_iter().map(merge))
                .ok_or_else(|| format!("{} is not the tokenizer of a CLIP model", path.display()));
        }
        let parts = PARTS.iter().find_map(|[vocabulary, merges]| Some((file(vocabulary)?, file(merges)?)));
        let (vocabulary, merges) = parts
            .ok_or_else(|| format!("{} has none of {}", folder.display(), TOKENIZER_FILES.join(", ")))?;
        let text = read(&merges)?;
        let lines = disk::lines(&text).filter(|line| !line.starts_with("#version")).map(str::to_owned);
        Self::of(json(&vocabulary)?, lines)
            .ok_or_else(|| format!("{} is not the vocabulary of a CLIP model", vocabulary.display()))
    }

    /// Returns the tokenizer; `None` if it lacks the tokens for the start and the end of a text.
    fn of(vocabulary: HashMap<String, i64>, merges: impl Iterator<Item = String>) -> Option<Self> {
        let [start, end] = ENDS.map(|token| vocabulary.get(token).copied());
        let ranks = merges.zip(0..).collect();
        Some(Self { vocabulary, ranks, ends: [start?, end?], letters: letters() })
    }

    /// Returns at most `count` tokens for a text, including the start and end tokens.
    pub fn tokens(&self, text: &str, count: usize) -> Vec<i64> {
        let [start, end] = self.ends;
        let text = text.to_lowercase();
        let words = words(&text);
        let inner = words.iter().flat_map(|word| self.parts(word)).take(count.saturating_sub(2));
        std::iter::once(start).chain(inner).chain([end]).collect()
    }

    /// Returns the tokens of a word.
    fn parts(&self, word: &str) -> Vec<i64> {
        let bytes = word.bytes().take(MAX_WORD);
        let mut parts: Vec<String> = bytes.map(|byte| self.letters[usize::from(byte)].into()).collect();
        if let Some(last) = parts.last_mut() {
            *last += WORD_END;
        }
        loop {
            let ranked = parts
                .windows(2)
                .enumerate()
                .filter_map(|(at, pair)| self.ranks.get(&pair.join(" ")).map(|rank| (*rank, at)));
            let Some((_, at)) = ranked.min() else { break };
            let next = parts.remove(at + 1);
            parts[at] += &next;
        }
        parts.iter().filter_map(|part| self.vocabulary.get(part).copied()).collect()
    }
}

fn read(path: &Path) -> Result<String, String> {
    disk::read_text(path, disk::limit::TEXT)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    serde_json::from_str(&read(path)?).map_err(|error| format!("cannot use {}: {error}", path.display()))
}

/// Splits a text into contractions, words, single digits, and groups of other characters.
fn words(text: &str) -> Vec<&str> {
    let is_other = |c: char| !c.is_whitespace() && !c.is_alphabetic() && !c.is_numeric();
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let run = |belongs: &dyn Fn(char) -> bool| rest.find(|c: char| !belongs(c)).unwrap_or(rest.len());
        let length = match CONTRACTIONS.iter().find(|ending| rest.starts_with(**ending)) {
            Some(ending) => ending.len(),
            None if first.is_alphabetic() => run(&char::is_alphabetic),
            None if first.is_numeric() => first.len_utf8(),
            None => run(&is_other),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

/// Returns the character that stands for each byte: its Latin-1 character if that is printable, otherwise one above
/// U+00FF.
fn letters() -> [char; 256] {
    let mut next = 256_u32;
    std::array::from_fn(|byte| match byte as u8 {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte as u8),
        _ => {
            next += 1;
            char::from_u32(next - 1).unwrap_or(' ')
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a tokenizer with the lower-case letters and a few merges.
    fn tokenizer() -> Tokenizer {
        let merges = ["l o", "lo w</w>", "e r</w>", "n e", "ne w", "s e", "se a</w>"].map(str::to_owned);
        let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("{letter}{WORD_END}")]);
        let merged = merges.iter().map(|merge| merge.replace(' ', ""));
        let all = letters.chain(merged).chain(ENDS.map(str::to_owned));
        Tokenizer::of(all.zip(0..).collect(), merges.into_iter()).expect("the ends are known")
    }

    #[test]
    fn words_are_merged_in_the_order_of_the_ranks() {
        let tokenizer = tokenizer();
        let token = |text: &str| tokenizer.vocabulary[text];
        let [start, end] = ENDS.map(token);
        assert_eq!(
            tokenizer.tokens("Low  newer", 77),
            [start, token("low</w>"), token("new"), token("er</w>"), end]
        );
        assert_eq!(tokenizer.tokens("sea low sea", 4), [start, token("sea</w>"), token("low</w>"), end]);
        assert_eq!(tokenizer.tokens("7 é", 77), [start, end], "unknown bytes are ignored");
    }

    #[test]
    fn texts_are_split_like_those_that_clip_was_trained_with() {
        assert_eq!(words("don't  panic!! it's 42°"), ["don", "'t", "panic", "!!", "it", "'s", "4", "2", "°"]);
        assert_eq!(words(" 深海 x "), ["深海", "x"]);
        let letters = letters();
        assert_eq!((letters[0], letters[32], letters[127], letters[173]), ('Ā', 'Ġ', 'ġ', 'Ń'));
        assert_eq!((letters[65], letters[255]), ('A', 'ÿ'));
    }

    #[test]
    fn both_forms_of_the_files_are_read_and_others_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        let open = || Tokenizer::open(folder.path()).map(|tokenizer| tokenizer.tokens("ab", 77));
        assert!(open().is_err_and(|why| why.contains("has none of tokenizer.json")));
        write("vocab.json", r#"{"<|startoftext|>":7,"<|endoftext|>":8,"ab</w>":3}"#);
        write("merges.txt", "#version: 0.2\na b</w>\n");
        assert_eq!(open(), Ok(vec![7, 3, 8]));
        for merges in [r#"["a b</w>"]"#, r#"[["a","b</w>"]]"#] {
            let vocabulary = r#"{"<|startoftext|>":1,"<|endoftext|>":2,"ab</w>":5}"#;
            let json = format!(
                r#"{{"version":"1.0","model":{{"type":"BPE","vocab":{vocabulary},"merges":{merges}}}}}"#
            );
            write("tokenizer.json", &json);
            assert_eq!(open(), Ok(vec![1, 5, 2]));
        }
        write("tokenizer.json", r#"{"model":{"type":"BPE","vocab":{"a":1},"merges":[]}}"#);
        assert!(open().is_err_and(|why| why.contains("is not the tokenizer of a CLIP model")));
        write("tokenizer.json", r#"{"model":{"type":"Unigram","vocab":[["a",1.0]]}}"#);
        assert!(open().is_err_and(|why| why.contains("cannot use")));
    }
}
