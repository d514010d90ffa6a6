//! The MIDI page: devices, bindings, learning, and the last message.

use egui::{RichText, ScrollArea, Ui, Vec2};

use super::action::{Action, Group};
use super::button::{BigButton, big};
use super::sentence::sentence;
use super::{icon, style};
use crate::units::counted;

/// State shown on the MIDI page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MidiView {
    /// Every device seen since the program started.
    pub devices: Vec<MidiDevice>,
    /// Name and label of every encoding.
    pub encodings: Vec<(&'static str, &'static str)>,
    /// All bindings of all devices.
    pub rows: Vec<MidiRow>,
    /// The action being learnt.
    pub learning: Option<Action>,
    /// Whether Auto-map is waiting for controls.
    pub mapping: bool,
    /// Why MIDI is unavailable; `None` if it is available or a device has been seen.
    pub unavailable: Option<String>,
    /// The last message received.
    pub last_message: String,
    /// Whether all eight macros are bound to connected devices.
    pub locked: bool,
}

/// A device, as shown on the MIDI page.
#[derive(Clone, Debug, PartialEq)]
pub struct MidiDevice {
    /// Name of the device.
    pub name: String,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether it accepts messages, such as those that set LEDs.
    pub leds: bool,
    /// Number of bindings of the device.
    pub bindings: usize,
}

/// A binding, as shown on the MIDI page.
#[derive(Clone, Debug, PartialEq)]
pub struct MidiRow {
    /// Name of the device.
    pub device: String,
    /// Index of the binding in the device's list.
    pub at: usize,
    /// The action that the control triggers.
    pub action: Action,
    /// Name of the control, such as `CC 16 ch 1`.
    pub control: String,
    /// Name of the control's encoding.
    pub encoding: &'static str,
    /// Whether the control uses soft takeover; `None` where that does not apply, as for endless encoders and
    /// notes.
    pub soft_takeover: Option<bool>,
    /// Titles of other actions bound to the same control, if any.
    pub conflict: Option<String>,
}

/// A request from the MIDI page.
#[derive(Clone, Debug, PartialEq)]
pub enum MidiRequest {
    /// Bind this action to the next control that moves.
    Learn(Action),
    /// Stop learning or Auto-map.
    Stop,
    /// Bind the macros to knobs in the order they are moved, including any moved before the request.
    AutoMap,
    /// Remove a binding.
    Unbind {
        /// Name of the device.
        device: String,
        /// Index of the binding in the device's list.
        at: usize,
    },
    /// Remove all bindings of a device.
    Clear {
        /// Name of the device.
        device: String,
    },
    /// Set the encoding of a control.
    Encoding {
        /// Name of the device.
        device: String,
        /// Index of the binding in the device's list.
        at: usize,
        /// Name of the encoding.
        encoding: &'static str,
    },
    /// Toggle soft takeover for a control.
    SoftTakeover {
        /// Name of the device.
        device: String,
        /// Index of the binding in the device's list.
        at: usize,
    },
}

pub(super) fn show(ui: &mut Ui, view: &MidiView, requests: &mut Vec<MidiRequest>) {
    egui::Panel::right("learn").default_size(430.0).show(ui, |ui| {
        ui.label(RichText::new("Learn").size(style::NEAR));
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| actions(ui, view, requests));
    });
    egui::CentralPanel::default().show(ui, |ui| {
        status(ui, view, requests);
        ui.separator();
        devices(ui, view, requests);
        ui.separator();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| bindings(ui, view, requests));
    });
}

fn status(ui: &mut Ui, view: &MidiView, requests: &mut Vec<MidiRequest>) {
    ui.horizontal(|ui| {
        let map = BigButton { title: "Auto-map", key: "", on: view.mapping, color: style::WARN };
        let hint = "Bind the eight macros to knobs in the order you move them, \
                    including any you moved before pressing Auto-map";
        if big(ui, Vec2::new(150.0, 44.0), &map).on_hover_text(hint).clicked() {
            requests.push(if view.mapping { MidiRequest::Stop } else { MidiRequest::AutoMap });
        }
        let waiting = match &view.learning {
            Some(action) => Some(format!("Move or press a control to bind it to {}", action.title())),
            None if view.mapping => {
                Some("Move knobs one after another until all eight macros are bound".into())
            }
            None => None,
        };
        if let Some(waiting) = waiting {
            ui.label(RichText::new(waiting).size(style::NEAR).color(style::WARN));
            let stop = BigButton { title: "Cancel", key: "", on: false, color: style::WARN };
            if big(ui, Vec2::new(80.0, 44.0), &stop).clicked() {
                requests.push(MidiRequest::Stop);
            }
        } else if view.locked {
            ui.label(
                RichText::new("All eight macros are bound to MIDI").size(style::NEAR).color(style::GOOD),
            );
        }
    });
    if view.learning.is_some() {
        ui.label(RichText::new("Turn endless encoders both ways").color(style::OFF));
    }
    let message = if view.last_message.is_empty() { "No messages yet" } else { &view.last_message };
    ui.label(RichText::new(message).size(17.0).color(style::OFF));
}

