//! Parses a description of a look into terms.

use super::axis::Axis;
use super::example::{Example, Reference};
use super::lexicon::{COMPARATIVES, CONCEPTS, Concept, Feature, MAX_PHRASE, comparative, concept};
use super::style_fit::{StyleFit, percent, split_styles};

/// A parsed description.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// The terms that presets should match.
    pub terms: Vec<Term>,
    /// How well styles fit, where that is set explicitly rather than derived from the terms. Applies to themes only.
    pub styles: Vec<StyleFit>,
    /// The preset to resemble.
    pub(super) like: Option<Example>,
}

/// A term of a description, which presets should match or, if negated, not match.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub(super) what: What,
    /// Whether presets should not match it.
    pub negated: bool,
    /// Weight of the term, in [`WEIGHTS`]; 1 unless a word such as `very` or `slightly` precedes it or a percentage
    /// follows it.
    pub weight: f32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A word or phrase of the lexicon.
    Concept { word: String, concept: &'static Concept },
    /// Any other word: part of a name, an author or one of the performer's own tags.
    Name(String),
    /// A higher or lower rank in a property than that of the preset to resemble, or than 0.5 if there is none.
    Compared { axis: Axis, more: bool },
}

/// Words that are ignored.
const FILLERS: [&str; 33] = [
    "tonight",
    "a",
    "an",
    "the",
    "and",
    "with",
    "of",
    "on",
    "in",
    "to",
    "some",
    "something",
    "anything",
    "preset",
    "presets",
    "like",
    "that",
    "is",
    "are",
    "it",
    "this",
    "one",
    "ones",
    "looks",
    "look",
    "looking",
    "but",
    "only",
    "just",
    "please",
    "show",
    "me",
    "or",
];
/// Range of the weights of terms.
pub const WEIGHTS: std::ops::RangeInclusive<f32> = 0.1..=3.0;
/// Stands in for the percent sign while a description is split into words.
const PERCENT: &str = "'percent";
/// Maximum length of a description, in characters; the rest is ignored.
const MAX_LENGTH: usize = 4000;
const NEGATIONS: [&str; 8] = ["no", "not", "without", "nothing", "never", "non", "dont", "don't"];
const STRONG: [&str; 6] = ["very", "really", "super", "extremely", "totally", "mostly"];
const WEAK: [&str; 4] = ["slightly", "somewhat", "bit", "rather"];
/// Phrases that introduce a comparison with a preset, followed by the preset's name, its number or `this`.
const LIKE: [&str; 5] = ["more like ", "similar to ", "same as ", "like ", "than "];
/// Separators that end the preset's name in a comparison.
const ENDS: [&str; 5] = [" but ", ", ", "; ", " only ", " just "];

impl Description {
    /// Parses a description. Any string is valid; unknown words are matched against names.
    pub fn parse(text: &str) -> Self {
        let text: String = text.chars().take(MAX_LENGTH).collect();
        let (styles, text) = split_styles(&text.to_lowercase());
        let (like, rest) = split_like(&text);
        let mut terms = terms(&rest);
        if like.is_none() && styles.is_empty() && terms.is_empty() {
            // The text contains only words that are usually ignored; here, they may be a name.
            terms.extend(words(&text).map(|word| Term {
                what: What::Name(word),
                negated: false,
                weight: 1.0,
            }));
        }
        Self { terms, styles, like }
    }

