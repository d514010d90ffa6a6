//! The visible part of the map; converts between map coordinates (-1 to 1, y up) and screen coordinates.

use egui::{Pos2, Rect, Vec2};

/// Minimum and maximum zoom.
const ZOOM: (f32, f32) = (0.5, 400.0);
/// Share of the view's shorter side filled by the whole map at zoom 1.
const FILL: f32 = 0.94;

/// The visible part of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MapWindow {
    centre: [f32; 2],
    zoom: f32,
}

impl Default for MapWindow {
    /// Shows the whole map.
    fn default() -> Self {
        Self { centre: [0.0; 2], zoom: 1.0 }
    }
}

impl MapWindow {
    /// Returns the number of screen points per map unit in a view of this size.
    pub fn scale(&self, size: Vec2) -> f32 {
        self.zoom * FILL * size.x.min(size.y).max(1.0) / 2.0
    }

    /// Returns the zoom factor; 1 shows the whole map.
    pub fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Converts a map position to a screen position.
    pub fn on_screen(&self, rect: Rect, [x, y]: [f32; 2]) -> Pos2 {
        let scale = self.scale(rect.size());
        rect.center() + Vec2::new(x - self.centre[0], self.centre[1] - y) * scale
    }

    /// Converts a screen position to a map position.
    pub fn on_map(&self, rect: Rect, at: Pos2) -> [f32; 2] {
        let off = (at - rect.center()) / self.scale(rect.size());
        [self.centre[0] + off.x, self.centre[1] - off.y]
    }

    /// Converts a screen length to a map length.
    pub fn length_on_map(&self, rect: Rect, length: f32) -> f32 {
        length / self.scale(rect.size())
    }

    /// Pans the map by a screen distance.
    pub fn pan(&mut self, rect: Rect, by: Vec2) {
        let by = by / self.scale(rect.size());
        self.look_at([self.centre[0] - by.x, self.centre[1] + by.y]);
    }

    /// Zooms around the screen position `at`, which stays fixed.
    pub fn zoom_at(&mut self, rect: Rect, at: Pos2, factor: f32) {
        let before = self.on_map(rect, at);
        self.zoom = (self.zoom * factor).clamp(ZOOM.0, ZOOM.1);
        let after = self.on_map(rect, at);
        self.look_at([0, 1].map(|axis| self.centre[axis] + before[axis] - after[axis]));
    }

    /// Centres the view on a map position, clamped so that the map stays visible.
    fn look_at(&mut self, centre: [f32; 2]) {
        self.centre = centre.map(|place| place.clamp(-1.0, 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_inverse_and_zooming_keeps_the_point_under_the_pointer() {
        let rect = Rect::from_min_size(Pos2::new(100.0, 50.0), Vec2::new(800.0, 500.0));
        let mut window = MapWindow::default();
        let near = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).abs() + (a[1] - b[1]).abs() < 1e-4;
        assert!(
            rect.contains(window.on_screen(rect, [0.0, 1.0]))
                && rect.contains(window.on_screen(rect, [0.0, -1.0]))
        );
        let pointer = Pos2::new(450.0, 320.0);
        let under = window.on_map(rect, pointer);
        window.zoom_at(rect, pointer, 3.0);
        assert!(near(window.on_map(rect, pointer), under));
        window.pan(rect, Vec2::new(30.0, -20.0));
        assert!(near(window.on_map(rect, pointer + Vec2::new(30.0, -20.0)), under));
        assert!((window.on_screen(rect, under) - pointer - Vec2::new(30.0, -20.0)).length() < 0.05);
        for _ in 0..100 {
            window.pan(rect, Vec2::new(500.0, 500.0));
            window.zoom_at(rect, pointer, 0.1);
        }
        assert!(rect.contains(window.on_screen(rect, [-1.0, 1.0])), "the map must stay visible");
    }
}
