//! The Library and Map pages: search results as a list or map, filters, and details of the selected preset.
//!
//! Both pages show the results of the same search, which runs on a separate thread; they send queries and
//! show the newest results.

mod details;
mod filters;
mod map;
mod page;
mod referents;
mod rows;
mod state_color;
mod thumbs;

use egui::Ui;

use crate::archive::{LibraryRequest, LibraryView};
use crate::facts::PresetId;
use crate::find::{Description, Reference};
use thumbs::Thumbs;

pub(super) use page::{Layout, LibraryPage, PageOutput};

impl LibraryPage {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &LibraryView,
        layout: Layout,
        playing: Option<PresetId>,
        output: &mut PageOutput,
    ) {
        self.thumbs = self.thumbs.take().or_else(Thumbs::start);
        if let Some(thumbs) = &mut self.thumbs {
            thumbs.begin(ui.ctx(), &view.results.looks);
        }
        egui::Panel::left("filters").default_size(250.0).show(ui, |ui| self.filters(ui, view));
        egui::Panel::bottom("details")
            .exact_size(details::HEIGHT)
            .show(ui, |ui| self.preset_details(ui, view, output));
        egui::CentralPanel::default().show(ui, |ui| match layout {
            Layout::List => self.rows(ui, view, playing, output),
            Layout::Map => {
                let context =
                    map::MapContext { playing, selected: &mut self.selected, thumbs: self.thumbs.as_mut() };
                self.map.show(ui, view, context, &mut output.commands);
            }
        });
        self.query.text.clone_from(&self.text);
        let reference = self.query.describe.then(|| Description::parse(&self.text).reference()).flatten();
        // With a picture, "this" is the picture.
        let reference = reference.filter(|found| self.query.picture.is_none() || *found != Reference::This);
        let current = self.query.like.or(self.selected).or(playing);
        let now = ui.input(|input| input.time);
        self.query.referent = self.referents.preset(reference, &view.results, current, now);
        self.query.only = self.favourites_only.then(|| view.favourites.clone());
        if self.sent.as_ref() != Some(&self.query) {
            self.sent = Some(self.query.clone());
            output.requests.push(LibraryRequest::Find(self.query.clone()));
        }
    }
}
