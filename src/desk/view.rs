//! Input and output of the desk.

use egui::TextureId;

use super::action::{Action, KeyLine};
use super::bake::{BakeRequest, BakeView};
use super::midi::{MidiRequest, MidiView};
use super::settings::{SettingsRequest, SettingsView};
use crate::archive::{LibraryRequest, LibraryView};
use crate::show::{AudioLine, FrameTimes, PresetAudio, Snapshot};

/// Everything shown in one frame of the desk.
pub struct DeskView<'a> {
    /// State of the show.
    pub snapshot: &'a Snapshot,
    /// Name of the audio source, and its current problem, if any.
    pub audio: &'a AudioLine,
    /// Statistics on frame times.
    pub times: FrameTimes,
    /// Audio as presets receive it.
    pub heard: &'a PresetAudio,
    /// egui texture with the output picture.
    pub preview: TextureId,
    /// Aspect ratio of the output picture (width / height).
    pub preview_aspect: f32,
    /// Name of the graphics device.
    pub device: &'a str,
    /// Prompts for the performer's next input, shown only while they are in this list.
    pub prompts: &'a [&'a str],
    /// Messages for the performer, at most one per source.
    pub messages: &'a [&'a str],
    /// Why the set log cannot currently be written; empty if it can.
    pub log_problem: &'a str,
    /// State of the MIDI page.
    pub midi: &'a MidiView,
    /// State of the Bake page.
    pub bake: &'a BakeView,
    /// State of the Library and Map pages.
    pub library: &'a LibraryView,
    /// State of the Settings page.
    pub settings: &'a SettingsView,
    /// The bindings shown on the Keys page.
    pub keys: &'a [KeyLine],
}

/// A request from the desk.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskRequest {
    /// An action that the performer triggered.
    Act(Action),
    /// A request from the MIDI page.
    Midi(MidiRequest),
    /// A request from the Bake page.
    Bake(BakeRequest),
    /// A request from the Library or Map page.
    Library(LibraryRequest),
    /// A request from the Settings page.
    Settings(SettingsRequest),
}
