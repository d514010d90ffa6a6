//! Colours and sizes of the desk: dark, calm, readable at arm's length and beyond.
//!
//! Letters are readable from a height of about 10 arc minutes. At two metres that is 5.8 mm, the height of
//! capitals in size [`FAR`] on a 96 dpi screen.

use egui::{Color32, Context, FontId, TextStyle, Visuals};

/// Colour of ordinary text.
pub(super) const TEXT: Color32 = Color32::from_rgb(225, 228, 232);
/// Colour of secondary text, and of text that is inactive or outdated.
pub(super) const OFF: Color32 = Color32::from_rgb(128, 136, 147);
/// Colour of states that are on or in order, such as a connected device.
pub(super) const GOOD: Color32 = Color32::from_rgb(94, 214, 140);
/// Colour of a warning.
pub(super) const WARN: Color32 = Color32::from_rgb(240, 184, 80);
/// Colour of errors, bans, clipping, silence, and a blackout or freeze.
pub(super) const BAD: Color32 = Color32::from_rgb(244, 96, 92);
/// Colour of favourites, headings, MIDI control, downbeats and peaks.
pub(super) const ACCENT: Color32 = Color32::from_rgb(232, 120, 190);
/// Colour of the filled part of a bar.
pub(super) const LIT: Color32 = Color32::from_rgb(36, 92, 110);
/// Dark colour of text on light fills, such as lit buttons; also the background of display numbers and the ring of
/// the selected dot on the map.
pub(super) const ON_LIGHT: Color32 = Color32::from_rgb(12, 13, 16);
/// Colour of cards behind buttons.
pub(super) const CARD: Color32 = Color32::from_rgb(20, 22, 26);
/// Colour of buttons.
pub(super) const RAISED: Color32 = Color32::from_rgb(30, 33, 39);
/// Colour of buttons under the pointer.
pub(super) const HOVERED: Color32 = Color32::from_rgb(44, 48, 57);
/// Colour of a lamp that is off.
pub(super) const DARK: Color32 = Color32::from_rgb(60, 65, 74);
/// Colour of the empty part of a meter.
pub(super) const TROUGH: Color32 = Color32::from_rgb(28, 30, 35);

/// Text size of states that are readable from two metres, in points.
pub(super) const FAR: f32 = 32.0;
/// Text size of names and headings, in points.
pub(super) const NEAR: f32 = 20.0;

/// Applies the style to `context`.
pub(super) fn apply(context: &Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = Color32::from_rgb(14, 15, 18);
    visuals.window_fill = Color32::from_rgb(22, 24, 28);
    visuals.override_text_color = Some(TEXT);
    visuals.widgets.inactive.weak_bg_fill = RAISED;
    visuals.widgets.hovered.weak_bg_fill = HOVERED;
    visuals.selection.bg_fill = LIT;
    context.set_visuals(visuals);
    context.all_styles_mut(|style| {
        style.text_styles.insert(TextStyle::Body, FontId::proportional(15.0));
        style.text_styles.insert(TextStyle::Button, FontId::proportional(15.0));
        style.text_styles.insert(TextStyle::Small, FontId::proportional(12.5));
        style.interaction.selectable_labels = false;
    });
}
