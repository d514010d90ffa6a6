//! Everything a performer can ask for. Keys, MIDI, the desk and replay all speak this one type.

use serde::{Deserialize, Serialize};

/// One request to the show. Plain data, so that it can be logged and replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Cut to the next preset at once.
    Next,
    /// Return to the preset shown before, still running.
    Back,
    /// Keep the running preset until released; toggles.
    Hold,
    /// Let the show choose presets by itself; toggles.
    Auto,
    /// Mark the running preset as a favourite; toggles.
    Favourite,
    /// Show nothing; toggles. The show runs on underneath.
    Blackout,
    /// Keep the picture as it is; toggles.
    Freeze,
    /// Show this preset of the library as soon as it is warm.
    PlayNow(usize),
    /// Take this preset off the list of what comes next.
    Veto(usize),
}

impl Command {
    /// The words the desk and the help overlay use.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Next => "Next preset",
            Self::Back => "Back to the last one",
            Self::Hold => "Hold this preset",
            Self::Auto => "Auto preset",
            Self::Favourite => "Favourite",
            Self::Blackout => "Blackout",
            Self::Freeze => "Freeze the picture",
            Self::PlayNow(_) => "Play now",
            Self::Veto(_) => "Not this one",
        }
    }
}
