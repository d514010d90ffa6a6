//! Search results as a list. Draws only the visible rows, so that 100,000 presets scroll as fast as 100.

use egui::{Align2, Color32, FontId, Pos2, Rect, ScrollArea, Sense, TextureId, Ui, Vec2};

use super::page::{LibraryPage, PageOutput};
use super::referents::NUMBERED;
use super::state_color::state_color;
use crate::archive::LibraryView;
use crate::desk::style;
use crate::facts::PresetId;
use crate::find::SearchResults;
use crate::library::Entry;

/// Height of one row, in points.
const ROW: f32 = 32.0;
/// Width of the column of numbers, in points.
const NUMBER: f32 = 32.0;

impl LibraryPage {
    pub(super) fn rows(
        &mut self,
        ui: &mut Ui,
        view: &LibraryView,
        playing: Option<PresetId>,
        output: &mut PageOutput,
    ) {
        let SearchResults { library, indices, .. } = &*view.results;
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, indices.len(), |ui, shown| {
            for at in shown {
                let place = indices[at];
                let entry = &library.entries[place as usize];
                let cluster = library.clusters.get(usize::from(entry.cluster));
                let name = cluster.map_or("", |cluster| cluster.name.as_str());
                let excluded = view.exclusion(entry.id).map(|why| format!("Excluded: {why}"));
                let last = excluded.as_deref().map_or((name, style::OFF), |why| (why, style::WARN));
                let color = state_color(view, playing, entry.id);
                let picture = self.thumbs.as_mut().and_then(|thumbs| thumbs.of(entry));
                let response =
                    row(ui, (at + 1, entry), last, color, picture, self.selected == Some(entry.id));
                if response.clicked() {
                    self.selected = Some(entry.id);
                }
                if response.double_clicked() {
                    output.commands.extend(view.play(entry.id));
                }
            }
        });
    }
}

fn row(
    ui: &mut Ui,
    (number, entry): (usize, &Entry),
    (last, last_color): (&str, Color32),
    color: Color32,
    picture: Option<TextureId>,
    selected: bool,
) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW), Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, entry.name()));
    if selected || response.hovered() {
        let fill = if selected { style::HOVERED } else { style::RAISED };
        ui.painter().rect_filled(rect, 4.0, fill);
    }
    if let Some(picture) = picture {
        let place = Rect::from_min_size(rect.min, Vec2::splat(ROW)).shrink(1.0);
        let all = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
        ui.painter().image(picture, place, all, Color32::WHITE);
    }
    let font = FontId::proportional(15.0);
    let left = rect.left() + ROW + NUMBER + 12.0;
    if number <= NUMBERED {
        let place = Pos2::new(left - 6.0, rect.center().y);
        let number = number.to_string();
        ui.painter().text(place, Align2::RIGHT_CENTER, number, font.clone(), style::OFF);
    }
    let columns = [0.0, 0.6, 0.7, 1.0].map(|share| left + share * (rect.right() - left));
    let ink = [color, style::OFF, last_color];
    for (at, text) in [entry.name(), entry.energy.title(), last].into_iter().enumerate() {
        let mut cell = rect;
        cell.set_left(columns[at]);
        cell.set_right(columns[at + 1] - 6.0);
        ui.painter_at(cell).text(cell.left_center(), Align2::LEFT_CENTER, text, font.clone(), ink[at]);
    }
    response
}
