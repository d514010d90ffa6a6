//! The tempo by hand: tap, resync, half and double, and back to what is heard.

use egui::{RichText, Ui, Vec2};

use super::button::{Big, big, key_of};
use super::{Action, DeskView, style};
use crate::show::Command;

pub(super) fn show(ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
    ui.label(RichText::new("Beat by hand").color(style::OFF));
    let rows: [&[(&str, Command)]; 2] = [
        &[("Tap", Command::TapTempo), ("Bar now", Command::Resync)],
        &[("Half", Command::HalfTempo), ("Double", Command::DoubleTempo), ("Heard", Command::SetTempo(None))],
    ];
    for row in rows {
        let gap = ui.spacing().item_spacing.x;
        let width = (ui.available_width() - gap * (row.len() - 1) as f32) / row.len() as f32;
        ui.horizontal(|ui| {
            for (title, command) in row {
                let key = key_of(view.keys, &Action::Show(command.clone()));
                let look = Big { title, key, on: false, color: style::GOOD };
                if big(ui, Vec2::new(width, 42.0), &look).clicked() {
                    commands.push(command.clone());
                }
            }
        });
    }
}
