//! A banner below the top bar: a problem with the presets and a button to resolve it.

use egui::{Align, Label, Layout, RichText, Ui};

use super::sentence::sentence;
use super::style;

/// Shows `text` with a button labelled `button`; returns whether the button was clicked.
pub(super) fn show(ui: &mut Ui, name: &str, text: &str, button: &str) -> bool {
    let (mut clicked, text) = (false, sentence(text));
    egui::Panel::top(name.to_owned()).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            clicked = ui.button(button).clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(&text).size(17.0).color(style::WARN)).truncate())
                    .on_hover_text(text);
            });
        });
    });
    clicked
}
