//! A toast for the performer's latest mark, such as a ban, with an Undo button.

use egui::{Align, Align2, Area, Context, Frame, Id, Label, Layout, Margin, RichText, Stroke, Vec2};

use super::action::Action;
use super::button::{BigButton, big, key_of};
use super::style;
use super::view::DeskView;
use crate::show::Command;

/// Seconds for which the toast is shown. The Undo key works for longer.
const SHOWN_SECS: f64 = 10.0;
/// Distance from the bottom of the window, in points; keeps the toast above the status bar.
const ABOVE: f32 = 64.0;
/// Height of the button, in points.
const HEIGHT: f32 = 40.0;
/// Maximum width of the text, in points.
const WIDTH: f32 = 420.0;

pub(super) fn show(context: &Context, view: &DeskView, commands: &mut Vec<Command>) {
    let recent = view.snapshot.undo.as_ref().filter(|undo| view.snapshot.now - undo.at < SHOWN_SECS);
    let Some(undo) = recent else { return };
    let place = Area::new(Id::unique("toast")).anchor(Align2::CENTER_BOTTOM, Vec2::new(0.0, -ABOVE));
    place.show(context, |ui| {
        let frame = Frame::new().fill(style::HOVERED).stroke(Stroke::new(1.0, style::OFF)).corner_radius(8.0);
        frame.inner_margin(Margin::symmetric(14, 8)).show(ui, |ui| {
            ui.horizontal(|ui| {
                let middle = Layout::left_to_right(Align::Center);
                ui.allocate_ui_with_layout(Vec2::new(WIDTH, HEIGHT), middle, |ui| {
                    ui.add(Label::new(RichText::new(&undo.what).size(17.0)).truncate());
                });
                let key = key_of(view.keys, &Action::Show(Command::Undo));
                let button = BigButton { title: "Undo", key, on: false, color: style::WARN };
                if big(ui, Vec2::new(110.0, HEIGHT), &button).clicked() {
                    commands.push(Command::Undo);
                }
            });
        });
    });
}
