//! The commands of a show, shared by keys, MIDI, the desk and replay.

use serde::{Deserialize, Serialize};

use crate::analysis::TempoRequest;
use crate::facts::PresetId;
use crate::mind::{Control, MacroPreset, Profile};
use crate::units::Unipolar;

/// Distance by which a nudge moves the beats, in milliseconds.
const NUDGE_MILLISECONDS: f32 = 10.0;

/// Direction in which the beats move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeatNudge {
    /// Earlier.
    Earlier,
    /// Later.
    Later,
}

/// A command for the show, as plain data that can be logged and replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Cut to the next preset without waiting for the music; counts as a skip if the current preset has been
    /// on air for less than 30 seconds.
    Next,
    /// Return to the previous preset, which continues from where it left off.
    Back,
    /// Toggle hold, which keeps the current preset on air.
    Hold,
    /// Toggle Auto, in which the director cuts to other presets on its own.
    Auto,
    /// Toggle whether the current preset is a favourite.
    Favourite,
    /// Ban the current preset, or lift its ban.
    Ban,
    /// Cut to a safe preset without waiting for the music: a suitable favourite, or a built-in preset if
    /// there is none.
    Panic,
    /// Toggle blackout. The show continues underneath.
    Blackout,
    /// Toggle freeze, which keeps the last picture on the output.
    Freeze,
    /// Show this preset as soon as its deck is warm.
    PlayNow(PresetId),
    /// Remove this preset from Up next.
    Veto(PresetId),
    /// Mark or unmark this preset as a favourite.
    FavouritePreset(PresetId),
    /// Ban this preset, or lift its ban.
    BanPreset(PresetId),
    /// Lift the exclusion of this preset.
    Rescue(PresetId),
    /// Undo the last ban, favourite, rescue or removal from Up next.
    Undo,
    /// Tap the tempo: mark a beat now.
    TapTempo,
    /// Set the downbeat: a bar starts now.
    Resync,
    /// Halve the tempo.
    HalfTempo,
    /// Double the tempo.
    DoubleTempo,
    /// Set the tempo in beats per minute; `None` returns to the detected tempo.
    SetTempo(Option<f32>),
    /// Move the beats by 10 ms.
    NudgeBeat(BeatNudge),
    /// Set the delay of the audio input, in milliseconds.
    InputDelay(f32),
    /// Set how far choices stray from known favourites, from 0 (hardly) to 1 (freely).
    Adventure(Unipolar),
    /// Set the theme of the night, a description of looks that the director prefers; empty for no theme.
    Theme(String),
    /// Set how long presets stay on air, as a multiple of the automatic duration.
    Dwell(f32),
    /// Set one control of the macro bank.
    Macro {
        /// The control to set.
        control: Control,
        /// Its new position, 0 to 1.
        value: Unipolar,
    },
    /// Recall a macro preset.
    MacroPreset(MacroPreset),
    /// Set the profile.
    Profile(Profile),
    /// Toggle whether the macros follow the music or stay where the performer set them.
    MacroAi,
    /// Launch the sprite with this number.
    Sprite(u8),
    /// Launch the message with this number.
    Message(u8),
    /// Set the title, for example of the song, without showing it.
    SetTitle(String),
    /// Show the title.
    LaunchTitle,
    /// Take all sprites off the air.
    ClearSprites,
    /// Take the message or title off the air.
    ClearText,
    /// If true, stop the music from moving the macros, because MIDI knobs are assigned to all eight; if false, let it
    /// move them again. Sent by the program, not by the performer.
    MidiLock(bool),
}

impl Command {
    /// Returns the tempo request, if this is one; tempo is handled by the analysis thread, not the show.
    pub fn tempo(&self) -> Option<TempoRequest> {
        Some(match self {
            Self::TapTempo => TempoRequest::Tap,
            Self::Resync => TempoRequest::Resync,
            Self::HalfTempo => TempoRequest::Half,
            Self::DoubleTempo => TempoRequest::Double,
            Self::SetTempo(bpm) => TempoRequest::Set(*bpm),
            Self::NudgeBeat(BeatNudge::Earlier) => TempoRequest::Nudge(-NUDGE_MILLISECONDS),
            Self::NudgeBeat(BeatNudge::Later) => TempoRequest::Nudge(NUDGE_MILLISECONDS),
            _ => return None,
        })
    }

    /// Returns the label shown on the desk.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Next => "Next preset",
            Self::Back => "Back to previous preset",
            Self::Hold => "Toggle Hold",
            Self::Auto => "Toggle Auto",
            Self::Favourite => "Toggle Favourite",
            Self::Ban => "Ban",
            Self::Panic => "Panic (safe preset)",
            Self::Blackout => "Toggle Blackout",
            Self::Freeze => "Toggle Freeze",
            Self::PlayNow(_) => "Play now",
            Self::Veto(_) => "Remove",
            Self::FavouritePreset(_) => "Favourite",
            Self::BanPreset(_) => "Ban",
            Self::Rescue(_) => "Rescue",
            Self::Undo => "Undo",
            Self::TapTempo => "Tap tempo",
            Self::Resync => "Set downbeat",
            Self::HalfTempo => "Halve tempo",
            Self::DoubleTempo => "Double tempo",
            Self::SetTempo(_) => "Set tempo",
            Self::NudgeBeat(BeatNudge::Earlier) => "Move beat earlier",
            Self::NudgeBeat(BeatNudge::Later) => "Move beat later",
            Self::InputDelay(_) => "Input delay",
            Self::Adventure(_) => "Adventure",
            Self::Theme(_) => "Theme",
            Self::Dwell(_) => "Dwell",
            Self::Macro { .. } => "Macro",
            Self::MacroPreset(_) => "Macro preset",
            Self::Profile(_) => "Profile",
            Self::MacroAi => "Toggle music control of macros",
            Self::Sprite(_) => "Sprite",
            Self::Message(_) => "Message",
            Self::SetTitle(_) => "Set title",
            Self::LaunchTitle => "Show title",
            Self::ClearSprites => "Remove sprites",
            Self::ClearText => "Remove message or title",
            Self::MidiLock(_) => "MIDI controls the macros",
        }
    }
}
