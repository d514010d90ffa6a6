//! Manual tempo: tap, downbeat, earlier, later, halve, double, and return to the detected tempo.

use egui::{RichText, Ui, Vec2};

use super::action::Action;
use super::button::{BigButton, big, key_of};
use super::style;
use super::view::DeskView;
use crate::show::{BeatNudge, Command};
use crate::units::{MAX_TEMPO, MIN_TEMPO};

/// Height of a button, in points.
const HEIGHT: f32 = 34.0;

pub(super) fn show(ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
    ui.label(RichText::new("Tempo").color(style::OFF));
    let rows: [&[(&str, Command)]; 3] = [
        &[("Tap", Command::TapTempo), ("Downbeat", Command::Resync)],
        &[
            ("Earlier", Command::NudgeBeat(BeatNudge::Earlier)),
            ("Later", Command::NudgeBeat(BeatNudge::Later)),
        ],
        &[
            ("Halve", Command::HalfTempo),
            ("Double", Command::DoubleTempo),
            ("Detect", Command::SetTempo(None)),
        ],
    ];
    for row in rows {
        let gap = ui.spacing().item_spacing.x;
        let width = (ui.available_width() - gap * (row.len() - 1) as f32) / row.len() as f32;
        ui.horizontal(|ui| {
            for (title, command) in row {
                let key = key_of(view.keys, &Action::Show(command.clone()));
                let look = BigButton { title, key, on: false, color: style::GOOD };
                let button = |ui: &mut Ui| big(ui, Vec2::new(width, HEIGHT), &look);
                let response = ui.add_enabled_ui(in_range(command, view), button).inner;
                if response.on_disabled_hover_text("The tempo range is 40 to 220 BPM").clicked() {
                    commands.push(command.clone());
                }
            }
        });
    }
}

/// Returns whether the tempo after `command` would be between [`MIN_TEMPO`] and [`MAX_TEMPO`].
fn in_range(command: &Command, view: &DeskView) -> bool {
    let bpm = view.snapshot.features.beat.tempo.bpm();
    match command {
        Command::HalfTempo => bpm / 2.0 >= MIN_TEMPO,
        Command::DoubleTempo => bpm * 2.0 <= MAX_TEMPO,
        _ => true,
    }
}
