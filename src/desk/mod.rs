//! The performer's panels (egui): reads a snapshot, returns what is asked for.
//!
//! Built for a dark room: large targets, few colours, states readable at two metres, everything also by key. Never
//! changes the show itself; remembers only which page is open and which macro is in hand.

mod action;
mod bake;
mod button;
mod cards;
mod choice;
mod keys;
mod library;
mod live;
mod macros;
mod mark;
mod meters;
mod midi;
mod settings;
mod status_bar;
mod style;
mod tempo;
mod top;

use egui::{TextureId, Ui};

use crate::mind::Control;
use crate::show::{AudioLine, Command, FrameTimes, PresetAudio, Snapshot};

use library::Layout;

pub use action::{Action, CARDS, Dial, Group, Nudge, WindowAction};
pub use bake::{BakeOptions, BakePicture, BakeRequest, BakeView};
pub use library::{LibraryRequest, LibraryView};
pub use midi::{MidiDevice, MidiRequest, MidiRow, MidiView};
pub use settings::{SettingsRequest, SettingsView};

/// Everything one drawing of the desk shows.
pub struct DeskView<'a> {
    /// The show.
    pub snapshot: &'a Snapshot,
    /// Where the sound comes from.
    pub audio: &'a AudioLine,
    /// How long frames take.
    pub times: FrameTimes,
    /// What presets hear.
    pub heard: &'a PresetAudio,
    /// The stage's picture.
    pub preview: TextureId,
    /// Its width over its height.
    pub preview_aspect: f32,
    /// The device that draws.
    pub device: &'a str,
    /// News for the performer, the gravest first.
    pub messages: &'a [&'a str],
    /// Devices and bindings.
    pub midi: &'a MidiView,
    /// The night's work.
    pub bake: &'a BakeView,
    /// The library and what was found in it.
    pub library: &'a LibraryView,
    /// What can be set.
    pub settings: &'a SettingsView,
    /// Keys and what they do.
    pub keys: &'a [KeyLine],
}

/// One key and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyLine {
    /// The key as people read it.
    pub keys: String,
    /// What it does.
    pub action: Action,
}

/// Something asked for at the desk.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskRequest {
    /// One of the performer's actions.
    Act(Action),
    /// Something about MIDI.
    Midi(MidiRequest),
    /// Something about the night's work.
    Bake(BakeRequest),
    /// Something about the library.
    Library(LibraryRequest),
    /// Something about the settings.
    Settings(SettingsRequest),
}

/// The pages of the desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The show as it runs.
    #[default]
    Live,
    /// Every preset there is.
    Library,
    /// The library by look.
    Map,
    /// MIDI devices and what their controls do.
    Midi,
    /// The night's work.
    Bake,
    /// What the program listens to, where it shows itself, how careful it is.
    Settings,
    /// Every key and what it does.
    Keys,
}

impl Page {
    /// Every page, in the order of the tabs.
    pub const ALL: [Self; 7] =
        [Self::Live, Self::Library, Self::Map, Self::Midi, Self::Bake, Self::Settings, Self::Keys];

    /// The word on its tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Library => "Library",
            Self::Map => "Map",
            Self::Midi => "MIDI",
            Self::Bake => "Bake",
            Self::Settings => "Settings",
            Self::Keys => "Keys",
        }
    }
}

/// The desk.
pub struct Desk {
    styled: bool,
    page: Page,
    before: Page,
    in_hand: Control,
    meters: meters::Meters,
    foot: status_bar::StatusBar,
    bake: bake::BakePage,
    library: library::LibraryPage,
    settings: settings::SettingsPage,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            styled: false,
            page: Page::default(),
            before: Page::default(),
            in_hand: Control::Fusion,
            meters: meters::Meters::default(),
            foot: status_bar::StatusBar::default(),
            bake: bake::BakePage::default(),
            library: library::LibraryPage::default(),
            settings: settings::SettingsPage::default(),
        }
    }
}

impl Desk {
    /// Shows this page.
    pub fn turn_to(&mut self, page: Page) {
        if page != self.page {
            self.before = std::mem::replace(&mut self.page, page);
        }
    }

    /// Shows the page after this one.
    pub fn turn_page(&mut self) {
        let at = Page::ALL.iter().position(|page| *page == self.page).unwrap_or(0);
        self.turn_to(Page::ALL[(at + 1) % Page::ALL.len()]);
    }

    /// Shows the keys, or the page that was there before them.
    pub fn toggle_help(&mut self) {
        self.turn_to(if self.page == Page::Keys { self.before } else { Page::Keys });
    }

    /// The macro that the nudging keys move.
    pub fn in_hand(&self) -> Control {
        self.in_hand
    }

    /// Takes this macro in hand.
    pub fn take(&mut self, control: Control) {
        self.in_hand = control;
    }

    /// Draws the desk and returns what the performer asked for.
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView) -> Vec<DeskRequest> {
        if !self.styled {
            style::apply(ui.ctx());
            self.styled = true;
        }
        let mut commands: Vec<Command> = Vec::new();
        let (mut midi, mut bake, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        let mut library = library::Done::default();
        let mut page = self.page;
        egui::Panel::top("top").show(ui, |ui| top::show(ui, view, &mut page));
        egui::Panel::bottom("foot").show(ui, |ui| self.foot.show(ui, view));
        match self.page {
            Page::Live => live::show(ui, view, &mut self.meters, self.in_hand, &mut commands),
            Page::Library | Page::Map => {
                let layout = if self.page == Page::Map { Layout::Map } else { Layout::List };
                let playing = view.snapshot.playing.as_ref().map(|playing| playing.id);
                self.library.show(ui, view.library, layout, playing, &mut library);
            }
            Page::Midi => midi::show(ui, view.midi, &mut midi),
            Page::Bake => self.bake.show(ui, view.bake, &mut bake),
            Page::Settings => self.settings.show(ui, view.settings, view.snapshot, &mut settings),
            Page::Keys => keys::show(ui, view.keys),
        }
        self.turn_to(page);
        commands.append(&mut library.commands);
        let commands = commands.into_iter().map(|command| DeskRequest::Act(Action::Show(command)));
        let asks = midi.into_iter().map(DeskRequest::Midi).chain(bake.into_iter().map(DeskRequest::Bake));
        let asks = asks.chain(library.asks.into_iter().map(DeskRequest::Library));
        let asks = asks.chain(settings.into_iter().map(DeskRequest::Settings));
        commands.chain(asks).collect()
    }
}
