//! Colours and sizes of the desk: dark, calm, readable at arm's length and beyond.
//!
//! Letters are readable if they are at least about 10 arc minutes high. At two metres, that is 5.8 mm: the height of
//! capitals in size [`FAR`] on a 96 dpi screen.

use egui::{Color32, Context, FontId, TextStyle, Visuals};

/// Colour of ordinary text, and of pointers, rings and outlines.
pub(super) const TEXT: Color32 = Color32::from_rgb(225, 228, 232);
/// Colour of secondary, inactive or outdated text, of inactive bars, and of the toast's outline.
pub(super) const OFF: Color32 = Color32::from_rgb(128, 136, 147);
/// Colour of states that are on or in order, such as a connected device or the preset on air, and of meters.
pub(super) const GOOD: Color32 = Color32::from_rgb(94, 214, 140);
/// Colour of warnings, exclusions, and temporary states such as Hold.
pub(super) const WARN: Color32 = Color32::from_rgb(240, 184, 80);
/// Colour of errors, bans, clipping, silence, and a blackout or freeze.
pub(super) const BAD: Color32 = Color32::from_rgb(244, 96, 92);
/// Colour of favourites, headings, prompts, MIDI control, downbeats and Peak sections.
pub(super) const ACCENT: Color32 = Color32::from_rgb(232, 120, 190);
/// Colour of the filled part of the Adventure slider, and of selections.
pub(super) const LIT: Color32 = Color32::from_rgb(36, 92, 110);
/// Near-black, for text on light fills such as lit buttons, for the background of display numbers, and for
/// the inner ring around the playing preset on the map.
pub(super) const ON_LIGHT: Color32 = Color32::from_rgb(12, 13, 16);
/// Background colour of the cards of upcoming presets.
pub(super) const CARD: Color32 = Color32::from_rgb(20, 22, 26);
/// Colour of buttons, and of the background of hovered rows and the selected macro.
pub(super) const RAISED: Color32 = Color32::from_rgb(30, 33, 39);
/// Colour of buttons under the pointer, and of the background of selected rows and the toast.
pub(super) const HOVERED: Color32 = Color32::from_rgb(44, 48, 57);
/// Colour of lamps that are off, of idle icons, and of banned presets in the history.
pub(super) const DARK: Color32 = Color32::from_rgb(60, 65, 74);
/// Colour of the empty part of meters, sliders and knobs, and of unlit beat marks.
pub(super) const TROUGH: Color32 = Color32::from_rgb(28, 30, 35);

/// Text size of states that must be readable from two metres, in points.
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
