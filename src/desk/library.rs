//! The page of the library: search as one types, filters, and what can be done with the preset in hand.
//!
//! Draws only the rows that can be seen, so a hundred thousand presets scroll like a hundred. Searching is done
//! elsewhere: the page says what is looked for and shows the newest answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::{
    Align2, Color32, FontId, Label, Pos2, Rect, RichText, ScrollArea, Sense, TextEdit, TextureId, Ui, Vec2,
};

use super::button::{Big, big};
use super::style;
use super::thumbs::Thumbs;
use crate::library::{Answer, Energy, Entry, PresetId, Question, StyleOrigin, Tag};
use crate::show::Command;

/// Height of one row, points.
const ROW: f32 = 32.0;
/// Height of one style in the list of styles, points.
const STYLE_ROW: f32 = 22.0;
/// Side of the picture of the preset in hand, points.
const PICTURE: f32 = 96.0;

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct LibraryView {
    /// The newest answer to what was looked for.
    pub answer: Arc<Answer>,
    /// Presets marked as favourites.
    pub favourites: Arc<BTreeSet<PresetId>>,
    /// Presets never to be shown again.
    pub banned: Arc<BTreeSet<PresetId>>,
    /// Presets that are left out for a while, and why.
    pub broken: Arc<BTreeMap<PresetId, String>>,
}

/// What can be asked on the page, besides commands to the show.
#[derive(Clone, Debug, PartialEq)]
pub enum LibraryAsk {
    /// Look for this.
    Find(Question),
    /// Give this preset, left out for a while, another chance.
    Rescue(PresetId),
}

/// The page; remembers what is looked for and which preset is in hand.
#[derive(Default)]
pub(super) struct LibraryPage {
    text: String,
    question: Question,
    favourites_only: bool,
    asked: Option<Question>,
    in_hand: Option<PresetId>,
    /// Started when the page is first shown.
    thumbs: Option<Thumbs>,
}

/// What the performer did on the page.
#[derive(Default)]
pub(super) struct Done {
    pub commands: Vec<Command>,
    pub asks: Vec<LibraryAsk>,
}

impl LibraryPage {
    pub fn show(&mut self, ui: &mut Ui, view: &LibraryView, playing: Option<PresetId>, done: &mut Done) {
        self.thumbs = self.thumbs.take().or_else(Thumbs::start);
        if let Some(thumbs) = &mut self.thumbs {
            thumbs.begin(ui.ctx());
        }
        egui::Panel::left("filters").default_size(250.0).show(ui, |ui| self.filters(ui, view));
        egui::Panel::bottom("in hand").show(ui, |ui| self.preset_in_hand(ui, view, done));
        egui::CentralPanel::default().show(ui, |ui| self.rows(ui, view, playing, done));
        self.question.text.clone_from(&self.text);
        self.question.only = self.favourites_only.then(|| view.favourites.clone());
        if self.asked.as_ref() != Some(&self.question) {
            self.asked = Some(self.question.clone());
            done.asks.push(LibraryAsk::Find(self.question.clone()));
        }
    }

