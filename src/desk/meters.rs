//! Audio meters: level, spectrum, beat, section and scene.

use egui::{Color32, Pos2, Rect, RichText, Sense, Stroke, Ui, Vec2};

use super::sentence::sentence;
use super::style;
use super::view::DeskView;
use crate::analysis::{Features, Scene};
use crate::show::SPECTRUM_BINS;

/// Number of spectrum bars.
const BARS: usize = 40;
/// Level of an empty meter, in dBFS.
const FLOOR_DB: f32 = -60.0;

/// The audio meters. The peak mark falls slowly, so that short peaks are visible.
#[derive(Default)]
pub(super) struct Meters {
    peak: f32,
}

impl Meters {
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView) {
        ui.label(RichText::new("Audio").strong());
        ui.add(egui::Label::new(RichText::new(&view.audio.source).small().color(style::OFF)).truncate());
        if !view.audio.problem.is_empty() {
            ui.label(RichText::new(sentence(&view.audio.problem)).color(style::WARN).small());
        } else if !view.audio.hearing.is_empty() {
            let hearing = sentence(&view.audio.hearing);
            let text = RichText::new(&hearing).small().color(style::OFF);
            ui.add(egui::Label::new(text).truncate()).on_hover_text(&hearing);
        }
        let samples = view.heard.wave.as_flattened();
        let loudest = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        self.peak = loudest.max(self.peak * 0.93);
        level(ui, loudest, self.peak);
        spectrum(ui, view);
        let features = &view.snapshot.features;
        beat(ui, features);
        scene(ui, features);
    }
}

fn level(ui: &mut Ui, now: f32, peak: f32) {
    let share = |amplitude: f32| {
        let db = 20.0 * amplitude.max(1e-6).log10();
        ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
    };
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 16.0), Sense::hover());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 2.0, style::TROUGH);
    let color = if now >= 0.99 { style::BAD } else { style::GOOD };
    let width = rect.width() * share(now);
    painter.rect_filled(Rect::from_min_size(rect.min, Vec2::new(width, rect.height())), 2.0, color);
    let x = rect.left() + rect.width() * share(peak);
    painter
        .line_segment([Pos2::new(x, rect.top()), Pos2::new(x, rect.bottom())], Stroke::new(2.0, style::TEXT));
}

fn spectrum(ui: &mut Ui, view: &DeskView) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 64.0), Sense::hover());
    let painter = ui.painter_at(rect);
    let bins = &view.heard.spectrum[0];
    let edge = |bar: usize| {
        // The bars are equally spaced in pitch.
        let share = bar as f32 / BARS as f32;
        (((SPECTRUM_BINS as f32).powf(share)) as usize).clamp(1, SPECTRUM_BINS)
    };
    let step = rect.width() / BARS as f32;
    for bar in 0..BARS {
        let (from, to) = (edge(bar) - 1, edge(bar + 1).max(edge(bar)));
        let loudest = bins[from..to].iter().fold(0.0_f32, |peak, bin| peak.max(*bin));
        let height = ((1.0 + 24.0 * loudest).ln() / 7.0).clamp(0.0, 1.0) * rect.height();
        let left = rect.left() + bar as f32 * step;
        let min = Pos2::new(left, rect.bottom() - height);
        let color = Color32::from_rgb(70, 130 + bar as u8 * 2, 200 - bar as u8 * 2);
        painter.rect_filled(Rect::from_min_max(min, Pos2::new(left + step - 1.5, rect.bottom())), 1.0, color);
    }
}

fn beat(ui: &mut Ui, features: &Features) {
    let grid = &features.beat;
    ui.horizontal(|ui| {
        if grid.trusted() {
            ui.label(RichText::new(format!("{:.1} BPM", grid.tempo.bpm())).size(20.0).strong());
            let in_bar = grid.beat_of_bar(grid.beats_at(features.at).floor() as i64);
            for step in 0..grid.beats_per_bar {
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(14.0), Sense::hover());
                let color = if step == in_bar { style::GOOD } else { Color32::from_rgb(40, 44, 50) };
                ui.painter().circle_filled(rect.center(), 6.0, color);
            }
        } else {
            ui.label(RichText::new("No beat").size(20.0).color(style::OFF));
        }
        ui.label(RichText::new(format!("{:?}", features.section)).strong());
    });
}

fn scene(ui: &mut Ui, features: &Features) {
    for (scene, probability) in Scene::ALL.into_iter().zip(features.scene.probabilities) {
        let on = scene == features.scene.scene;
        ui.horizontal(|ui| {
            let text = RichText::new(scene.title()).color(if on { style::TEXT } else { style::OFF });
            ui.add_sized(Vec2::new(64.0, 16.0), egui::Label::new(text));
            let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 12.0), Sense::hover());
            let painter = ui.painter_at(rect);
            painter.rect_filled(rect, 2.0, style::TROUGH);
            let width = rect.width() * probability.clamp(0.0, 1.0);
            let color = if on { style::GOOD } else { style::OFF };
            painter.rect_filled(Rect::from_min_size(rect.min, Vec2::new(width, rect.height())), 2.0, color);
        });
    }
}
