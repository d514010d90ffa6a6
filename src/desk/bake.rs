//! The Bake page: starts a bake, shows its progress and stops it without losing work.

use egui::{
    Color32, DragValue, Label, ProgressBar, RichText, ScrollArea, TextEdit, TextureHandle, TextureOptions,
    Ui, Vec2,
};

use super::button::{BigButton, big};
use super::sentence::sentence;
use super::style;

/// Maximum number of thumbnails shown.
const THUMBS: usize = 24;
/// Side of a thumbnail, in points.
const THUMB_SIDE: f32 = 84.0;

/// State shown on the Bake page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BakeView {
    /// The library to bake; `None` while the show plays the built-in presets.
    pub library: Option<String>,
    /// Names of the vision models available besides the built-in embedder.
    pub models: Vec<String>,
    /// Whether a bake is running.
    pub running: bool,
    /// Labels of all stages in order.
    pub stages: Vec<String>,
    /// Label of the current stage; empty before the first.
    pub stage: String,
    /// Number of presets finished in this stage.
    pub done: usize,
    /// Total number of presets in this stage.
    pub total: usize,
    /// Recent rate in presets per second.
    pub rate: f64,
    /// Estimated time left in this stage, in seconds; `None` until it is known.
    pub left_secs: Option<f64>,
    /// Whether the style index from before the last bake can be restored.
    pub can_restore: bool,
    /// Why the latest bake failed, if it did.
    pub problem: Option<String>,
    /// Log messages, newest last.
    pub notes: Vec<String>,
    /// Latest thumbnails, newest last.
    pub pictures: Vec<BakePicture>,
}

/// A thumbnail of a rendered preset.
#[derive(Clone, Debug, PartialEq)]
pub struct BakePicture {
    /// Unique number of the thumbnail.
    pub number: u64,
    /// Width and height in pixels.
    pub size: [usize; 2],
    /// RGB bytes, row by row.
    pub rgb: std::sync::Arc<Vec<u8>>,
}

/// A request from the Bake page.
#[derive(Clone, Debug, PartialEq)]
pub enum BakeRequest {
    /// Start or resume a bake.
    Start(BakeOptions),
    /// Stop the bake; finished work is kept.
    Stop,
    /// Swap the library's style index with the one from before the last bake.
    RestoreIndex,
}

/// Options of a bake.
#[derive(Clone, Debug, PartialEq)]
pub struct BakeOptions {
    /// Pack name; derived from the library's folder name if empty.
    pub pack: String,
    /// Time limit in hours.
    pub hours: f64,
    /// Maximum number of presets; 0 for all.
    pub limit: usize,
    /// Number of styles; 0 for automatic.
    pub clusters: usize,
    /// Vision model; the built-in embedder if empty.
    pub embedder: String,
    /// Whether to tune the embeddings.
    pub tune: bool,
    /// Whether to run only a smoke test.
    pub smoke: bool,
}

impl Default for BakeOptions {
    fn default() -> Self {
        let (pack, embedder) = (String::new(), String::new());
        Self { pack, hours: 8.0, limit: 0, clusters: 0, embedder, tune: false, smoke: false }
    }
}

/// The Bake page, with its options and uploaded thumbnails.
#[derive(Default)]
pub(super) struct BakePage {
    options: BakeOptions,
    thumbs: Vec<(u64, TextureHandle)>,
}

