//! The Live page: the preset on air and why it was chosen, what comes next, and large buttons.

use egui::emath::GuiRounding as _;
use egui::{Align, Color32, Label, Layout, Rect, RichText, Sense, Ui, Vec2};

use super::action::Action;
use super::button::{BigButton, big, key_of};
use super::layers::LayersRow;
use super::library::PageOutput;
use super::meters::Meters;
use super::sentence::sentence;
use super::theme::ThemeField;
use super::view::DeskView;
use super::{adventure, cards, icon, layers, macros, reason, style, tempo};
use crate::mind::Control;
use crate::show::{Command, OutputMode};

/// Height of one row of buttons, in points.
const ROW: f32 = 54.0;
/// Height of the macros and the buttons below the preview, including gaps, in points.
const CONTROLS: f32 = macros::HEIGHT + 2.0 * ROW + 32.0;

pub(super) fn show(
    ui: &mut Ui,
    view: &DeskView,
    (meters, row, theme): (&mut Meters, &mut LayersRow, &mut ThemeField),
    selected: Control,
    PageOutput { commands, requests }: &mut PageOutput,
) {
    egui::Panel::right("next").default_size(310.0).show(ui, |ui| {
        cards::up_next(ui, view, commands);
        ui.separator();
        cards::history(ui, view, commands);
    });
    egui::Panel::left("music").default_size(240.0).show(ui, |ui| {
        meters.show(ui, view);
        ui.separator();
        tempo::show(ui, view, commands);
        ui.separator();
        adventure::show(ui, view, commands);
        ui.separator();
        theme.show(ui, view, commands, requests);
    });
    egui::CentralPanel::default().show(ui, |ui| {
        now_playing(ui, view);
        let layers = layers::shown(view);
        preview(ui, view, CONTROLS + if layers { layers::HEIGHT } else { 0.0 });
        macros::show(ui, view.snapshot, selected, commands);
        buttons(ui, view, commands);
        if layers {
            row.show(ui, view, commands);
        }
    });
}

fn now_playing(ui: &mut Ui, view: &DeskView) {
    let Some(playing) = &view.snapshot.playing else {
        ui.label(RichText::new("Loading presets…").size(style::FAR));
        return;
    };
    ui.horizontal(|ui| {
        if playing.favourite {
            let (place, _) = ui.allocate_exact_size(Vec2::splat(32.0), Sense::hover());
            icon::star(ui.painter(), place.center(), 15.0, style::ACCENT);
        }
        let name = RichText::new(&playing.name).size(style::FAR);
        ui.add(Label::new(name).truncate()).on_hover_text(&playing.name);
    });
    ui.horizontal(|ui| {
        ui.label(RichText::new(format!("{:.0} s", playing.for_secs)).size(style::NEAR));
        if let Some(fade) = view.snapshot.fade {
            ui.add(egui::ProgressBar::new(fade.get()).desired_width(90.0));
        }
        if let Some(moment) = view.snapshot.waiting {
            ui.label(RichText::new(format!("About to switch: {}", moment.description())).color(style::WARN));
        }
        reason::show(ui, &playing.reason, RichText::new(&playing.reason.summary));
    });
    if !playing.problems.is_empty() {
        let problems = sentence(&playing.problems.join("; "));
        ui.add(Label::new(RichText::new(&problems).color(style::WARN).small()).truncate())
            .on_hover_text(&problems);
    }
}

fn preview(ui: &mut Ui, view: &DeskView, below: f32) {
    let room = Vec2::new(ui.available_width(), (ui.available_height() - below).max(80.0));
    let width = room.x.min(room.y * view.preview_aspect);
    ui.allocate_ui_with_layout(room, Layout::top_down(Align::Center), |ui| {
        let (rect, _) = ui.allocate_exact_size(Vec2::new(width, width / view.preview_aspect), Sense::hover());
        // Unlike a shape with feathered edges, a mesh covers exact pixels, so a new picture does not cause the panel
        // around it to be repainted.
        let mut picture = egui::Mesh::with_texture(view.preview);
        let whole = Rect::from_min_max(egui::Pos2::ZERO, egui::pos2(1.0, 1.0));
        picture.add_rect_with_uv(rect.round_to_pixels(ui.pixels_per_point()), whole, Color32::WHITE);
        ui.painter().add(picture);
    });
}

fn buttons(ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
    let snapshot = view.snapshot;
    let favourite = snapshot.playing.as_ref().is_some_and(|playing| playing.favourite);
    type Row<'a> = &'a [(&'a str, Command, bool, Color32)];
    let rows: [Row; 2] = [
        &[
            ("Back", Command::Back, false, style::GOOD),
            ("Next", Command::Next, false, style::GOOD),
            ("Hold", Command::Hold, snapshot.held, style::WARN),
            ("Auto", Command::Auto, snapshot.auto, style::GOOD),
            ("Favourite", Command::Favourite, favourite, style::ACCENT),
        ],
        &[
            ("Panic", Command::Panic, false, style::BAD),
            ("Freeze", Command::Freeze, snapshot.output_mode == OutputMode::Freeze, style::BAD),
            ("Blackout", Command::Blackout, snapshot.output_mode == OutputMode::Blackout, style::BAD),
            ("Ban", Command::Ban, false, style::BAD),
        ],
    ];
    for row in rows {
        let gap = 8.0;
        let width = (ui.available_width() - gap * (row.len() - 1) as f32) / row.len() as f32;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for (title, command, on, color) in row {
                let key = key_of(view.keys, &Action::Show(command.clone()));
                let look = BigButton { title, key, on: *on, color: *color };
                if big(ui, Vec2::new(width, ROW), &look).clicked() {
                    commands.push(command.clone());
                }
            }
        });
    }
}
