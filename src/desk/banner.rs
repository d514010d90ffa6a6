//! The banner of a missing preset folder.

use std::path::Path;

use egui::{Align, Label, Layout, RichText, Ui};

use super::style;

/// Shows that `folder` is missing; returns whether the performer wants to locate it.
pub(super) fn show(ui: &mut Ui, folder: &Path) -> bool {
    let mut locate = false;
    egui::Panel::top("missing folder").show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            locate = ui.button("Locate…").clicked();
            let text = format!("Preset folder missing: {}", folder.display());
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(&text).size(17.0).color(style::WARN)).truncate())
                    .on_hover_text(text);
            });
        });
    });
    locate
}
