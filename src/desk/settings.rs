//! The Settings page. Every change takes effect at once and is saved.

use std::path::{Path, PathBuf};

use egui::{RichText, ScrollArea, Slider, TextEdit, Ui, Vec2};

use super::field::entered;
use super::sentence::sentence;
use super::style;
use crate::library::{DWELL, INPUT_DELAY_MS, OutputDisplay, RATES, Setting, Settings, plain_name};
use crate::mind::Profile;
use crate::pacing::DEFAULT_RATE;
use crate::show::Snapshot;

/// Height of one choice, in points.
const LINE: f32 = 32.0;

/// State shown on the Settings page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SettingsView {
    /// The settings currently in effect.
    pub settings: Settings,
    /// Names of the available inputs.
    pub inputs: Vec<String>,
    /// Whether the lists of inputs, libraries and MIDI profile sets are being refreshed.
    pub refreshing: bool,
    /// Name and size of each display, in the order of their numbers.
    pub monitors: Vec<String>,
    /// Number of the display that shows the output, and whether the output is full screen; `None` if unknown.
    pub output_on: Option<(usize, bool)>,
    /// Known preset folders and packs.
    pub libraries: Vec<PathBuf>,
    /// Sets of MIDI profiles besides the default.
    pub midi: Vec<String>,
    /// Whether new presets are audited before they are shown.
    pub guarded: bool,
    /// Whether flashes are limited to three per second.
    pub limited: bool,
    /// Path of the settings file, if there is a home folder.
    pub file: Option<String>,
    /// Problems found when the show started, such as lines of `settings.toml` that cannot be read.
    pub problems: Vec<String>,
}

/// Returns the message about the problems found when the show started: the problem itself if there is only one,
/// otherwise their number and the first one; `None` if there are none.
pub fn start_message(problems: &[String]) -> Option<String> {
    let first = problems.first()?;
    Some(match problems.len() {
        1 => first.clone(),
        count => format!("{count} problems (see the Settings page), including: {first}"),
    })
}

/// A request from the Settings page.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingsRequest {
    /// Change a setting.
    Set(Setting),
    /// Refresh the lists of inputs, libraries and MIDI profile sets.
    Refresh,
    /// Briefly show each display's number on that display.
    Identify,
}

/// The Settings page, with the text being typed.
#[derive(Default)]
pub(super) struct SettingsPage {
    folder: String,
    midi: String,
    looked: bool,
    /// Whether the folder field receives keyboard focus in the next frame.
    focus: bool,
}

