//! The pages of the library: a list and a map of what was found, filters beside them, the preset in hand below.
//!
//! Both show the same search. Searching is done elsewhere: the page says what is looked for and shows the newest answer.

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

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct LibraryView {
    /// The newest answer to what was looked for.
    pub answer: Arc<SearchResults>,
    /// Presets marked as favourites.
    pub favourites: Arc<BTreeSet<PresetId>>,
    /// Presets never to be shown again.
    pub banned: Arc<BTreeSet<PresetId>>,
    /// Presets that are left out for a while, and why.
    pub left_out: Arc<BTreeMap<PresetId, Exclusion>>,
}

/// What can be asked on the page, besides commands to the show.
#[derive(Clone, Debug, PartialEq)]
pub enum LibraryRequest {
    /// Look for this.
    Find(SearchQuery),
}

/// How what was found is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One below the other.
    List,
    /// By look.
    Map,
}

/// The page; remembers what is looked for and which preset is in hand.
#[derive(Default)]
pub(super) struct LibraryPage {
    text: String,
    question: SearchQuery,
    favourites_only: bool,
    asked: Option<SearchQuery>,
    in_hand: Option<PresetId>,
    map: MapView,
    /// Started when the page is first shown.
    thumbs: Option<Thumbs>,
}

/// What the performer did on the page.
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

/// The colour that says how a preset stands.
fn standing(view: &LibraryView, playing: Option<PresetId>, id: PresetId) -> Color32 {
    match id {
        id if playing == Some(id) => style::GOOD,
        id if view.banned.contains(&id) => style::BAD,
        id if view.left_out.contains_key(&id) => style::WARN,
        id if view.favourites.contains(&id) => style::ACCENT,
        _ => style::TEXT,
    }
}