impl BakePage {
    pub fn show(&mut self, ui: &mut Ui, view: &BakeView, requests: &mut Vec<BakeRequest>) {
        egui::Panel::left("options").default_size(330.0).show(ui, |ui| self.options(ui, view, requests));
        egui::CentralPanel::default().show(ui, |ui| {
            progress(ui, view);
            self.pictures(ui, view);
            ui.separator();
            ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
                for note in &view.notes {
                    ui.add(Label::new(RichText::new(sentence(note)).color(style::OFF)).wrap());
                }
            });
        });
    }

    fn options(&mut self, ui: &mut Ui, view: &BakeView, requests: &mut Vec<BakeRequest>) {
        ui.label(RichText::new("Bake overnight").size(style::NEAR));
        ui.label(
            "Audits every preset, renders those that pass, groups presets that look alike, and writes the style index \
             for the director. A bake slows down while music is playing and stops when aivj exits. Start the bake \
             again to resume.",
        );
        ui.add_space(8.0);
        let Some(library) = &view.library else {
            let how = "The show is playing the built-in presets. To bake a library, open its folder on the Settings \
                       page.";
            ui.label(RichText::new(how).color(style::WARN));
            return;
        };
        ui.add(Label::new(RichText::new(library).color(style::OFF)).wrap());
        ui.add_space(8.0);
        let BakeOptions { pack, hours, limit, clusters, embedder, tune, smoke } = &mut self.options;
        ui.add_enabled_ui(!view.running, |ui| {
            egui::Grid::new("options").num_columns(2).spacing(Vec2::new(12.0, 8.0)).show(ui, |ui| {
                let name = ui.label("Pack name").id;
                let field = TextEdit::singleline(pack).hint_text("(library name)").desired_width(150.0);
                ui.add(field).labelled_by(name);
                ui.end_row();
                let name = ui.label("Time limit (hours)").id;
                ui.add(DragValue::new(hours).range(0.1..=72.0).speed(0.1)).labelled_by(name);
                ui.end_row();
                let name = ui.label("Preset limit (0 = all)").id;
                ui.add(DragValue::new(limit).range(0..=1_000_000)).labelled_by(name);
                ui.end_row();
                let name = ui.label("Styles (0 = automatic)").id;
                let before = *clusters;
                ui.add(DragValue::new(clusters).range(0..=256)).labelled_by(name);
                // Any number other than 0 must be at least 8.
                if (1..8).contains(clusters) {
                    *clusters = if before >= 8 { 0 } else { 8 };
                }
                ui.end_row();
                let name = ui.label("Embedder").id;
                let word = |name: &str| match name {
                    "" => "Built-in".to_owned(),
                    "auto" => "Built-in and model".to_owned(),
                    name => name.to_owned(),
                };
                let choices = egui::ComboBox::from_id_salt("embedder").selected_text(word(embedder));
                let choices = choices.show_ui(ui, |ui| {
                    let both = (!view.models.is_empty()).then_some("auto");
                    let models = view.models.iter().map(String::as_str);
                    for name in [""].into_iter().chain(both).chain(models) {
                        ui.selectable_value(embedder, name.to_owned(), word(name));
                    }
                });
                choices.response.labelled_by(name);
                ui.end_row();
                let name = ui.label("Tune embeddings").id;
                ui.checkbox(tune, "").labelled_by(name).on_hover_text(
                    "Learn from folders, tags, favourites and skips which presets belong together; used only if it is \
                     measurably better",
                );
                ui.end_row();
                let name = ui.label("Smoke test only").id;
                ui.checkbox(smoke, "").labelled_by(name);
                ui.end_row();
            });
        });
        ui.add_space(12.0);
        let size = Vec2::new(ui.available_width(), 52.0);
        if view.running {
            let stop = BigButton { title: "Stop", key: "", on: false, color: style::WARN };
            if big(ui, size, &stop)
                .on_hover_text("Finished work is kept; start the bake again to resume")
                .clicked()
            {
                requests.push(BakeRequest::Stop);
            }
        } else {
            let start = BigButton { title: "Bake overnight", key: "", on: false, color: style::GOOD };
            if big(ui, size, &start).clicked() {
                requests.push(BakeRequest::Start(self.options.clone()));
            }
            if view.can_restore {
                ui.add_space(8.0);
                let restore = ui.button("Restore previous styles");
                let hint =
                    "Restore the styles from before the last bake; press again to return to the new ones";
                if restore.on_hover_text(hint).clicked() {
                    requests.push(BakeRequest::RestoreIndex);
                }
            }
        }
    }

    fn pictures(&mut self, ui: &mut Ui, view: &BakeView) {
        self.thumbs.retain(|(number, _)| view.pictures.iter().any(|picture| picture.number == *number));
        for picture in view.pictures.iter().rev().take(THUMBS) {
            let there = self.thumbs.iter().any(|(number, _)| *number == picture.number);
            if !there && picture.rgb.len() == picture.size[0] * picture.size[1] * 3 {
                let image = egui::ColorImage::from_rgb(picture.size, &picture.rgb);
                let name = format!("bake/thumb {}", picture.number);
                let handle = ui.ctx().load_texture(name, image, TextureOptions::LINEAR);
                self.thumbs.push((picture.number, handle));
            }
        }
        self.thumbs.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(3.0);
            for (_, handle) in self.thumbs.iter().take(THUMBS) {
                ui.image((handle.id(), Vec2::splat(THUMB_SIDE)));
            }
        });
    }
}

fn progress(ui: &mut Ui, view: &BakeView) {
    let (word, color): (&str, Color32) = match (view.running, view.stage.as_str()) {
        (true, "") => ("Preparing", style::TEXT),
        (true, stage) => (stage, style::GOOD),
        (false, "") => ("No bake running", style::OFF),
        (false, stage) => (stage, style::TEXT),
    };
    ui.label(RichText::new(word).size(style::NEAR).color(color));
    let at = view.stages.iter().position(|stage| *stage == view.stage);
    ui.horizontal_wrapped(|ui| {
        for (number, stage) in view.stages.iter().enumerate() {
            let color = match at {
                Some(at) if number < at => style::GOOD,
                Some(at) if number == at => style::TEXT,
                _ => style::OFF,
            };
            ui.label(RichText::new(stage).color(color));
        }
    });
    let share = view.done as f32 / view.total.max(1) as f32;
    let text = if view.total == 0 { String::new() } else { format!("{} of {}", view.done, view.total) };
    ui.add(ProgressBar::new(share).text(text));
    let left = view.left_secs.filter(|_| view.running).map_or_else(String::new, |left| {
        format!("{:.1} presets per second, about {} left in this stage", view.rate, duration(left))
    });
    ui.label(RichText::new(left).color(style::OFF));
    if let Some(problem) = &view.problem {
        ui.add(Label::new(RichText::new(sentence(problem)).color(style::WARN)).wrap());
    }
}

/// Formats a duration as hours and minutes, as minutes, or as seconds: `2 h 05 min`, `3 min`, `40 s`.
fn duration(secs: f64) -> String {
    let secs = secs.max(0.0) as u64;
    match (secs / 3600, secs / 60 % 60) {
        (0, 0) => format!("{secs} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_hours_minutes_or_seconds() {
        assert_eq!([duration(40.0), duration(190.0), duration(7500.0)], ["40 s", "3 min", "2 h 05 min"]);
    }
}
