//! The line below every page: news for the performer, how long frames take, and on what.

use egui::{Align, Label, Layout, RichText, Ui};

use super::{DeskView, style};
use crate::show::FrameTimes;

/// How long news is bright, seconds.
const BRIGHT_SECS: f64 = 15.0;
/// News kept in sight.
const KEPT: usize = 2;

/// The news on show, with the moment each came.
#[derive(Default)]
pub(super) struct StatusBar {
    news: Vec<(String, f64)>,
    /// What was said at the last drawing.
    said: Vec<String>,
}

impl StatusBar {
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView) {
        let now = ui.input(|input| input.time);
        for message in view.messages {
            // Said again after a pause, it is news again.
            if !self.said.iter().any(|said| said == message) {
                self.news.retain(|(known, _)| known != message);
                self.news.insert(0, ((*message).to_owned(), now));
            }
        }
        self.said = view.messages.iter().map(|message| (*message).to_owned()).collect();
        // What nobody says any more goes when something newer needs its place.
        self.news.truncate(KEPT.max(view.messages.len()));
        for (message, since) in &self.news {
            let color = if now - since < BRIGHT_SECS { style::WARN } else { style::OFF };
            ui.add(Label::new(RichText::new(message).color(color)).truncate()).on_hover_text(message);
        }
        ui.horizontal(|ui| {
            ui.add(Label::new(RichText::new(view.device).small().color(style::OFF)).truncate());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let FrameTimes { fps, median_ms, p95_ms } = view.times;
                let times = format!("{fps:.0} fps   {median_ms:.1} ms, 95 %: {p95_ms:.1} ms");
                ui.label(RichText::new(times).small().color(style::OFF));
            });
        });
    }
}
