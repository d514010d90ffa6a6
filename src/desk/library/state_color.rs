//! Text colours of presets on the Library and Map pages.

use egui::Color32;

use crate::archive::LibraryView;
use crate::desk::style;
use crate::facts::PresetId;

/// Returns the text colour of a preset, by the first of these states that applies: playing, banned, excluded,
/// favourite.
pub(super) fn state_color(view: &LibraryView, playing: Option<PresetId>, id: PresetId) -> Color32 {
    match id {
        id if playing == Some(id) => style::GOOD,
        id if view.banned.contains(&id) => style::BAD,
        id if view.exclusion(id).is_some() => style::WARN,
        id if view.favourites.contains(&id) => style::ACCENT,
        _ => style::TEXT,
    }
}
