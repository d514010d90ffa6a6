//! The status bar below every page: prompts, messages, frame times and the graphics device.

use egui::{Align, Color32, Label, Layout, RichText, Ui};

use super::sentence::sentence;
use super::style;
use super::view::DeskView;
use crate::show::FrameTimes;
use crate::units::counted;

/// Seconds for which a message stays highlighted.
const BRIGHT_SECS: f64 = 15.0;
/// Number of messages that stay visible until newer ones replace them, even if they no longer apply.
const KEPT: usize = 2;

/// The messages shown, newest first, each with the time at which it appeared, in seconds.
#[derive(Default)]
pub(super) struct StatusBar {
    messages: Vec<(String, f64)>,
    /// Messages of the previous frame.
    previous: Vec<String>,
}

impl StatusBar {
    pub fn show(&mut self, ui: &mut Ui, view: &DeskView) {
        let now = ui.input(|input| input.time);
        for message in view.messages {
            // A message that disappears and comes back counts as new.
            if !self.previous.iter().any(|before| before == message) {
                self.messages.retain(|(known, _)| known != message);
                self.messages.insert(0, ((*message).to_owned(), now));
            }
        }
        self.previous = view.messages.iter().map(|message| (*message).to_owned()).collect();
        // New messages push out those that no longer apply.
        self.messages.truncate(KEPT.max(view.messages.len()));
        for prompt in view.prompts {
            line(ui, prompt, style::ACCENT);
        }
        for (message, since) in &self.messages {
            line(ui, message, if now - since < BRIGHT_SECS { style::WARN } else { style::OFF });
        }
        ui.horizontal(|ui| {
            save_lamp(ui, view);
            log_lamp(ui, view);
            ui.add(Label::new(RichText::new(view.device).small().color(style::OFF)).truncate());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let FrameTimes { fps, median_ms, p95_ms } = view.times;
                let times = format!("{fps:.0} fps   {median_ms:.1} ms (p95 {p95_ms:.1} ms)");
                ui.label(RichText::new(times).small().color(style::OFF));
                let scale = view.snapshot.quality.scale;
                if scale < 1.0 {
                    let text = format!("{:.0}% resolution", scale * 100.0);
                    ui.label(RichText::new(text).small().color(style::OFF)).on_hover_text(
                        "Rendering at a lower resolution because this computer cannot keep up",
                    );
                }
                let dropped = &view.snapshot.dropped;
                if dropped.total() > 0 {
                    let count = counted(dropped.total() as usize, "dropped frame");
                    ui.label(RichText::new(count).small().color(style::OFF))
                        .on_hover_text(format!("Dropped frames by cause: {}", dropped.description()));
                }
            });
        });
    }
}

/// Shows one line of text, which a tooltip repeats in full.
fn line(ui: &mut Ui, text: &str, color: Color32) {
    let text = sentence(text);
    ui.add(Label::new(RichText::new(&text).color(color)).truncate()).on_hover_text(text);
}

/// Shows a red label while changes such as favourites or bans cannot be saved.
fn save_lamp(ui: &mut Ui, view: &DeskView) {
    let (unsaved, problem) = (view.library.unsaved, &view.library.save_problem);
    if problem.is_empty() {
        return;
    }
    let text = match unsaved {
        0 => "Not saving".to_owned(),
        count => format!("{} not saved", counted(count, "change")),
    };
    ui.label(RichText::new(text).color(style::BAD)).on_hover_text(format!(
        "{}; changes are kept and will be saved once this is resolved",
        sentence(problem)
    ));
}

/// Shows a red label while the set log cannot be written.
fn log_lamp(ui: &mut Ui, view: &DeskView) {
    if !view.log_problem.is_empty() {
        ui.label(RichText::new("Set log not written").color(style::BAD)).on_hover_text(format!(
            "{}; entries are kept and will be written once this is resolved",
            sentence(view.log_problem)
        ));
    }
}
