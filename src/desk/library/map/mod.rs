//! The library as a map: similar presets are close together, coloured by style; a ring marks the preset on
//! air.
//!
//! The dots are drawn into one image, which is kept until something changes, so that even 100,000 dots cost only one
//! image per frame. Rings and names are drawn in every frame. The dots of a large library are computed on a separate
//! thread; until they are ready, the previous ones are shown.

mod grid;
mod raster;
mod window;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use egui::{
    Align2, Color32, FontId, Pos2, Rect, RichText, Sense, Stroke, TextureHandle, TextureOptions, Ui, Vec2,
};

use super::state_color::state_color;
use super::thumbs::Thumbs;
use crate::archive::LibraryView;
use crate::desk::style;
use crate::facts::PresetId;
use crate::find::SearchResults;
use crate::show::Command;
use raster::{Dots, raster};
use window::MapWindow;

/// Maximum distance between the pointer and the preset that it points at, in points.
const REACH: f32 = 14.0;
/// Maximum number of rings for favourites; more would hide the map.
const RINGS: usize = 400;
/// Maximum number of style names shown at once.
const NAMES: usize = 24;
/// Number of presets above which the dots are computed on a separate thread.
const LARGE: usize = 50_000;

/// State that the map shares with the page.
pub(super) struct MapContext<'a> {
    pub playing: Option<PresetId>,
    pub selected: &'a mut Option<PresetId>,
    pub thumbs: Option<&'a mut Thumbs>,
}

/// The view of the map, with its zoom and its image.
#[derive(Default)]
pub(super) struct MapView {
    window: MapWindow,
    found: Option<Found>,
    /// Newer results, whose dots a thread is computing.
    coming: Option<Receiver<Found>>,
    drawn: Option<Drawn>,
}

/// Search results as dots.
struct Found {
    results: Arc<SearchResults>,
    dots: Dots,
    /// Centre of each style on the map, and the style's index in the catalogue; largest style first.
    centres: Vec<([f32; 2], usize)>,
}

impl Found {
    fn of(results: Arc<SearchResults>) -> Self {
        Self { dots: Dots::of(&results), centres: centres(&results), results }
    }
}

/// The image of the dots, with the results, window and size that it was drawn for.
struct Drawn {
    texture: TextureHandle,
    results: Arc<SearchResults>,
    window: MapWindow,
    size: [usize; 2],
}

impl MapView {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &LibraryView,
        context: MapContext,
        commands: &mut Vec<Command>,
    ) {
        if !view.results.looks.mapped() {
            let text = "No map yet. Bake a preset folder to create one: presets that look alike are placed close \
                        together.";
            ui.label(RichText::new(text).size(style::NEAR).color(style::OFF));
            return;
        }
        let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "map of the library"));
        self.move_by_hand(ui, rect, &response);
        self.find(ui.ctx(), &view.results);
        self.draw(ui, rect);
        self.offer_whole(ui, rect);
        let Some(found) = &self.found else { return };
        let results = &found.results;
        let on_screen = |point: [f32; 2]| self.window.on_screen(rect, point);
        let painter = ui.painter_at(rect);
        names(&painter, rect, found, &on_screen);
        let ring = |id: PresetId, radius: f32, color: Color32| {
            let point = results.library.index_of(id).and_then(|place| results.looks.point(place));
            if let Some(at) = point.map(&on_screen) {
                painter.circle_stroke(at, radius, Stroke::new(2.0, color));
            }
        };
        view.favourites.iter().take(RINGS).for_each(|id| ring(*id, 5.0, style::ACCENT));
        context.selected.iter().for_each(|id| ring(*id, 8.0, style::TEXT));
        if let Some(id) = context.playing {
            ring(id, 9.0, style::ON_LIGHT);
            ring(id, 11.0, style::GOOD);
        }
        let reach = self.window.length_on_map(rect, REACH);
        let near =
            response.hover_pos().and_then(|at| found.dots.nearest(self.window.on_map(rect, at), reach));
        let Some(place) = near else {
            if response.double_clicked() {
                self.window = MapWindow::default();
            }
            return;
        };
        let entry = &results.library.entries[place];
        ring(entry.id, 6.0, style::TEXT);
        if response.clicked() {
            *context.selected = Some(entry.id);
        }
        if response.double_clicked() {
            commands.extend(view.play(entry.id));
        }
        response.on_hover_ui_at_pointer(|ui| {
            if let Some(picture) = context.thumbs.and_then(|thumbs| thumbs.of(entry)) {
                ui.image((picture, Vec2::splat(96.0)));
            }
            ui.label(RichText::new(entry.name()).color(state_color(view, context.playing, entry.id)));
            let cluster =
                results.library.clusters.get(usize::from(entry.cluster)).map_or("", |style| &style.name);
            ui.label(RichText::new(format!("{cluster}, {}", entry.energy.title())).color(style::OFF));
        });
    }

    fn move_by_hand(&mut self, ui: &Ui, rect: Rect, response: &egui::Response) {
        if response.dragged() {
            self.window.pan(rect, response.drag_delta());
        }
        if let Some(at) = response.hover_pos() {
            let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
            let factor = pinch * (scroll * 0.005).exp();
            if factor != 1.0 {
                self.window.zoom_at(rect, at, factor);
            }
        }
    }

    /// Shows a button that resets the view, unless the view is the default one.
    fn offer_whole(&mut self, ui: &mut Ui, rect: Rect) {
        if self.window == MapWindow::default() {
            return;
        }
        let size = Vec2::new(130.0, 28.0);
        let corner = Rect::from_min_size(Pos2::new(rect.right() - size.x - 8.0, rect.top() + 8.0), size);
        if ui.put(corner, egui::Button::new("Show whole map")).clicked() {
            self.window = MapWindow::default();
        }
    }

    /// Turns the newest results into dots.
    fn find(&mut self, context: &egui::Context, newest: &Arc<SearchResults>) {
        match self.coming.as_ref().map(Receiver::try_recv) {
            Some(Ok(found)) => (self.found, self.coming) = (Some(found), None),
            Some(Err(TryRecvError::Disconnected)) => self.coming = None,
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        let is_known = self.found.as_ref().is_some_and(|found| Arc::ptr_eq(&found.results, newest));
        // One thread at a time; newer results follow when it has finished.
        if is_known || self.coming.is_some() {
            return;
        }
        let (results, context) = (newest.clone(), context.clone());
        if results.library.entries.len() <= LARGE {
            self.found = Some(Found::of(results));
            return;
        }
        let (sender, coming) = channel();
        let work = move || {
            sender.send(Found::of(results)).ok(); // Fails if the desk has been closed.
            context.request_repaint();
        };
        match std::thread::Builder::new().name("map".into()).spawn(work) {
            Ok(_) => self.coming = Some(coming),
            Err(_) => self.found = Some(Found::of(newest.clone())),
        }
    }

    /// Draws the image of the dots; first updates it if the dots, the window or the size have changed.
    fn draw(&mut self, ui: &Ui, rect: Rect) {
        let scale = ui.ctx().pixels_per_point();
        let size = [rect.width(), rect.height()].map(|side| ((side * scale).round() as usize).max(1));
        let is_current = |drawn: &Drawn, found: &Found| {
            Arc::ptr_eq(&drawn.results, &found.results) && drawn.window == self.window && drawn.size == size
        };
        if let Some(found) = &self.found
            && !self.drawn.as_ref().is_some_and(|drawn| is_current(drawn, found))
        {
            let image = raster(&found.dots, &self.window, size);
            let texture = match self.drawn.take() {
                Some(mut drawn) => {
                    drawn.texture.set(image, TextureOptions::NEAREST);
                    drawn.texture
                }
                None => ui.ctx().load_texture("library map", image, TextureOptions::NEAREST),
            };
            let results = found.results.clone();
            self.drawn = Some(Drawn { texture, results, window: self.window, size });
        }
        if let Some(drawn) = &self.drawn {
            let all = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
            ui.painter().image(drawn.texture.id(), rect, all, Color32::WHITE);
        }
    }
}