impl SettingsPage {
    /// Puts the path of a missing folder into the preset folder field, so that the performer can correct it.
    pub fn locate(&mut self, folder: &Path) {
        self.folder = folder.display().to_string();
        self.focus = true;
    }

    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &SettingsView,
        snapshot: &Snapshot,
        requests: &mut Vec<SettingsRequest>,
    ) {
        if !std::mem::replace(&mut self.looked, true) {
            requests.push(SettingsRequest::Refresh);
        }
        egui::CentralPanel::default().show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if !view.problems.is_empty() {
                    heading(ui, "Startup problems");
                }
                for problem in &view.problems {
                    ui.label(RichText::new(sentence(problem)).color(style::WARN));
                }
                ui.columns(3, |columns| {
                    audio(&mut columns[0], view, requests);
                    self.midi(&mut columns[0], view, requests);
                    output(&mut columns[1], view, requests);
                    director(&mut columns[1], view, snapshot, requests);
                    self.library(&mut columns[2], view, requests);
                });
                ui.add_space(12.0);
                let file = match &view.file {
                    Some(file) => format!("Saved to {file}. Command-line options take precedence."),
                    None => "No home folder found: settings are not saved.".into(),
                };
                ui.label(RichText::new(file).small().color(style::OFF));
            });
        });
    }

    fn midi(&mut self, ui: &mut Ui, view: &SettingsView, requests: &mut Vec<SettingsRequest>) {
        heading(ui, "MIDI profile set");
        let now = view.settings.midi.as_deref();
        if line(ui, now.is_none(), "Default") {
            requests.push(SettingsRequest::Set(Setting::Midi(None)));
        }
        // A newly created set has no folder yet, so it is not in the list.
        let new = now.filter(|name| !view.midi.iter().any(|known| known == name));
        for name in view.midi.iter().map(String::as_str).chain(new) {
            if line(ui, now == Some(name), name) {
                requests.push(SettingsRequest::Set(Setting::Midi(Some(name.to_owned()))));
            }
        }
        ui.horizontal(|ui| {
            let field =
                TextEdit::singleline(&mut self.midi).hint_text("New profile set").desired_width(150.0);
            let entered = entered(&ui.add(field));
            let usable = plain_name(&self.midi);
            if ui.add_enabled(usable, egui::Button::new("Create")).clicked() || entered && usable {
                let name = std::mem::take(&mut self.midi).trim().to_owned();
                requests.push(SettingsRequest::Set(Setting::Midi(Some(name))));
            }
        });
    }

    fn library(&mut self, ui: &mut Ui, view: &SettingsView, requests: &mut Vec<SettingsRequest>) {
        heading(ui, "Presets");
        let now = view.settings.presets.as_ref();
        if line(ui, now.is_none(), "Built-in presets") {
            requests.push(SettingsRequest::Set(Setting::Presets(None)));
        }
        let new = now.filter(|path| !view.libraries.contains(path));
        for path in view.libraries.iter().chain(new) {
            if line(ui, now == Some(path), &path.display().to_string()) {
                requests.push(SettingsRequest::Set(Setting::Presets(Some(path.clone()))));
            }
        }
        ui.horizontal(|ui| {
            let room = (ui.available_width() - 70.0).max(80.0);
            let field = TextEdit::singleline(&mut self.folder).hint_text("Folder or pack manifest");
            let field = ui.add(field.desired_width(room));
            if std::mem::take(&mut self.focus) {
                field.request_focus();
            }
            let usable = !self.folder.trim().is_empty();
            if ui.add_enabled(usable, egui::Button::new("Open")).clicked() || entered(&field) && usable {
                let path = PathBuf::from(std::mem::take(&mut self.folder).trim());
                requests.push(SettingsRequest::Set(Setting::Presets(Some(path))));
            }
        });
    }
}

fn audio(ui: &mut Ui, view: &SettingsView, requests: &mut Vec<SettingsRequest>) {
    heading(ui, "Audio input");
    let now = view.settings.audio.as_deref();
    if line(ui, now.is_none(), "Automatic (default input, or another with a signal)") {
        requests.push(SettingsRequest::Set(Setting::Audio(None)));
    }
    if line(ui, now == Some("demo"), "Demo track") {
        requests.push(SettingsRequest::Set(Setting::Audio(Some("demo".into()))));
    }
    let chosen = now.filter(|name| *name != "demo");
    // The setting may be only part of an input's name, or may name a disconnected input.
    let absent = chosen.filter(|name| !view.inputs.iter().any(|input| input == name));
    for name in view.inputs.iter().map(String::as_str).chain(absent) {
        if line(ui, chosen == Some(name), name) {
            requests.push(SettingsRequest::Set(Setting::Audio(Some(name.to_owned()))));
        }
    }
    let mut delay = view.settings.input_delay_ms.unwrap_or(0.0);
    let slider = Slider::new(&mut delay, INPUT_DELAY_MS.0..=INPUT_DELAY_MS.1).integer().suffix(" ms");
    let hint = "How late the music arrives at the input; aivj calibrate measures it";
    if ui.add(slider.text("Input delay")).on_hover_text(hint).changed() {
        requests.push(SettingsRequest::Set(Setting::InputDelay(delay)));
    }
    let title = if view.refreshing { "Refreshing…" } else { "Refresh" };
    if ui.add_enabled(!view.refreshing, egui::Button::new(title)).clicked() {
        requests.push(SettingsRequest::Refresh);
    }
}

