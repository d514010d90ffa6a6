//! State of the Library and Map pages.

use super::map::MapView;
use super::referents::Referents;
use super::thumbs::Thumbs;
use crate::archive::LibraryRequest;
use crate::facts::PresetId;
use crate::find::SearchQuery;
use crate::show::Command;

/// Layout of the search results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::desk) enum Layout {
    /// The results as a list.
    List,
    /// The results on a map, arranged by look.
    Map,
}

/// The Library and Map pages, which share a query and a selection.
#[derive(Default)]
pub(in crate::desk) struct LibraryPage {
    pub(super) text: String,
    pub(super) query: SearchQuery,
    pub(super) favourites_only: bool,
    pub(super) sent: Option<SearchQuery>,
    pub(super) selected: Option<PresetId>,
    pub(super) referents: Referents,
    pub(super) map: MapView,
    /// Loads thumbnails; `None` until the page is first opened, or if the thread could not be started.
    pub(super) thumbs: Option<Thumbs>,
}

impl LibraryPage {
    /// Returns the selected preset, if any.
    pub fn selected(&self) -> Option<PresetId> {
        self.selected
    }
}

/// Commands and requests from one frame of a page.
#[derive(Default)]
pub(in crate::desk) struct PageOutput {
    pub commands: Vec<Command>,
    pub requests: Vec<LibraryRequest>,
}
