//! The Library and Map pages: search results as a list or a map, filters at the side, the selected preset below.
//!
//! Both pages show the same search, which runs on a thread of its own; the page sends queries and shows the newest results.

mod filters;
mod hand;
mod map;
mod rows;
mod thumbs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::{Color32, Ui};

use super::style;
use crate::library::{PresetId, SearchQuery, SearchResults};
use crate::show::{Command, Exclusion};
use map::MapView;
use thumbs::Thumbs;

/// State shown on the Library and Map pages.
#[derive(Clone, Debug, Default)]
pub struct LibraryView {
    /// The newest search results.
    pub answer: Arc<SearchResults>,
    /// Favourites.
    pub favourites: Arc<BTreeSet<PresetId>>,
    /// Banned presets.
    pub banned: Arc<BTreeSet<PresetId>>,
    /// Presets excluded for a while, with reasons.
    pub left_out: Arc<BTreeMap<PresetId, Exclusion>>,
}

/// A request from the page, besides commands for the show.
#[derive(Clone, Debug, PartialEq)]
pub enum LibraryRequest {
    /// Search.
    Find(SearchQuery),
}

/// Layout of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// A list.
    List,
    /// A map by look.
    Map,
}

/// The page with its query and selection.
#[derive(Default)]
pub(super) struct LibraryPage {
    text: String,
    question: SearchQuery,
    favourites_only: bool,
    asked: Option<SearchQuery>,
    in_hand: Option<PresetId>,
    map: MapView,
    /// Started when the page is first opened.
    thumbs: Option<Thumbs>,
}

/// Commands and requests from one frame of the page.
#[derive(Default)]
pub(super) struct Done {
    pub commands: Vec<Command>,
    pub asks: Vec<LibraryRequest>,
}

impl LibraryPage {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &LibraryView,
        layout: Layout,
        playing: Option<PresetId>,
        done: &mut Done,
    ) {
        self.thumbs = self.thumbs.take().or_else(Thumbs::start);
        if let Some(thumbs) = &mut self.thumbs {
            thumbs.begin(ui.ctx(), view.answer.looks.bake.as_deref());
        }
        egui::Panel::left("filters").default_size(250.0).show(ui, |ui| self.filters(ui, view));
        egui::Panel::bottom("in hand")
            .exact_size(hand::HEIGHT)
            .show(ui, |ui| self.preset_in_hand(ui, view, done));
        egui::CentralPanel::default().show(ui, |ui| match layout {
            Layout::List => self.rows(ui, view, playing, done),
            Layout::Map => {
                let hands =
                    map::MapContext { playing, in_hand: &mut self.in_hand, thumbs: self.thumbs.as_mut() };
                self.map.show(ui, view, hands, &mut done.commands);
            }
        });
        self.question.text.clone_from(&self.text);
        self.question.only = self.favourites_only.then(|| view.favourites.clone());
        if self.asked.as_ref() != Some(&self.question) {
            self.asked = Some(self.question.clone());
            done.asks.push(LibraryRequest::Find(self.question.clone()));
        }
    }
}

/// Returns the colour for a preset's state.
fn standing(view: &LibraryView, playing: Option<PresetId>, id: PresetId) -> Color32 {
    match id {
        id if playing == Some(id) => style::GOOD,
        id if view.banned.contains(&id) => style::BAD,
        id if view.left_out.contains_key(&id) => style::WARN,
        id if view.favourites.contains(&id) => style::ACCENT,
        _ => style::TEXT,
    }
}
