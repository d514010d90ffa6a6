//! The algorithms for choosing presets that a simulation can compare.

use std::str::FromStr;

/// An algorithm that chooses presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The director with its taste model.
    Taste,
    /// The algorithm of aivj's browser-based predecessor: a softmax, at temperature 0.5, of the base score
    /// plus the mean reward of the arm.
    Reference,
    /// A uniformly random arm.
    Random,
}

impl Algorithm {
    /// Returns the name used on the command line.
    pub fn label(self) -> &'static str {
        match self {
            Self::Taste => "taste",
            Self::Reference => "reference",
            Self::Random => "random",
        }
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Taste, Self::Reference, Self::Random]
            .into_iter()
            .find(|algorithm| algorithm.label() == text)
            .ok_or_else(|| format!("unknown algorithm `{text}`; expected taste, reference or random"))
    }
}