fn devices(ui: &mut Ui, view: &MidiView, requests: &mut Vec<MidiRequest>) {
    if view.devices.is_empty() {
        let none = "No MIDI devices. Connected devices appear here automatically.";
        ui.label(RichText::new(none).size(17.0));
        ui.label(RichText::new(sentence(view.unavailable.as_deref().unwrap_or(""))).color(style::OFF));
    }
    for device in &view.devices {
        ui.horizontal(|ui| {
            icon::lamp(ui, device.connected, style::GOOD);
            ui.label(RichText::new(&device.name).size(17.0));
            let leds = if device.leds { ", with LEDs" } else { "" };
            let note = if device.connected { "" } else { ", disconnected" };
            let text = format!("{}{leds}{note}", counted(device.bindings, "binding"));
            ui.label(RichText::new(text).color(style::OFF));
            if device.bindings > 0
                && ui.button("Clear").on_hover_text("Remove all bindings for this device").clicked()
            {
                requests.push(MidiRequest::Clear { device: device.name.clone() });
            }
        });
    }
}

fn bindings(ui: &mut Ui, view: &MidiView, requests: &mut Vec<MidiRequest>) {
    egui::Grid::new("bindings").striped(true).spacing(Vec2::new(14.0, 8.0)).show(ui, |ui| {
        for row in &view.rows {
            let MidiRow { device, at, action, control, soft_takeover, conflict, .. } = row;
            let (device, at) = (device.clone(), *at);
            ui.label(RichText::new(action.title()).size(16.0));
            ui.label(control).on_hover_text(&device);
            if let Some(encoding) = encodings(ui, view, row) {
                requests.push(MidiRequest::Encoding { device: device.clone(), at, encoding });
            }
            if let Some(on) = soft_takeover {
                let word = if *on { "Soft takeover" } else { "Jump" };
                let hint = "With soft takeover, a knob takes effect only after it reaches the current value";
                if ui.button(word).on_hover_text(hint).clicked() {
                    requests.push(MidiRequest::SoftTakeover { device: device.clone(), at });
                }
            } else {
                ui.label("");
            }
            if ui.button("Unbind").clicked() {
                requests.push(MidiRequest::Unbind { device, at });
            }
            let also = conflict.as_ref().map_or_else(String::new, |other| format!("Also bound to {other}"));
            ui.label(RichText::new(also).color(style::WARN));
            ui.end_row();
        }
    });
}

/// Draws a list with the encodings for a control; returns the one chosen, if any.
fn encodings(ui: &mut Ui, view: &MidiView, row: &MidiRow) -> Option<&'static str> {
    let title = view.encodings.iter().find(|(word, _)| *word == row.encoding).map_or(row.encoding, |of| of.1);
    let mut chosen = None;
    let list =
        egui::ComboBox::from_id_salt(("encoding", &row.device, row.at)).selected_text(title).width(150.0);
    let shown = list.show_ui(ui, |ui| {
        for (word, title) in &view.encodings {
            if ui.selectable_label(*word == row.encoding, *title).clicked() {
                chosen = Some(*word);
            }
        }
    });
    shown.response.on_hover_text("How the control encodes its values");
    chosen
}

fn actions(ui: &mut Ui, view: &MidiView, requests: &mut Vec<MidiRequest>) {
    let all = Action::all();
    for group in Group::ALL {
        ui.label(RichText::new(group.title()).color(style::ACCENT));
        for action in all.iter().filter(|action| action.group() == group) {
            let waits = view.learning.as_ref() == Some(action);
            ui.horizontal(|ui| {
                let button = egui::Button::selectable(waits, RichText::new(action.title()).size(15.0));
                if ui.add_sized(Vec2::new(230.0, 26.0), button.frame_when_inactive(true)).clicked() {
                    requests.push(if waits { MidiRequest::Stop } else { MidiRequest::Learn(action.clone()) });
                }
                let bound = view.rows.iter().filter(|row| row.action == *action);
                let controls: Vec<&str> = bound.map(|row| row.control.as_str()).collect();
                ui.label(RichText::new(controls.join(", ")).color(style::GOOD));
            });
        }
        ui.add_space(8.0);
    }
}
