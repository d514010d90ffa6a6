//! The page of settings: what the program listens to, where it shows itself, how careful and how patient it is. Every
//! change holds at once and is written down.

use std::path::PathBuf;

use egui::{RichText, ScrollArea, Slider, TextEdit, Ui, Vec2};

use super::style;
use crate::library::{DWELL, Setting, Settings, plain_name};
use crate::mind::Profile;
use crate::show::Snapshot;

/// Height of one line that can be chosen, points.
const LINE: f32 = 32.0;

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SettingsView {
    /// What holds now.
    pub settings: Settings,
    /// Inputs that can be listened to, by name.
    pub inputs: Vec<String>,
    /// Inputs and libraries are being looked for.
    pub looking: bool,
    /// Screens, in words, the first counted as 0.
    pub monitors: Vec<String>,
    /// Folders and packs that were played before.
    pub libraries: Vec<PathBuf>,
    /// Sets of MIDI profiles, besides the usual one.
    pub midi: Vec<String>,
    /// Unknown presets are audited before they are shown.
    pub guarded: bool,
    /// Flashes are held to three a second.
    pub limited: bool,
    /// Where settings are written; nowhere for a user without a home.
    pub file: Option<String>,
}

/// What can be asked on the page.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingsRequest {
    /// Change a setting.
    Set(Setting),
    /// Look for inputs and libraries again.
    Look,
}

/// The page; remembers what is being typed.
#[derive(Default)]
pub(super) struct SettingsPage {
    folder: String,
    midi: String,
    looked: bool,
}

impl SettingsPage {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &SettingsView,
        snapshot: &Snapshot,
        asks: &mut Vec<SettingsRequest>,
    ) {
        if !std::mem::replace(&mut self.looked, true) {
            asks.push(SettingsRequest::Look);
        }
        egui::CentralPanel::default().show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.columns(3, |columns| {
                    sound(&mut columns[0], view, asks);
                    self.midi(&mut columns[0], view, asks);
                    output(&mut columns[1], view, asks);
                    choice(&mut columns[1], view, snapshot, asks);
                    self.library(&mut columns[2], view, asks);
                });
                ui.add_space(12.0);
                let file = match &view.file {
                    Some(file) => format!("written to {file}; what the command line says wins over it"),
                    None => "this user has no home folder: settings hold until the end of the show".into(),
                };
                ui.label(RichText::new(file).small().color(style::OFF));
            });
        });
    }

    fn midi(&mut self, ui: &mut Ui, view: &SettingsView, asks: &mut Vec<SettingsRequest>) {
        heading(ui, "MIDI profiles");
        let now = view.settings.midi.as_deref();
        if line(ui, now.is_none(), "the usual ones") {
            asks.push(SettingsRequest::Set(Setting::Midi(None)));
        }
        // One that was just named has no folder yet.
        let new = now.filter(|name| !view.midi.iter().any(|known| known == name));
        for name in view.midi.iter().map(String::as_str).chain(new) {
            if line(ui, now == Some(name), name) {
                asks.push(SettingsRequest::Set(Setting::Midi(Some(name.to_owned()))));
            }
        }
        ui.horizontal(|ui| {
            ui.add(TextEdit::singleline(&mut self.midi).hint_text("a new set").desired_width(150.0));
            let usable = plain_name(&self.midi);
            if ui.add_enabled(usable, egui::Button::new("Begin")).clicked() {
                let name = std::mem::take(&mut self.midi).trim().to_owned();
                asks.push(SettingsRequest::Set(Setting::Midi(Some(name))));
            }
        });
    }

    fn library(&mut self, ui: &mut Ui, view: &SettingsView, asks: &mut Vec<SettingsRequest>) {
        heading(ui, "Presets");
        let now = view.settings.presets.as_ref();
        if line(ui, now.is_none(), "the built-in ones") {
            asks.push(SettingsRequest::Set(Setting::Presets(None)));
        }
        let new = now.filter(|path| !view.libraries.contains(path));
        for path in view.libraries.iter().chain(new) {
            if line(ui, now == Some(path), &path.display().to_string()) {
                asks.push(SettingsRequest::Set(Setting::Presets(Some(path.clone()))));
            }
        }
        ui.horizontal(|ui| {
            let room = (ui.available_width() - 70.0).max(80.0);
            let field = TextEdit::singleline(&mut self.folder).hint_text("a folder or a pack's manifest");
            ui.add(field.desired_width(room));
            let usable = !self.folder.trim().is_empty();
            if ui.add_enabled(usable, egui::Button::new("Open")).clicked() {
                let path = PathBuf::from(std::mem::take(&mut self.folder).trim());
                asks.push(SettingsRequest::Set(Setting::Presets(Some(path))));
            }
        });
    }
}

