//! The performer's panels (egui): reads a snapshot, returns commands.
//!
//! Built for a dark room: large targets, few colours, everything also by key. Never changes the show itself.

mod meters;
mod style;

use egui::{Align, Color32, Layout, RichText, TextureId, Ui, Vec2};

use crate::show::Heard;
use crate::show::Veil;
use crate::show::{AudioLine, Command, FrameTimes, Snapshot};

/// Everything one drawing of the desk shows.
pub struct DeskView<'a> {
    /// The show.
    pub snapshot: &'a Snapshot,
    /// Where the sound comes from.
    pub audio: &'a AudioLine,
    /// How long frames take.
    pub times: FrameTimes,
    /// What presets hear.
    pub heard: &'a Heard,
    /// The stage's picture.
    pub preview: TextureId,
    /// Its width over its height.
    pub preview_aspect: f32,
    /// The device that draws.
    pub device: &'a str,
    /// News from the program, besides the show's own.
    pub message: Option<&'a str>,
    /// Keys and what they do, while the performer wants to see them.
    pub keys: &'a [(&'a str, &'a str)],
}

/// The desk; remembers only how it looks.
#[derive(Default)]
pub struct Desk {
    styled: bool,
    meters: meters::Meters,
}

impl Desk {
    /// Draws the desk and returns what the performer asked for.
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView) -> Vec<Command> {
        if !self.styled {
            style::apply(ui.ctx());
            self.styled = true;
        }
        let mut commands = Vec::new();
        egui::Panel::right("side").default_size(270.0).show(ui, |ui| {
            self.meters.show(ui, view);
            ui.separator();
            up_next(ui, view.snapshot, &mut commands);
            ui.separator();
            history(ui, view.snapshot);
        });
        egui::Panel::bottom("foot").show(ui, |ui| foot(ui, view));
        egui::CentralPanel::default().show(ui, |ui| {
            now_playing(ui, view.snapshot);
            preview(ui, view);
            buttons(ui, view.snapshot, &mut commands);
        });
        if !view.keys.is_empty() {
            help(ui.ctx(), view.keys);
        }
        commands
    }
}

fn now_playing(ui: &mut Ui, snapshot: &Snapshot) {
    ui.horizontal(|ui| {
        let name = snapshot.playing.as_ref().map_or("getting ready ...", |playing| &playing.name);
        ui.add(egui::Label::new(RichText::new(name).size(22.0).strong()).truncate());
    });
    ui.horizontal(|ui| {
        mode(ui, "AUTO", snapshot.auto && !snapshot.held, style::GOOD);
        mode(ui, "HOLD", snapshot.held, style::WARN);
        mode(ui, "BLACKOUT", snapshot.veil == Veil::Blackout, style::BAD);
        mode(ui, "FREEZE", snapshot.veil == Veil::Freeze, style::BAD);
        if let Some(playing) = &snapshot.playing {
            mode(ui, "FAVOURITE", playing.favourite, style::ACCENT);
            ui.label(format!("{:.0} s on air", playing.for_secs));
        }
        if let Some(fade) = snapshot.fade {
            ui.add(egui::ProgressBar::new(fade.get()).desired_width(80.0));
        }
    });
    if let Some(playing) = snapshot.playing.as_ref().filter(|playing| !playing.problems.is_empty()) {
        ui.label(RichText::new(playing.problems.join("; ")).color(style::WARN).small());
    }
}

fn mode(ui: &mut Ui, word: &str, on: bool, color: Color32) {
    let text = RichText::new(word).strong();
    ui.label(if on { text.color(color) } else { text.color(style::OFF) });
}

fn preview(ui: &mut Ui, view: &DeskView) {
    let room = Vec2::new(ui.available_width(), (ui.available_height() - 118.0).max(80.0));
    let width = room.x.min(room.y * view.preview_aspect);
    ui.allocate_ui_with_layout(Vec2::new(room.x, room.y), Layout::top_down(Align::Center), |ui| {
        ui.image((view.preview, Vec2::new(width, width / view.preview_aspect)));
    });
}

fn buttons(ui: &mut Ui, snapshot: &Snapshot, commands: &mut Vec<Command>) {
    let rows: [&[(&str, Command, bool)]; 2] = [
        &[
            ("Back", Command::Back, false),
            ("Next", Command::Next, false),
            ("Hold", Command::Hold, snapshot.held),
            ("Auto", Command::Auto, snapshot.auto),
        ],
        &[
            ("Favourite", Command::Favourite, snapshot.playing.as_ref().is_some_and(|p| p.favourite)),
            ("Freeze", Command::Freeze, snapshot.veil == Veil::Freeze),
            ("Blackout", Command::Blackout, snapshot.veil == Veil::Blackout),
        ],
    ];
    for row in rows {
        let width = (ui.available_width() - 8.0 * (row.len() - 1) as f32) / row.len() as f32;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            for (title, command, on) in row {
                let button = egui::Button::selectable(*on, RichText::new(*title).size(17.0));
                if ui.add_sized(Vec2::new(width, 44.0), button.frame_when_inactive(true)).clicked() {
                    commands.push(command.clone());
                }
            }
        });
    }
}

fn up_next(ui: &mut Ui, snapshot: &Snapshot, commands: &mut Vec<Command>) {
    ui.label(RichText::new("Up next").strong());
    for upcoming in &snapshot.up_next {
        ui.horizontal(|ui| {
            if ui.small_button("drop").on_hover_text("Not this one").clicked() {
                commands.push(Command::Veto(upcoming.id));
            }
            if ui
                .add_enabled(upcoming.warm, egui::Button::new("play").small())
                .on_hover_text("Play now")
                .clicked()
            {
                commands.push(Command::PlayNow(upcoming.id));
            }
            let color = if upcoming.warm { style::TEXT } else { style::OFF };
            ui.add(egui::Label::new(RichText::new(&upcoming.name).color(color)).truncate())
                .on_hover_text(&upcoming.reason);
        });
    }
    if snapshot.up_next.is_empty() {
        ui.label(
            RichText::new("no presets available: open a folder that holds .milk files").color(style::WARN),
        );
    }
}

fn history(ui: &mut Ui, snapshot: &Snapshot) {
    ui.label(RichText::new("Before").strong());
    egui::ScrollArea::vertical().max_height(160.0).show(ui, |ui| {
        for name in snapshot.history.iter().skip(1).take(30) {
            ui.add(egui::Label::new(RichText::new(name).color(style::OFF)).truncate());
        }
    });
}

fn foot(ui: &mut Ui, view: &DeskView) {
    ui.horizontal(|ui| {
        let FrameTimes { fps, median_ms, p95_ms } = view.times;
        ui.label(RichText::new(format!("{fps:.0} fps  {median_ms:.1} / {p95_ms:.1} ms")).small());
        ui.label(RichText::new(view.device).small().color(style::OFF));
        ui.label(RichText::new("h: keys").small().color(style::OFF));
    });
    for message in [view.message, view.snapshot.message.as_deref()].into_iter().flatten() {
        ui.label(RichText::new(message).small().color(style::WARN));
    }
}

fn help(context: &egui::Context, keys: &[(&str, &str)]) {
    egui::Window::new("Keys").anchor(egui::Align2::CENTER_CENTER, Vec2::ZERO).collapsible(false).show(
        context,
        |ui| {
            egui::Grid::new("keys").spacing(Vec2::new(24.0, 6.0)).show(ui, |ui| {
                for (key, title) in keys {
                    ui.label(RichText::new(*key).strong().size(16.0));
                    ui.label(RichText::new(*title).size(16.0));
                    ui.end_row();
                }
            });
        },
    );
}
