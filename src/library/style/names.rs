//! Facts derived from a preset's name: author, energy and frequency band. The v0 style index is built from
//! them.

use super::index::{IndexEntry, IndexVersion, StyleIndex};
use crate::facts::{CALM_WORDS, Energy, PEAK_WORDS};

const LOW_WORDS: [&str; 8] = ["bass", "sub", "kick", "low", "808", "drum", "boom", "thump"];
const MID_WORDS: [&str; 8] = ["mid", "synth", "lead", "pad", "texture", "vocal", "organ", "string"];
const HIGH_WORDS: [&str; 9] = ["hat", "hihat", "clap", "snare", "spark", "glitch", "noise", "air", "hi-hat"];

/// Maximum length of an author key, in characters.
const MAX_KEY: usize = 80;

/// Facts derived from a preset's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameFacts {
    /// Author key, such as `flexi` or `unknown`.
    pub author_key: String,
    /// Peak if there is any peak word, else calm if there is any calm word, else groove.
    pub energy: Energy,
    /// Frequency band that the name refers to most often: `low`, `mid` or `high`; `None` if it refers to
    /// none.
    pub band: Option<&'static str>,
}

impl NameFacts {
    /// Derives the facts from `label`: the preset's name, or its path including folders.
    pub fn of(label: &str) -> Self {
        let small = label.to_lowercase();
        let words: Vec<&str> =
            small.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()).collect();
        let hits = |list: &[&str]| words.iter().filter(|word| list.contains(word)).count();
        let energy = if hits(&PEAK_WORDS) > 0 {
            Energy::Peak
        } else if hits(&CALM_WORDS) > 0 {
            Energy::Calm
        } else {
            Energy::Groove
        };
        let (low, mid, high) = (hits(&LOW_WORDS), hits(&MID_WORDS), hits(&HIGH_WORDS));
        let most = low.max(mid).max(high);
        let band = match most {
            0 => None,
            most if mid == most => Some("mid"),
            most if low == most => Some("low"),
            _ => Some("high"),
        };
        Self { author_key: author_key(label), energy, band }
    }
}

/// Returns the part of a name before ` - `, or the whole name, as a key of lower-case letters, digits and
/// dashes; `unknown` if empty.
pub fn author_key(label: &str) -> String {
    let file = label.rsplit('/').next().unwrap_or(label);
    let file = file.strip_suffix(".milk").or(file.strip_suffix(".milk2")).unwrap_or(file);
    let author = file.split(" - ").next().unwrap_or_default();
    let mut key = String::new();
    for c in author.to_lowercase().chars() {
        if c.is_alphanumeric() {
            key.push(c);
        } else if !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
    }
    let key: String = key.chars().take(MAX_KEY).collect();
    let key = key.trim_end_matches('-');
    if key.is_empty() { "unknown".into() } else { key.to_owned() }
}

/// Builds a v0 style index from pairs of preset ID and label.
pub fn by_name<'a>(
    presets: impl IntoIterator<Item = (&'a str, &'a str)>,
    pack: &str,
    generated_at: &str,
) -> StyleIndex {
    let entries = presets.into_iter().map(|(id, label)| {
        let NameFacts { author_key, energy, band } = NameFacts::of(label);
        let mut tags = vec![format!("energy:{}", energy.label())];
        if author_key != "unknown" {
            tags.push(format!("author:{author_key}"));
        }
        tags.extend(band.map(|band| format!("band:{band}")));
        IndexEntry { preset_id: id.to_owned(), author_key, energy, tags }
    });
    StyleIndex {
        version: IndexVersion::V0,
        generated_at: generated_at.to_owned(),
        pack: pack.to_owned(),
        entries: entries.collect(),
        clusters: Vec::new(),
        space: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_author_energy_and_band() {
        let facts = NameFacts::of("Dancer/Flexi + Geiss - acid bass drum.milk");
        assert_eq!(
            (facts.author_key.as_str(), facts.energy, facts.band),
            ("flexi-geiss", Energy::Peak, Some("low"))
        );
        assert_eq!(NameFacts::of("martin - slow rain").energy, Energy::Calm);
        assert_eq!(NameFacts::of("Zylot - organ bass").band, Some("mid"));
        assert_eq!(author_key("$$$.milk"), "unknown");
        assert_eq!(author_key("no separator here.milk"), "no-separator-here");
    }

    #[test]
    fn an_index_by_name_is_a_valid_v0() {
        let index = by_name([("a.milk", "Geiss - storm"), ("b.milk", "?")], "pack", "2026-11-24T00:00:00Z");
        assert_eq!(index.entries[0].tags, ["energy:peak", "author:geiss"]);
        assert_eq!(index.entries[1].tags, ["energy:groove"]);
        let text = serde_json::to_vec(&index).expect("JSON");
        assert_eq!(StyleIndex::parse(&text, IndexVersion::V0), Ok(index));
    }
}