fn output(ui: &mut Ui, view: &SettingsView, requests: &mut Vec<SettingsRequest>) {
    heading(ui, "Output");
    let now = view.settings.monitor;
    let mut choice = |ui: &mut Ui, display, title: &str| {
        if line(ui, now == display, title) {
            requests.push(SettingsRequest::Set(Setting::Monitor(display)));
        }
    };
    choice(ui, OutputDisplay::Automatic, "Automatic (a display other than the desk's)");
    choice(ui, OutputDisplay::Window, "Window");
    for (number, name) in view.monitors.iter().enumerate() {
        let title = format!("Full screen on display {number}: {name}");
        choice(ui, OutputDisplay::Number(number), &title);
    }
    ui.horizontal(|ui| {
        let hint = "Show each display's number on it";
        if ui.button("Identify").on_hover_text(hint).clicked() {
            requests.push(SettingsRequest::Identify);
        }
        if let Some((number, fills)) = view.output_on {
            let how = if fills { "full screen" } else { "in a window" };
            ui.label(RichText::new(format!("Now {how} on display {number}")).color(style::OFF));
        }
    });
    ui.label("Frame rate");
    ui.horizontal(|ui| {
        let now = view.settings.rate.unwrap_or(DEFAULT_RATE);
        for rate in RATES {
            let button = egui::Button::selectable(now == rate, format!("{rate} fps"));
            if ui.add(button.min_size(Vec2::new(0.0, LINE)).frame_when_inactive(true)).clicked() {
                requests.push(SettingsRequest::Set(Setting::Rate(rate)));
            }
        }
    });
    heading(ui, "Safety");
    let mut limited = view.limited;
    if ui.checkbox(&mut limited, "Limit flashes to three per second").changed() {
        requests.push(SettingsRequest::Set(Setting::LimitFlashes(limited)));
    }
    let mut guarded = view.guarded;
    let hint = "Test each new preset in a separate process before it is first shown";
    if ui.checkbox(&mut guarded, "Audit new presets before showing them").on_hover_text(hint).changed() {
        requests.push(SettingsRequest::Set(Setting::Guard(guarded)));
    }
}

fn director(ui: &mut Ui, view: &SettingsView, snapshot: &Snapshot, requests: &mut Vec<SettingsRequest>) {
    heading(ui, "Director");
    let mut adventure = snapshot.adventure.get();
    let slider = Slider::new(&mut adventure, 0.0..=1.0).fixed_decimals(2).text("Adventure");
    if ui.add(slider).on_hover_text("How far the director strays from known favourites").changed() {
        requests.push(SettingsRequest::Set(Setting::Adventure(adventure)));
    }
    let mut dwell = view.settings.dwell.unwrap_or(1.0);
    let slider =
        Slider::new(&mut dwell, DWELL.0..=DWELL.1).logarithmic(true).fixed_decimals(2).text("Dwell time");
    let hint = "How long presets stay on air, as a multiple of the automatic duration";
    if ui.add(slider).on_hover_text(hint).changed() {
        requests.push(SettingsRequest::Set(Setting::Dwell(dwell)));
    }
    ui.label("Profile");
    ui.horizontal_wrapped(|ui| {
        for profile in Profile::ALL {
            let on = snapshot.macros.state.profile == profile;
            let button = egui::Button::selectable(on, profile.title()).min_size(Vec2::new(0.0, LINE));
            if ui.add(button.frame_when_inactive(true)).clicked() {
                requests.push(SettingsRequest::Set(Setting::Profile(profile.name())));
            }
        }
    });
}

fn heading(ui: &mut Ui, title: &str) {
    ui.add_space(10.0);
    ui.label(RichText::new(title).size(style::NEAR).color(style::ACCENT));
}

/// Draws a choice; returns whether it was clicked.
fn line(ui: &mut Ui, on: bool, title: &str) -> bool {
    let button =
        egui::Button::selectable(on, title).truncate().min_size(Vec2::new(ui.available_width(), LINE));
    ui.add(button).on_hover_text(title).clicked()
}