fn sound(ui: &mut Ui, view: &SettingsView, asks: &mut Vec<SettingsRequest>) {
    heading(ui, "Sound");
    let now = view.settings.audio.as_deref();
    if line(ui, now.is_none(), "the input that carries sound") {
        asks.push(SettingsRequest::Set(Setting::Audio(None)));
    }
    if line(ui, now == Some("demo"), "the demo track") {
        asks.push(SettingsRequest::Set(Setting::Audio(Some("demo".into()))));
    }
    let chosen = now.filter(|name| *name != "demo");
    // The file may say a part of a name, or one that is not plugged in.
    let absent = chosen.filter(|name| !view.inputs.iter().any(|input| input == name));
    for name in view.inputs.iter().map(String::as_str).chain(absent) {
        if line(ui, chosen == Some(name), name) {
            asks.push(SettingsRequest::Set(Setting::Audio(Some(name.to_owned()))));
        }
    }
    let title = if view.looking { "looking ..." } else { "Look again" };
    if ui.add_enabled(!view.looking, egui::Button::new(title)).clicked() {
        asks.push(SettingsRequest::Look);
    }
}

fn output(ui: &mut Ui, view: &SettingsView, asks: &mut Vec<SettingsRequest>) {
    heading(ui, "Output");
    let now = view.settings.monitor;
    if line(ui, now.is_none(), "a window") {
        asks.push(SettingsRequest::Set(Setting::Monitor(None)));
    }
    for (number, name) in view.monitors.iter().enumerate() {
        if line(ui, now == Some(number), &format!("fills screen {number}: {name}")) {
            asks.push(SettingsRequest::Set(Setting::Monitor(Some(number))));
        }
    }
    heading(ui, "Safety");
    let mut limited = view.limited;
    if ui.checkbox(&mut limited, "Hold flashes to three a second").changed() {
        asks.push(SettingsRequest::Set(Setting::LimitFlashes(limited)));
    }
    let mut guarded = view.guarded;
    let hint = "A preset from a file is tried in a process of its own before it is shown for the first time";
    if ui.checkbox(&mut guarded, "Audit unknown presets first").on_hover_text(hint).changed() {
        asks.push(SettingsRequest::Set(Setting::Guard(guarded)));
    }
}

fn choice(ui: &mut Ui, view: &SettingsView, snapshot: &Snapshot, asks: &mut Vec<SettingsRequest>) {
    heading(ui, "Choice");
    let mut adventure = snapshot.adventure.get();
    let slider = Slider::new(&mut adventure, 0.0..=1.0).fixed_decimals(2).text("adventure");
    if ui.add(slider).on_hover_text("How far the choice strays from what is known to please").changed() {
        asks.push(SettingsRequest::Set(Setting::Adventure(adventure)));
    }
    let mut dwell = view.settings.dwell.unwrap_or(1.0);
    let slider = Slider::new(&mut dwell, DWELL.0..=DWELL.1).logarithmic(true).fixed_decimals(2).text("dwell");
    let hint = "How long presets stay, as a multiple of what suits the music";
    if ui.add(slider).on_hover_text(hint).changed() {
        asks.push(SettingsRequest::Set(Setting::Dwell(dwell)));
    }
    ui.label("Kind of night");
    ui.horizontal_wrapped(|ui| {
        for profile in Profile::ALL {
            let on = snapshot.macros.state.profile == profile;
            let button = egui::Button::selectable(on, profile.title()).min_size(Vec2::new(0.0, LINE));
            if ui.add(button.frame_when_inactive(true)).clicked() {
                asks.push(SettingsRequest::Set(Setting::Profile(profile.name())));
            }
        }
    });
}

fn heading(ui: &mut Ui, title: &str) {
    ui.add_space(10.0);
    ui.label(RichText::new(title).size(style::NEAR).color(style::ACCENT));
}

/// A line that can be chosen; true when it was.
fn line(ui: &mut Ui, on: bool, title: &str) -> bool {
    let button =
        egui::Button::selectable(on, title).truncate().min_size(Vec2::new(ui.available_width(), LINE));
    ui.add(button).on_hover_text(title).clicked()
}
