//! The layers row of the Live page: launches sprites and messages by number, and edits and launches the title.

use egui::{Button, DragValue, RichText, TextEdit, Ui, Vec2};

use super::action::Action;
use super::button::key_of;
use super::field::entered;
use super::style;
use super::view::DeskView;
use crate::show::Command;

/// Height of the row including its spacing, in points.
pub(super) const HEIGHT: f32 = 40.0;

/// The layers row: the chosen layer number, and the title being typed.
#[derive(Default)]
pub(super) struct LayersRow {
    number: u8,
    /// The title while it is being typed.
    title: Option<String>,
}

/// Returns whether the row is shown: only if the settings contain a layers folder or a title.
pub(super) fn shown(view: &DeskView) -> bool {
    view.settings.settings.layers.is_some() || view.settings.settings.title.is_some()
}

impl LayersRow {
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
        let snapshot = view.snapshot;
        let button = |ui: &mut Ui, title: &str, enabled: bool| {
            ui.add_enabled(enabled, Button::new(title).min_size(Vec2::new(0.0, HEIGHT - 10.0)))
        };
        ui.horizontal(|ui| {
            if view.settings.settings.layers.is_some() {
                let number = DragValue::new(&mut self.number).range(0..=99).speed(0.2);
                ui.add(number.custom_formatter(|number, _| format!("{number:02}")))
                    .on_hover_text("Number in MILK_IMG.INI or MILK_MSG.INI");
                if button(ui, "Sprite", true).on_hover_text("Launch sprite").clicked() {
                    commands.push(Command::Sprite(self.number));
                }
                if button(ui, "Message", true).on_hover_text("Launch message").clicked() {
                    commands.push(Command::Message(self.number));
                }
                ui.separator();
            }
            let mut title = self.title.clone().unwrap_or_else(|| snapshot.title.clone());
            let field = ui.add(TextEdit::singleline(&mut title).hint_text("Title").desired_width(130.0));
            if field.changed() {
                self.title = Some(title.clone());
            }
            if field.lost_focus()
                && let Some(title) = self.title.take()
            {
                commands.push(Command::SetTitle(title));
            }
            let key = key_of(view.keys, &Action::Show(Command::LaunchTitle));
            let launch = button(ui, &format!("Show title  {key}"), !title.trim().is_empty());
            if launch.clicked() || entered(&field) {
                commands.push(Command::LaunchTitle);
            }
            let [sprites, texts] = snapshot.layers;
            if button(ui, "Clear", sprites + texts > 0).clicked() {
                commands.extend([Command::ClearSprites, Command::ClearText]);
            }
            if sprites > 0 {
                ui.label(RichText::new(format!("{sprites} on air")).color(style::WARN))
                    .on_hover_text("Sprites on air");
            }
        });
    }
}
