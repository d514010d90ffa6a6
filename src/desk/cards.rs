//! What comes next, as cards with reasons, and what was shown before.

use egui::{Frame, Label, Margin, RichText, ScrollArea, Ui, Vec2};

use super::button::{Big, big, key_of};
use super::{Action, CARDS, DeskView, mark, style};
use crate::show::{Command, Upcoming};

/// The cards, nearest first.
pub(super) fn up_next(ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
    ui.label(RichText::new("Up next").size(style::NEAR));
    for (number, upcoming) in view.snapshot.up_next.iter().take(CARDS).enumerate() {
        card(ui, view, number, upcoming, commands);
    }
    if view.snapshot.up_next.is_empty() {
        let text = "no presets available: open a folder that holds .milk files";
        ui.label(RichText::new(text).color(style::WARN));
    }
}

fn card(ui: &mut Ui, view: &DeskView, number: usize, upcoming: &Upcoming, commands: &mut Vec<Command>) {
    Frame::new().fill(style::RAISED).corner_radius(6.0).inner_margin(Margin::same(8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let hint = if upcoming.warm { "warm: it can be cut to" } else { "getting ready" };
            mark::lamp(ui, upcoming.warm, style::GOOD).on_hover_text(hint);
            ui.add(Label::new(RichText::new(&upcoming.name).size(17.0)).truncate())
                .on_hover_text(&upcoming.name);
        });
        ui.add(Label::new(RichText::new(&upcoming.reason).small().color(style::OFF)).truncate())
            .on_hover_text(&upcoming.reason);
        let width = (ui.available_width() - ui.spacing().item_spacing.x) / 2.0;
        ui.horizontal(|ui| {
            let key = key_of(view.keys, &Action::PlayCard(number));
            let play = Big { title: "Play now", key, on: false, color: style::GOOD };
            if big(ui, Vec2::new(width, 36.0), &play).clicked() {
                commands.push(Command::PlayNow(upcoming.id));
            }
            let key = key_of(view.keys, &Action::DropCard(number));
            let drop = Big { title: "Drop", key, on: false, color: style::GOOD };
            if big(ui, Vec2::new(width, 36.0), &drop).clicked() {
                commands.push(Command::Veto(upcoming.id));
            }
        });
    });
}

/// What was shown before, newest first.
pub(super) fn history(ui: &mut Ui, view: &DeskView) {
    ui.label(RichText::new("Before").size(style::NEAR));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for past in view.snapshot.history.iter().skip(1).take(30) {
            ui.add(Label::new(RichText::new(&past.name).color(style::OFF)).truncate());
        }
    });
}
