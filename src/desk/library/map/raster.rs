//! Draws the map's dots into one image: search results in the colours of their styles, over all other presets
//! in grey.

use egui::epaint::HsvaGamma;
use egui::{Color32, ColorImage, Vec2};

use super::grid::Grid;
use super::window::MapWindow;
use crate::find::SearchResults;

/// Colour of the background.
const GROUND: Color32 = Color32::from_rgb(9, 10, 12);
/// Colour of presets that do not match the search.
const GREY: Color32 = Color32::from_rgb(38, 41, 47);
/// Minimum and maximum diameter of a dot, in pixels.
const DOT: (f32, f32) = (1.0, 9.0);
/// Approximate fraction of the map's area that all dots together cover at zoom 1, before their size is clamped.
const COVER: f32 = 0.25;
/// Approximate maximum number of dots in an image, for presets that match the search and for the others separately.
const MAX_DOTS: usize = 150_000;
/// Hue step between consecutive styles, in turns; the golden ratio keeps the hues of neighbours far apart.
const HUE_STEP: f32 = 0.618_034;

/// The dots of all presets with a map position; those of presets that do not match the search come first.
pub(super) struct Dots {
    points: Vec<([f32; 2], Color32)>,
    /// Catalogue index of each dot's preset.
    places: Vec<u32>,
    /// Index of the first dot of a preset that matches the search.
    first_found: usize,
    grid: Grid,
}

impl Dots {
    /// Creates a dot for every preset with a map position: coloured if the search found it, otherwise grey.
    pub fn of(results: &SearchResults) -> Self {
        let colors: Vec<Color32> = (0..results.library.clusters.len()).map(color).collect();
        let mut found = vec![false; results.library.entries.len()];
        results.indices.iter().for_each(|&place| found[place as usize] = true);
        let dots = |wanted: bool| {
            let (found, colors) = (&found, &colors);
            results.library.entries.iter().enumerate().filter_map(move |(place, entry)| {
                let point = results.looks.point(place).filter(|_| found[place] == wanted)?;
                let color = if wanted { colors[usize::from(entry.cluster)] } else { GREY };
                Some(((point, color), place as u32))
            })
        };
        let (mut points, mut places): (Vec<_>, Vec<u32>) = dots(false).unzip();
        let first_found = points.len();
        dots(true).for_each(|(point, place)| {
            points.push(point);
            places.push(place);
        });
        Self::new(points, places, first_found)
    }

    fn new(points: Vec<([f32; 2], Color32)>, places: Vec<u32>, first_found: usize) -> Self {
        let grid = Grid::of(points.iter().map(|(point, _)| *point));
        Self { points, places, first_found, grid }
    }

    /// Returns the catalogue index of the preset that matches the search and is nearest to `at`, at most `reach` away.
    /// All positions and lengths are those of the map.
    pub fn nearest(&self, at: [f32; 2], reach: f32) -> Option<usize> {
        let corner = |by: f32| at.map(|side| side + by);
        let found = self.grid.near(corner(-reach), corner(reach)).filter(|dot| *dot >= self.first_found);
        let distance = |dot: usize| {
            let [x, y] = self.points[dot].0;
            (x - at[0]).hypot(y - at[1])
        };
        let within = found.map(|dot| (distance(dot), dot)).filter(|(distance, _)| *distance <= reach);
        let nearest = within.min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(self.places[nearest.1] as usize)
    }

    /// Returns the dots in the cells that touch the rectangle from `min` to `max`, in the order in which they are
    /// drawn.
    fn visible(&self, min: [f32; 2], max: [f32; 2]) -> Vec<usize> {
        let mut visible: Vec<usize> = self.grid.near(min, max).collect();
        if visible.len() == self.points.len() {
            return (0..visible.len()).collect();
        }
        visible.sort_unstable();
        visible
    }
}

/// Returns the colour of a style.
fn color(cluster: usize) -> Color32 {
    let turn = cluster as f32 * HUE_STEP;
    // Every other style is paler, to tell similar hues apart.
    let saturation = if cluster.is_multiple_of(2) { 0.75 } else { 0.5 };
    HsvaGamma { h: turn.fract(), s: saturation, v: 0.95, a: 1.0 }.into()
}

/// Draws the dots visible in `window` into an image with this width and height, in pixels.
pub(super) fn raster(dots: &Dots, window: &MapWindow, [width, height]: [usize; 2]) -> ColorImage {
    let mut pixels = vec![GROUND; width * height];
    let size = Vec2::new(width as f32, height as f32);
    let scale = window.scale(size);
    let room = COVER * size.x.min(size.y).powi(2) / dots.points.len().max(1) as f32;
    // Dots grow more slowly than the map, so zooming in separates them.
    let across = (room.sqrt() * window.zoom().sqrt()).clamp(DOT.0, DOT.1);
    let disc = disc(across);
    let reach = across.ceil() as i64 / 2 + 1;
    let rect = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
    let origin = window.on_screen(rect, [0.0, 0.0]);
    let around = rect.expand(reach as f32 + 1.0);
    let (min, max) = (window.on_map(rect, around.left_bottom()), window.on_map(rect, around.right_top()));
    let visible = dots.visible(min, max);
    let (grey, found) = visible.split_at(visible.partition_point(|dot| *dot < dots.first_found));
    for dot in thinned(grey).chain(thinned(found)) {
        let ([x, y], color) = dots.points[dot];
        let column = (origin.x + x * scale) as i64;
        let row = (origin.y - y * scale) as i64;
        if column < -reach || row < -reach || column >= width as i64 + reach || row >= height as i64 + reach {
            continue;
        }
        for &(right, down) in &disc {
            let (column, row) = (column + right, row + down);
            if (0..width as i64).contains(&column) && (0..height as i64).contains(&row) {
                pixels[row as usize * width + column as usize] = color;
            }
        }
    }
    ColorImage::new([width, height], pixels)
}

