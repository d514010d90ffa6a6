//! The desk, the performer's window (egui): reads a [`DeskView`] and returns [`DeskRequest`]s.
//!
//! Built for a dark room: large targets, few colours, states readable from two metres, keyboard shortcuts. The desk
//! never changes the show; it keeps only view state, such as the open page, the selected macro and text being typed.

mod action;
mod adventure;
mod bake;
mod banner;
mod button;
mod cards;
mod display_number;
mod field;
mod icon;
mod keys;
mod layers;
mod library;
mod live;
mod macros;
mod meters;
mod midi;
mod page;
mod reason;
pub mod resolve;
mod sentence;
mod settings;
mod status_bar;
mod style;
mod tempo;
mod theme;
mod toast;
mod top;
mod view;

use egui::Ui;

use crate::archive::LibraryRequest;
use crate::mind::Control;
use crate::show::Command;

use library::Layout;

pub use action::{Action, CARDS, Dial, Group, KeyLine, Nudge, Numbered, WindowAction, action_names};
pub use bake::{BakeOptions, BakePicture, BakeRequest, BakeView};
pub use display_number::display_number;
pub use midi::{MidiDevice, MidiRequest, MidiRow, MidiView};
pub use page::Page;
pub use settings::{SettingsRequest, SettingsView, start_message};
pub use view::{DeskRequest, DeskView};

/// The desk: the open page, the selected macro, and the view state of every page.
pub struct Desk {
    styled: bool,
    page: Page,
    before: Page,
    selected_macro: Control,
    meters: meters::Meters,
    status_bar: status_bar::StatusBar,
    bake: bake::BakePage,
    library: library::LibraryPage,
    theme: theme::ThemeField,
    settings: settings::SettingsPage,
    layers: layers::LayersRow,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            styled: false,
            page: Page::default(),
            before: Page::default(),
            selected_macro: Control::Fusion,
            meters: meters::Meters::default(),
            status_bar: status_bar::StatusBar::default(),
            bake: bake::BakePage::default(),
            library: library::LibraryPage::default(),
            theme: theme::ThemeField::default(),
            settings: settings::SettingsPage::default(),
            layers: layers::LayersRow::default(),
        }
    }
}

impl Desk {
    /// Opens `page`, and remembers the previous page for [`Self::toggle_help`].
    pub fn open(&mut self, page: Page) {
        if page != self.page {
            self.before = std::mem::replace(&mut self.page, page);
        }
    }

    /// Opens the next page in the order of the tabs; the first follows the last.
    pub fn open_next(&mut self) {
        let at = Page::ALL.iter().position(|page| *page == self.page).unwrap_or(0);
        self.open(Page::ALL[(at + 1) % Page::ALL.len()]);
    }

    /// Opens the Keys page or, if it is open, the page that was open before it.
    pub fn toggle_help(&mut self) {
        self.open(if self.page == Page::Keys { self.before } else { Page::Keys });
    }

    /// Returns the macro selected for the arrow keys.
    pub fn selected_macro(&self) -> Control {
        self.selected_macro
    }

    /// Selects a macro for the arrow keys.
    pub fn select_macro(&mut self, control: Control) {
        self.selected_macro = control;
    }

    /// Redirects an action triggered by a key on the desk: on the Library and Map pages, Favourite and Ban
    /// apply to the selected preset instead of the one on air. Returns `None` if they apply to the selected preset but
    /// none is selected.
    pub fn redirect(&self, action: Action) -> Option<Action> {
        let command = match (&action, self.page) {
            (Action::Show(Command::Favourite), Page::Library | Page::Map) => Command::FavouritePreset,
            (Action::Show(Command::Ban), Page::Library | Page::Map) => Command::BanPreset,
            _ => return Some(action),
        };
        self.library.selected().map(|id| Action::Show(command(id)))
    }

    /// Draws the desk and returns the performer's requests.
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView) -> Vec<DeskRequest> {
        if !self.styled {
            style::apply(ui.ctx());
            self.styled = true;
        }
        let mut commands: Vec<Command> = Vec::new();
        let (mut midi, mut bake, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        let mut library = library::PageOutput::default();
        let mut page = self.page;
        egui::Panel::top("top").show(ui, |ui| top::show(ui, view, &mut page));
        if let Some(folder) = &view.library.missing
            && banner::show(
                ui,
                "missing folder",
                &format!("Preset folder missing: {}", folder.display()),
                "Locate…",
            )
        {
            page = Page::Settings;
            self.settings.locate(folder);
        }
        if let Some(why) = &view.library.held_back
            && banner::show(ui, "held back", why, "Play anyway")
        {
            library.requests.push(LibraryRequest::PlayAnyway);
        }
        egui::Panel::bottom("status bar").show(ui, |ui| self.status_bar.show(ui, view));
        match self.page {
            Page::Live => {
                let parts = (&mut self.meters, &mut self.layers, &mut self.theme);
                live::show(ui, view, parts, self.selected_macro, &mut library);
            }
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
        toast::show(ui.ctx(), view, &mut commands);
        self.open(page);
        commands.append(&mut library.commands);
        let commands = commands.into_iter().map(|command| DeskRequest::Act(Action::Show(command)));
        let requests = midi.into_iter().map(DeskRequest::Midi).chain(bake.into_iter().map(DeskRequest::Bake));
        let requests = requests.chain(library.requests.into_iter().map(DeskRequest::Library));
        let requests = requests.chain(settings.into_iter().map(DeskRequest::Settings));
        commands.chain(requests).collect()
    }
}
