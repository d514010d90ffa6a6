//! The reason for a choice, as one line with a tooltip.

use egui::{Label, RichText, Ui};

use super::style;
use crate::show::Reason;

/// Shows `text` on one line, with the reason's summary and details as a tooltip.
pub(super) fn show(ui: &mut Ui, reason: &Reason, text: RichText) {
    let label = ui.add(Label::new(text.color(style::OFF)).truncate());
    let tooltip = format!("{}\n{}", reason.summary, reason.details);
    label.on_hover_text(tooltip.trim_end());
}