/// Returns at most about [`MAX_DOTS`] of these dots, chosen by index, so that the same ones are drawn while the map is
/// moved.
fn thinned(dots: &[usize]) -> impl Iterator<Item = usize> {
    let step = dots.len().div_ceil(MAX_DOTS).max(1);
    dots.iter().copied().filter(move |dot| dot.is_multiple_of(step))
}

/// Returns the pixels of a disc, as offsets from its centre; `across` is the diameter in pixels.
fn disc(across: f32) -> Vec<(i64, i64)> {
    let reach = (across / 2.0).ceil() as i64;
    let inside = |right: i64, down: i64| {
        let (x, y) = (right as f32 + 0.5 - across % 2.0 / 2.0, down as f32 + 0.5 - across % 2.0 / 2.0);
        x.hypot(y) <= across / 2.0
    };
    let all = (-reach..=reach).flat_map(|down| (-reach..=reach).map(move |right| (right, down)));
    let mut disc: Vec<(i64, i64)> = all.filter(|&(right, down)| inside(right, down)).collect();
    if disc.is_empty() {
        disc.push((0, 0));
    }
    disc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_drawn_over_other_presets_in_the_colour_of_their_style() {
        let red = color(0);
        let points = vec![([0.0, 0.0], GREY), ([0.5, 0.0], GREY), ([0.0, 0.0], red)];
        let dots = Dots::new(points, vec![7, 8, 9], 2);
        let image = raster(&dots, &MapWindow::default(), [101, 101]);
        let at = |x: usize, y: usize| image.pixels[y * 101 + x];
        assert_eq!((at(50, 50), at(74, 50), at(3, 3)), (red, GREY, GROUND));
        let styles: std::collections::BTreeSet<[u8; 4]> = (0..256).map(|at| color(at).to_array()).collect();
        assert!(styles.len() > 240, "{} colours for 256 styles", styles.len());
    }

    #[test]
    fn only_results_within_reach_are_nearest() {
        let points = [[0.0, 0.0], [0.02, 0.0], [0.5, 0.5]].map(|point| (point, GREY)).to_vec();
        let dots = Dots::new(points, vec![7, 8, 9], 1);
        assert_eq!(dots.nearest([0.001, 0.0], 0.05), Some(8), "the nearest one does not match the search");
        assert_eq!(dots.nearest([0.001, 0.0], 0.01), None);
        assert_eq!(dots.nearest([0.52, 0.5], 0.05), Some(9));
    }

    #[test]
    fn a_part_of_the_map_is_drawn_like_the_same_part_of_all_dots() {
        let mut rng = crate::units::Rng::new(8);
        let points: Vec<_> =
            (0..3000).map(|at| ([0, 1].map(|_| 2.0 * rng.unit_f32() - 1.0), color(at % 50))).collect();
        let mut window = MapWindow::default();
        let rect = egui::Rect::from_min_size(egui::Pos2::ZERO, Vec2::new(80.0, 60.0));
        window.zoom_at(rect, egui::Pos2::new(20.0, 20.0), 4.0);
        let mut dots = Dots::new(points, vec![0; 3000], 0);
        let part = raster(&dots, &window, [80, 60]);
        let (min, max) = (window.on_map(rect, rect.left_bottom()), window.on_map(rect, rect.right_top()));
        assert!(dots.visible(min, max).len() < 1000, "most dots are not visited");
        let centre = window.on_map(rect, rect.center());
        dots.grid = Grid::of(vec![centre; 3000].into_iter());
        assert_eq!(dots.visible(min, max).len(), 3000, "all dots are visited");
        assert!(part.pixels == raster(&dots, &window, [80, 60]).pixels);
    }

    #[test]
    fn very_many_dots_are_thinned_out() {
        let all: Vec<usize> = (0..3 * MAX_DOTS).collect();
        assert_eq!(thinned(&all).count(), MAX_DOTS);
        assert_eq!(thinned(&all[5..9]).collect::<Vec<_>>(), [5, 6, 7, 8]);
    }

    #[test]
    fn dots_outside_the_image_are_clipped() {
        let points = [[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0], [0.99, 0.2]];
        let dots = Dots::new(points.map(|point| (point, GREY)).to_vec(), vec![0; 4], 4);
        let mut window = MapWindow::default();
        let rect = egui::Rect::from_min_size(egui::Pos2::ZERO, Vec2::new(64.0, 32.0));
        window.zoom_at(rect, egui::Pos2::new(10.0, 10.0), 50.0);
        assert_eq!(raster(&dots, &window, [64, 32]).pixels.len(), 64 * 32);
    }
}