    fn filters(&mut self, ui: &mut Ui, view: &LibraryView) {
        let library = &view.answer.library;
        let field = TextEdit::singleline(&mut self.text).hint_text("search names and tags");
        ui.add(field.desired_width(f32::INFINITY).font(FontId::proportional(style::NEAR)));
        if let Some(trouble) = &view.answer.trouble {
            ui.label(RichText::new(trouble).color(style::WARN));
        }
        let (found, all) = (view.answer.places.len(), library.entries.len());
        ui.label(RichText::new(format!("{found} of {all} presets")).color(style::OFF));
        if self.question.like.is_some() && ui.button("like one preset  ×").clicked() {
            self.question.like = None;
        }
        ui.horizontal_wrapped(|ui| {
            if ui.selectable_label(self.favourites_only, "favourites").clicked() {
                self.favourites_only = !self.favourites_only;
            }
            for energy in Energy::ALL {
                let on = self.question.energy == Some(energy);
                if ui.selectable_label(on, energy.label()).clicked() {
                    self.question.energy = (!on).then_some(energy);
                }
            }
        });
        ui.separator();
        ui.horizontal_wrapped(|ui| {
            for tag in Tag::ALL {
                let on = self.question.tags.has(tag);
                if ui.selectable_label(on, tag.word()).clicked() {
                    self.question.tags.toggle(tag);
                }
            }
        });
        ui.separator();
        let source = match library.origin {
            StyleOrigin::V1 => "styles, by looks",
            StyleOrigin::V0 => "styles, by names",
            StyleOrigin::Tags => "styles, by the presets' text",
        };
        ui.label(RichText::new(source).color(style::OFF));
        let count = library.clusters.len();
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, STYLE_ROW, count, |ui, shown| {
            for place in shown {
                let on = self.question.cluster == Some(place as u16);
                if ui.selectable_label(on, &library.clusters[place].name).clicked() {
                    self.question.cluster = (!on).then_some(place as u16);
                }
            }
        });
    }

    fn rows(&mut self, ui: &mut Ui, view: &LibraryView, playing: Option<PresetId>, done: &mut Done) {
        let Answer { library, places, .. } = &*view.answer;
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, places.len(), |ui, shown| {
            for &place in &places[shown] {
                let entry = &library.entries[place as usize];
                let style = library.clusters.get(usize::from(entry.cluster)).map_or("", |style| &style.name);
                let color = match entry.id {
                    id if playing == Some(id) => style::GOOD,
                    id if view.banned.contains(&id) => style::BAD,
                    id if view.broken.contains_key(&id) => style::WARN,
                    id if view.favourites.contains(&id) => style::ACCENT,
                    _ => style::TEXT,
                };
                let picture = self.thumbs.as_mut().and_then(|thumbs| thumbs.of(entry));
                let response = row(ui, entry, style, color, picture, self.in_hand == Some(entry.id));
                if response.clicked() {
                    self.in_hand = Some(entry.id);
                }
                if response.double_clicked() {
                    done.commands.push(Command::PlayNow(entry.id));
                }
            }
        });
    }

    fn preset_in_hand(&mut self, ui: &mut Ui, view: &LibraryView, done: &mut Done) {
        let library = &view.answer.library;
        let entry = self.in_hand.and_then(|id| library.place(id)).map(|place| &library.entries[place]);
        let Some(entry) = entry else {
            ui.label(RichText::new("click a preset to take it in hand, twice to play it").color(style::OFF));
            return;
        };
        let id = entry.id;
        if let Some(picture) = self.thumbs.as_mut().and_then(|thumbs| thumbs.of(entry)) {
            ui.image((picture, Vec2::splat(PICTURE)));
        }
        ui.add(Label::new(RichText::new(&entry.name).size(style::NEAR)).truncate())
            .on_hover_text(&entry.path);
        ui.add(
            Label::new(RichText::new(format!("{}   {}", entry.tags, entry.path)).color(style::OFF))
                .truncate(),
        );
        if let Some(why) = view.broken.get(&id) {
            ui.add(Label::new(RichText::new(format!("left out: {why}")).color(style::WARN)).truncate());
        }
        let (favourite, banned) = (view.favourites.contains(&id), view.banned.contains(&id));
        let width = (ui.available_width() - 4.0 * ui.spacing().item_spacing.x) / 5.0;
        let press = |ui: &mut Ui, title: &str, on: bool, color: Color32| {
            big(ui, Vec2::new(width, 40.0), &Big { title, key: "", on, color }).clicked()
        };
        ui.horizontal(|ui| {
            if press(ui, "Play now", false, style::GOOD) {
                done.commands.push(Command::PlayNow(id));
            }
            if press(ui, "Favourite", favourite, style::ACCENT) {
                done.commands.push(Command::FavouritePreset(id));
            }
            if press(ui, "More like this", self.question.like == Some(id), style::GOOD) {
                self.question.like = (self.question.like != Some(id)).then_some(id);
            }
            if press(ui, if banned { "Allow again" } else { "Never again" }, banned, style::BAD) {
                done.commands.push(Command::BanPreset(id));
            }
            if view.broken.contains_key(&id) && press(ui, "Rescue", false, style::WARN) {
                done.asks.push(LibraryAsk::Rescue(id));
            }
        });
    }
}

fn row(
    ui: &mut Ui,
    entry: &Entry,
    style: &str,
    color: Color32,
    picture: Option<TextureId>,
    in_hand: bool,
) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW), Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, in_hand, &entry.name));
    if in_hand || response.hovered() {
        let fill = if in_hand { style::HOVERED } else { style::RAISED };
        ui.painter().rect_filled(rect, 4.0, fill);
    }
    if let Some(picture) = picture {
        let place = Rect::from_min_size(rect.min, Vec2::splat(ROW)).shrink(1.0);
        let all = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
        ui.painter().image(picture, place, all, Color32::WHITE);
    }
    let left = rect.left() + ROW + 6.0;
    let columns = [0.0, 0.6, 0.7, 1.0].map(|share| left + share * (rect.right() - left));
    let ink = [color, style::OFF, style::OFF];
    for (at, text) in [entry.name.as_str(), entry.energy.label(), style].into_iter().enumerate() {
        let mut cell = rect;
        cell.set_left(columns[at]);
        cell.set_right(columns[at + 1] - 6.0);
        let font = FontId::proportional(15.0);
        ui.painter_at(cell).text(cell.left_center(), Align2::LEFT_CENTER, text, font, ink[at]);
    }
    response
}
