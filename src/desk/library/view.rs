//! What the Library and Map pages show and request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::Color32;

use crate::desk::style;
use crate::library::{PresetId, SearchQuery, SearchResults};
use crate::show::Exclusion;

/// State shown on the Library and Map pages.
#[derive(Clone, Debug, Default)]
pub struct LibraryView {
    /// The newest search results.
    pub answer: Arc<SearchResults>,
    /// Favourites.
    pub favourites: Arc<BTreeSet<PresetId>>,
    /// Banned presets.
    pub banned: Arc<BTreeSet<PresetId>>,
    /// Excluded presets, with reasons.
    pub excluded: Arc<BTreeMap<PresetId, Exclusion>>,
}

/// A request from the page, besides commands for the show.
#[derive(Clone, Debug, PartialEq)]
pub enum LibraryRequest {
    /// Search.
    Find(SearchQuery),
}

/// Returns the colour for a preset's state.
pub(super) fn state_color(view: &LibraryView, playing: Option<PresetId>, id: PresetId) -> Color32 {
    match id {
        id if playing == Some(id) => style::GOOD,
        id if view.banned.contains(&id) => style::BAD,
        id if view.excluded.contains_key(&id) => style::WARN,
        id if view.favourites.contains(&id) => style::ACCENT,
        _ => style::TEXT,
    }
}
