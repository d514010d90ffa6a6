//! The selected preset: its details and actions.

use egui::{Color32, Label, RichText, Ui, Vec2};

use super::page::{LibraryPage, PageOutput};
use crate::archive::LibraryView;
use crate::desk::button::{BigButton, big};
use crate::desk::style;
use crate::facts::Tag;
use crate::show::Command;

/// Height of the details, in points; the same with and without a selection so that nothing moves under the
/// pointer.
pub(super) const HEIGHT: f32 = 152.0;
/// Side of the preset's thumbnail, in points.
const PICTURE: f32 = 96.0;
/// Maximum number of buttons below the details.
const BUTTONS: usize = 5;

impl LibraryPage {
    pub(super) fn preset_details(&mut self, ui: &mut Ui, view: &LibraryView, output: &mut PageOutput) {
        let library = &view.results.library;
        let entry = self.selected.and_then(|id| library.index_of(id)).map(|place| &library.entries[place]);
        let Some(entry) = entry else {
            ui.label(RichText::new("Click a preset to select it; double-click to play it").color(style::OFF));
            return;
        };
        let id = entry.id;
        let excluded = view.exclusion(id);
        ui.horizontal(|ui| {
            if let Some(picture) = self.thumbs.as_mut().and_then(|thumbs| thumbs.of(entry)) {
                ui.image((picture, Vec2::splat(PICTURE)));
            }
            ui.vertical(|ui| {
                ui.add(Label::new(RichText::new(entry.name()).size(style::NEAR)).truncate())
                    .on_hover_text(&entry.path);
                let cluster =
                    library.clusters.get(usize::from(entry.cluster)).map_or("", |style| &style.name);
                let tags: Vec<&str> = entry.tags.iter().map(Tag::title).collect();
                let known = format!("{cluster}   {}   {}", entry.energy.title(), tags.join(", "));
                ui.add(Label::new(RichText::new(known).color(style::OFF)).truncate());
                ui.add(Label::new(RichText::new(&entry.path).color(style::OFF)).truncate());
                if let Some(why) = excluded {
                    let text = RichText::new(format!("Excluded: {why}")).color(style::WARN);
                    ui.add(Label::new(text).truncate());
                }
            });
        });
        let (favourite, banned) = (view.favourites.contains(&id), view.banned.contains(&id));
        let width =
            (ui.available_width() - (BUTTONS - 1) as f32 * ui.spacing().item_spacing.x) / BUTTONS as f32;
        let press = |ui: &mut Ui, title: &str, on: bool, color: Color32| {
            big(ui, Vec2::new(width, 40.0), &BigButton { title, key: "", on, color }).clicked()
        };
        ui.horizontal(|ui| {
            if press(ui, "Play", false, style::GOOD) {
                output.commands.extend(view.play(id));
            }
            if press(ui, "Favourite", favourite, style::ACCENT) {
                output.commands.push(Command::FavouritePreset(id));
            }
            if press(ui, "More like this", self.query.like == Some(id), style::GOOD) {
                self.query.like = (self.query.like != Some(id)).then_some(id);
                self.query.picture = None;
            }
            if press(ui, if banned { "Unban" } else { "Ban" }, banned, style::BAD) {
                output.commands.push(Command::BanPreset(id));
            }
            if excluded.is_some() && press(ui, "Rescue", false, style::WARN) {
                output.commands.push(Command::Rescue(id));
            }
        });
    }
}
