//! The scenarios of the simulation.

use std::str::FromStr;

/// Number of cuts in one session.
pub(super) const CUTS: usize = 300;
/// The cut at which users change their mind in scenario B.
pub(super) const CHANGE_AT: usize = 150;

/// The size of the library, the kind of users, and how much feedback they give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// Identifying letter, A to F.
    pub letter: char,
    /// Number of clusters in the library.
    pub(super) clusters: usize,
    /// Correlation of the director's initial affinities with the users' preferences.
    pub(super) assumed: f64,
    /// Probability that a reaction reaches the program.
    pub(super) attention: f64,
    pub(super) drift: Drift,
}

/// How the users' preferences change during a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Drift {
    None,
    /// A sudden change of mind at [`CHANGE_AT`].
    Change,
    /// A random walk.
    Walk,
}

impl Scenario {
    /// Letter of the scenario with a sudden change of mind.
    pub(super) const CHANGE: char = 'B';
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let base = Self { letter: 'A', clusters: 24, assumed: 0.35, attention: 0.65, drift: Drift::None };
        Ok(match text {
            "A" | "a" => base,
            "B" | "b" => Self { letter: Self::CHANGE, drift: Drift::Change, ..base },
            "C" | "c" => Self { letter: 'C', drift: Drift::Walk, ..base },
            "D" | "d" => Self { letter: 'D', attention: 0.2, ..base },
            "E" | "e" => Self { letter: 'E', assumed: -0.35, ..base },
            "F" | "f" => Self { letter: 'F', clusters: 64, ..base },
            _ => {
                return Err(format!(
                    "unknown scenario `{text}`; expected A (fixed taste), B (sudden change), C (drifting taste), \
                     D (sparse feedback), E (misleading prior) or F (64 styles)"
                ));
            }
        })
    }
}
