//! The macro panel: eight knobs, the mode, macro presets and the profile.
//!
//! A knob's pointer shows the position set by the performer; the lit arc, which starts at the centre, shows the value,
//! including what the music adds.

use egui::{Align2, Color32, FontId, Pos2, Response, RichText, Sense, Shape, Stroke, Ui, Vec2};

use super::style;
use crate::mind::macros::{MacroView, Mode};
use crate::mind::{Control, MacroPreset, Profile};
use crate::show::{Command, Snapshot};
use crate::units::Unipolar;

/// Length of a drag that turns a knob from one end to the other, in points.
const FULL_DRAG: f32 = 260.0;
/// Factor for drags and scrolling while Shift is held.
const FINE: f32 = 0.2;
/// Height of the panel, in points.
pub(super) const HEIGHT: f32 = 36.0 + KNOB + CAPTION + 8.0;
/// Side of the square that holds a knob, in points.
const KNOB: f32 = 60.0;
/// Height of a knob's label, in points.
const CAPTION: f32 = 20.0;
/// Half of a knob's travel, in radians; a gap remains at the bottom.
const HALF_SWEEP: f32 = std::f32::consts::PI * 0.75;
/// Number of line segments in a full arc.
const ARC_PIECES: f32 = 32.0;

/// Draws the panel and adds the performer's commands to `commands`. `selected` is the macro that the arrow
/// keys move.
pub(super) fn show(ui: &mut Ui, snapshot: &Snapshot, selected: Control, commands: &mut Vec<Command>) {
    let view = &snapshot.macros;
    ui.horizontal(|ui| {
        ui.label(RichText::new("Macros").strong());
        mode(ui, view, commands);
        let preset = ui.label(RichText::new("Macro preset").small().color(style::OFF)).id;
        macro_preset(ui, view, commands).labelled_by(preset);
        let caption = ui.label(RichText::new("Profile").small().color(style::OFF)).id;
        profile(ui, view, commands).labelled_by(caption);
    });
    let spacing = 6.0;
    let room = ui.available_width() - spacing * (Control::ALL.len() - 1) as f32;
    let width = (room / Control::ALL.len() as f32).clamp(44.0, 96.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = spacing;
        for control in Control::ALL {
            knob(ui, width, control, view, control == selected, commands);
        }
    });
}

/// Shows the macro mode; a click toggles music control.
fn mode(ui: &mut Ui, view: &MacroView, commands: &mut Vec<Command>) {
    let (word, color) = match view.mode {
        Mode::Off => ("Manual".to_owned(), style::OFF),
        Mode::Ai => ("Music".to_owned(), style::GOOD),
        Mode::Hold => (format!("Manual ({:.0} s)", view.held_secs.ceil()), style::WARN),
        Mode::Midi => ("MIDI".to_owned(), style::ACCENT),
    };
    let button = egui::Button::new(RichText::new(word).strong().color(color)).min_size(Vec2::new(92.0, 30.0));
    if ui
        .add(button)
        .on_hover_text("Let the macros follow the music, or keep them where you set them")
        .clicked()
    {
        commands.push(Command::MacroAi);
    }
}

fn macro_preset(ui: &mut Ui, view: &MacroView, commands: &mut Vec<Command>) -> Response {
    let chosen = view.state.preset.map_or("Custom", MacroPreset::title);
    let list = egui::ComboBox::from_id_salt("macro preset").selected_text(chosen).width(130.0);
    let shown = list.show_ui(ui, |ui| {
        for preset in MacroPreset::ALL {
            if ui.selectable_label(view.state.preset == Some(preset), preset.title()).clicked() {
                commands.push(Command::MacroPreset(preset));
            }
        }
    });
    shown.response
}

fn profile(ui: &mut Ui, view: &MacroView, commands: &mut Vec<Command>) -> Response {
    let chosen = view.state.profile.title();
    let list = egui::ComboBox::from_id_salt("profile").selected_text(chosen).width(96.0);
    let shown = list.show_ui(ui, |ui| {
        for profile in Profile::ALL {
            if ui.selectable_label(view.state.profile == profile, profile.title()).clicked() {
                commands.push(Command::Profile(profile));
            }
        }
    });
    shown.response
}

fn knob(
    ui: &mut Ui,
    width: f32,
    control: Control,
    view: &MacroView,
    selected: bool,
    commands: &mut Vec<Command>,
) {
    let (place, response) = ui.allocate_exact_size(Vec2::new(width, KNOB + CAPTION), Sense::click_and_drag());
    if selected {
        ui.painter().rect_filled(place, 6.0, style::RAISED);
    }
    let set = view.state.bank.get(control).get();
    let value = view.values.get(control).get();
    if let Some(wanted) = turned(ui, &response, value) {
        commands.push(Command::Macro { control, value: Unipolar::new(wanted) });
    }
    let center = Pos2::new(place.center().x, place.top() + KNOB / 2.0);
    let radius = width.min(KNOB) / 2.0 - 4.0;
    let lit = if view.mode == Mode::Midi { style::ACCENT } else { style::GOOD };
    let painter = ui.painter();
    arc(painter, center, radius, [0.0, 1.0], style::TROUGH);
    arc(painter, center, radius, [0.5_f32.min(value), 0.5_f32.max(value)], lit);
    let way = direction(set);
    let pointer = [center + way * radius * 0.35, center + way * radius * 0.8];
    painter.line_segment(pointer, Stroke::new(3.0, style::TEXT));
    let below = Pos2::new(place.center().x, place.bottom() - 9.0);
    // The number is the key that selects the knob.
    let caption = format!("{} {}", control as usize + 1, control.title());
    painter.text(below, Align2::CENTER_CENTER, caption, FontId::proportional(14.0), style::TEXT);
    response.on_hover_text(format!(
        "{}\nValue {value:.2}, knob position {set:.2}\nDrag or scroll to turn, hold Shift for fine control, double-click \
         to centre",
        control.meaning(),
    ));
}

/// Returns the value that the performer turns the knob to, if any. Drags and scrolling start from the current
/// `value`, so that they never make it jump.
fn turned(ui: &Ui, response: &Response, value: f32) -> Option<f32> {
    if response.double_clicked() {
        return Some(0.5);
    }
    let fine = if ui.input(|input| input.modifiers.shift) { FINE } else { 1.0 };
    let drag = response.drag_delta();
    let mut way = drag.x - drag.y;
    if response.hovered() {
        way += ui.input(|input| input.smooth_scroll_delta().y) * 0.5;
    }
    (way != 0.0).then(|| (value + way / FULL_DRAG * fine).clamp(0.0, 1.0))
}

/// Returns the direction of a knob's pointer at `position`, 0 to 1.
fn direction(position: f32) -> Vec2 {
    let angle = (position * 2.0 - 1.0) * HALF_SWEEP;
    Vec2::new(angle.sin(), -angle.cos())
}

fn arc(painter: &egui::Painter, center: Pos2, radius: f32, [from, to]: [f32; 2], color: Color32) {
    let pieces = ((to - from) * ARC_PIECES).ceil().max(1.0);
    let point = |piece: f32| center + direction(from + (to - from) * piece / pieces) * radius;
    let points = (0..=pieces as u32).map(|piece| point(piece as f32)).collect();
    painter.add(Shape::line(points, Stroke::new(6.0, color)));
}