    /// Returns whether there are neither terms nor a preset to resemble.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.like.is_none()
    }

    /// Returns the visible part of the description, for a vision model: the words that are neither excluded nor part of
    /// a comparison.
    pub(super) fn visible(&self) -> String {
        let words = self.terms.iter().filter(|term| term.is_visible()).map(|term| match &term.what {
            What::Concept { word, .. } | What::Name(word) => word.as_str(),
            What::Compared { .. } => "",
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Returns the preset to resemble, if the description refers to it without naming it.
    pub fn reference(&self) -> Option<Reference> {
        match self.like {
            Some(Example::Reference(reference)) => Some(reference),
            Some(Example::Name(_)) | None => None,
        }
    }
}

impl Description {
    /// Returns a text that parses to the same description, such as `deep sea 150%, no white`.
    pub fn text(&self) -> String {
        let parts = self.example().into_iter().chain(self.terms.iter().map(Term::text));
        parts.chain(self.styles.iter().map(StyleFit::text)).collect::<Vec<_>>().join(", ")
    }

    /// Returns the preset to resemble as a text, if there is one.
    pub fn example(&self) -> Option<String> {
        self.like.as_ref().map(Example::text)
    }
}

impl Term {
    /// Returns whether the term describes something visible.
    pub(super) fn is_visible(&self) -> bool {
        !self.negated && !matches!(self.what, What::Compared { .. })
    }

    /// Returns the term as it was parsed, such as `no white` or `named "faces" 150%`.
    pub fn label(&self) -> String {
        match &self.what {
            What::Name(name) => self.formatted(&format!("named {name:?}")),
            What::Concept { .. } | What::Compared { .. } => self.text(),
        }
    }

    /// Returns a text that parses to the same term.
    fn text(&self) -> String {
        match &self.what {
            What::Concept { word, .. } => self.formatted(word),
            What::Name(name) => self.formatted(name),
            What::Compared { axis, more } => self.formatted(&comparison(*axis, *more)),
        }
    }

    /// Adds the negation and the weight to `what`.
    fn formatted(&self, what: &str) -> String {
        let no = if self.negated { "no " } else { "" };
        match percent(self.weight) {
            100 => format!("{no}{what}"),
            weight => format!("{no}{what} {weight}%"),
        }
    }
}

/// Returns the words for a comparison: a comparative, or `more` or `less` and a word.
fn comparison(axis: Axis, more: bool) -> String {
    let comparative = COMPARATIVES.iter().find(|(_, compared, up)| (*compared, *up) == (axis, more));
    if let Some((words, ..)) = comparative {
        return words[0].to_owned();
    }
    let words = CONCEPTS.iter().find_map(|concept| {
        let much = single_axis(concept).filter(|(single, _)| *single == axis)?.1;
        Some(format!("{} {}", if more == much { "more" } else { "less" }, concept.words[0]))
    });
    words.unwrap_or_default()
}

/// Splits off the preset to resemble, if there is one; returns it with the rest of the text.
fn split_like(text: &str) -> (Option<Example>, String) {
    let starts = LIKE.iter().flat_map(|start| text.match_indices(*start));
    // A match may be the end of a longer word, such as "dreamlike".
    let mut starts = starts.filter(|(at, _)| *at == 0 || text[..*at].ends_with(' '));
    let found = starts.find_map(|(at, start)| {
        let rest = &text[at + start.len()..];
        let end = match rest.strip_prefix('"').and_then(|quoted| quoted.find('"')) {
            Some(end) => end + 2,
            None => ENDS.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len()),
        };
        let (like, words) = Example::parse(&rest[..end])?;
        Some((Some(like), format!("{} {words} {}", &text[..at], &rest[end..])))
    });
    found.unwrap_or_else(|| (None, text.to_owned()))
}

/// Iterates over the words in `text`. A dash directly in front of a word becomes the word `no`.
fn words(text: &str) -> impl Iterator<Item = String> {
    let is_outside = |c: char| !(c.is_alphanumeric() || c == '\'' || c == '-');
    text.split(is_outside).flat_map(|part| {
        let word = Some(part.trim_matches('-')).filter(|word| !word.is_empty());
        let no = word.filter(|_| part.starts_with('-')).map(|_| "no");
        no.into_iter().chain(word).map(str::to_owned)
    })
}

fn terms(text: &str) -> Vec<Term> {
    let words: Vec<String> = words(&text.replace('%', PERCENT)).collect();
    let mut terms = Vec::new();
    let (mut negated, mut weight, mut direction) = (false, 1.0, None);
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        // The longest phrase of the lexicon that starts at this word.
        let phrase = (1..=MAX_PHRASE.min(words.len() - at)).rev().find_map(|count| {
            let phrase = words[at..at + count].join(" ");
            concept(&phrase).map(|concept| (phrase, concept, count))
        });
        let mut used = 1;
        let what = if let Some((word, concept, count)) = phrase {
            used = count;
            match (direction, single_axis(concept)) {
                (Some(more), Some((axis, much))) => What::Compared { axis, more: more == much },
                (Some(false), None) => {
                    negated = !negated;
                    What::Concept { word, concept }
                }
                _ => What::Concept { word, concept },
            }
        } else if let Some((axis, more)) = comparative(word) {
            What::Compared { axis, more }
        } else if NEGATIONS.contains(&word) {
            negated = true;
            at += 1;
            continue;
        } else if STRONG.contains(&word) || WEAK.contains(&word) {
            weight = if STRONG.contains(&word) { 1.6 } else { 0.6 };
            at += 1;
            continue;
        } else if word == "more" || word == "less" {
            direction = Some(word == "more");
            at += 1;
            continue;
        } else if FILLERS.contains(&word) || word.ends_with(PERCENT) {
            at += 1;
            continue;
        } else {
            What::Name(word.to_owned())
        };
        at += used;
        if let Some(percent) = words.get(at).and_then(|word| weight_of(word)) {
            weight = percent;
            at += 1;
        }
        terms.push(Term { what, negated, weight });
        (negated, weight, direction) = (false, 1.0, None);
    }
    terms
}