/// Draws the names of the largest styles where they fit.
fn names(painter: &egui::Painter, rect: Rect, found: &Found, on_screen: &impl Fn([f32; 2]) -> Pos2) {
    let mut taken: Vec<Rect> = Vec::new();
    for (centre, cluster) in &found.centres {
        let at = on_screen(*centre);
        if !rect.contains(at) {
            continue;
        }
        let name = &found.results.library.clusters[*cluster].name;
        let galley = painter.layout_no_wrap(name.clone(), FontId::proportional(13.0), style::TEXT);
        let place = Align2::CENTER_CENTER.anchor_size(at, galley.size()).expand(3.0);
        if taken.iter().any(|other| other.intersects(place)) {
            continue;
        }
        painter.rect_filled(place, 3.0, Color32::from_black_alpha(150));
        painter.galley(place.shrink(3.0).min, galley, style::TEXT);
        taken.push(place);
        if taken.len() == NAMES {
            return;
        }
    }
}

/// Returns the centre and the index of each style on the map, largest style first.
fn centres(results: &SearchResults) -> Vec<([f32; 2], usize)> {
    let library = &results.library;
    let mut sums = vec![([0.0_f64; 2], 0_u32); library.clusters.len()];
    for (place, entry) in library.entries.iter().enumerate() {
        if let Some([x, y]) = results.looks.point(place) {
            let (sum, count) = &mut sums[usize::from(entry.cluster)];
            (sum[0], sum[1], *count) = (sum[0] + f64::from(x), sum[1] + f64::from(y), *count + 1);
        }
    }
    let mut filled: Vec<usize> = (0..sums.len()).filter(|&cluster| sums[cluster].1 > 0).collect();
    filled.sort_by_key(|&cluster| std::cmp::Reverse(sums[cluster].1));
    let centre = |cluster: usize| {
        let (sum, count) = sums[cluster];
        (sum.map(|sum| (sum / f64::from(count)) as f32), cluster)
    };
    filled.into_iter().map(centre).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Catalogue;

    #[test]
    fn the_dots_of_a_large_library_follow_the_newest_results() {
        let mut library = Catalogue::built_in();
        let entry = library.entries[0].clone();
        library.entries.resize(LARGE + 1, entry);
        let results = || Arc::new(SearchResults { library: Arc::new(library.clone()), ..Default::default() });
        let (context, mut map) = (egui::Context::default(), MapView::default());
        let (first, second) = (results(), results());
        map.find(&context, &first);
        assert!(map.found.is_none(), "the page does not wait");
        for _ in 0..1000 {
            map.find(&context, &second);
            if map.found.as_ref().is_some_and(|found| Arc::ptr_eq(&found.results, &second)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the dots of the newest results are missing");
    }
}
