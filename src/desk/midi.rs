//! The page of MIDI: devices, what their controls do, learning, and what was heard last.

use egui::{RichText, ScrollArea, Ui, Vec2};

use super::button::{BigButton, big};
use super::{Action, Group, mark, style};

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MidiView {
    /// Every device that was there since the start.
    pub devices: Vec<MidiDevice>,
    /// Every binding.
    pub rows: Vec<MidiRow>,
    /// The action that waits for its control.
    pub learning: Option<Action>,
    /// The bank waits for its eight controllers.
    pub mapping: bool,
    /// Why there is no MIDI on this machine, when there is none.
    pub absent: Option<String>,
    /// The newest movement, in words.
    pub heard: String,
    /// The whole macro bank lies under MIDI controls.
    pub locked: bool,
}

/// One device.
#[derive(Clone, Debug, PartialEq)]
pub struct MidiDevice {
    /// Its name.
    pub name: String,
    /// It is there now.
    pub connected: bool,
    /// It has lamps that can be lit.
    pub lamps: bool,
    /// How many of its controls do something.
    pub bindings: usize,
}

/// One binding.
#[derive(Clone, Debug, PartialEq)]
pub struct MidiRow {
    /// The device.
    pub device: String,
    /// The binding's place among the device's.
    pub at: usize,
    /// What it does.
    pub action: Action,
    /// Which control.
    pub control: String,
    /// How its numbers are meant.
    pub encoding: &'static str,
    /// It takes hold only where its value is.
    pub pickup: bool,
    /// What else the same control does.
    pub conflict: Option<String>,
}

/// What can be asked on the page.
#[derive(Clone, Debug, PartialEq)]
pub enum MidiRequest {
    /// The next control that is moved shall do this.
    Learn(Action),
    /// No more learning or mapping.
    Stop,
    /// The first eight controllers become the macro bank.
    AutoMap,
    /// This control does nothing any more.
    Unbind {
        /// Its device.
        device: String,
        /// The binding's place among the device's.
        at: usize,
    },
    /// Nothing on this device does anything any more.
    Clear {
        /// The device.
        device: String,
    },
    /// The control's numbers are meant in the next way.
    Encoding {
        /// Its device.
        device: String,
        /// The binding's place among the device's.
        at: usize,
    },
    /// The knob picks up, or jumps; toggles.
    Pickup {
        /// Its device.
        device: String,
        /// The binding's place among the device's.
        at: usize,
    },
}

pub(super) fn show(ui: &mut Ui, view: &MidiView, asks: &mut Vec<MidiRequest>) {
    egui::Panel::right("learn").default_size(430.0).show(ui, |ui| {
        ui.label(RichText::new("Learn").size(style::NEAR));
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| actions(ui, view, asks));
    });
    egui::CentralPanel::default().show(ui, |ui| {
        status(ui, view, asks);
        ui.separator();
        devices(ui, view, asks);
        ui.separator();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| bindings(ui, view, asks));
    });
}

fn status(ui: &mut Ui, view: &MidiView, asks: &mut Vec<MidiRequest>) {
    ui.horizontal(|ui| {
        let map = BigButton { title: "Auto-map", key: "", on: view.mapping, color: style::WARN };
        let hint = "Move eight knobs one after the other: they become the macro bank";
        if big(ui, Vec2::new(150.0, 44.0), &map).on_hover_text(hint).clicked() {
            asks.push(if view.mapping { MidiRequest::Stop } else { MidiRequest::AutoMap });
        }
        let waiting = match &view.learning {
            Some(action) => Some(format!("move a control for: {} (turn knobs to the right)", action.title())),
            None if view.mapping => Some("move eight knobs one after the other".into()),
            None => None,
        };
        if let Some(waiting) = waiting {
            ui.label(RichText::new(waiting).size(style::NEAR).color(style::WARN));
            let stop = BigButton { title: "Stop", key: "", on: false, color: style::WARN };
            if big(ui, Vec2::new(80.0, 44.0), &stop).clicked() {
                asks.push(MidiRequest::Stop);
            }
        } else if view.locked {
            ui.label(RichText::new("all eight macros are under MIDI").size(style::NEAR).color(style::GOOD));
        }
    });
    let heard = if view.heard.is_empty() { "nothing heard yet" } else { &view.heard };
    ui.label(RichText::new(heard).size(17.0).color(style::OFF));
}

fn devices(ui: &mut Ui, view: &MidiView, asks: &mut Vec<MidiRequest>) {
    if view.devices.is_empty() {
        let none = "no MIDI device; one that is plugged in appears by itself";
        ui.label(RichText::new(none).size(17.0));
        ui.label(RichText::new(view.absent.as_deref().unwrap_or("")).color(style::OFF));
    }
    for device in &view.devices {
        ui.horizontal(|ui| {
            mark::lamp(ui, device.connected, style::GOOD);
            ui.label(RichText::new(&device.name).size(17.0));
            let lamps = if device.lamps { ", with lamps" } else { "" };
            let there = if device.connected { "" } else { ", gone" };
            let text = format!("{} bindings{lamps}{there}", device.bindings);
            ui.label(RichText::new(text).color(style::OFF));
            if device.bindings > 0 && ui.button("Clear").on_hover_text("Unbind all its controls").clicked() {
                asks.push(MidiRequest::Clear { device: device.name.clone() });
            }
        });
    }
}

fn bindings(ui: &mut Ui, view: &MidiView, asks: &mut Vec<MidiRequest>) {
    egui::Grid::new("bindings").striped(true).spacing(Vec2::new(14.0, 8.0)).show(ui, |ui| {
        for row in &view.rows {
            let MidiRow { device, at, action, control, encoding, pickup, conflict } = row;
            let (device, at) = (device.clone(), *at);
            ui.label(RichText::new(action.title()).size(16.0));
            ui.label(control).on_hover_text(&device);
            if ui
                .button(*encoding)
                .on_hover_text("How its numbers are meant; click for the next way")
                .clicked()
            {
                asks.push(MidiRequest::Encoding { device: device.clone(), at });
            }
            let word = if *pickup { "picks up" } else { "jumps" };
            if ui.button(word).on_hover_text("A knob that picks up takes hold where the value is").clicked() {
                asks.push(MidiRequest::Pickup { device: device.clone(), at });
            }
            if ui.button("Unbind").clicked() {
                asks.push(MidiRequest::Unbind { device, at });
            }
            let also = conflict.as_ref().map_or_else(String::new, |other| format!("also: {other}"));
            ui.label(RichText::new(also).color(style::WARN));
            ui.end_row();
        }
    });
}

fn actions(ui: &mut Ui, view: &MidiView, asks: &mut Vec<MidiRequest>) {
    let all = Action::all();
    for group in Group::ALL {
        ui.label(RichText::new(group.title()).color(style::ACCENT));
        for action in all.iter().filter(|action| action.group() == group) {
            let waits = view.learning.as_ref() == Some(action);
            ui.horizontal(|ui| {
                let button = egui::Button::selectable(waits, RichText::new(action.title()).size(15.0));
                if ui.add_sized(Vec2::new(230.0, 26.0), button.frame_when_inactive(true)).clicked() {
                    asks.push(if waits { MidiRequest::Stop } else { MidiRequest::Learn(action.clone()) });
                }
                let bound = view.rows.iter().filter(|row| row.action == *action);
                let controls: Vec<&str> = bound.map(|row| row.control.as_str()).collect();
                ui.label(RichText::new(controls.join(", ")).color(style::GOOD));
            });
        }
        ui.add_space(8.0);
    }
}