/// Returns the weight that a percentage after a term stands for.
fn weight_of(word: &str) -> Option<f32> {
    let percent = word.strip_suffix(PERCENT)?.parse::<f32>().ok().filter(|percent| percent.is_finite())?;
    Some((percent / 100.0).clamp(*WEIGHTS.start(), *WEIGHTS.end()))
}

/// If a concept's only feature is a property, returns that property and whether a high value is meant.
fn single_axis(concept: &Concept) -> Option<(Axis, bool)> {
    match concept.features {
        [Feature::Much(axis)] => Some((*axis, true)),
        [Feature::Little(axis)] => Some((*axis, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::style_key;

    /// Parses `text` and formats its terms: `!` marks negations, `+` and `-` mark comparisons, quotes mark names.
    fn parsed(text: &str) -> String {
        let Description { terms, like, .. } = Description::parse(text);
        let term = |Term { what, negated, .. }: &Term| {
            let what = match what {
                What::Concept { word, .. } => word.clone(),
                What::Name(name) => format!("'{name}'"),
                What::Compared { axis, more } => format!("{}{axis:?}", if *more { "+" } else { "-" }),
            };
            format!("{}{what}", if *negated { "!" } else { "" })
        };
        let terms: Vec<String> = terms.iter().map(term).collect();
        let like = like.map(|like| match like {
            Example::Name(name) => format!("like {name}: "),
            Example::Reference(reference) => format!("like {reference:?}: "),
        });
        let like = like.unwrap_or_default();
        like + &terms.join(" ")
    }

    #[test]
    fn descriptions_are_split_into_terms() {
        assert_eq!(parsed("slow blue tunnel"), "slow blue tunnel");
        assert_eq!(parsed("Gold particles on black"), "gold particles on black");
        assert_eq!(parsed("dark, no strobe"), "dark !strobe");
        assert_eq!(parsed("dark -strobe without lines"), "dark !strobe !lines");
        assert_eq!(parsed("-strobe dark, -lines"), "!strobe dark !lines");
        assert_eq!(parsed("geiss - blue tunnel - hi-fi"), "'geiss' blue tunnel 'hi-fi'");
        assert_eq!(parsed("black and white"), "black and white");
        assert_eq!(parsed("geiss tunnel"), "'geiss' tunnel");
        assert_eq!(parsed("darker and less busy"), "-Brightness -Detail");
        assert_eq!(parsed("more colourful, less liquid"), "+Colour !liquid");
        assert_eq!(parsed("more like Flexi - Mindblob but slower"), "like flexi - mindblob: -Motion");
        assert_eq!(parsed("red, similar to \"deep sky\", brighter"), "like deep sky: red +Brightness");
        assert_eq!(parsed("tonight: deep sea, no faces, nothing white"), "deep sea !'faces' !white");
        assert_eq!(parsed("dreamlike tunnel, like geiss"), "like geiss: 'dreamlike' tunnel");
        assert!(Description::parse(" ?! ").is_empty());
    }

    #[test]
    fn a_description_may_refer_to_the_current_preset_or_a_result() {
        assert_eq!(parsed("like this, calmer"), "like This: -Motion");
        assert_eq!(parsed("something like this"), "like This: ");
        assert_eq!(parsed("blue, like that one but darker"), "like This: blue -Brightness");
        assert_eq!(parsed("like this only calmer and red"), "like This: -Motion red");
        assert_eq!(parsed("darker than this"), "like This: -Brightness");
        assert_eq!(parsed("more like 3 but slower"), "like Number(3): -Motion");
        assert_eq!(parsed("like #12"), "like Number(12): ");
        assert_eq!(parsed("like \"3\""), "like 3: ");
        assert_eq!(parsed("like 3 doors"), "like 3 doors: ");
        assert_eq!(parsed("like thistle"), "like thistle: ");
        assert_eq!(Description::parse("like 3").reference(), Some(Reference::Number(3)));
        assert_eq!(Description::parse("like geiss").reference(), None);
    }

    #[test]
    fn the_labels_distinguish_words_and_names() {
        let description =
            Description::parse("like Mindblob but darker; deep sea, no faces 150%, nothing very white");
        let labels: Vec<String> = description.terms.iter().map(Term::label).collect();
        assert_eq!(labels, ["darker", "deep sea", r#"no named "faces" 150%"#, "no white 160%"]);
        assert_eq!(description.example().as_deref(), Some(r#"like "mindblob""#));
    }

    #[test]
    fn the_text_of_a_description_parses_to_the_same_description() {
        for text in [
            "deep sea, no faces, nothing white",
            r#"like "blue, no red" but darker, more symmetric, less strobe 50%, not faster"#,
            r#"very dark a bit red 30%, style "Blue, like tunnels" 80%, geiss, style "c07" 0%"#,
            "like this, calmer",
            "like 3, more liquid, less liquid",
            r#"style "c07" 200%"#,
        ] {
            let description = Description::parse(text);
            assert_eq!(Description::parse(&description.text()), description, "{text}");
        }
        for axis in CONCEPTS.iter().filter_map(single_axis).map(|(axis, _)| axis) {
            for more in [true, false] {
                let terms = Description::parse(&comparison(axis, more)).terms;
                assert_eq!(terms.len(), 1, "{axis:?}");
                assert_eq!(terms[0].what, What::Compared { axis, more });
            }
        }
    }

    #[test]
    fn percentages_are_weights_of_terms_and_fits_of_styles() {
        let Description { terms, styles, .. } =
            Description::parse(r#"50% blue 160%, white 900%, style "Big "red" 40%, style "Deep Sea" 40%"#);
        let weights: Vec<f32> = terms.iter().map(|term| term.weight).collect();
        assert_eq!(weights[..2], [1.6, *WEIGHTS.end()]);
        let terms = Description::parse("blue nan%, red inf%").terms;
        assert!(terms.len() == 2 && terms.iter().all(|term| term.weight == 1.0), "{terms:?}");
        assert_eq!(styles.last(), Some(&StyleFit { key: style_key("Deep Sea"), fit: 0.4 }));
        assert_eq!(style_key("The \"Deep\" Sea"), "the deep sea");
    }

    #[test]
    fn a_description_may_set_the_fits_of_a_hundred_styles() {
        let styles: Vec<String> = (0..100).map(|number| format!("style \"number {number}\" 80%")).collect();
        assert_eq!(Description::parse(&styles.join(", ")).styles.len(), 100);
    }

    #[test]
    fn only_the_start_of_a_very_long_description_is_used() {
        let terms = Description::parse(&"blue ".repeat(100_000)).terms;
        assert_eq!(terms.len(), MAX_LENGTH / 5);
    }

    #[test]
    fn very_increases_the_weight_of_a_word_and_a_bit_reduces_it() {
        let weights: Vec<f32> =
            Description::parse("very dark a bit red").terms.iter().map(|term| term.weight).collect();
        assert_eq!(weights, [1.6, 0.6]);
    }
}
