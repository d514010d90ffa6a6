//! Everything a performer can ask for. Keys, MIDI, the desk and replay all speak this one type.

use serde::{Deserialize, Serialize};

use crate::analysis::TempoRequest;
use crate::library::PresetId;
use crate::mind::{Control, MacroPreset, Profile};
use crate::units::Unipolar;

/// One request to the show. Plain data, so that it can be logged and replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Cut to the next preset at once; the running one counts as skipped.
    Next,
    /// Return to the preset shown before, still running.
    Back,
    /// Keep the running preset until released; toggles.
    Hold,
    /// Let the show choose presets by itself; toggles.
    Auto,
    /// Mark the running preset as a favourite; toggles.
    Favourite,
    /// Never show the running preset again.
    Ban,
    /// Cut to a safe favourite at once.
    Panic,
    /// Show nothing; toggles. The show runs on underneath.
    Blackout,
    /// Keep the picture as it is; toggles.
    Freeze,
    /// Show this preset of the library as soon as it is warm.
    PlayNow(PresetId),
    /// Take this preset off the list of what comes next.
    Veto(PresetId),
    /// Mark or unmark this preset as a favourite.
    FavouritePreset(PresetId),
    /// Never show this preset again, or allow it again; toggles.
    BanPreset(PresetId),
    /// Take this preset, left out for a while, in again.
    Rescue(PresetId),
    /// A beat falls now, by the performer's hand.
    TapTempo,
    /// The bar begins now.
    Resync,
    /// Half the tempo.
    HalfTempo,
    /// Twice the tempo.
    DoubleTempo,
    /// This tempo in beats a minute, or the heard one again.
    SetTempo(Option<f32>),
    /// How far the choice strays from what is known to please: 0 hardly, 1 anywhere.
    Adventure(Unipolar),
    /// How long presets stay, as a multiple of what suits the music.
    Dwell(f32),
    /// Sets one macro.
    Macro {
        /// Which one.
        control: Control,
        /// Its new value.
        value: Unipolar,
    },
    /// Sets the whole bank.
    MacroPreset(MacroPreset),
    /// The kind of night.
    Profile(Profile),
    /// Macros follow the music, or stay where the performer put them; toggles.
    MacroAi,
    /// All eight macros lie under the performer's MIDI knobs, or no longer do: sent by the program, not by hand.
    MidiLock(bool),
}

impl Command {
    /// What this asks of the beat, which the listener keeps and not the show.
    pub fn tempo(&self) -> Option<TempoRequest> {
        Some(match self {
            Self::TapTempo => TempoRequest::Tap,
            Self::Resync => TempoRequest::Resync,
            Self::HalfTempo => TempoRequest::Half,
            Self::DoubleTempo => TempoRequest::Double,
            Self::SetTempo(bpm) => TempoRequest::Set(*bpm),
            _ => return None,
        })
    }

    /// The words the desk and the help overlay use.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Next => "Next preset",
            Self::Back => "Previous preset",
            Self::Hold => "Hold",
            Self::Auto => "Auto preset",
            Self::Favourite => "Favourite",
            Self::Ban => "Ban",
            Self::Panic => "Panic (safe favourite)",
            Self::Blackout => "Blackout",
            Self::Freeze => "Freeze",
            Self::PlayNow(_) => "Play now",
            Self::Veto(_) => "Drop",
            Self::FavouritePreset(_) => "Favourite",
            Self::BanPreset(_) => "Ban",
            Self::Rescue(_) => "Rescue",
            Self::TapTempo => "Tap tempo",
            Self::Resync => "Start bar here",
            Self::HalfTempo => "Half tempo",
            Self::DoubleTempo => "Double tempo",
            Self::SetTempo(_) => "Set tempo",
            Self::Adventure(_) => "Adventure",
            Self::Dwell(_) => "Dwell",
            Self::Macro { .. } => "Macro",
            Self::MacroPreset(_) => "Macro preset",
            Self::Profile(_) => "Profile",
            Self::MacroAi => "Macros follow the music",
            Self::MidiLock(_) => "MIDI controls the macros",
        }
    }
}
