//! Upcoming presets as cards with reasons, and the history.

use egui::{
    Align, Color32, Frame, Label, Layout, Margin, Pos2, RichText, Role, ScrollArea, Sense, Ui, Vec2,
    WidgetInfo,
};

use super::action::{Action, CARDS};
use super::button::{BigButton, big, key_of};
use super::view::DeskView;
use super::{icon, reason, style};
use crate::show::{Command, Upcoming};

/// Maximum number of presets listed in the history.
const HISTORY: usize = 60;
/// Side of an icon button, in points.
const ICON: f32 = 28.0;

/// Shows the cards, starting with the preset that plays next.
pub(super) fn up_next(ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
    ui.label(RichText::new("Up next").size(style::NEAR));
    for (number, upcoming) in view.snapshot.up_next.iter().take(CARDS).enumerate() {
        card(ui, view, number, upcoming, commands);
    }
    if view.snapshot.up_next.is_empty() {
        let text = "No other preset can be played. Unban or rescue presets on the Library page, or open another library.";
        ui.label(RichText::new(text).color(style::WARN));
    }
}

fn card(ui: &mut Ui, view: &DeskView, number: usize, upcoming: &Upcoming, commands: &mut Vec<Command>) {
    Frame::new().fill(style::CARD).corner_radius(6.0).inner_margin(Margin::same(8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let hint = if upcoming.warm { "Ready to play" } else { "Warming up" };
            icon::lamp(ui, upcoming.warm, style::GOOD).on_hover_text(hint);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let likely = upcoming.probability.map_or_else(String::new, |p| format!("{:.0}%", p * 100.0));
                ui.label(RichText::new(likely).color(style::OFF))
                    .on_hover_text("How likely the director was to pick this style and energy");
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(RichText::new(&upcoming.name).size(17.0)).truncate())
                        .on_hover_text(&upcoming.name);
                });
            });
        });
        reason::show(ui, &upcoming.reason, RichText::new(&upcoming.reason.summary).small());
        let width = (ui.available_width() - ui.spacing().item_spacing.x) / 2.0;
        ui.horizontal(|ui| {
            let key = key_of(view.keys, &Action::PlayCard(number));
            let play = BigButton { title: "Play", key, on: false, color: style::GOOD };
            if big(ui, Vec2::new(width, 36.0), &play).clicked() {
                commands.push(Command::PlayNow(upcoming.id));
            }
            let key = key_of(view.keys, &Action::RemoveCard(number));
            let remove = BigButton { title: "Remove", key, on: false, color: style::GOOD };
            if big(ui, Vec2::new(width, 36.0), &remove).clicked() {
                commands.push(Command::Veto(upcoming.id));
            }
        });
    });
}

/// Shows the presets played earlier, newest first, each with Favourite and Ban buttons.
pub(super) fn history(ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
    ui.label(RichText::new("History").size(style::NEAR));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for past in view.snapshot.history.iter().skip(1).take(HISTORY) {
            ui.horizontal(|ui| {
                let favourite = if past.favourite { "Remove from favourites" } else { "Favourite" };
                let star = icon_button(ui, past.favourite, favourite, |ui, center, color| {
                    icon::star(ui.painter(), center, 9.0, if past.favourite { style::ACCENT } else { color });
                });
                if star {
                    commands.push(Command::FavouritePreset(past.id));
                }
                let ban = icon_button(
                    ui,
                    past.banned,
                    if past.banned { "Unban" } else { "Ban" },
                    |ui, center, color| {
                        icon::ban(ui.painter(), center, 9.0, if past.banned { style::BAD } else { color });
                    },
                );
                if ban {
                    commands.push(Command::BanPreset(past.id));
                }
                let color = if past.banned { style::DARK } else { style::TEXT };
                ui.add(Label::new(RichText::new(&past.name).color(color)).truncate())
                    .on_hover_text(&past.name);
            });
        }
    });
}

/// Draws an icon button; returns whether it was clicked.
fn icon_button(ui: &mut Ui, on: bool, title: &str, draw: impl FnOnce(&Ui, Pos2, Color32)) -> bool {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(ICON), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, on, title));
    draw(ui, rect.center(), if response.hovered() { style::TEXT } else { style::DARK });
    response.on_hover_text(title).clicked()
}
