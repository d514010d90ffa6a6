//! Colours and sizes of the desk: dark, calm, readable at arm's length and beyond.

use egui::{Color32, Context, FontId, TextStyle, Visuals};

/// Words.
pub(super) const TEXT: Color32 = Color32::from_rgb(225, 228, 232);
/// What is off or long ago.
pub(super) const OFF: Color32 = Color32::from_rgb(105, 112, 122);
/// All is well.
pub(super) const GOOD: Color32 = Color32::from_rgb(94, 214, 140);
/// Look here when there is time.
pub(super) const WARN: Color32 = Color32::from_rgb(240, 184, 80);
/// The crowd does not see what it should.
pub(super) const BAD: Color32 = Color32::from_rgb(244, 96, 92);
/// Marks.
pub(super) const ACCENT: Color32 = Color32::from_rgb(232, 120, 190);

/// The empty part of a meter.
pub(super) const TROUGH: Color32 = Color32::from_rgb(28, 30, 35);

/// Dresses `context`.
pub(super) fn apply(context: &Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = Color32::from_rgb(14, 15, 18);
    visuals.window_fill = Color32::from_rgb(22, 24, 28);
    visuals.override_text_color = Some(TEXT);
    visuals.selection.bg_fill = Color32::from_rgb(36, 92, 110);
    context.set_visuals(visuals);
    context.all_styles_mut(|style| {
        style.text_styles.insert(TextStyle::Body, FontId::proportional(15.0));
        style.text_styles.insert(TextStyle::Button, FontId::proportional(15.0));
        style.text_styles.insert(TextStyle::Small, FontId::proportional(12.5));
    });
}
