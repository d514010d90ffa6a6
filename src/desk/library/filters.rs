//! Search filters: text, tags, energies, styles, favourites; and the order of the results.

use egui::{FontId, RichText, ScrollArea, TextEdit, Ui};

use super::page::LibraryPage;
use crate::archive::LibraryView;
use crate::desk::field::entered;
use crate::desk::style;
use crate::facts::{Energy, Tag};
use crate::find::SearchOrder;
use crate::units::counted;

/// Height of one style in the list, in points.
const STYLE_ROW: f32 = 22.0;

impl LibraryPage {
    /// Takes a dropped picture as a query, and shows it with a button that removes it.
    fn picture(&mut self, ui: &mut Ui) {
        let (dropped, hovers) = ui.input(|input| {
            let dropped = input.raw.dropped_files.first().map(|file| file.path().to_owned());
            (dropped, !input.raw.hovered_files.is_empty())
        });
        if dropped.is_some() {
            (self.query.picture, self.query.like) = (dropped, None);
        }
        if hovers {
            ui.label(RichText::new("Drop a picture to find presets that look like it").color(style::GOOD));
        }
        let name = self.query.picture.as_ref().map(|path| path.file_name().unwrap_or(path.as_os_str()));
        let title = name.map(|name| format!("Like {}  ×", name.to_string_lossy()));
        if title.is_some_and(|title| ui.button(title).clicked()) {
            self.query.picture = None;
        }
    }

    pub(super) fn filters(&mut self, ui: &mut Ui, view: &LibraryView) {
        let library = &view.results.library;
        let hint = if self.query.describe {
            "For example: slow blue tunnel, no strobe"
        } else {
            "Search names and tags"
        };
        let field = TextEdit::singleline(&mut self.text).hint_text(hint);
        let field = ui.add(field.desired_width(f32::INFINITY).font(FontId::proportional(style::NEAR)));
        if entered(&field)
            && let Some(&first) = view.results.indices.first()
        {
            self.selected = Some(library.entries[first as usize].id);
        }
        if let Some(problem) = &view.results.problem {
            ui.label(RichText::new(problem).color(style::WARN));
        }
        let (found, all) = (view.results.indices.len(), library.entries.len());
        ui.label(RichText::new(format!("{found} of {}", counted(all, "preset"))).color(style::OFF));
        if self.query.like.is_some() && ui.button("More like this  ×").clicked() {
            self.query.like = None;
        }
        self.picture(ui);
        let referent = self.query.referent.and_then(|id| library.index_of(id));
        if let Some(index) = referent {
            let name = format!("Compared with {}", library.entries[index].name());
            ui.label(RichText::new(name).color(style::OFF));
        }
        ui.horizontal_wrapped(|ui| {
            let describes = ui.selectable_label(self.query.describe, "Describe a look");
            let help = "Finds presets by colour, brightness, motion, shape and name. Understands \"no\", \"darker\", \
                        \"like this, calmer\" (the selected preset, or the one on air), \"more like 3 but slower\" \
                        (the third result) and \"like NAME\".";
            if describes.on_hover_text(help).clicked() {
                self.query.describe = !self.query.describe;
            }
            if ui.selectable_label(self.favourites_only, "Favourites").clicked() {
                self.favourites_only = !self.favourites_only;
            }
            for energy in Energy::ALL {
                let on = self.query.energy == Some(energy);
                if ui.selectable_label(on, energy.title()).clicked() {
                    self.query.energy = (!on).then_some(energy);
                }
            }
        });
        ui.horizontal_wrapped(|ui| {
            let order = &mut self.query.order;
            let title =
                SearchOrder::ALL.iter().find(|(known, _)| *known == *order).map_or("", |(_, title)| *title);
            let label = ui.label("Sort");
            let list = egui::ComboBox::from_id_salt("order").selected_text(title);
            let list = list.show_ui(ui, |ui| {
                for (choice, title) in SearchOrder::ALL {
                    ui.selectable_value(order, choice, title);
                }
            });
            list.response.labelled_by(label.id);
            let collapses = ui.selectable_label(self.query.one_per_family, "One per family");
            if collapses.on_hover_text("Show only one of the presets with the same code").clicked() {
                self.query.one_per_family = !self.query.one_per_family;
            }
        });
        ui.separator();
        ui.horizontal_wrapped(|ui| {
            for tag in Tag::ALL {
                let on = self.query.tags.has(tag);
                if ui.selectable_label(on, tag.title()).clicked() {
                    self.query.tags.toggle(tag);
                }
            }
        });
        ui.separator();
        let source = format!("Styles ({})", library.origin.word());
        ui.label(RichText::new(source).color(style::OFF));
        let count = library.clusters.len();
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, STYLE_ROW, count, |ui, shown| {
            for place in shown {
                let on = self.query.cluster == Some(place as u16);
                if ui.selectable_label(on, &library.clusters[place].name).clicked() {
                    self.query.cluster = (!on).then_some(place as u16);
                }
            }
        });
    }
}
