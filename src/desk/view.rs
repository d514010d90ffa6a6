//! What the desk shows and what it returns.

use egui::TextureId;

use super::action::{Action, KeyLine};
use super::bake::{BakeRequest, BakeView};
use super::library::{LibraryRequest, LibraryView};
use super::midi::{MidiRequest, MidiView};
use super::settings::{SettingsRequest, SettingsView};
use crate::show::{AudioLine, FrameTimes, PresetAudio, Snapshot};

/// Everything shown in one frame of the desk.
pub struct DeskView<'a> {
    /// State of the show.
    pub snapshot: &'a Snapshot,
    /// Audio source and its state.
    pub audio: &'a AudioLine,
    /// Frame times.
    pub times: FrameTimes,
    /// Audio as presets receive it.
    pub heard: &'a PresetAudio,
    /// The output picture.
    pub preview: TextureId,
    /// Aspect ratio (width / height).
    pub preview_aspect: f32,
    /// Name of the graphics device.
    pub device: &'a str,
    /// Messages, one per source, the show first.
    pub messages: &'a [&'a str],
    /// MIDI page.
    pub midi: &'a MidiView,
    /// Bake page.
    pub bake: &'a BakeView,
    /// Library and Map pages.
    pub library: &'a LibraryView,
    /// Settings page.
    pub settings: &'a SettingsView,
    /// Keys page.
    pub keys: &'a [KeyLine],
}

/// A request from the desk.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskRequest {
    /// An action that the performer triggered.
    Act(Action),
    /// From the MIDI page.
    Midi(MidiRequest),
    /// From the Bake page.
    Bake(BakeRequest),
    /// From the Library or Map page.
    Library(LibraryRequest),
    /// From the Settings page.
    Settings(SettingsRequest),
}
