//! The part of the map that is looked at: from the map's own coordinates, -1 to 1 and upwards, to the screen and back.

use egui::{Pos2, Rect, Vec2};

/// How far one can go in, and how much smaller than the whole the map may become.
const ZOOM: (f32, f32) = (0.5, 400.0);
/// Share of the shorter side that the whole map fills.
const FILL: f32 = 0.94;

/// The part that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MapWindow {
    centre: [f32; 2],
    zoom: f32,
}

impl Default for MapWindow {
    /// The whole map.
    fn default() -> Self {
        Self { centre: [0.0; 2], zoom: 1.0 }
    }
}

impl MapWindow {
    /// Points of the screen a step of one on the map takes, in a window of this size.
    pub fn scale(&self, size: Vec2) -> f32 {
        self.zoom * FILL * size.x.min(size.y).max(1.0) / 2.0
    }

    /// How far in one has gone; 1 for the whole map.
    pub fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Where a place of the map is on the screen.
    pub fn on_screen(&self, rect: Rect, [x, y]: [f32; 2]) -> Pos2 {
        let scale = self.scale(rect.size());
        rect.center() + Vec2::new(x - self.centre[0], self.centre[1] - y) * scale
    }

    /// Which place of the map is at this place of the screen.
    pub fn on_map(&self, rect: Rect, at: Pos2) -> [f32; 2] {
        let off = (at - rect.center()) / self.scale(rect.size());
        [self.centre[0] + off.x, self.centre[1] - off.y]
    }

    /// A length of the screen on the map.
    pub fn length_on_map(&self, rect: Rect, length: f32) -> f32 {
        length / self.scale(rect.size())
    }

    /// Moves the map under the pointer.
    pub fn pan(&mut self, rect: Rect, by: Vec2) {
        let by = by / self.scale(rect.size());
        self.look_at([self.centre[0] - by.x, self.centre[1] + by.y]);
    }

    /// Goes in or out; what is at `at` stays there.
    pub fn zoom_at(&mut self, rect: Rect, at: Pos2, factor: f32) {
        let before = self.on_map(rect, at);
        self.zoom = (self.zoom * factor).clamp(ZOOM.0, ZOOM.1);
        let after = self.on_map(rect, at);
        self.look_at([0, 1].map(|axis| self.centre[axis] + before[axis] - after[axis]));
    }

    /// Never so far away that the map is lost.
    fn look_at(&mut self, centre: [f32; 2]) {
        self.centre = centre.map(|place| place.clamp(-1.0, 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screen_and_map_agree_and_zooming_keeps_what_is_under_the_pointer() {
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
        assert!(rect.contains(window.on_screen(rect, [-1.0, 1.0])), "the map cannot be lost");
    }
}
