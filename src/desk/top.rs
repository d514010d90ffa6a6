//! The top bar of every page: tabs; the output, preset and macro modes; the section; and the beat.

use egui::{
    Align, Align2, Color32, FontId, Layout, Pos2, Rect, RichText, Sense, Stroke, StrokeKind, Ui, Vec2,
};

use super::page::Page;
use super::style;
use super::view::DeskView;
use crate::analysis::{BeatGrid, Section};
use crate::mind::macros::Mode;
use crate::show::{OutputMode, Snapshot};

/// Height of the bar, in points.
const HEIGHT: f32 = 58.0;
/// Text size of the caption above a state, in points.
const CAPTION: f32 = 12.0;

/// Draws the bar; sets `page` to the tab that was clicked, if any.
pub(super) fn show(ui: &mut Ui, view: &DeskView, page: &mut Page) {
    ui.horizontal(|ui| {
        ui.set_min_height(HEIGHT);
        for tab in Page::ALL {
            let text = RichText::new(tab.title()).size(style::NEAR);
            let text = if tab == *page { text.color(style::TEXT) } else { text.color(style::OFF) };
            let button = egui::Button::selectable(tab == *page, text).min_size(Vec2::new(64.0, HEIGHT - 8.0));
            if ui.add(button).clicked() {
                *page = tab;
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 14.0;
            let features = &view.snapshot.features;
            beat_lamp(ui, &features.beat, features.beat.beats_at(features.at));
            section(ui, features.section, features.silent);
            state(ui, "Macros", macros(view.snapshot.macros.mode), false);
            state(ui, "Presets", presets(view.snapshot), true);
            if let Some(mode) = output(view.snapshot.output_mode) {
                state(ui, "Output", mode, true);
            }
        });
    });
}

/// Returns the word and the colour for the macro mode.
fn macros(mode: Mode) -> (&'static str, Color32) {
    match mode {
        Mode::Off => ("MANUAL", style::OFF),
        Mode::Ai => ("MUSIC", style::GOOD),
        Mode::Hold => ("MANUAL", style::WARN),
        Mode::Midi => ("MIDI", style::ACCENT),
    }
}

/// Returns the word and the colour for the mode in which presets are chosen.
fn presets(snapshot: &Snapshot) -> (&'static str, Color32) {
    match (snapshot.held, snapshot.auto) {
        (true, _) => ("HOLD", style::WARN),
        (false, true) => ("AUTO", style::GOOD),
        (false, false) => ("MANUAL", style::TEXT),
    }
}

/// Returns the word and the colour for blackout or freeze, if active.
fn output(mode: OutputMode) -> Option<(&'static str, Color32)> {
    match mode {
        OutputMode::Open => None,
        OutputMode::Blackout => Some(("BLACKOUT", style::BAD)),
        OutputMode::Freeze => Some(("FREEZE", style::BAD)),
    }
}

/// Draws a state with a caption above it, on a coloured background if `filled`.
fn state(ui: &mut Ui, caption: &str, (word, color): (&str, Color32), filled: bool) {
    let font = FontId::proportional(style::FAR);
    let width = ui.fonts_mut(|fonts| fonts.layout_no_wrap(word.to_owned(), font.clone(), color).size().x);
    let size = Vec2::new(width.max(40.0) + 20.0, HEIGHT - 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("{caption}: {word}")));
    let painter = ui.painter();
    let ink = if filled {
        painter.rect_filled(rect, 8.0, color);
        style::ON_LIGHT
    } else {
        painter.rect_stroke(rect, 8.0, Stroke::new(2.0, color), StrokeKind::Inside);
        color
    };
    let above = Pos2::new(rect.center().x, rect.top() + CAPTION);
    painter.text(above, Align2::CENTER_CENTER, caption, FontId::proportional(CAPTION), ink);
    let below = Pos2::new(rect.center().x, (rect.top() + CAPTION + rect.bottom()) / 2.0 + 2.0);
    painter.text(below, Align2::CENTER_CENTER, word, font, ink);
}

fn section(ui: &mut Ui, section: Section, silent: bool) {
    let (word, color) = match section {
        _ if silent => ("SILENT", style::BAD),
        Section::Calm => ("CALM", Color32::from_rgb(110, 170, 235)),
        Section::Groove => ("GROOVE", style::GOOD),
        Section::Peak => ("PEAK", style::ACCENT),
    };
    ui.label(RichText::new(word).size(style::FAR).color(color));
}

/// Draws a lamp that flashes on the beat, above a mark for each beat of the bar; all dark if no beat is
/// detected.
fn beat_lamp(ui: &mut Ui, grid: &BeatGrid, beats: f64) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(56.0, HEIGHT - 4.0), Sense::hover());
    let painter = ui.painter_at(rect);
    let center = Pos2::new(rect.center().x, rect.top() + 18.0);
    let trusted = grid.trusted();
    let since = beats.rem_euclid(1.0) as f32;
    let step = grid.beat_of_bar(beats.floor() as i64);
    let color = if step == 0 { style::ACCENT } else { style::GOOD };
    let light = if trusted { (1.0 - since).powi(2) } else { 0.0 };
    painter.circle_filled(center, 16.0, color.gamma_multiply(light));
    painter.circle_stroke(center, 16.0, Stroke::new(2.0, if trusted { color } else { style::TROUGH }));
    let spacing = rect.width() / f32::from(grid.beats_per_bar.max(1));
    for dot in 0..grid.beats_per_bar {
        let at = Rect::from_center_size(
            Pos2::new(rect.left() + spacing * (f32::from(dot) + 0.5), rect.bottom() - 5.0),
            Vec2::new(spacing - 3.0, 6.0),
        );
        let lit = trusted && dot == step;
        painter.rect_filled(at, 2.0, if lit { color } else { style::TROUGH });
    }
}
