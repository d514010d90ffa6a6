//! The theme of the night: the field in which the performer describes it, and a summary of how the
//! description is understood.

use egui::{RichText, TextEdit, Ui};

use super::style;
use super::view::DeskView;
use crate::find::Description;
use crate::show::Command;

/// The text field for the theme.
#[derive(Default)]
pub(super) struct ThemeField {
    /// The text being typed; `None` while the field is not being edited.
    draft: Option<String>,
}

impl ThemeField {
    /// Draws the field. The theme changes when the field loses focus, for example after Enter.
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
        ui.label(RichText::new("Theme").color(style::OFF));
        let current = &view.snapshot.theme;
        let mut text = self.draft.take().unwrap_or_else(|| current.clone());
        let field = TextEdit::singleline(&mut text).hint_text("deep sea, nothing white");
        let field = ui.add(field.desired_width(f32::INFINITY));
        if field.lost_focus() && text != *current {
            commands.push(Command::Theme(text.trim().to_owned()));
        } else if field.has_focus() {
            self.draft = Some(text.clone());
        }
        let understood = Description::parse(&text).summary();
        if !understood.is_empty() {
            ui.label(RichText::new(understood).small().color(style::OFF));
        }
    }
}
