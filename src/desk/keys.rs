//! The Keys page: all key bindings, by group. Tooltips show the name that each action has in `keys.toml` and MIDI
//! profiles.

use egui::{RichText, ScrollArea, Ui, Vec2};

use super::action::{Group, KeyLine};
use super::style;

/// Number of columns of the page.
const COLUMNS: usize = 3;

pub(super) fn show(ui: &mut Ui, keys: &[KeyLine]) {
    egui::CentralPanel::default().show(ui, |ui| {
        ScrollArea::vertical().show(ui, |ui| {
            ui.columns(COLUMNS, |columns| {
                for group in Group::ALL {
                    list(&mut columns[column(group)], group, keys);
                }
            });
        });
    });
}

/// Returns the column of a group; the longest group has a column to itself.
fn column(group: Group) -> usize {
    match group {
        Group::Choice | Group::Picture | Group::Layers => 0,
        Group::Macros => 1,
        Group::Tempo | Group::Profile | Group::Window => 2,
    }
}

fn list(ui: &mut Ui, group: Group, keys: &[KeyLine]) {
    ui.label(RichText::new(group.title()).size(style::NEAR).color(style::ACCENT));
    egui::Grid::new(group.title()).spacing(Vec2::new(18.0, 2.0)).show(ui, |ui| {
        let mut shown = Vec::new();
        for line in keys.iter().filter(|line| line.action.group() == group) {
            if shown.contains(&&line.action) {
                continue;
            }
            shown.push(&line.action);
            let same = keys.iter().filter(|other| other.action == line.action);
            let words: Vec<&str> = same.map(|other| other.keys.as_str()).collect();
            ui.label(RichText::new(words.join("  ")).strong());
            ui.label(line.action.title()).on_hover_text(line.action.name());
            ui.end_row();
        }
    });
    ui.add_space(14.0);
}
