//! The strip above every page: which page, who chooses, what the crowd sees, beat and section. Read from two metres.

use egui::{Align, Align2, Color32, FontId, Layout, Pos2, Rect, RichText, Sense, Stroke, Ui, Vec2};

use super::{DeskView, Page, style};
use crate::analysis::{BeatGrid, Section};
use crate::show::{Snapshot, Veil};

/// Height of the strip, points.
const HEIGHT: f32 = 52.0;

/// Draws the strip; a tab that is clicked goes into `page`.
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
            for (word, color) in states(view.snapshot) {
                pill(ui, word, color);
            }
        });
    });
}

/// Who chooses, and what lies over the picture: the states that must never be missed, the gravest first.
fn states(snapshot: &Snapshot) -> Vec<(&'static str, Color32)> {
    let mut states = Vec::new();
    match snapshot.veil {
        Veil::Open => {}
        Veil::Blackout => states.push(("BLACKOUT", style::BAD)),
        Veil::Freeze => states.push(("FREEZE", style::BAD)),
    }
    states.push(match (snapshot.held, snapshot.auto) {
        (true, _) => ("HOLD", style::WARN),
        (false, true) => ("AUTO", style::GOOD),
        (false, false) => ("MANUAL", style::TEXT),
    });
    states
}

fn pill(ui: &mut Ui, word: &str, color: Color32) {
    let font = FontId::proportional(style::FAR);
    let width = ui.fonts_mut(|fonts| fonts.layout_no_wrap(word.to_owned(), font.clone(), color).size().x);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width + 24.0, HEIGHT - 8.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, word));
    ui.painter().rect_filled(rect, 8.0, color);
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, word, font, style::ON_LIGHT);
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

/// A lamp that lights on the beat and fades until the next, above four dots for the bar; dark without a beat.
fn beat_lamp(ui: &mut Ui, grid: &BeatGrid, beats: f64) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(56.0, HEIGHT - 4.0), Sense::hover());
    let painter = ui.painter_at(rect);
    let center = Pos2::new(rect.center().x, rect.top() + 18.0);
    let trusted = grid.trusted();
    let since = beats.rem_euclid(1.0) as f32;
    let step = (beats.floor().max(0.0) as u64 + 4 - grid.downbeat % 4) % 4;
    let color = if step == 0 { style::ACCENT } else { style::GOOD };
    let light = if trusted { (1.0 - since).powi(2) } else { 0.0 };
    painter.circle_filled(center, 16.0, color.gamma_multiply(light));
    painter.circle_stroke(center, 16.0, Stroke::new(2.0, if trusted { color } else { style::TROUGH }));
    for dot in 0..4 {
        let at = Rect::from_center_size(
            Pos2::new(rect.left() + 7.0 + 14.0 * dot as f32, rect.bottom() - 5.0),
            Vec2::new(11.0, 6.0),
        );
        let lit = trusted && dot as u64 == step;
        painter.rect_filled(at, 2.0, if lit { color } else { style::TROUGH });
    }
}
