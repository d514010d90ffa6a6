//! Look tags, stored as a bit set to save memory: a library may have hundreds of thousands of presets.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A tag that describes the look of a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tag {
    /// The main wave or a custom wave is visible.
    Wave,
    /// A visible wave is drawn as dots.
    Dots,
    /// A visible wave is drawn as a thick line.
    Line,
    /// The previous frame is kept and smoothly distorted.
    Liquid,
    /// The preset has per-vertex equations, or at least 24 lines of per-frame equations.
    Abstract,
    /// A custom shape is visible.
    Geometric,
    /// Motion vectors are visible.
    Vectors,
    /// The preset has a warp or composite shader.
    Shader,
    /// A shader samples an image file.
    Textured,
    /// The video echo is visible.
    Echo,
    /// The picture is mostly dark.
    Dark,
    /// The picture is mostly bright.
    Bright,
    /// There is little movement.
    LowMotion,
    /// The picture reacts most to low frequencies.
    BandLow,
    /// The picture reacts most to middle frequencies.
    BandMid,
    /// The picture reacts most to high frequencies.
    BandHigh,
}

impl Tag {
    /// All tags in bit order.
    pub const ALL: [Self; 16] = [
        Self::Wave,
        Self::Dots,
        Self::Line,
        Self::Liquid,
        Self::Abstract,
        Self::Geometric,
        Self::Vectors,
        Self::Shader,
        Self::Textured,
        Self::Echo,
        Self::Dark,
        Self::Bright,
        Self::LowMotion,
        Self::BandLow,
        Self::BandMid,
        Self::BandHigh,
    ];

    /// Returns the word used in files and searches.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wave => "wave",
            Self::Dots => "dots",
            Self::Line => "line",
            Self::Liquid => "liquid",
            Self::Abstract => "abstract",
            Self::Geometric => "geometric",
            Self::Vectors => "vectors",
            Self::Shader => "shader",
            Self::Textured => "textured",
            Self::Echo => "echo",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::LowMotion => "low-motion",
            Self::BandLow => "band:low",
            Self::BandMid => "band:mid",
            Self::BandHigh => "band:high",
        }
    }

    /// Returns the label shown on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Wave => "Wave",
            Self::Dots => "Dots",
            Self::Line => "Line",
            Self::Liquid => "Liquid",
            Self::Abstract => "Abstract",
            Self::Geometric => "Geometric",
            Self::Vectors => "Vectors",
            Self::Shader => "Shader",
            Self::Textured => "Textured",
            Self::Echo => "Echo",
            Self::Dark => "Dark",
            Self::Bright => "Bright",
            Self::LowMotion => "Low motion",
            Self::BandLow => "Reacts to lows",
            Self::BandMid => "Reacts to mids",
            Self::BandHigh => "Reacts to highs",
        }
    }

    /// Returns the tag whose [`Self::word`] is `word`; `None` if there is none.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.word() == word)
    }
}

/// A set of [`Tag`]s.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub u32);

impl Tags {
    /// Returns whether `tag` is in the set.
    pub fn has(self, tag: Tag) -> bool {
        self.0 & (1 << tag as u32) != 0
    }

    /// Adds `tag` to the set.
    pub fn insert(&mut self, tag: Tag) {
        self.0 |= 1 << tag as u32;
    }

    /// Adds `tag` if it is missing, otherwise removes it.
    pub fn toggle(&mut self, tag: Tag) {
        self.0 ^= 1 << tag as u32;
    }

    /// Iterates over the tags in the order of [`Tag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Tag> {
        Tag::ALL.into_iter().filter(move |tag| self.has(*tag))
    }

    /// Returns the style of a preset in a library without a style index, derived from its visual elements. A
    /// library of 7,000 presets yields about sixty styles.
    pub fn bucket(self) -> String {
        let traces = [Tag::Dots, Tag::Line, Tag::Wave, Tag::Vectors].into_iter().find(|tag| self.has(*tag));
        let age = if self.has(Tag::Shader) { None } else { Some("classic") };
        let made_of = [Tag::Liquid, Tag::Geometric, Tag::Textured].into_iter().filter(|tag| self.has(*tag));
        let words: Vec<&str> = age.into_iter().chain(made_of.chain(traces).map(Tag::word)).collect();
        if words.is_empty() { "abstract".into() } else { words.join("+") }
    }

    /// Returns the union of both sets.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether every tag of `other` is in this set.
    pub fn has_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl FromIterator<Tag> for Tags {
    fn from_iter<I: IntoIterator<Item = Tag>>(tags: I) -> Self {
        let mut set = Self::default();
        tags.into_iter().for_each(|tag| set.insert(tag));
        set
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, tag) in self.iter().enumerate() {
            write!(f, "{}{}", if at > 0 { " " } else { "" }, tag.word())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tags({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_has_a_word_and_a_bit() {
        for (at, tag) in Tag::ALL.into_iter().enumerate() {
            assert_eq!((tag as usize, Tag::of(tag.word())), (at, Some(tag)));
        }
        let tags: Tags = [Tag::Dark, Tag::Wave].into_iter().collect();
        assert_eq!(tags.to_string(), "wave dark");
        assert!(tags.has(Tag::Dark) && !tags.has(Tag::Bright));
    }
}
